"""A server as many processes: some of each module, on PostgreSQL, Kafka and etcd, each with its own certificate, started one by one as systemd would start them."""
import pathlib, shutil, socket, subprocess, tempfile, threading, time
from broker import free_base
from harness import PATIENCE, Server, wait_for
from pair import Engines

MODULES = ["user", "auth", "chat", "notification", "realtime", "gateway"]
ETCD = pathlib.Path(__file__).parents[1] / "infra" / "etcd-node"


class Etcd:
    """One node of its own."""

    def __init__(self):
        self.home, self.port = tempfile.mkdtemp(prefix="loggia-etcd-"), free_base()
        self.do("start")

    def do(self, verb, *words):
        done = subprocess.run([ETCD, verb, "--dir", self.home, "--port", str(self.port), *words], capture_output=True, text=True, timeout=60 * PATIENCE)
        assert done.returncode == 0, (verb, done.stdout, done.stderr)

    def kill(self):
        self.do("kill", "--node", "1")

    def start(self):
        self.do("start")

    def discard(self):
        subprocess.run([ETCD, "stop", "--dir", self.home, "--port", str(self.port), "--clean"], capture_output=True, timeout=60)
        shutil.rmtree(self.home, ignore_errors=True)


class Process(Server):
    """One process with one module."""

    def __init__(self, fleet, module, number):
        super().__init__(fleet.binary)
        self.module, self.called = module, f"{module}-{number}"
        self.verb, self.set = ["serve", "--modules", module], fleet.settings(module)

    def rpc(self):
        host, port = self.ready["rpc"].rsplit(":", 1)
        return host, int(port)


class Fleet:
    """`counts`: how many processes of a module, where it is not one; `more`: settings of all."""

    def __init__(self, binary, counts, *more):
        self.binary, self.more, self.processes = binary, more, []
        self.engines = Engines()
        try:
            self.etcd = Etcd()
        except BaseException:
            self.engines.discard()
            raise
        self.home = tempfile.mkdtemp(prefix="loggia-fleet-")
        self.certificates = self.home + "/certs"
        subprocess.run([binary, "certs", self.certificates], check=True, capture_output=True, timeout=60)
        self.name = pathlib.Path(self.home).name
        self.processes = [Process(self, module, number + 1) for module in MODULES for number in range(counts.get(module, 1))]

    def settings(self, module):
        at = self.certificates
        own = [f"rpc.tls.certificate={at}/{module}.pem", f"rpc.tls.private_key={at}/{module}.key", f"rpc.tls.ca={at}/ca.pem", "rpc.listen=127.0.0.1:0", "discovery.kind=etcd",
               f"discovery.etcd.endpoints=http://127.0.0.1:{self.etcd.port}", f"discovery.etcd.prefix=/{self.name}/"]
        return [*self.engines.settings(self.name), *[word for pair in [*own, *self.more] for word in ("--set", pair)]]

    def start(self):
        """All at once: none waits for the others in vain."""
        problems = []

        def begin(process):
            try:
                process.start()
            except Exception as problem:
                problems.append(problem)
        threads = [threading.Thread(target=begin, args=(process,)) for process in self.processes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems, problems[0]
        self.all_well()
        return self

    def of(self, module):
        return [process for process in self.processes if process.module == module]

    def all_well(self):
        """Every process says of itself that nothing is missing."""
        def well(process):
            try:
                status, answer, _ = process.call("GET", "/readyz", admin=True)
                return status == 200 and answer["status"] == "ok"
            except OSError:
                return False
        wait_for(lambda: all(well(process) for process in self.processes), "all processes ready", 30)

    def tails(self):
        return "\n".join(f"-- {process.called}\n{process.tail()[-1500:]}" for process in self.processes)

    def discard(self):
        for process in self.processes:
            process.discard()
        self.etcd.discard()
        self.engines.discard()
        shutil.rmtree(self.home, ignore_errors=True)


class Ghost:
    """Listens where a killed process did and counts who comes."""

    def __init__(self, address):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.take(address)
        self.socket.listen(128)
        self.socket.settimeout(0.1)
        self.visitors, self.over = 0, threading.Event()
        self.thread = threading.Thread(target=self.count, daemon=True)
        self.thread.start()

    def take(self, address):
        """The port may be some connection's for a moment."""
        for attempt in range(50):
            try:
                return self.socket.bind(address)
            except OSError:
                if attempt == 49:
                    raise
                time.sleep(0.1)

    def count(self):
        while not self.over.is_set():
            try:
                self.socket.accept()[0].close()
                self.visitors += 1
            except TimeoutError:
                pass

    def end(self):
        self.over.set()
        self.thread.join()
        self.socket.close()
        return self.visitors
