"""What is measured: Loggia, the floors that store nothing, and the peers. Each is a context that starts a process on loopback and ends it.

`driver` is its name for loadgen, `target` that for the project's own generator (the peers have none).
"""
import os, pathlib, random, re, shutil, signal, socket, subprocess, tempfile, time
from .processes import family

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
DISK = os.environ.get("LOGGIA_BENCH_DIR", "/var/tmp")   # where the data lies; /tmp is memory on some machines


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Loggia:
    name, driver, target = "Loggia (durable)", "loggia", "loggia"

    verb, quiet = ["serve"], False

    def settings(self):
        """More words for the command."""
        return []

    def pids(self):
        return [self.process.pid]

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="loggia-bench-", dir=DISK)
        settings, began = self.settings(), time.monotonic()
        log = open(self.home + "/log", "w") if self.quiet else None
        self.process = subprocess.Popen(
            [BUILD / "loggia", *self.verb, "--data", self.home + "/data", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--set", "gateway.rate_limit=false",
             "--set", "auth.access_token_lifetime=6h", "--set", "log.level=warn", *settings], stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        self.took = time.monotonic() - began
        ready = re.search(r"http=http://(\S+)", line)
        if not ready:
            said = pathlib.Path(log.name).read_text()[-2000:] if log else ""
            self.__exit__()
            raise SystemExit(f"bench: {self.name} did not start: {line!r} {said}".rstrip())
        self.address = ready.group(1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.home, ignore_errors=True)


class LoggiaSplit(Loggia):
    """A process for each module, on SQLite and the embedded transport, with mTLS between them."""
    name, verb = "Loggia, a process for each module (durable)", ["up", ROOT / "config/split"]
    quiet = True   # each process that ends is missed by the others, in a line each

    def pids(self):
        return family(self.process.pid)


class LoggiaOnPostgres(Loggia):
    """With a PostgreSQL of its own that syncs every commit to the same disk."""
    name = "Loggia on PostgreSQL (durable)"

    def settings(self):
        os.chmod(self.home, 0o755)   # the server's own user passes through
        started = subprocess.run([ROOT / "scripts/postgres", "start", "--safe", "--dir", self.home + "/postgres"], capture_output=True, text=True)
        if started.returncode:
            raise SystemExit(f"bench: {started.stderr.strip()}")
        return ["--set", "storage.kind=postgres", "--set", "storage.postgres.url=" + started.stdout.strip().removeprefix("url=")]

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        subprocess.run([ROOT / "scripts/postgres", "stop", "--dir", self.home + "/postgres"], check=True)
        shutil.rmtree(self.home, ignore_errors=True)


class LoggiaOnKafka(Loggia):
    """With a Kafka of its own, one broker on the same machine: events go through it to who listens."""
    name = "Loggia with Kafka (durable)"

    def broker(self, verb, *words):
        return subprocess.run([ROOT / "tests/infra/kafka-broker", verb, "--dir", self.home + "/kafka", "--port", str(self.base), *words], capture_output=True, text=True)

    def settings(self):
        for self.base in (random.randrange(20000, 32000) for _ in range(5)):   # the script takes three ports from there on
            started = self.broker("start")
            if not started.returncode:
                return ["--set", "bus.transport=kafka", "--set", f"bus.kafka.brokers=127.0.0.1:{self.base}"]
        raise SystemExit(f"bench: Kafka did not start (scripts/bootstrap engines): {started.stderr.strip()}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.broker("stop", "--clean")
        shutil.rmtree(self.home, ignore_errors=True)


class Process:
    """A server that is told its port and says nothing: it has started when it takes a connection."""

    def words(self):
        raise NotImplementedError

    def pids(self):
        return [self.process.pid]

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="loggia-bench-", dir=DISK)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.log = open(self.home + "/log", "w+")
        self.process = subprocess.Popen(self.words(), stdout=self.log, stderr=self.log, cwd=self.home)
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        self.log.seek(0)
        said = self.log.read()[-500:]
        self.__exit__()
        raise RuntimeError(f"{self.name} did not start: {said}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)


class Beast(Process):
    name, driver, target = "floor: Beast, stores nothing", "beast", "beast"

    def words(self):
        return [BUILD / "bench/floor_beast", str(self.port), "1"]


class Tcp(Process):
    name, driver, target = "floor: TCP in C, stores nothing", "raw", "tcp"

    def words(self):
        return [BUILD / "bench/floor_tcp", str(self.port), "1"]


class Nats(Process):
    name, driver = "NATS (WebSocket)", "natsws"

    def words(self):
        config = pathlib.Path(self.home, "nats.conf")
        config.write_text(f'listen: "127.0.0.1:{free_port()}"\nwebsocket {{ listen: "127.0.0.1:{self.port}", no_tls: true, compression: false }}\n')
        return [shutil.which("nats-server") or "/usr/sbin/nats-server", "-c", config]


class Ws(Process):
    name, driver = "ws (Node)", "ws"

    def words(self):
        return ["node", ROOT / "bench/peers/ws.mjs", str(self.port)]


class SocketIo(Process):
    name, driver = "Socket.IO (Node)", "socketio"

    def words(self):
        return ["node", ROOT / "bench/peers/socketio.mjs", str(self.port)]
