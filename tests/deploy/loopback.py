"""compose.yaml for a machine that has loopback alone: `docker compose config --format json | loopback.py PORT [--sqlite]` prints the same services in the
host's network, each listener on a port of its own from PORT on. The first is the public one, of the gateway or of the whole. Instances of a service become
services, as they would have one port. `--sqlite`: without PostgreSQL and Kafka, and one chat."""
import copy, json, sys

first, sqlite = int(sys.argv[1]), "--sqlite" in sys.argv
project = json.load(sys.stdin)
services, engines = project["services"], ("postgres", "kafka", "etcd")
ports = iter(range(first, first + 100))
public = next(ports)
at = {name: next(ports) for name in ("postgres", "kafka", "controller", "etcd", "etcd-peer")}

if sqlite:
    for name in ("postgres", "kafka"):
        services.pop(name, None)
for name, one in list(services.items()):
    replicas = one.get("deploy", {}).pop("replicas", 1)
    for number in range(2, replicas + 1):
        if not (sqlite and name == "chat"):
            services[f"{name}-{number}"] = copy.deepcopy(one)


def without_network(one):
    for key in ("networks", "ports"):
        one.pop(key, None)
    one["network_mode"] = "host"
    one["extra_hosts"] = [f"{engine}=127.0.0.1" for engine in engines]


for name, one in services.items():
    one.pop("profiles", None)
    if one.get("build"):
        one["build"]["network"] = "host"
    if one.get("network_mode") == "none":
        continue
    without_network(one)
    settings = one.setdefault("environment", {})
    if name == "postgres":
        one["command"] = ["postgres", "-p", str(at["postgres"]), "-c", "listen_addresses=127.0.0.1"]
        one["healthcheck"]["test"].append(f"--port={at['postgres']}")
    elif name == "kafka":
        settings["KAFKA_CONTROLLER_QUORUM_VOTERS"] = f"1@localhost:{at['controller']}"
        settings["KAFKA_LISTENERS"] = f"PLAINTEXT://127.0.0.1:{at['kafka']},CONTROLLER://127.0.0.1:{at['controller']}"
        settings["KAFKA_ADVERTISED_LISTENERS"] = f"PLAINTEXT://kafka:{at['kafka']}"
        one["healthcheck"]["test"] = [word.replace("9092", str(at["kafka"])) for word in one["healthcheck"]["test"]]
    elif name == "etcd":
        here, peer = f"http://127.0.0.1:{at['etcd']}", f"http://127.0.0.1:{at['etcd-peer']}"
        one["command"] = ["etcd", "--data-dir=/etcd-data", f"--listen-client-urls={here}", f"--advertise-client-urls={here}", f"--listen-peer-urls={peer}",
                          f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}"]
        one["healthcheck"]["test"].append(f"--endpoints={here}")
    else:
        settings["LOGGIA_ADMIN_LISTEN"] = f"127.0.0.1:{next(ports)}"
        serves_people = settings.get("LOGGIA_PROCESS_MODULES", "gateway") == "gateway"
        settings["LOGGIA_HTTP_LISTEN"] = f"127.0.0.1:{public if serves_people and name != 'other' else next(ports)}"
        if "LOGGIA_RPC_LISTEN" in settings:
            settings["LOGGIA_RPC_LISTEN"] = f"127.0.0.1:{next(ports)}"
        for key, value in settings.items():
            settings[key] = value.replace("@postgres/", f"@postgres:{at['postgres']}/").replace("kafka:9092", f"kafka:{at['kafka']}").replace("etcd:2379", f"etcd:{at['etcd']}")
        if sqlite and "LOGGIA_PROCESS_MODULES" in settings:
            settings.update(LOGGIA_STORAGE_KIND="sqlite", LOGGIA_BUS_TRANSPORT="embedded")
            settings.pop("LOGGIA_STORAGE_POSTGRES_URL"), settings.pop("LOGGIA_BUS_KAFKA_BROKERS")
    if sqlite:
        for gone in ("postgres", "kafka"):
            one.get("depends_on", {}).pop(gone, None)

project.pop("networks", None)
for volume in project["volumes"].values():
    volume.pop("name", None)   # of this project, not of the one that a person may have
json.dump(project, sys.stdout)
