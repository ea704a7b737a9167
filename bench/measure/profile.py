"""scripts/profile: where Loggia's CPU time goes, by layer, under a row of scripts/bench."""
import argparse, json, os, shutil, subprocess, sys, tempfile, threading
from . import tools
from .layers import Layers
from .report import Report, load
from .rows import TEXT
from .servers import BUILD, DISK, Loggia

ROWS = {
    "room": ("1 room of 500 readers with 10 senders", dict(mode="fan", rooms=1, members=500, senders=10, window=16)),
    "rooms": ("200 rooms of 5, all send", dict(mode="fan", rooms=200, members=5, senders=0, window=4)),
    "latency": ("100 readers, 50 messages a second", dict(mode="latency", members=100, senders=1, rate=50)),
    "acks": ("160 sends in flight of 16 senders", dict(mode="acks", members=16, window=10)),
}
ABOUT = """A table of where Loggia's CPU time goes, by layer: scripts/profile rooms [--seconds 10] [--markdown FILE]
perf record with DWARF stacks of the release build under bench/load.cpp, sorted by bench/measure/layers.py."""


def record(row, seconds, hertz, into):
    """Starts Loggia and the load, and records what Loggia does from when the measured time begins."""
    with Loggia() as server:
        # The load lasts longer than perf, which starts late on a busy machine: connections that end are no part of the row.
        words = [BUILD / "bench/loggia_load", "--target", "loggia", "--address", server.address, "--pid", server.process.pid, "--size", TEXT,
                 "--warm", 2, "--seconds", seconds + 5]
        for name, value in ROWS[row][1].items():
            words += ["--" + name, value]
        # Its words go to a file: a pipe that nobody reads while perf records could fill up.
        with tempfile.TemporaryFile("w+") as said:
            loading = subprocess.Popen([str(w) for w in words], stdout=said, stderr=subprocess.PIPE, text=True)
            for line in loading.stderr:
                if line.strip() == "measuring":
                    break
            else:
                raise SystemExit(f"profile: the load failed with {loading.wait()}")
            rest = threading.Thread(target=loading.stderr.read, daemon=True)
            rest.start()
            done = subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", str(hertz), "--call-graph", "dwarf,16384", "-m", "32M", "-p",
                                   str(server.process.pid), "-o", into, "--", "sleep", str(seconds)], capture_output=True, text=True)
            if loading.wait() or done.returncode:
                raise SystemExit(f"profile: {done.stderr.strip() or 'the load failed'}")
            said.seek(0)
            return json.loads(said.read())


def main():
    parser = argparse.ArgumentParser(description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--hertz", type=int, default=997, help="samples a second of CPU time (997)")
    parser.add_argument("--markdown", metavar="FILE", help="also write the table into this file")
    parser.add_argument("--unknown", action="store_true", help="also the names that no layer's rule knows, to write one")
    given = parser.parse_args()
    if not shutil.which("perf"):
        sys.exit("profile: perf is not installed here (Debian: apt-get install linux-perf); there is no table without it")
    tools.build()
    report, before = Report(), load()
    with tempfile.TemporaryDirectory(prefix="loggia-profile-", dir=DISK) as home:
        got = record(given.row, given.seconds, given.hertz, home + "/perf.data")
        # --no-inline: without debug information it finds nothing, and takes minutes for it.
        script = subprocess.Popen(["perf", "script", "--no-inline", "-i", home + "/perf.data", "-F", "comm,tid,period,event,ip,sym,dso"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, errors="replace", env={**os.environ, "DEBUGINFOD_URLS": ""})
        found = Layers(script.stdout)
        script.wait()
    if not found.count:
        sys.exit("profile: perf saw nothing of Loggia")
    seconds = found.whole / 1e9
    report.head(f"Where the CPU goes: {ROWS[given.row][0]}", "layer", "share", "of it for")
    for layer, weight, parts in found.by_layer():
        report.row(layer, found.share(weight), parts)
    report.say()
    report.row("for which part", "share")
    report.row("---", "---")
    for part, weight in found.by_part():
        report.row(part, found.share(weight))
    report.say()
    threads = ((thread, weight) for thread, weight in found.threads.most_common() if weight > 0.002 * found.whole)
    report.say("Threads: " + ", ".join(f"{thread} {found.share(weight)}" for thread, weight in threads) + ".")
    each = got["cpu_s_per_million"] or 0
    what = f"{got['deliveries_s']:,.0f} deliveries a second, {each:.2f} CPU s a million" if got["deliveries_s"] else f"{got['acks_s']:,.0f} sends a second"
    report.say(f"{found.count} samples, {seconds:.2f} CPU s in {given.seconds:g} s; {what} (while perf watched); "
               f"load {before} before, {load()} after.")
    if given.unknown:
        for name, weight in found.unknown.most_common(40):
            print(f"{found.share(weight):>7}  {name}")
    if given.markdown:
        report.write(given.markdown)
