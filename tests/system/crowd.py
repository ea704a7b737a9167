"""Thousands of connections on one thread, by epoll: each signs in and counts what it is sent. For slow readers and revocations.

What comes has the moment at which the kernel had it, which on loopback is when the server wrote it: this thread may be late, and the figures are not."""
import json, os, select, socket, struct, time

HANDSHAKE = ("GET /api/v1/realtime HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: loggia.v1\r\n\r\n")


SO_TIMESTAMPNS = 35   # its control message has the same number


def frame(text):
    """Masked with 0, which leaves the text as it is."""
    data = text.encode() if isinstance(text, str) else text
    head = bytes([0x81, 0x80 | len(data)]) if len(data) < 126 else b"\x81\xfe" + struct.pack(">H", len(data))
    return head + b"\0\0\0\0" + data


def address_of(server):
    return server.host, int(server.port)


def handshake_of(server):
    return HANDSHAKE.format(host=f"{server.host}:{server.port}").encode()


class Connection:
    """States: connecting, upgrading, asking, open, closed. `heard` is called with each text frame and the moment, `ended` at the end with the code.
    To `server`, if not to the crowd's own."""

    def __init__(self, crowd, token, resume=None, heard=None, small=False, ended=None, server=None):
        self.ended, self.handshake = ended, handshake_of(server) if server else crowd.handshake
        self.crowd, self.token, self.resume, self.heard = crowd, token, resume, heard
        self.state, self.buffer, self.code, self.opened_at, self.closed_at, self.reading = "connecting", b"", None, None, None, True
        self.socket = socket.socket()
        if small:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        self.began = time.monotonic()
        self.socket.connect_ex(address_of(server) if server else crowd.address)
        self.fd = self.socket.fileno()
        crowd.connections[self.fd] = self
        crowd.epoll.register(self.fd, select.EPOLLOUT)

    def ready(self, events):
        if self.state == "connecting":
            if self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                return self.close("refused")
            self.socket.send(self.handshake)
            self.state = "upgrading"
            return self.crowd.epoll.modify(self.fd, select.EPOLLIN)
        try:
            data, control, _, _ = self.socket.recvmsg(262144, 64)
        except BlockingIOError:
            return
        except OSError:
            return self.close("cut")
        self.arrived = time.monotonic()
        for level, kind, stamp in control:   # of the last of the bytes
            if kind == SO_TIMESTAMPNS and level == socket.SOL_SOCKET:
                seconds, nanoseconds = struct.unpack("qq", stamp)
                self.arrived -= max(0.0, time.time() - seconds - nanoseconds / 1e9)
        if not data:
            return self.close(self.code or "cut")
        self.buffer += data
        if self.state == "upgrading":
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if b" 101 " not in self.buffer[:20]:
                return self.close(self.buffer[:self.buffer.find(b"\r\n")].decode())
            self.buffer = self.buffer[end + 4:]
            hello = {"id": 0, "op": "hello", "token": self.token}
            if self.resume:
                hello["resume"] = self.resume
            self.socket.send(frame(json.dumps(hello)))
            self.state = "asking"
        self.frames()

    def frames(self):
        buffer, at, now = self.buffer, 0, self.arrived
        while len(buffer) - at >= 2:
            size, head = buffer[at + 1] & 127, 2
            if size == 126:
                if len(buffer) - at < 4:
                    break
                size, head = struct.unpack_from(">H", buffer, at + 2)[0], 4
            elif size == 127:
                if len(buffer) - at < 10:
                    break
                size, head = struct.unpack_from(">Q", buffer, at + 2)[0], 10
            if len(buffer) - at < head + size:
                break
            kind, text = buffer[at] & 15, buffer[at + head:at + head + size]
            at += head + size
            if kind == 9:
                self.socket.send(b"\x8a\x80\0\0\0\0" if not text else bytes([0x8a, 0x80 | len(text)]) + b"\0\0\0\0" + text)
            elif kind == 8:
                self.code = struct.unpack(">H", text[:2])[0] if len(text) > 1 else 1005
                return self.close(self.code, now)
            elif kind == 1:
                if self.state == "asking" and text.startswith(b'{"re":0'):
                    self.state = "open" if b'"ok"' in text[:20] else "refused"
                    self.opened_at, self.hello = now, text
                    self.crowd.open += self.state == "open"
                if self.heard:
                    self.heard(self, text, now)
        self.buffer = buffer[at:]

    def pause(self):
        self.crowd.epoll.modify(self.fd, 0)

    def go_on(self):
        self.crowd.epoll.modify(self.fd, select.EPOLLIN)

    def close(self, code="own", at=None):
        if self.state == "closed":
            return
        self.crowd.open -= self.state == "open"
        self.state, self.code, self.closed_at = "closed", code, at or time.monotonic()
        self.crowd.connections.pop(self.fd, None)
        self.socket.close()
        if self.ended:
            self.ended(self)


class Crowd:
    def __init__(self, server):
        self.address, self.handshake = address_of(server), handshake_of(server)
        self.epoll, self.connections, self.open = select.epoll(), {}, 0
        self.own_delay = 0.0   # how long what came may have waited for this thread

    def turn(self, limit=0.05):
        ready, began = self.epoll.poll(limit, 1024), time.monotonic()
        for fd, events in ready:
            connection = self.connections.get(fd)
            if connection:
                connection.ready(events)
        self.own_delay = max(self.own_delay, time.monotonic() - began)

    def until(self, check, what, limit):
        end = time.monotonic() + limit
        while not check():
            assert time.monotonic() < end, f"{what} did not happen within {limit:.0f} s"
            self.turn()

    def close(self):
        for connection in list(self.connections.values()):
            connection.close()
        self.epoll.close()


def part(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0
