"""A slow instance behind the gateway: three of chat on one PostgreSQL and one Kafka, one of them behind a proxy that holds its answers for 200 ms, 500 requests a second
in an open loop. How many it gets (by the gateway's own count), and what the requests of all take, beside the same set without the delay."""
import asyncio, json, os, random, re, socket, statistics, time
from delaying import Delaying
from harness import DEEP, SEED, Person, run
from pair import Engines, missing

RATE, SECONDS = 500, (60 if DEEP else 5)
DELAY, SHARE_MOST, TIMES_MOST = 200, 0.10, 1.5
PEOPLE, ROOMS, CONNECTIONS = 10, 10, 64   # of each person; connections that are kept, more where these do not suffice
CALLS = re.compile(r'^loggia_calls_total\{instance="([^"]+)",module="chat",result="([^"]+)"\} (\d+)', re.M)


def free_addresses(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    out = ["%s:%d" % one.getsockname() for one in held]
    for one in held:
        one.close()
    return out


def three_of_chat(server, engines):
    """A set with three instances of chat, and the proxy through which everybody finds the third."""
    addresses = free_addresses(3)
    proxy = Delaying(addresses[2])
    directory = server.home / "set"
    directory.mkdir()
    seen = f'\n[discovery.peers]\nchat = "{addresses[0]},{addresses[1]},{proxy.address}"\n'
    for number, address in enumerate(addresses, 1):
        (directory / f"chat-{number}.toml").write_text(f'[process]\nmodules = ["chat"]\n[rpc]\nlisten = "{address}"\n')
    for name in ("auth", "gateway", "notification", "realtime", "user"):
        (directory / f"{name}.toml").write_text(f'[process]\nmodules = ["{name}"]\n' + seen)
    server.verb, server.set = ["up", str(directory)], engines.settings(server.name)
    return proxy


def calls(server):
    """{instance of chat: calls of the gateway so far}."""
    out = {}
    for instance, _, count in CALLS.findall(server.call("GET", "/metrics", admin=True, base="")[1]):
        out[instance] = out.get(instance, 0) + int(count)
    return out


class Connection(asyncio.Protocol):
    """HTTP/1.1 that is kept, one request at a time."""

    def __init__(self, load):
        self.load, self.buffer, self.request = load, b"", None

    def connection_made(self, transport):
        self.transport = transport

    def begin(self, due, words):
        self.request = due
        self.transport.write(words)

    def data_received(self, data):
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        size = int(re.search(rb"(?i)content-length: *(\d+)", self.buffer[:head]).group(1))
        if len(self.buffer) < head + 4 + size:
            return
        status, self.buffer = int(self.buffer[9:12]), self.buffer[head + 4 + size:]
        self.load.ended(self, status)

    def connection_lost(self, error):
        self.load.ended(self, 0)


class Load:
    """RATE requests a second, each due when it is due, whether or not those before have their answers."""

    def __init__(self, server, people):
        self.server, self.chance = server, random.Random(SEED)
        self.rooms = [(person, room) for person, rooms in people for room in rooms]
        self.count, self.idle, self.all, self.times, self.wrong = 0, [], [], [], {}

    def words(self):
        """Three quarters read a room, a fifth the list of rooms, the rest is said into a room."""
        person, room = self.chance.choice(self.rooms)
        self.count += 1
        kind, body = self.chance.random(), b""
        if kind < 0.75:
            line = f"GET /api/v1/rooms/{room}/messages?limit=20"
        elif kind < 0.95:
            line = "GET /api/v1/rooms"
        else:
            line = f"POST /api/v1/rooms/{room}/messages"
            body = json.dumps({"text": f"message {self.count}", "client_id": f"b{self.count}"}).encode()
        extra = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        return f"{line} HTTP/1.1\r\nHost: {self.server.host}:{self.server.port}\r\nAuthorization: Bearer {person.token}\r\n{extra}\r\n".encode() + body

    def ended(self, connection, status):
        due, connection.request = connection.request, None
        if status:
            self.idle.append(connection)
        if due is None:   # a connection that idled
            self.idle = [one for one in self.idle if one is not connection]
            return
        self.times.append((time.monotonic() - due) * 1000)
        if not 200 <= status < 300:
            self.wrong[status] = self.wrong.get(status, 0) + 1

    async def open(self):
        _, connection = await asyncio.get_running_loop().create_connection(lambda: Connection(self), self.server.host, int(self.server.port))
        self.all.append(connection)
        return connection

    async def one(self, due):
        connection = self.idle.pop() if self.idle else await self.open()
        connection.begin(due, self.words())

    async def go(self, seconds):
        self.idle += [await self.open() for _ in range(CONNECTIONS - len(self.idle))]
        self.times, begun, began, opening = [], 0, time.monotonic(), set()
        while begun < seconds * RATE:
            due = began + begun / RATE
            if due > time.monotonic():
                await asyncio.sleep(due - time.monotonic())
            begun += 1
            if self.idle:
                self.idle.pop().begin(due, self.words())
            else:
                opening.add(asyncio.ensure_future(self.one(due)))
        end = time.monotonic() + 30
        while len(self.times) < begun:
            assert time.monotonic() < end, f"{begun - len(self.times)} of {begun} requests had no answer; load {os.getloadavg()[0]:.1f}, which may be why"
            await asyncio.sleep(0.01)
        await asyncio.gather(*opening)
        return begun / (time.monotonic() - began)

    def end(self):
        for connection in self.all:
            connection.transport.abort()


class Balance:
    """The set under load, and what the gateway counts."""

    def __init__(self, server, people, proxy):
        self.server, self.proxy, self.load = server, proxy, Load(server, people)

    async def seen(self, seconds):
        """That much of the load: its quantiles, and who of chat had which share of the calls, the third last."""
        before = calls(self.server)
        rate = await self.load.go(seconds)
        counts = {instance: count - before.get(instance, 0) for instance, count in calls(self.server).items()}
        times, total = sorted(self.load.times), sum(counts.values())
        shares = [count / total for _, count in sorted(counts.items(), key=lambda one: one[0] == self.proxy.address)]
        p50, p90, p99 = (times[int(part * (len(times) - 1))] for part in (0.5, 0.9, 0.99))
        return {"shares": shares, "third": counts.get(self.proxy.address, 0) / total, "p50": p50, "p90": p90, "p99": p99, "calls": total, "rate": rate}

    async def until(self, check, what, times=20):
        """The load, 2 s at a time, until it looks as it should."""
        for _ in range(times):
            got = await self.seen(2)
            if check(got):
                return
        raise AssertionError(f"{what}: {got}")

    async def healthy_and_slow(self):
        self.proxy.hold(0)
        # A machine that others use up has every instance as slow as the slow one; then nothing can be seen.
        await self.until(lambda got: got["p90"] < DELAY / 4, f"the machine does not have {RATE} requests a second for this set, load {os.getloadavg()[0]:.1f}")
        await self.until(lambda got: got["third"] > 0.15, "the third has no part in the healthy set")
        out = [await self.seen(SECONDS)]
        self.proxy.hold(DELAY)   # and what is seen begins at once: finding out is a part of it
        out.append(await self.seen(SECONDS))
        for what, got in zip(("healthy", f"one with {DELAY} ms more"), out):
            print(f"        {what}: {got['calls']} calls of chat in {SECONDS} s at {got['rate']:.0f} requests a second, shares {', '.join(f'{share:.1%}' for share in got['shares'])}; "
                  f"p50 {got['p50']:.1f}, p90 {got['p90']:.1f}, p99 {got['p99']:.1f} ms", flush=True)
        assert not self.load.wrong, f"answers other than 2xx, by status: {self.load.wrong}"
        assert out[1]["third"] < SHARE_MOST, f"the slow instance had {out[1]['third']:.1%} of the calls"
        return out

    async def all_of_it(self):
        """The share of the slow one, and by how much p90 rose. Where that was too much, as it also is when something else begins to run, it is the median of three."""
        pairs = [await self.healthy_and_slow()]
        rose = lambda: statistics.median(slow["p90"] / healthy["p90"] for healthy, slow in pairs)
        if rose() >= TIMES_MOST:
            pairs += [await self.healthy_and_slow(), await self.healthy_and_slow()]
        self.load.end()
        return max(slow["third"] for _, slow in pairs), rose()


def one_of_three_that_is_slow_gets_few_requests_and_the_rest_take_no_longer(server):
    engines, proxy = Engines(), None
    try:
        proxy = three_of_chat(server, engines)
        server.start()
        people = [(person, [person.room() for _ in range(ROOMS)]) for person in (Person(server) for _ in range(PEOPLE))]
        for person, rooms in people:
            for room in rooms:
                for number in range(5):
                    person.do("POST", f"/rooms/{room}/messages", {"text": f"message {number} of the room"})
        share, times = asyncio.run(Balance(server, people, proxy).all_of_it())
        print(f"        the slow one had {share:.2%} (less than {SHARE_MOST:.0%}); p90 {times:.2f} times that of the healthy set (less than {TIMES_MOST})")
        assert times < TIMES_MOST, f"p90 rose to {times:.2f} times that of the healthy set"
    finally:
        if server.process and server.process.poll() is None:
            server.stop()
        if proxy:
            proxy.discard()
        engines.discard()


if missing():
    print("LEFT OUT: " + missing())
else:
    run([one_of_three_that_is_slow_gets_few_requests_and_the_rest_take_no_longer])
