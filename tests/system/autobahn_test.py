"""Autobahn's cases on the kernel's WebSocket, behind an echo (tests/http/echo). Sections 1 to 7; with --deep (or LOGGIA_DEEP=1) also 9 and 10.

    python3 tests/system/autobahn_test.py build/release/loggia [--deep]

The suite is for Python 2 and is no part of the repository: it is fetched from PyPI once, converted, and kept in ~/.cache/loggia (XDG_CACHE_HOME). Where it
cannot be had, the test says so and leaves the cases out; with LOGGIA_AUTOBAHN=required that is a failure.
"""
import collections, json, os, pathlib, re, shutil, subprocess, sys, tempfile, time

SUITE, CLIENT = "autobahntestsuite==25.10.1", ["autobahn[twisted]==24.4.2", "setuptools<81"]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "loggia" / "autobahn-25.10.1"
HERE = pathlib.Path(__file__).resolve().parent
# What a conforming server may answer otherwise; everything else is OK. Cases 7.1.6, 7.13.1 and 7.13.2 only look what happens.
AS_GOOD = {"OK", "INFORMATIONAL", "NON-STRICT"}


def convert(source):
    """The recipe: 2to3, and the five places that it cannot know of."""
    cases = source / "autobahntestsuite" / "case"
    subprocess.run([sys.executable, "-W", "ignore", "-m", "lib2to3", "-w", "-n", "--no-diffs", str(cases)], check=True, capture_output=True)
    for file in cases.glob("*.py"):
        text = file.read_text()
        text = text.replace("(object, Case, )", "(Case, )")
        if file.name.startswith("case6_2_"):  # the file's bytes, as Python 2 had them
            text = re.sub(r'^(\s+PAYLOAD\w* = "[^"\n]*")$', r"\1.encode('utf-8').decode('latin-1')", text, flags=re.M)
        if file.name == "case10_1_1.py":
            text = text.replace("len(self.payload) / self.p", "len(self.payload) // self.p")
        if file.name == "case12_x_x.py":  # names of its client's that have changed since
            text = re.sub(r"\b(request|accept)(NoContextTakeover|MaxWindowBits)\b", lambda m: m[1] + {"N": "_no_context_takeover", "M": "_max_window_bits"}[m[2][0]], text)
        if file.name == "__init__.py":
            text = text.replace("from .case9_9_1 import *\n", "")
        file.write_text(text)


def prepared():
    """The folder of the converted suite and the Python that has its client; None where they cannot be had."""
    ready = CACHE / "ready"
    if ready.exists():
        return CACHE / "suite", CACHE / "venv" / "bin" / "python"
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="autobahn-", dir=CACHE.parent))
    try:
        python = CACHE / "venv" / "bin" / "python"
        shutil.rmtree(CACHE, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(CACHE / "venv")], check=True, capture_output=True, text=True)
        pip = [str(python), "-m", "pip", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *CLIENT], check=True, capture_output=True, text=True)
        # --no-deps: its own are of Python 2. Nothing of it is run but the cases.
        subprocess.run([*pip, "download", "--no-deps", "--no-binary", ":all:", "-d", str(work), SUITE], check=True, capture_output=True, text=True)
        subprocess.run(["tar", "-xzf", str(next(work.glob("*.tar.gz"))), "-C", str(work)], check=True)
        source = next(path for path in work.iterdir() if path.is_dir())
        convert(source)
        shutil.move(source / "autobahntestsuite", CACHE / "suite")
        ready.touch()
        return CACHE / "suite", python
    except (subprocess.CalledProcessError, StopIteration, OSError) as problem:
        print(f"        Autobahn's cases were left out: they cannot be had ({problem}): {(getattr(problem, 'stderr', '') or '')[-300:]}")
        shutil.rmtree(CACHE, ignore_errors=True)
        return None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    deep = "--deep" in sys.argv or os.environ.get("LOGGIA_DEEP") == "1"
    echo = binary.parent / "tests" / "http" / "http_echo_server"
    assert echo.exists(), f"{echo} is not there: build it (scripts/build release http_echo_server)"
    suite = prepared()
    if suite is None:
        print("0 passed, 0 failed, Autobahn left out")
        sys.exit(os.environ.get("LOGGIA_AUTOBAHN") == "required")
    began, passed, informed, binary_refused, wrong = time.monotonic(), 0, 0, 0, []
    server = subprocess.Popen([str(echo)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    sections = collections.Counter()
    try:
        url = server.stdout.readline().strip()
        asked = "1,2,3,4,5,6,7" + (",9,10" if deep else "")
        cases = subprocess.Popen([str(suite[1]), "-W", "ignore", str(HERE / "autobahn_cases.py"), str(suite[0]), url, asked], stdout=subprocess.PIPE, text=True)
        for line in cases.stdout:
            result = json.loads(line)
            if result.get("as") == "binary":  # as it is: refused with the code that says why, or for what else is wrong with it
                binary_refused += 1
                if result["code"] != 1003 and result["behavior"] != "OK":
                    wrong.append(result)
                continue
            good = result["behavior"] in AS_GOOD and result["close"] in {"OK", "INFORMATIONAL"} and not result["problem"]
            sections[result["case"].split(".")[0]] += 1
            passed += good
            informed += good and result["behavior"] != "OK"
            if not good:
                wrong.append(result)
        assert cases.wait() == 0, "the runner failed"
    finally:
        server.stdin.close()
        ended = server.wait(20)
    for result in wrong:
        print(f"FAILED  {result}")
    counts = ", ".join(f"{section}: {count}" for section, count in sorted(sections.items(), key=lambda one: int(one[0])))
    print(f"        cases by section ({counts}); {informed} of them informational or not strict; {binary_refused} sent binary: closed with 1003, then passed as text")
    least = {"1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37} | ({"9": 50, "10": 1} if deep else {})
    assert ended == 0, f"the echo server ended with {ended}"
    assert all(sections[section] >= count for section, count in least.items()), f"there are cases missing: {counts}"
    print(f"{passed} passed, {len(wrong)} failed ({time.monotonic() - began:.1f} s)")
    sys.exit(bool(wrong) or not passed)


main()
