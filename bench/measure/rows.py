"""What is measured. Each function makes its alternating runs and writes its table."""
import shutil, statistics, sys, time
from . import tools
from .report import load, median, number, ratio, spread
from .servers import DISK, Beast, Loggia, Tcp

TEXT = 128      # bytes of a message's text, for Loggia and the peers
PAGE = 4096     # what one fdatasync is measured with
COMMIT = 40960  # what a commit of Loggia with one send writes: ten pages of its log


class Bench:
    def __init__(self, generator, own, peers, given, report):
        self.generator, self.own, self.peers, self.report = generator, own, list(peers), report
        self.runs, self.seconds, self.latency_seconds = given.runs, given.seconds, given.latency_seconds
        with Loggia() as server:
            self.frame = generator.frame(server, TEXT)

    def size(self, server):
        """Floors carry frames as long as Loggia's, peers the same text."""
        return self.frame if server in (Beast, Tcp) else TEXT

    def alternate(self, measure):
        """{server: [a row a run]} of Loggia, the floors and the peers in turn. A peer that fails is left out from there on, with its reason."""
        servers = [Loggia, Beast, Tcp, *self.peers]
        rows = {server: [] for server in servers}
        for run in range(self.runs):
            for server in list(rows):
                print(f"run {run + 1} of {self.runs}: {server.name}", file=sys.stderr, flush=True)
                try:
                    with server() as running:
                        rows[server].append(measure(running, self.size(server)))
                except RuntimeError as failed:
                    if server not in self.peers:
                        raise SystemExit(f"bench: {failed}")
                    self.report.say(f"{server.name} was left out: {tools.last_line(str(failed))}")
                    del rows[server]
                    self.peers.remove(server)
        return rows

    def fan(self, title, aims, **shape):
        before = load()
        rows = self.alternate(lambda server, size: self.generator.fan(server, size=size, seconds=self.seconds, **shape))
        self.report.head(title, "server", "deliveries a second", "CPU s a million deliveries", "of single runs", "bytes a delivery", "its cores",
                         "generator's cores", "others' cores")
        for server, got in rows.items():
            busy = median(got, "generator_cores")
            others = number(median(got, "other_cores")) if got[0]["other_cores"] is not None else ""
            self.report.row(server.name, number(median(got, "deliveries_s")), number(median(got, "cpu")), spread(got, "cpu"), number(median(got, "bytes")),
                            number(statistics.median(r["deliveries_s"] * r["cpu"] / 1e6 for r in got)), number(busy) + (", its limit" if busy > 0.85 else ""), others)
        self.report.aims(*((f"{what}, Loggia / {server.name}", ratio(rows[Loggia], rows[server], key), way, aim)
                           for what, server, key, way, aim in aims if server in rows))
        self.report.say()
        self.report.say(f"Load {before} before, {load()} after.")

    def latency(self):
        before, rate = load(), 50
        syncs = []

        def measure(server, size):
            if server.driver == "beast":  # the disk in the same minute, at the same pace
                syncs.append(tools.disk(DISK, bytes=PAGE, rate=rate, seconds=self.latency_seconds / 2))
            return self.generator.latency(server, members=100, rate=rate, size=size, seconds=self.latency_seconds)
        rows = self.alternate(measure)
        floors = [{key: beast[key] + sync[key] for key in ("p50_ms", "p99_ms")} for beast, sync in zip(rows[Beast], syncs)]
        self.report.head(f"From due time to the last of 100 readers, {rate} messages a second, open loop", "server", "p50 ms", "p99 ms",
                         "p99 of single runs", "lost")
        for server, got in rows.items():
            self.report.row(server.name, number(median(got, "p50_ms")), number(median(got, "p99_ms")), spread(got, "p99_ms"), sum(r["lost"] for r in got))
        for name, got in ((f"one fdatasync, {PAGE} bytes appended, {rate} a second", syncs), ("Beast + one fdatasync", floors)):
            self.report.row(name, number(median(got, "p50_ms")), number(median(got, "p99_ms")), spread(got, "p99_ms"), "")
        self.report.aims(*((f"{name}, Loggia / (Beast + one fdatasync)", ratio(rows[Loggia], floors, key), "at most", 1.3)
                           for name, key in (("p50", "p50_ms"), ("p99", "p99_ms"))))
        self.report.say()
        self.report.say(f"Load {before} before, {load()} after.")

    def acks(self):
        before = load()
        shapes = {1: (1, 1), 16: (16, 1), 160: (16, 10)}
        rows, appended, replaced = {n: [] for n in shapes}, [], []
        for _ in range(self.runs):
            disk = []   # before, between and behind: a disk that others use too changes by the second
            for flight, (members, window) in shapes.items():
                disk.append(tools.disk(DISK, bytes=PAGE, seconds=1))
                with Loggia() as server:
                    rows[flight].append(self.own.acks(server, members, window, TEXT, self.seconds))
            disk.append(tools.disk(DISK, bytes=PAGE, seconds=1))
            appended.append({key: statistics.mean(d[key] for d in disk) for key in ("syncs_s", "p50_ms", "p99_ms")})
            replaced.append(tools.disk(DISK, bytes=COMMIT, overwrite=1, seconds=1))
        self.report.head(f"Acknowledged (durable) sends, data on {replaced[0]['filesystem']}", "what", "a second", "p50 ms", "p99 ms", "server's cores",
                         "CPU µs a send")
        for flight, got in rows.items():
            cpu = statistics.median(r["server_cores"] / r["acks_s"] * 1e6 for r in got)
            self.report.row(f"{flight} in flight ({shapes[flight][0]} senders)",
                            *(number(median(got, k)) for k in ("acks_s", "p50_ms", "p99_ms", "server_cores")), number(cpu))
        for what, got in ((f"fdatasync, {PAGE} bytes appended", appended),
                          (f"fdatasync, {COMMIT} bytes in place, as a commit here writes", replaced)):
            self.report.row(what, *(number(median(got, k)) for k in ("syncs_s", "p50_ms", "p99_ms")), "", "")
        aim = min(20 * median(appended, "syncs_s"), 15000)
        self.report.aims(("sends a second, 160 in flight (the smaller of 20 times fdatasync and 15,000)", median(rows[160], "acks_s"), "at least", aim),
                         ("median acknowledgement with 1 in flight / one fdatasync", ratio(rows[1], appended, "p50_ms"), "at most", 3))
        self.report.say()
        self.report.say(f"Load {before} before, {load()} after.")

    def storage(self, other):
        """Acknowledged sends on two storages in turn, each with its data on the same disk."""
        before, members, window = load(), 16, 16
        rows = {Loggia: [], other: []}
        for run in range(self.runs):
            for server, got in rows.items():
                print(f"run {run + 1} of {self.runs}: {server.name}", file=sys.stderr, flush=True)
                with server() as running:
                    got.append(self.own.acks(running, members, window, TEXT, self.seconds))
        self.report.head(f"Acknowledged sends, {members * window} in flight ({members} senders, one room)", "storage", "a second", "of single runs", "p50 ms", "p99 ms")
        for server, got in rows.items():
            self.report.row(server.name, number(median(got, "acks_s")), spread(got, "acks_s"), number(median(got, "p50_ms")), number(median(got, "p99_ms")))
        self.report.aims(("sends a second, PostgreSQL / SQLite", ratio(rows[other], rows[Loggia], "acks_s"), "at least", 0.5))
        self.report.say()
        self.report.say(f"Load {before} before, {load()} after.")

    def bus(self, other):
        """From send to delivery on two buses in turn, open loop."""
        before, members, rate = load(), 10, 500
        rows = {Loggia: [], other: []}
        for run in range(self.runs):
            for server, got in rows.items():
                print(f"run {run + 1} of {self.runs}: {server.name}", file=sys.stderr, flush=True)
                with server() as running:
                    got.append(self.generator.latency(running, members=members, rate=rate, size=TEXT, seconds=self.latency_seconds))
        self.report.head(f"From due time to the last of {members} readers, {rate} messages a second, open loop", "bus", "p50 ms", "p99 ms", "p99 of single runs", "lost")
        for server, got in rows.items():
            self.report.row(server.name, number(median(got, "p50_ms")), number(median(got, "p99_ms")), spread(got, "p99_ms"), sum(r["lost"] for r in got))
        self.report.aims(("p99 that Kafka adds, ms", median(rows[other], "p99_ms") - median(rows[Loggia], "p99_ms"), "at most", 15))
        self.report.say()
        self.report.say(f"Load {before} before, {load()} after.")

    def start(self):
        """Starts, and 10,000 connections that come, go and come back: tests/system/opening.py."""
        sys.path.insert(0, str(tools.ROOT / "tests/system"))
        from harness import Server
        from opening import measure, people_in_rooms
        from work import rss
        server, took = Server(str(tools.BUILD / "loggia"), "--set", "auth.access_token_lifetime=6h", "--set", "log.level=warn"), {"new": [], "existing": []}
        try:
            for _ in range(2 * self.runs + 1):
                shutil.rmtree(server.data, ignore_errors=True)
                for kind in took:
                    began = time.monotonic()
                    server.start()
                    took[kind].append((time.monotonic() - began) * 1000)
                    idle = rss(server.process.pid)
                    server.stop()
            server.start()
            people, _ = people_in_rooms(server, 500, 10)
            found = measure(server, people, 10000)
        finally:
            server.discard()
        first, again = found["first"], found["again"]
        ready = {kind: statistics.median(times) for kind, times in took.items()}
        each, left = max(first["kib_each"], again["kib_each"]), again["mib_left"] / found["mib_before"]
        self.report.head("Starts and 10,000 connections", "what", "Loggia")
        for kind, times in took.items():
            self.report.row(f"exec to ready, {kind} data, ms", f"{number(ready[kind])} ({number(min(times))} to {number(max(times))})")
        self.report.row("resident memory after the start, MiB", number(idle))
        self.report.row("CPU to open a connection (10,000 of 500 people, in rooms), ms", f"{first['cpu_ms_each']:.3f}")
        self.report.row("KiB an idle connection (10,000 of them)", number(each))
        self.report.row("10,000 come back at once: s until the last; CPU ms each", f"{number(again['took_s'])}; {again['cpu_ms_each']:.3f}")
        self.report.row("resident memory before them, after them, after them again, MiB",
                        ", ".join(number(mib) for mib in (found["mib_before"], first["mib_left"], again["mib_left"])))
        self.report.aims(*((f"exec to ready, {kind} data, ms", ready[kind], "at most", 50) for kind in ready),
                         ("resident memory after the start, MiB", idle, "at most", 20),
                         ("CPU to open a connection, ms", first["cpu_ms_each"], "at most", 0.2),
                         ("KiB an idle connection", each, "at most", 8),
                         ("10,000 back, s", again["took_s"], "at most", 10),
                         ("memory after they have gone again / before", left, "at most", 1.1))
