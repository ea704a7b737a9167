"""Starts the real executable on free loopback ports and speaks HTTP and loggia.v1 to it. Standard library only, so that it needs no installation.

Each test file is a program: `python3 tests/system/kill_test.py build/release/loggia`. It exits with 0, or prints what went wrong and exits with 1.
"""
import base64, http.client, json, os, pathlib, queue, re, secrets, shutil, signal, socket, struct, subprocess, sys, tempfile, threading, time, traceback

SET = os.environ.get("LOGGIA_SET", "").split()   # of every server: "process.threads=4"; {n} in it is a fresh name for each server's storage
PREPARE = os.environ.get("LOGGIA_PREPARE")        # a shell command before each server's first start, for instance: createdb loggia_{n}
PATIENCE = float(os.environ.get("LOGGIA_PATIENCE", "1"))   # multiplies every limit, for sanitizers
DEEP = "--deep" in sys.argv                                # scripts/promise --deep: longer, more of it
SEED = next((int(word.removeprefix("--seed=")) for word in sys.argv if word.startswith("--seed=")), 20261129)


def word(n=12):
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(n))


def wait_for(check, what, limit=20):
    end = time.monotonic() + limit * PATIENCE
    while True:
        got = check()
        if got:
            return got
        assert time.monotonic() < end, f"{what} did not happen within {limit * PATIENCE:.0f} s"
        time.sleep(0.02)


