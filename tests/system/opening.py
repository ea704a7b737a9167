"""What connections cost the server: CPU to open one, memory while it idles, what is left when it has gone. Driven by `loggia_crowd` (bench/crowd.cpp), since
a client in Python would be what is measured. Used by connections_test.py, storm_test.py and scripts/bench."""
import json, os, pathlib, subprocess, threading, time
from concurrent.futures import ThreadPoolExecutor
from harness import PATIENCE, Person
from work import rss


def cpu(pid):
    """Seconds on a core of all threads that there are, to the nanosecond."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            pass   # it ended meanwhile
    return total / 1e9


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def people_in_rooms(server, count, members):
    """`count` people with their tokens, each in one room of `members`; the lines that loggia_crowd reads."""
    with ThreadPoolExecutor(4) as pool:
        people = list(pool.map(lambda _: Person(server), range(count)))
        groups = [people[at:at + members] for at in range(0, count, members)]
        rooms = list(pool.map(lambda group: group[0].room(*group[1:]), groups))
    path = pathlib.Path(server.home) / "people"
    path.write_text("".join(f"{person.token} {room}\n" for group, room in zip(groups, rooms) for person in group))
    return path, people


class Crowd:
    """loggia_crowd beside a server."""

    def __init__(self, server, people, connections, **flags):
        program = pathlib.Path(server.binary).parent / "bench/loggia_crowd"
        assert program.exists(), f"{program} is missing: scripts/build release loggia_crowd"
        words = [str(program), "--address", f"{server.host}:{server.port}", "--people", str(people), "--connections", str(connections)]
        for name, value in flags.items():
            words += ["--" + name, str(value)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.errors = []
        threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True).start()

    def line(self):
        """The next line; nothing when it has ended."""
        text = self.process.stdout.readline()
        if text:
            return json.loads(text)
        assert self.process.wait() == 0, "loggia_crowd: " + "".join(self.errors)
        return None

    def ask(self):
        """How many are open now, how many messages they have heard."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.line()

    def end(self):
        """Hangs up; returns the last line."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        last = None
        while (line := self.line()) is not None:
            last = line
        return last

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def settled(read, limit, calm=2):
    """What `read` says once it has not fallen for `calm` seconds."""
    end, least, since = time.monotonic() + limit * PATIENCE, read(), time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < calm * PATIENCE:
        time.sleep(0.1)
        now = read()
        if now < least:
            least, since = now, time.monotonic()
    return least


def measure(server, people, count, patient=False):
    """Opens, idles, closes, and does it again at once: a dictionary of figures. `patient`: also what is left three minutes later, when what is known of people for a minute or two is over."""
    pid, out = server.process.pid, {}
    with Crowd(server, people, 100) as few:   # what is made at the first connection is no part of any
        few.line()
        few.end()
    files, memory = settled(lambda: descriptors(pid), 20), settled(lambda: rss(pid), 20)
    for turn, window in (("first", 200), ("again", count)):
        before = cpu(pid)
        with Crowd(server, people, count, window=window) as crowd:
            opened = crowd.line()
            assert opened["failed"] == 0, opened
            out[turn] = {"cpu_ms_each": (cpu(pid) - before) * 1000 / count, "took_s": opened["took_ms"] / 1000, "p99_s": opened["hello"]["p99_ms"] / 1000,
                         "descriptors": descriptors(pid) - files}
            out[turn]["kib_each"] = (settled(lambda: rss(pid), 4) - memory) * 1024 / count
            last = crowd.end()
            assert last["open"] == count and last["cut"] == 0, last
        end = time.monotonic() + 60 * PATIENCE
        while descriptors(pid) > files:
            assert time.monotonic() < end, f"{descriptors(pid) - files} descriptors are left"
            time.sleep(0.1)
        out[turn]["mib_left"] = settled(lambda: rss(pid), 30, 5)   # the server waits for two seconds, too
    if patient:
        out["mib_later"] = settled(lambda: rss(pid), 200, 180)
    out["mib_before"] = memory
    return out
