#!/usr/bin/env python3
"""Shows that the simulator sees what it should: builds the planted bugs of include/loggia/kernel/mutant.hpp (preset `mutants`, one build),
lets each live in turn, and prints the first seed that finds it. Without any of them nothing may fail, and the released executable knows
none of their names. Exit 1 where a bug lives on.

    tests/simulation/mutants.py [--no-build] [--seeds 500] [NAME…]
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "build/mutants/tests/simulation/simulation"


def mutants():
    text = (ROOT / "include/loggia/kernel/mutant.hpp").read_text()
    listed = text[text.index("names[] = {"):text.index("consteval")]
    return re.findall(r'^\s+"(\w+)",\s*//\s*(.+)$', listed, re.M)


def run(mutant, seeds):
    environment = dict(os.environ, LOGGIA_MUTANT=mutant)
    done = subprocess.run([PROGRAM, "--old", "--seeds", "1", str(seeds)], env=environment, capture_output=True, text=True, timeout=540)
    found = re.search(r"^seed (\d+) FAILED: (.*)$", done.stdout, re.M)
    if done.returncode not in (0, 1) or (done.returncode == 1) != bool(found):
        sys.exit(f"{mutant or 'no mutant'}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return found


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--no-build", action="store_true")
    arguments.add_argument("--seeds", type=int, default=500)
    arguments.add_argument("names", nargs="*")
    arguments = arguments.parse_args()
    if not arguments.no_build:
        subprocess.run([ROOT / "scripts/build", "mutants", "simulation"], check=True, stdout=subprocess.DEVNULL)
    known = mutants()
    failed = False
    released = ROOT / "build/release/loggia"
    if released.exists():
        content = released.read_bytes()
        told = [name for name, _ in known if name.encode() in content]
        failed = bool(told)
        print(f"names in the released executable: {', '.join(told) or 'none'}")
    if not arguments.names:
        found = run("", arguments.seeds)
        failed = failed or bool(found)
        print(f"{'(none)':28} {'FAILED: ' + found[0] if found else f'no seed of {arguments.seeds} fails'}")
    for name, what in known:
        if arguments.names and name not in arguments.names:
            continue
        began = time.monotonic()
        found = run(name, arguments.seeds)
        failed = failed or not found
        took = f"{time.monotonic() - began:.1f} s"
        print(f"{name:28} {'seed ' + found[1] if found else 'NOT FOUND':>10} {took:>7}  {found[2][:110] if found else what}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