class Server:
    def __init__(self, binary, *flags, data=None):
        self.binary, self.flags = binary, list(flags)
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="loggia-system-"))
        self.data = data or str(self.home / "data")
        self.process = None
        self.name = "t" + word()
        self.set = [one for pair in SET for one in ("--set", pair.replace("{n}", self.name))]
        if PREPARE:
            subprocess.run(PREPARE.replace("{n}", self.name), shell=True, check=True, stdout=subprocess.DEVNULL)
        self.before, self.environment, self.prepare = [], {}, None   # words before the command, more variables, what runs in the child
        self.verb = ["serve"]                                        # or ["up", DIR]

    def variables(self):
        """Without what is set for the tests (LOGGIA_SET, LOGGIA_TEST_KAFKA), which the executable would read as settings of its own."""
        return {**{k: v for k, v in os.environ.items() if not k.startswith("LOGGIA_")}, **self.environment}

    def start(self, limit=60):
        lines = queue.Queue()
        self.log = open(self.home / "stderr.log", "ab")
        self.process = subprocess.Popen(
            [*self.before, self.binary, *self.verb, "--data", self.data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--set", "gateway.rate_limit=false", *self.set, *self.flags],
            stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL, cwd=self.home,
            env=self.variables(), preexec_fn=self.prepare)

        def pump(pipe):
            for line in pipe:
                lines.put(line.decode().rstrip())
            lines.put(None)
        threading.Thread(target=pump, args=(self.process.stdout,), daemon=True).start()
        end = time.monotonic() + limit * PATIENCE
        while True:
            line = lines.get(timeout=max(0.01, end - time.monotonic()))
            assert line is not None, f"loggia exited with {self.process.wait()} before it was ready:\n{self.tail()}"
            if line.startswith("loggia ready"):
                self.ready = dict(re.findall(r"(\w+)=(\S+)", line))
                if "http" in self.ready:   # a process without the gateway has none
                    self.host, self.port = self.ready["http"].removeprefix("http://").rsplit(":", 1)
                return self

    def tail(self):
        return (self.home / "stderr.log").read_text(errors="replace")[-4000:]

    def descriptors(self):
        """What those of the process lead to."""
        out = []
        for one in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                out.append(os.readlink(one))
            except OSError:   # closed between the listing and the look
                pass
        return out

    def signal(self, which):
        self.process.send_signal(which)
        return self.process.wait(30 * PATIENCE)

    def kill(self):
        return self.signal(signal.SIGKILL)

    def stop(self):
        return self.signal(signal.SIGTERM)

    def discard(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def run(self, *words, timeout=60, **options):
        """`loggia WORDS` and nothing else, to its end."""
        return subprocess.run([self.binary, *words], capture_output=True, text=True, timeout=timeout, env=self.variables(), **options)

    def command(self, *words, input="", ok=True):
        """`loggia WORDS` on this server's data, beside it or without it."""
        done = self.run(*words, "--data", self.data, *self.set, input=input, timeout=60 * PATIENCE, cwd=self.home)
        assert not ok or done.returncode == 0, (words, done)
        return done

    def call(self, method, path, body=None, token=None, headers=(), admin=False, base="/api/v1"):
        at = self.ready["admin"].removeprefix("http://") if admin else f"{self.host}:{self.port}"
        connection = http.client.HTTPConnection(at, timeout=30 * PATIENCE)
        try:
            all_headers = dict(headers)
            if body is not None:
                all_headers["Content-Type"] = "application/json"
            if token:
                all_headers["Authorization"] = "Bearer " + token
            connection.request(method, ("" if admin else base) + path, json.dumps(body) if body is not None else None, all_headers)
            response = connection.getresponse()
            text = response.read()
            kind = response.getheader("Content-Type") or ""
            return response.status, json.loads(text) if "json" in kind and text else text.decode(errors="replace"), dict(response.getheaders())
        finally:
            connection.close()

    def metric(self, name):
        """The sum of its series: of those with certain labels, where `name` has their beginning."""
        text = self.call("GET", "/metrics", admin=True)[1]
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


class Person:
    def __init__(self, server, name=None):
        self.server, self.name, self.password = server, name or "p" + word(), "password-" + word()
        status, answer, _ = server.call("POST", "/auth/register", {"username": self.name, "password": self.password})
        assert status == 201, answer
        self.id, self.token = answer["user"]["id"], answer["access_token"]

    def login(self):
        status, answer, _ = self.server.call("POST", "/auth/login", {"login": self.name, "password": self.password})
        assert status == 200, answer
        self.token = answer["access_token"]
        return self

    def do(self, method, path, body=None):
        status, answer, _ = self.server.call(method, path, body, self.token)
        assert status < 300, (method, path, status, answer)
        return answer

    def room(self, *others, visibility="private"):
        return self.do("POST", "/rooms", {"name": "room " + word(), "visibility": visibility, "members": [o.id for o in others]})["id"]

    def everything(self, room, what):
        """All `messages` or `events` of a room, oldest first."""
        out, after = [], 0
        while True:
            page = self.do("GET", f"/rooms/{room}/{what}?after={after}&limit=200")
            out += page["items"]
            if not page["more"]:
                return out
            after = out[-1]["seq"]


class Socket:
    """A client of loggia.v1 with a thread that reads. Checks the order of every room that it hears of."""

    def __init__(self, person, resume=None):
        self.person, self.answers, self.events, self.closed, self.next = person, {}, [], None, 0
        self.changed = threading.Condition()
        self.socket = socket.create_connection((person.server.host, int(person.server.port)), timeout=30 * PATIENCE)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self.socket.sendall((f"GET /api/v1/realtime HTTP/1.1\r\nHost: {person.server.host}:{person.server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: loggia.v1\r\n\r\n").encode())
        self.stream = self.socket.makefile("rb")
        status = self.stream.readline()
        assert b" 101 " in status, status
        while self.stream.readline() not in (b"\r\n", b""):
            pass
        self.socket.settimeout(None)
        self.writing = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()
        hello = {"token": person.token}
        if resume:
            hello["resume"] = resume
        self.hello = self.op("hello", **hello)
        self.epoch, self.cursor = self.hello["epoch"], self.hello["cursor"]
        self.positions = {room: seq for room, seq in (resume or {}).get("rooms", {}).items()}
        for room in self.hello["rooms"]:
            self.positions.setdefault(room["id"], room["last_seq"])

    def _exactly(self, n):
        data = self.stream.read(n)
        if data is None or len(data) < n:
            raise ConnectionError("cut")
        return data

    def _read(self):
        try:
            while True:
                head = self._exactly(2)
                size = head[1] & 127
                if size == 126:
                    size = struct.unpack(">H", self._exactly(2))[0]
                elif size == 127:
                    size = struct.unpack(">Q", self._exactly(8))[0]
                payload = self._exactly(size)
                if head[0] & 15 == 9:
                    self._send(10, payload)
                elif head[0] & 15 == 8:
                    raise ConnectionError(struct.unpack(">H", payload[:2])[0] if len(payload) > 1 else 1005)
                elif head[0] & 15 == 1:
                    frame = json.loads(payload)
                    with self.changed:
                        if "re" in frame:
                            self.answers[frame["re"]] = frame
                        else:
                            self.events.append(frame)
                        self.changed.notify_all()
        except (ConnectionError, OSError, ValueError) as end:
            with self.changed:
                self.closed = end.args[0] if end.args else "cut"
                self.changed.notify_all()

    def _send(self, opcode, payload):
        mask = secrets.token_bytes(4)
        size = len(payload)
        head = bytes([0x80 | opcode]) + (bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + struct.pack(">H", size) if size < 65536 else bytes([0xFF]) + struct.pack(">Q", size))
        with self.writing:
            self.socket.sendall(head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload)))

    def begin(self, op, **fields):
        with self.changed:
            self.next += 1
            number = self.next
        self._send(1, json.dumps({"id": number, "op": op, **fields}).encode())
        return number

    def answer(self, number, limit=30):
        with self.changed:
            done = self.changed.wait_for(lambda: number in self.answers or self.closed is not None, limit * PATIENCE)
            assert done, "no answer in time"
            if number not in self.answers:
                raise ConnectionError(self.closed)
            return self.answers.pop(number)

    def op(self, op, **fields):
        answer = self.answer(self.begin(op, **fields))
        assert "ok" in answer, answer
        return answer["ok"]

    def event(self, check, limit=20):
        with self.changed:
            found = []
            def look():
                found[:] = [e for e in self.events if check(e)]
                return found or self.closed is not None
            self.changed.wait_for(look, limit * PATIENCE)
            assert found, f"the event did not come; closed: {self.closed}; last: {self.events[-3:]}"
            return found[0]

    def ends(self, limit=20):
        with self.changed:
            assert self.changed.wait_for(lambda: self.closed is not None, limit * PATIENCE), "the connection did not end"
            return self.closed

    def timeline(self, room):
        return [e["seq"] for e in self.events if e.get("room") == room and "seq" in e]

    def resume_point(self):
        rooms = dict(self.positions)
        for event in self.events:
            if "seq" in event and event.get("room") in rooms:
                rooms[event["room"]] = max(rooms[event["room"]], event["seq"])
        return {"epoch": self.epoch, "cursor": self.cursor, "rooms": rooms}

    def cut(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def run(tests):
    """Runs each test with a server of its own that is discarded; prints one line a test and the closing line."""
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    only = next((word for word in sys.argv[2:] if not word.startswith("--")), "")
    passed = failed = 0
    for test in tests:
        if only not in test.__name__:
            continue
        server, began = Server(binary), time.monotonic()
        try:
            test(server)
            passed += 1
            print(f"ok      {test.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {test.__name__.replace('_', ' ')}\n{traceback.format_exc()}\nlog:\n{server.tail() if server.process else ''}", flush=True)
        finally:
            server.discard()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
