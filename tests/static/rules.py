"""What the rules find in scripts and tests, and what they leave alone. Never run."""
import subprocess

# ruleid: through-a-shell
subprocess.run("ls " + name, shell=True)
# ok: through-a-shell
subprocess.run(["ls", name])
