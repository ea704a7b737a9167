"""What the machine has of what measuring wants: the generator, the peers; and why not, where something is missing."""
import json, os, pathlib, shutil, subprocess
from .servers import BUILD, ROOT, Nats, SocketIo, Ws


def last_line(text):
    return (text.strip().splitlines() or ["no words"])[-1]


def build():
    subprocess.run([ROOT / "scripts/build", "release", "loggia", "loggia_load", "loggia_disk", "loggia_crowd", "floor_tcp", "floor_beast"], check=True, stdout=subprocess.DEVNULL)


def loadgen_sources(named):
    """../shared/loadgen beside the repository, also where this is a further worktree of it."""
    if named:
        return pathlib.Path(named)
    places = [ROOT.parent / "shared/loadgen"]
    shared = subprocess.run(["git", "-C", ROOT, "rev-parse", "--path-format=absolute", "--git-common-dir"], capture_output=True, text=True)
    if shared.returncode == 0:
        places.append(pathlib.Path(shared.stdout.strip()).parents[1] / "shared/loadgen")
    return next((p for p in places if (p / "go.mod").exists()), places[0])


def loadgen(named=None):
    """(path of the built loadgen, None), or (None, why there is none)."""
    sources, program = loadgen_sources(named), ROOT / "build/bench/loadgen"
    if not (sources / "go.mod").exists():
        return None, f"{sources} is not there"
    go = shutil.which("go") or next((p for p in ["/usr/local/go/bin/go"] if os.access(p, os.X_OK)), None)
    if not go:
        return None, "Go is not installed"
    if not program.exists() or program.stat().st_mtime < max(p.stat().st_mtime for p in sources.glob("*.go")):
        program.parent.mkdir(parents=True, exist_ok=True)
        made = subprocess.run([go, "build", "-buildvcs=false", "-o", program, "."], cwd=sources, env={**os.environ, "CGO_ENABLED": "0"}, capture_output=True, text=True)
        if made.returncode:
            return None, "go build of loadgen failed: " + last_line(made.stderr)
    return program, None


def node_packages():
    """Why bench/peers cannot be run, or None."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node or npm is not installed"
    peers = ROOT / "bench/peers"
    installed, lock = peers / "node_modules/.package-lock.json", peers / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=peers, capture_output=True, text=True)
        if done.returncode:
            return "npm ci failed: " + last_line(done.stderr)
    return None


def peers():
    """The peers that can be run, and for each other one why it was left out."""
    found, left_out = [], []
    if shutil.which("nats-server") or os.access("/usr/sbin/nats-server", os.X_OK):
        found.append(Nats)
    else:
        left_out.append(f"{Nats.name}: nats-server is not installed (apt-get install nats-server)")
    why = node_packages()
    for peer in (Ws, SocketIo):
        if why:
            left_out.append(f"{peer.name}: {why}")
        else:
            found.append(peer)
    return found, left_out


def disk(directory, **flags):
    """What fdatasync costs there: a row of bench/disk.cpp, which refuses file systems that are in memory."""
    words = [BUILD / "bench/loggia_disk", "--dir", directory]
    for name, value in flags.items():
        words += ["--" + name, str(value)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise SystemExit("bench: " + done.stderr.strip())
    return json.loads(done.stdout)
