"""Senders that never give up, and the check of what the server owes them. A message is sent again with its client_id until it has an answer, over
cuts and restarts. Then what was acknowledged must be there under its number, each client_id once, and the numbers without a hole."""
import os, resource, shutil, signal, subprocess, threading, time
from harness import PATIENCE, Person, Socket, wait_for


class Work:
    def __init__(self, server, senders=4, size=40):
        self.server, self.size = server, size
        self.person = Person(server)
        self.room = self.person.room()
        self.acked, self.asked, self.errors = {}, 0, []
        self.stopping, self.down = threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(n,), daemon=True) for n in range(senders)]
        for thread in self.threads:
            thread.start()

    def _socket(self):
        return Socket(self.person)

    def _send(self, number):
        socket, count = None, 0
        while not self.stopping.is_set():
            cid = f"w{number}-{count}"
            count += 1
            self.asked += 1
            text = (cid + " ").ljust(self.size, "x")
            while True:
                try:
                    if socket is None:
                        socket = self._socket()
                    answer = socket.answer(socket.begin("send", room=self.room, text=text, client_id=cid))
                    if "ok" in answer:
                        self.acked[cid] = answer["ok"]["seq"]
                        break
                    self.errors.append(answer["error"]["code"])
                    if answer["error"]["code"] == "unauthenticated":
                        self.person.login()
                    time.sleep(0.05)
                except (ConnectionError, OSError, AssertionError):
                    if socket:
                        socket.cut()
                    socket = None
                    if self.stopping.is_set() and self.down.is_set():
                        return
                    time.sleep(0.02)
                if self.stopping.is_set() and self.down.is_set():
                    return
        if socket:
            socket.cut()

    def more(self, count, limit=30):
        """Waits until so many more have been acknowledged."""
        enough = len(self.acked) + count
        wait_for(lambda: len(self.acked) >= enough, f"{count} more acknowledgements", limit)

    def end(self, limit=60):
        """Every message that was begun gets its answer; then nothing is sent."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(limit * PATIENCE)
            assert not thread.is_alive(), "a message never got an answer"

    def check(self):
        """The server is up. Returns how many are stored."""
        have = {}
        for message in self.person.everything(self.room, "messages"):
            assert message["client_id"] not in have, f"{message['client_id']} is there twice"
            have[message["client_id"]] = message["seq"]
        lost = {cid: seq for cid, seq in self.acked.items() if have.get(cid) != seq}
        assert not lost, f"{len(lost)} of {len(self.acked)} acknowledged are gone or renumbered: {list(lost.items())[:5]}"
        events = [e["seq"] for e in self.person.everything(self.room, "events")]
        assert events == list(range(1, len(events) + 1)), "a hole or a repeat in seq"
        return len(have)


class Strace:
    """System calls of a running server that fail, wait or kill. `thread`: of that one alone, by its name; `path`: those about this file alone."""

    def __init__(self, pid, inject, thread=None, path=None):
        of = [str(pid)]
        if thread:
            of = [tid for tid in os.listdir(f"/proc/{pid}/task") if open(f"/proc/{pid}/task/{tid}/comm").read().strip() == thread]
            assert of, f"no thread is called {thread}"
        calls = inject.split(":")[0]
        self.process = subprocess.Popen(["strace", *([] if thread else ["-f"]), "-q", "-o", "/dev/null", *(["-P", path] if path else []), "-e", f"trace={calls}", "-e", f"inject={inject}",
                                         *[word for tid in of for word in ("-p", tid)]], stderr=subprocess.PIPE)
        if thread:
            wait_for(lambda: self.process.poll() is not None or self._traced(f"/proc/{pid}/task/{of[0]}/status"), "strace's attachment", 10)
        else:
            wait_for(lambda: self.process.poll() is not None or all(self._traced(f"/proc/{pid}/task/{tid}/status") for tid in os.listdir(f"/proc/{pid}/task")),
                     "strace's attachment", 10)

    @staticmethod
    def _traced(status):
        try:
            return "TracerPid:\t0" not in open(status).read()
        except OSError:
            return True

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(10)


def rss(pid):
    """Resident memory in MiB."""
    return int(open(f"/proc/{pid}/statm").read().split()[1]) * resource.getpagesize() / 2**20


def may_trace():
    """Whether strace is here and may do its work: some containers forbid it."""
    if not shutil.which("strace"):
        print("        NOT RUN: strace is not installed", flush=True)
        return False
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        print(f"        NOT RUN: strace may not trace here: {tried.stderr.strip()[:200]}", flush=True)
    return tried.returncode == 0
