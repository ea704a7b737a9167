"""A real Kafka for tests, of this run alone: 1 or 3 brokers on free loopback ports, from tests/infra/kafka-broker."""
import json, os, pathlib, random, shutil, signal, socket, subprocess, tempfile, time
from harness import PATIENCE

SCRIPT = pathlib.Path(__file__).parents[1] / "infra" / "kafka-broker"


def missing():
    """Why there can be no broker here; empty where there can."""
    absent = [name for name in ("java", "kcat") if not shutil.which(name)]
    return f"{' and '.join(absent)} not installed: scripts/bootstrap engines" if absent else ""


def free_base():
    """A port with which all that the script takes are free."""
    for base in (random.randrange(20000, 32000) for _ in range(100)):
        try:
            held = []
            for port in (base + offset + node for offset in (0, 100, 200) for node in range(3)):
                one = socket.socket()
                held.append(one)
                one.bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise AssertionError("no free ports")


class Broker:
    def __init__(self, brokers=1, secure=False):
        self.count, self.base = brokers, free_base()
        self.home = tempfile.mkdtemp(prefix="loggia-kafka-")
        self.options = ["--brokers", str(brokers), "--dir", self.home, "--port", str(self.base), "--timeout", str(int(90 * PATIENCE)), *(["--secure"] if secure else [])]
        self.addresses = ",".join(f"127.0.0.1:{self.base + node}" for node in range(brokers))
        self.secure_address = f"localhost:{self.base + 200}"
        self.frozen = []

    def do(self, verb, *words):
        done = subprocess.run([SCRIPT, verb, *self.options, *words], capture_output=True, text=True, timeout=180 * PATIENCE)
        assert done.returncode == 0, (verb, done.stdout, done.stderr)
        return done.stdout.strip()

    def start(self, *words):
        self.do("start", *words)
        return self

    def kill(self, node=1):
        self.do("kill", "--node", str(node))

    def freeze(self):
        """It accepts, and never answers."""
        self.frozen = [int(self.do("pid", "--node", str(node + 1))) for node in range(self.count)]
        for pid in self.frozen:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self.frozen:
            os.kill(pid, signal.SIGCONT)
        self.frozen = []

    def read(self, topic, *words):
        """What any client of Kafka reads, from the oldest record on."""
        done = subprocess.run(["kcat", "-b", self.addresses, "-C", "-t", topic, "-o", "beginning", "-e", "-q", *words], capture_output=True, text=True, timeout=60 * PATIENCE)
        assert done.returncode == 0, done
        return done.stdout.splitlines()

    def topics(self):
        done = subprocess.run(["kcat", "-b", self.addresses, "-L", "-J"], capture_output=True, text=True, timeout=60 * PATIENCE)
        assert done.returncode == 0, done
        return [topic["topic"] for topic in json.loads(done.stdout)["topics"] if topic["partitions"]]

    def delete(self, topic):
        done = subprocess.run([SCRIPT, "tool", "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", self.addresses, "--delete", "--topic", topic], capture_output=True, text=True, timeout=60 * PATIENCE)
        assert done.returncode == 0, done

    def discard(self):
        self.thaw()
        subprocess.run([SCRIPT, "stop", *self.options, "--clean"], capture_output=True, timeout=60 * PATIENCE)
        shutil.rmtree(self.home, ignore_errors=True)


def settings(broker, *more, partitions=4):
    return ["bus.transport=kafka", f"bus.kafka.brokers={broker.addresses}", "bus.kafka.topic_prefix={n}.", f"bus.partitions={partitions}", *more]
