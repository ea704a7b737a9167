#!/usr/bin/env python3
"""Shows that the simulator sees what it should: builds the planted bugs of include/loggia/kernel/mutant.hpp (preset `mutants`, one build),
lets each live in turn, and prints the first seed that finds it. Without any of them nothing may fail, three times in a row and with the
same histories, and the released executables know none of their names. Exit 1 where a bug lives on.

    tests/simulation/mutants.py [--no-build] [--seeds 500] [--clean 3] [--table] [NAME…]

`--table` puts the seeds that a run of all of them found into README.md.
"""
import argparse
import datetime
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "build/mutants/tests/simulation/simulation"
RELEASED = ("build/release/loggia", "build/release/tests/simulation/simulation")
README = ROOT / "tests/simulation/README.md"


def mutants():
    text = (ROOT / "include/loggia/kernel/mutant.hpp").read_text()
    listed = text[text.index("names[] = {"):text.index("consteval")]
    return re.findall(r'^\s+"(\w+)",\s*//\s*(.+)$', listed, re.M)


def run(mutant, seeds):
    """The seed that failed and why, where one did; what the program said last."""
    environment = dict(os.environ, LOGGIA_MUTANT=mutant)
    done = subprocess.run([PROGRAM, "--old", "--seeds", "1", str(seeds)], env=environment, capture_output=True, text=True, timeout=540)
    found = re.search(r"^seed (\d+) FAILED: (.*)$", done.stdout, re.M)
    if done.returncode not in (0, 1) or (done.returncode == 1) != bool(found):
        sys.exit(f"{mutant or 'no mutant'}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return found, done.stdout.strip().splitlines()[-1]


def names_told(known):
    failed = False
    for path in RELEASED:
        if (ROOT / path).exists():
            content = (ROOT / path).read_bytes()
            told = [name for name, _ in known if name.encode() in content]
            failed = failed or bool(told)
            print(f"names in {path}: {', '.join(told) or 'none'}", flush=True)
    return failed


def clean(times, seeds):
    failed, histories = False, set()
    for _ in range(times):
        found, last = run("", seeds)
        failed = failed or bool(found)
        print(f"{'(none)':28} {'FAILED: ' + found[0] if found else last}", flush=True)
        histories.add(last.rpartition("histories ")[2])
    if len(histories) > 1 and not failed:
        print("(none)                       FAILED: its runs differ")
        failed = True
    return failed


def table(found, seeds, times):
    text = README.read_text()
    head = text[:text.index("\n\n- `") + 2]
    rows = "".join(f"- `{name}`: {seed}\n" for name, seed in found.items())
    today = datetime.date.today().isoformat()
    README.write_text(f"{head}{rows}\nMade by `tests/simulation/mutants.py --table` on {today}, of {seeds} seeds at most; without any of "
                      f"them none failed, {times} times in a row.\n")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--no-build", action="store_true")
    arguments.add_argument("--seeds", type=int, default=500)
    arguments.add_argument("--clean", type=int, default=3)
    arguments.add_argument("--table", action="store_true")
    arguments.add_argument("names", nargs="*")
    arguments = arguments.parse_args()
    if not arguments.no_build:
        subprocess.run([ROOT / "scripts/build", "mutants", "simulation"], check=True, stdout=subprocess.DEVNULL)
    known = mutants()
    failed = names_told(known)
    if not arguments.names:
        failed = clean(arguments.clean, arguments.seeds) or failed
    seed_of = {}
    for name, what in known:
        if arguments.names and name not in arguments.names:
            continue
        began = time.monotonic()
        found, _ = run(name, arguments.seeds)
        took = f"{time.monotonic() - began:.1f} s"
        print(f"{name:28} {'seed ' + found[1] if found else 'NOT FOUND':>10} {took:>7}  {found[2][:110] if found else what}", flush=True)
        if found:
            seed_of[name] = found[1]
        else:
            failed = True
    if not arguments.names:
        print(f"{len(seed_of)} of {len(known)} found; without any: {arguments.clean} runs of {arguments.seeds} seeds{'' if failed else ', none failed'}")
        if arguments.table and not failed:
            table(seed_of, arguments.seeds, arguments.clean)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
