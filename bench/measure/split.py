"""What it costs that each module is a process of its own: the same work for `loggia serve` and for `loggia up config/split`, in turn."""
import sys, time
from .processes import memory
from .report import load, median, number, ratio, spread
from .rows import TEXT
from .servers import Loggia, LoggiaSplit

IDLE = 3                       # seconds after the ready line at which memory is read
ONE, MANY = (1, 1), (16, 16)   # connections, sends of each in flight
READERS, SENDERS, WINDOW = 100, 10, 16
MIB_AIM, READY_AIM = 150, 3


def measure(server, generator, seconds):
    """A row of one run: everything at one start of the server."""
    time.sleep(IDLE)
    pids = server.pids()
    row = {"ready_s": server.took, "processes": len(pids), **memory(pids)}
    one, many = (generator.acks(server, *shape, TEXT, seconds) for shape in (ONE, MANY))
    fan = generator.fan(server, 1, READERS, SENDERS, WINDOW, TEXT, seconds)
    row |= {"p50_ms": one["p50_ms"], "p99_ms": one["p99_ms"], "acks_s": many["acks_s"], "deliveries_s": fan["deliveries_s"], "cpu_delivery": fan["cpu"]}
    for name, got in (("cpu_alone", one), ("cpu_send", many)):
        row[name] = got["server_cores"] / got["acks_s"] * 1e6
    return row


def table(report, one, split):
    """Of the rows of both, run by run."""
    many = f"{MANY[0] * MANY[1]} in flight ({MANY[0]} senders)"
    rows = [("exec to ready, new data, s", "ready_s"), ("idle: resident memory of all processes, MiB", "rss"), ("idle: where shared pages count once (PSS), MiB", "pss"),
            ("1 send in flight: p50 ms", "p50_ms"), ("1 send in flight: p99 ms", "p99_ms"), ("1 send in flight: CPU µs a send", "cpu_alone"),
            (f"acknowledged sends a second, {many}", "acks_s"), (f"CPU µs a send, {many}", "cpu_send"),
            (f"deliveries a second, {SENDERS} senders to {READERS} readers", "deliveries_s"), ("CPU µs a delivery, there", "cpu_delivery")]
    report.head("One process and one for each module", "what", "one process", "of single runs", f"{split[0]['processes']} processes", "of single runs", "ratio")
    for what, key in rows:
        report.row(what, number(median(one, key)), spread(one, key), number(median(split, key)), spread(split, key), number(ratio(split, one, key)))
    report.aims(("idle: resident memory of all processes, MiB", median(split, "rss"), "at most", MIB_AIM),
                ("exec to ready, new data, s", median(split, "ready_s"), "at most", READY_AIM))


def compare(generator, runs, seconds, report):
    before, rows = load(), {Loggia: [], LoggiaSplit: []}
    for run in range(runs):
        for server, got in rows.items():
            print(f"run {run + 1} of {runs}: {server.name}", file=sys.stderr, flush=True)
            with server() as running:
                got.append(measure(running, generator, seconds))
    table(report, *rows.values())
    report.say()
    report.say(f"Of the processes one is `up`, which watches the others; its memory and CPU count. Load {before} before, {load()} after.")
