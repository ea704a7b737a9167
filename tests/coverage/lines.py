"""At least 85 of 100 lines of what is ours run in the tests: python3 tests/coverage/lines.py [build/dev] [--list]

Read by gcovr from the counts that the tests of the preset `dev` left beside its objects (LOGGIA_COVERAGE). Lines of include/, src/ and modules/ are meant, each
once, wherever it was compiled; src/cli and src/demo run in tests/system alone, which is not counted. --list prints every file with the lines that never ran. scripts/test removes older counts before the tests (--clear)."""
import json, pathlib, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LEAST = 85
words = [word for word in sys.argv[1:] if not word.startswith("--")]
build = ROOT / (words[0] if words else "build/dev")

if "--clear" in sys.argv:
    for counts in build.rglob("*.gcda"):
        counts.unlink()
    sys.exit(0)
if next(build.rglob("*.gcda"), None) is None:
    sys.exit(f"there are no counts below {build}: build the preset `dev` and run its tests first (scripts/build dev && ctest --test-dir build/dev)")

with tempfile.TemporaryDirectory(prefix="loggia-lines-") as folder:
    report = pathlib.Path(folder) / "report.json"
    done = subprocess.run(["gcovr", "--root", ROOT, "--filter", "include/", "--filter", "src/", "--filter", "modules/", "--object-directory", build, "-j", "2",
                           "--json", report, build],
                          cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"gcovr ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    files = json.loads(report.read_text())["files"]

parts, total, ran = {}, 0, 0
for file in files:
    lines = [line for line in file["lines"] if not line.get("gcovr/noncode")]
    missed = [line["line_number"] for line in lines if not line["count"]]
    name = file["file"]
    if "/roots/" in name:   # a header as its readers see it: roots/kernel/loggia/kernel/id.hpp is a link into include/
        name = "include/" + name.split("/roots/")[1].split("/", 1)[1]
    part = "/".join(pathlib.Path(name).parts[:2])
    have = parts.setdefault(part, [0, 0])
    have[0] += len(lines)
    have[1] += len(lines) - len(missed)
    if "--list" in sys.argv and missed:
        print(f"{name}: {len(lines) - len(missed)} of {len(lines)}; never: {' '.join(map(str, missed))}")
for part, (lines, here) in sorted(parts.items()):
    print(f"        {part:24} {here:6} of {lines:6} lines, {100 * here / lines:5.1f} %")
    total, ran = total + lines, ran + here
share = 100 * ran / total
print(f"{'ok     ' if share >= LEAST else 'FAILED '} {ran} of {total} lines of ours run, {share:.1f} % (at least {LEAST})")
sys.exit(0 if share >= LEAST else 1)
