"""Slowloris: connections that send one byte at a time, each where the server waits for something else. They are ended within their time limits, new ones
take their place, and all the while everybody else is answered. One thread holds them all, by epoll."""
import collections, json, select, socket as sockets, struct, threading, time
from crowd import frame, part
from harness import DEEP, PATIENCE, Person, Socket, run, wait_for
from work import rss

COUNT, LASTS = (2000, 60) if DEEP else (200, 10)
BEAT = 1.0 if DEEP else 0.25   # between two bytes
HOST = "Host: {host}\r\n"
UPGRADE = ("GET /api/v1/realtime HTTP/1.1\r\n" + HOST + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: loggia.v1\r\n")
JSON = "POST /api/v1/auth/login HTTP/1.1\r\n" + HOST + "Content-Type: application/json\r\n"
# What each kind sends at once, then byte by byte; how it must end, and after how many seconds: the head 10, the body 30, the `hello` 10.
KINDS = {
    "silence": ("", "", "cut", 10),
    "head": ("", "GET /api/v1/users/me HTTP/1.1\r\n" + HOST + "Accept: */*\r\nX-Slow: " + "y" * 9000, "408", 10),
    "handshake": (UPGRADE[:20], UPGRADE[20:] + "X-Slow: " + "y" * 9000, "408", 10),
    "body": (JSON + "Content-Length: 100000\r\n\r\n", " " * 9000, "408", 30),
    "chunks": (JSON + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n" * 2000, "408", 30),
    "hello": (UPGRADE + "\r\n", frame(json.dumps({"id": 1, "op": "hello", "token": "x" * 9000})), "4001", 10),
}


class Slow:
    def __init__(self, attack, kind):
        at_once, rest, self.must_end, self.limit = KINDS[kind]
        fill = lambda text: text if isinstance(text, bytes) else text.format(host=attack.host).encode()
        self.kind, self.rest, self.at, self.got, self.attack = kind, fill(rest), 0, b"", attack
        self.socket = sockets.create_connection(attack.address, timeout=10 * PATIENCE)
        self.socket.sendall(fill(at_once))
        self.socket.setblocking(False)
        self.began = time.monotonic()

    def drip(self):
        if self.at < len(self.rest) and self.kind != "silence":
            try:
                self.socket.send(self.rest[self.at:self.at + 1])
                self.at += 1
            except OSError:   # it has ended: read() says how
                pass

    def read(self):
        """None while it goes on, then how it ended."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        self.got += data
        if self.kind == "hello":
            text = self.got.partition(b"\r\n\r\n")[2]
            if len(text) >= 4 and text[0] == 0x88:
                return str(struct.unpack(">H", text[2:4])[0])
        if data:
            return None
        return self.got[9:12].decode() if self.got.startswith(b"HTTP/1.1 ") else "cut"


class Attack:
    """Keeps `count` slow connections open: who is ended comes again."""

    def __init__(self, server, count):
        self.address, self.host = (server.host, int(server.port)), f"{server.host}:{server.port}"
        self.epoll, self.open, self.count, self.made, self.wrong = select.epoll(), {}, count, 0, []
        self.ended = {kind: collections.Counter() for kind in KINDS}
        self.lived, self.bytes, self.fewest = {kind: [] for kind in KINDS}, 0, count

    def fill(self):
        while len(self.open) < self.count:
            one = Slow(self, list(KINDS)[self.made % len(KINDS)])
            self.made += 1
            self.open[one.socket.fileno()] = one
            self.epoll.register(one.socket.fileno(), select.EPOLLIN)

    def go_on(self, until):
        beat = time.monotonic()
        while (now := time.monotonic()) < until:
            for fd, _ in self.epoll.poll(0.02, 512):
                one = self.open[fd]
                how = one.read()
                if how is None:
                    continue
                lived = time.monotonic() - one.began
                self.ended[one.kind][how] += 1
                self.lived[one.kind].append(lived)
                if how != one.must_end or lived < one.limit - 0.5:
                    self.wrong.append((one.kind, how, round(lived, 2), one.got[:200]))
                self.epoll.unregister(fd)
                one.socket.close()
                del self.open[fd]
            self.fewest = min(self.fewest, len(self.open))
            self.fill()
            if now >= beat:
                for one in self.open.values():
                    one.drip()
                self.bytes += len(self.open)
                beat += BEAT

    def late(self):
        now = time.monotonic()
        return [(one.kind, round(now - one.began, 1)) for one in self.open.values() if now - one.began > one.limit + 5 * PATIENCE]

    def close(self):
        for one in self.open.values():
            one.socket.close()
        self.epoll.close()


class Others:
    """Somebody who is served all the time: new connections, requests that read and write, and a socket."""

    def __init__(self, server, person):
        self.server, self.person, self.room, self.took, self.failed = server, person, person.room(), [], []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=work) for work in (self.ask, self.say)]

    def measured(self, work):
        began = time.monotonic()
        try:
            work()
        except Exception as problem:   # each is counted, whatever it is
            self.failed.append(repr(problem))
        self.took.append(time.monotonic() - began)
        self.stop.wait(0.02)

    def ask(self):
        def once():
            status, answer, _ = self.server.call("GET", f"/rooms/{self.room}/messages", token=self.person.token)
            assert status == 200, (status, answer)
        while not self.stop.is_set():
            self.measured(once)

    def say(self):
        socket = Socket(self.person)
        while not self.stop.is_set():
            self.measured(lambda: socket.op("send", room=self.room, text="still here", client_id=f"o{len(self.took)}"))


def slow_connections_end_in_time_and_cost_nobody_else(server):
    server.start()
    person = Person(server)
    others = Others(server, person)
    before = peak = rss(server.process.pid)
    attack = Attack(server, COUNT)
    attack.fill()
    for thread in others.threads:
        thread.start()
    began = time.monotonic()
    try:
        # Two seconds more, in which the first heads are ended; the deep run also sees the bodies' end, several times over the heads'.
        while time.monotonic() < began + LASTS + 2 * PATIENCE:
            attack.go_on(time.monotonic() + 0.5)
            peak = max(peak, rss(server.process.pid))
            late = attack.late()
            assert not late, f"still open: {late[:5]}"
    finally:
        others.stop.set()
        for thread in others.threads:
            thread.join()
        attack.close()
    assert not attack.wrong, f"{len(attack.wrong)} ended in another way: {attack.wrong[:5]}"
    for kind, (_, _, how, limit) in KINDS.items():
        if limit <= LASTS:
            assert attack.ended[kind][how] >= COUNT // len(KINDS), f"{kind}: {dict(attack.ended[kind])} after {LASTS} s"
    assert not others.failed, f"{len(others.failed)} of {len(others.took)} others failed: {others.failed[:3]}"
    assert len(others.took) > LASTS * 5 / PATIENCE, f"only {len(others.took)} requests of others in {LASTS} s"
    assert part(others.took, .99) < 0.5 * PATIENCE, f"p99 of the others {part(others.took, .99) * 1000:.0f} ms"
    grew = (peak - before) * 1024 / COUNT
    assert grew < 64, f"{grew:.0f} KiB for each slow connection"
    wait_for(lambda: len(sockets_of(server)) < 40, "the end of the slow connections' descriptors")
    ends = ", ".join(f"{kind} {how} after {part(attack.lived[kind], .5):.1f} s" for kind, (_, _, how, _) in KINDS.items() if attack.lived[kind])
    print(f"        {COUNT} slow connections for {LASTS} s (never fewer than {attack.fewest}, {attack.made} in all, {attack.bytes} bytes one by one): {ends}; {len(others.took)} requests of others, "
          f"0 failed, p50 {part(others.took, .5) * 1000:.1f} ms, p99 {part(others.took, .99) * 1000:.1f} ms, at most {max(others.took) * 1000:.0f} ms; memory {grew:.1f} KiB for each slow one")


def sockets_of(server):
    return [target for target in server.descriptors() if target.startswith("socket:")]


run([slow_connections_end_in_time_and_cost_nobody_else])
