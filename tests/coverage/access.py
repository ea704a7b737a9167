"""Every branch of the functions that decide who may do what runs in their unit tests: python3 tests/coverage/access.py [build/release]

Compiles them and their tests alone, counted (g++ --coverage), beside the kernel that is built already, and reads gcov's own account. Left out: branches that only
an exception takes, and the way out of a `switch` over an enum whose every case returns (-Wswitch-enum, an error here, sees that none is missing)."""
import json, pathlib, re, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build/release")
# Source, its test, the includes of the module.
ACCESS = [("modules/chat/room_policy.cpp", "tests/chat/room_policy_test.cpp", "modules/chat")]
FLAGS = ["-std=c++20", "-O0", "-g0", "-DDOCTEST_CONFIG_SUPER_FAST_ASSERTS"]
LIBRARIES = ["fmt", "crypto", "ssl", "SQLiteCpp", "sqlite3", "z", "argon2", "tomlplusplus", "resolv", "pthread"]
# Engines that the build takes where they are installed.
LIBRARIES += [name for package, name in (("libcurl", "curl"), ("libpq", "pq"), ("rdkafka", "rdkafka")) if not subprocess.run(["pkg-config", "--exists", package]).returncode]


def run(folder, *words):
    done = subprocess.run([str(word) for word in words], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{words[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def untaken(source, account):
    """Lines and branches of `source` that never ran, and how many there are in all."""
    text, lines, branches, wrong = (ROOT / source).read_text().splitlines(), 0, 0, []
    switches, in_switch = [], False
    for number, line in enumerate(text, 1):   # a switch at the margin of a function ends with its brace there; what follows it in the function never runs
        if re.match(r"  switch \(", line):
            switches.append(number)
            in_switch = True
        elif in_switch and re.match(r"  return ", line):
            switches.append(number)
            in_switch = False
        elif line.startswith("}"):
            in_switch = False
    for line in account["lines"]:
        number = line["line_number"]
        ways = [branch for branch in line["branches"] if not branch["throw"]]
        missed = [branch for branch in ways if not branch["count"]]
        if number in switches:
            missed = missed[1:]
            ways = ways[1:] if ways else ways
        elif not line["count"]:
            wrong.append(f"{source}:{number}: never runs: {text[number - 1].strip()}")
        lines, branches = lines + 1, branches + len(ways)
        wrong += [f"{source}:{number}: {len(missed)} of {len(ways)} branches never taken: {text[number - 1].strip()}"] if missed else []
    return lines, branches, wrong


failed = 0
with tempfile.TemporaryDirectory(prefix="loggia-access-") as folder:
    folder = pathlib.Path(folder)
    (folder / "main.cpp").write_text("#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN\n#include <doctest/doctest.h>\n")
    run(folder, "g++", *FLAGS, "-c", "main.cpp", "-o", "main.o")
    for source, test, own in ACCESS:
        includes = ["-I" + str(ROOT / part) for part in ("include", "tests", own)]
        run(folder, "g++", *FLAGS, "--coverage", *includes, "-c", ROOT / source, "-o", "counted.o")
        run(folder, "g++", *FLAGS, *includes, "-c", ROOT / test, "-o", "test.o")
        libraries = [BUILD / "src/kernel/libloggia_kernel.a", BUILD / "src/kernel/libloggia_asio.a", *("-l" + name for name in LIBRARIES)]
        run(folder, "g++", "--coverage", "counted.o", "test.o", "main.o", *libraries, "-o", "tests")
        cases = re.search(r"test cases: +(\d+)", run(folder, folder / "tests"))[1]
        report = json.loads(run(folder, "gcov", "--json-format", "--stdout", "-b", "counted.gcda"))
        account = next(file for file in report["files"] if file["file"].endswith(source))
        lines, branches, wrong = untaken(source, account)
        print(f"        {source}: {lines} lines and {branches} branches, {len(wrong)} missed by {cases} tests", *wrong, sep="\n" if wrong else "")
        failed += bool(wrong) or branches < 50
print("FAILED" if failed else "ok      every branch of the access functions is taken")
sys.exit(1 if failed else 0)
