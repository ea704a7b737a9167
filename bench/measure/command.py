"""The command line of scripts/bench."""
import argparse, datetime, os, resource, subprocess
from . import tools
from .generators import Loadgen, OwnLoad
from .report import Report, load
from .rows import TEXT, Bench
from .servers import DISK, ROOT, Beast, LoggiaOnKafka, LoggiaOnPostgres, Nats
from .split import compare

ROWS = ("room", "rooms", "latency", "acks", "start")
STORAGES = {"postgres": LoggiaOnPostgres}
BUSES = {"kafka": LoggiaOnKafka}
ABOUT = """Measures Loggia beside floors in the same run: scripts/bench [--peers] [--only room,rooms,latency,acks,start] [--split] [--markdown FILE]

The floors are the least that could be: a WebSocket fan-out with Boost.Beast that joins frames, a plain epoll fan-out over TCP lines in C, and the disk's
fdatasync. --peers adds NATS (Debian's nats-server), ws and Socket.IO (npm, bench/peers). --split puts one process beside one for each module. Runs
alternate; medians are shown; aims are issue 4's, of --split issue 6's. A shared machine moves rates by 3x: trust ratios and CPU seconds first.
LOGGIA_BENCH_DIR (/var/tmp) is where the data lies: a disk, never memory."""


def arguments():
    parser = argparse.ArgumentParser(description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="alternating runs of each row (3)")
    parser.add_argument("--seconds", type=float, default=4, help="measured time of a run (4)")
    parser.add_argument("--latency-seconds", type=float, default=20, help="of a run of the latency row, whose p99 wants 1,000 messages (20)")
    parser.add_argument("--peers", action="store_true", help="also NATS, ws and Socket.IO")
    parser.add_argument("--split", action="store_true", help="`loggia up config/split` beside one process, in turn; without --only nothing else")
    parser.add_argument("--only", help="rows, comma separated: room, rooms (both: fan), latency, acks, start (all); none: --storage, --bus and --split alone")
    parser.add_argument("--storage", choices=STORAGES, help="also 256 sends in flight on this storage and on SQLite, in turn")
    parser.add_argument("--bus", choices=BUSES, help="also the time from send to delivery over this bus and over the embedded one, in turn")
    parser.add_argument("--generator", choices=("loadgen", "own"), default="loadgen", help="own: bench/load.cpp even where loadgen could be built")
    parser.add_argument("--loadgen", metavar="DIR", help="the sources of loadgen (../shared/loadgen)")
    parser.add_argument("--markdown", metavar="FILE", help="also write what is printed into this file")
    given = parser.parse_args()
    if given.only is None:
        given.only = "none" if given.split else ",".join(ROWS)
    given.only = given.only.replace("fan", "room,rooms").split(",")
    unknown = set(given.only) - {*ROWS, "none"}
    if unknown:
        parser.error(f"--only knows {', '.join(ROWS)} and fan, not {', '.join(sorted(unknown))}")
    return given


def choose(given, report):
    """The generator and the peers."""
    own = OwnLoad()
    program, why = tools.loadgen(given.loadgen) if given.generator == "loadgen" else (None, "--generator own")
    if not program:
        report.say(f"Generator: {own.name}, since loadgen cannot be used: {why}.")
        if given.peers:
            report.say(f"The peers were left out: only loadgen drives them, and {why}.")
        return own, own, []
    report.say(f"Generator: {Loadgen(program).name}; for acknowledgements {own.name}.")
    if not given.peers:
        return Loadgen(program), own, []
    found, left_out = tools.peers()
    for why in left_out:
        report.say(f"Left out: {why}.")
    return Loadgen(program), own, found


def main():
    given = arguments()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))   # a thousand connections on each side
    tools.build()
    report = Report()
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip() or "an unknown version"
    report.say(f"scripts/bench on {datetime.date.today()}, {commit}: {given.runs} alternating runs of {given.seconds:g} s (latency "
               f"{given.latency_seconds:g} s), medians; {os.cpu_count()} cores, load {load()} before; data in {DISK} "
               f"({tools.disk(DISK, seconds=0.05)['filesystem']}).")
    generator, own, peers = choose(given, report)
    bench = Bench(generator, own, peers, given, report)
    report.say(f"A message's text has {TEXT} bytes, the same for the peers; Loggia's frame for it {bench.frame}, and so have the floors'. "
               "Ratios are medians of the runs' ratios.")
    if "room" in given.only:
        bench.fan("1 room of 500 readers with 10 senders",
                  [("CPU a delivery", Beast, "cpu", "at most", 2.2), ("CPU a delivery", Nats, "cpu", "at most", 2 / 3),
                   ("deliveries a second", Nats, "deliveries_s", "at least", 2)],
                  rooms=1, members=500, senders=10, window=16)
    if "rooms" in given.only:
        bench.fan("200 rooms of 5, all send",
                  [("CPU a delivery", Beast, "cpu", "at most", 1.7), ("CPU a delivery", Nats, "cpu", "at most", 1)],
                  rooms=200, members=5, senders=0, window=4)
    for name in ("latency", "acks", "start"):
        if name in given.only:
            getattr(bench, name)()
    if given.split:
        compare(own, given.runs, given.seconds, report)
    if given.storage:
        bench.storage(STORAGES[given.storage])
    if given.bus:
        bench.bus(BUSES[given.bus])
    report.say()
    report.say(f"Load {load()} at the end.")
    if given.markdown:
        report.write(given.markdown)
