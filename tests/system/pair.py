"""What the tests of two whole servers share: a PostgreSQL and a Kafka of their own, and two servers on both."""
import os, pathlib, subprocess, tempfile, threading
import broker as kafka
from harness import Person, Server

POSTGRES = pathlib.Path(__file__).parents[2] / "scripts" / "postgres"


class Engines:
    """A PostgreSQL that syncs, and a Kafka."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="loggia-together-")
        os.chmod(self.home, 0o755)   # PostgreSQL runs as a user of its own
        self.options = ["--dir", self.home + "/postgres", "--safe"]
        self.broker = kafka.Broker().start()
        try:
            self.url = self.postgres("start").split("url=")[1].split()[0]
        except BaseException:
            self.broker.discard()
            raise

    def postgres(self, verb, *words):
        done = subprocess.run([POSTGRES, verb, *self.options, *words], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done
        return done.stdout

    def crash_postgres(self):
        port = self.url.rsplit(":", 1)[1].split("/")[0]
        self.postgres("stop", "--immediate")
        self.postgres("start", "--port", port)

    def settings(self, name):
        return [one.replace("{n}", name) for pair in [*kafka.settings(self.broker), "storage.kind=postgres", f"storage.postgres.url={self.url}"] for one in ("--set", pair)]

    def discard(self):
        self.broker.discard()
        subprocess.run([POSTGRES, "stop", *self.options, "--clean"], capture_output=True, timeout=60)
        subprocess.run(["rm", "-rf", self.home])


def two(server, engines, *more):
    """Two servers that share everything but their data directories, with `more` set. The one that is passed in is the first."""
    server.set = [*engines.settings(server.name), *[word for one in more for word in ("--set", one)]]
    other = Server(server.binary)
    other.name, other.set = server.name, server.set
    starting = threading.Thread(target=server.start)   # at once, on nothing yet
    starting.start()
    other.start()
    starting.join()
    return server, other


def at(server, person):
    """The same person at the other server."""
    twin = object.__new__(Person)
    twin.__dict__.update(person.__dict__)
    twin.server = server
    return twin


def on_two(*more):
    """A test of two servers: it gets both, and the engines, which end with it. `more` is set in both."""
    def of(test):
        def with_engines(server):
            engines = Engines()
            try:
                one, other = two(server, engines, *more)
                try:
                    test(one, other, engines)
                finally:
                    other.discard()
            finally:
                engines.discard()
        with_engines.__name__ = test.__name__
        return with_engines
    return of


def missing():
    """Why they cannot run here, or nothing."""
    if subprocess.run([POSTGRES, "status", "--dir", "/nonexistent"], capture_output=True).returncode == 77:
        return kafka.missing() or "PostgreSQL is not installed: scripts/bootstrap engines"
    return kafka.missing()
