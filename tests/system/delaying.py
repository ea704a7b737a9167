"""A TCP proxy on loopback that holds what comes back for so many milliseconds, each byte: what is behind it looks slow, and is not. mTLS passes through.

As a program: `delaying.py ADDRESS` prints the address where it listens; a line of standard input is the delay from there on, and the end of it is its own.
A process of its own, since the one that measures has only one interpreter at a time.
"""
import asyncio, collections, pathlib, subprocess, sys


class Delaying:
    """The program, from a test."""

    def __init__(self, address):
        self.process = subprocess.Popen([sys.executable, pathlib.Path(__file__).resolve(), address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        assert self.address, "the proxy did not start"

    def hold(self, milliseconds):
        self.process.stdin.write(f"{milliseconds}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == str(milliseconds), "the proxy has ended"

    def discard(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)


class End(asyncio.Protocol):
    """One end of a connection through it; `other` is the other end, `delay` says how long what comes in here is held."""

    def __init__(self, delay):
        self.delay, self.other, self.held, self.transport = delay, None, collections.deque(), None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.later(data)

    def connection_lost(self, error):
        self.later(None)

    def later(self, what):
        self.held.append(what)   # in order, whatever the delay was when each came
        asyncio.get_running_loop().call_later(self.delay(), self.release)

    def release(self):
        what = self.held.popleft()
        if what is None:
            self.other.transport.close()
        else:
            self.other.transport.write(what)


class Near(End):
    """The caller's end: it connects behind, and reads nothing before that is done."""

    def __init__(self, host, port, seconds):
        super().__init__(lambda: 0)
        self.host, self.port, self.seconds = host, port, seconds

    def connection_made(self, transport):
        super().connection_made(transport)
        transport.pause_reading()
        self.task = asyncio.get_running_loop().create_task(self.reach())

    async def reach(self):
        try:
            _, self.other = await asyncio.get_running_loop().create_connection(lambda: End(self.seconds), self.host, self.port)
        except OSError:   # nobody listens there: nor does anybody here, then
            self.transport.abort()
            return
        self.other.other = self
        if self.transport.is_closing():   # the caller has gone meanwhile
            self.other.transport.abort()
        else:
            self.transport.resume_reading()

    def later(self, what):
        if self.other:
            super().later(what)


async def main(address):
    host, port = address.rsplit(":", 1)
    loop, delay, over = asyncio.get_running_loop(), [0.0], asyncio.Event()

    def told():
        line = sys.stdin.readline()
        if not line:
            return over.set()
        delay[0] = float(line) / 1000
        print(line.strip(), flush=True)
    server = await loop.create_server(lambda: Near(host, int(port), lambda: delay[0]), "127.0.0.1", 0)
    loop.add_reader(sys.stdin, told)
    print("%s:%d" % server.sockets[0].getsockname(), flush=True)
    await over.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
