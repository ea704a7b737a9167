"""deploy/kubernetes: every document by Kubernetes' own schema, and what no schema sees: names, labels and ports that belong together, and settings that
Loggia takes. `python tests/deploy/manifests.py build/release/loggia` in the environment of scripts/venv deploy."""
import os, pathlib, re, subprocess, sys
import kubernetes_validate, yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
wrong = []
documents = [(path.name, one) for path in sorted((ROOT / "deploy/kubernetes").glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]
modules = {path.stem for path in (ROOT / "config/split").glob("*.toml")}
uid = int(re.search(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text(), re.M)[1])


def must(condition, where, what):
    if not condition:
        wrong.append(f"{where}: {what}")


def of(kind):
    return {one["metadata"]["name"]: one for _, one in documents if one["kind"] == kind}


def fits(selector, labels):
    return selector.items() <= labels.items()


def template(deployment):
    return deployment["spec"]["template"]


for file, one in documents:
    name = f"{file}: {one['kind']} {one['metadata']['name']}"
    try:
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as problem:
        wrong.append(f"{name}: {problem.message}")
    must(one["kind"] == "Namespace" or one["metadata"].get("namespace") == "loggia", name, "is in another namespace")

if wrong:
    sys.exit("\n".join(wrong))
deployments, services, settings = of("Deployment"), of("Service"), of("ConfigMap")["loggia"]["data"]
must(set(deployments) == modules, "Deployments", f"are {sorted(deployments)}, the modules {sorted(modules)}")
must(set(of("PodDisruptionBudget")) == modules, "PodDisruptionBudgets", "are not one for each module")

for name, one in deployments.items():
    pod = template(one)["spec"]
    container, = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    must(fits(one["spec"]["selector"]["matchLabels"], template(one)["metadata"]["labels"]), name, "its selector is not that of its pods")
    must(container["args"] == ["serve", "--modules", name], name, f"runs {container['args']}")
    must(container["image"] == template(deployments["gateway"])["spec"]["containers"][0]["image"], name, "has another image than the gateway")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        must(asked["port"] == "admin" and asked["path"] in ("/healthz", "/readyz"), name, f"{probe} asks {asked}")
    must(ports["admin"] == int(settings["LOGGIA_ADMIN_LISTEN"].rsplit(":", 1)[1]), name, "admin is another port than LOGGIA_ADMIN_LISTEN")
    must(ports["rpc"] == int(settings["LOGGIA_RPC_LISTEN"].rsplit(":", 1)[1]), name, "rpc is another port than LOGGIA_RPC_LISTEN")
    if name == "gateway":
        must(ports["http"] == int(settings["LOGGIA_HTTP_LISTEN"].rsplit(":", 1)[1]), name, "http is another port than LOGGIA_HTTP_LISTEN")
    security = {**pod["securityContext"], **container["securityContext"]}
    must(security["runAsNonRoot"] and security["runAsUser"] == uid and security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
         and security["capabilities"] == {"drop": ["ALL"]}, name, f"may more than it needs: {security}")
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    must(set(volumes) == {mount["name"] for mount in container["volumeMounts"]}, name, "volumes and mounts are not the same")
    must(volumes["tls"]["secret"]["secretName"] == "loggia-tls-" + name, name, "has the key of another module")
    mount = next(mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "tls")
    for key, file in (("CERTIFICATE", "tls.crt"), ("PRIVATE_KEY", "tls.key"), ("CA", "ca.crt")):
        must(settings["LOGGIA_RPC_TLS_" + key] == f"{mount}/{file}", name, f"LOGGIA_RPC_TLS_{key} is not {mount}/{file}")
    must(f"LOGGIA_DISCOVERY_PEERS_{name.upper()}" in settings, name, "is in no list of peers")
    budget = of("PodDisruptionBudget").get(name)
    must(budget and fits(budget["spec"]["selector"]["matchLabels"], template(one)["metadata"]["labels"]), name, "its budget is not of its pods")
    must(one["spec"]["replicas"] > budget["spec"]["minAvailable"], name, "its budget lets no node be emptied")

for name, one in services.items():
    found = [each for each in deployments.values() if fits(one["spec"]["selector"], template(each)["metadata"]["labels"])]
    must(len(found) == 1, f"Service {name}", f"leads to {len(found)} deployments")
    for port in one["spec"]["ports"]:
        names = [each["name"] for each in template(found[0])["spec"]["containers"][0]["ports"]]
        must(port["targetPort"] in names, f"Service {name}", f"leads to port {port['targetPort']}, of {names}")

for name, place in settings.items():
    if not name.startswith("LOGGIA_DISCOVERY_PEERS_"):
        continue
    module = name.removeprefix("LOGGIA_DISCOVERY_PEERS_").lower()
    service = services.get(module)
    must(service and service["spec"].get("clusterIP") == "None", name, "there is no headless Service of that name")
    must(place == f"{module}.loggia.svc.cluster.local:{service['spec']['ports'][0]['port']}", name, f"is {place}")

for name, one in of("NetworkPolicy").items():
    pods = [template(each) for each in deployments.values() if fits(one["spec"]["podSelector"].get("matchLabels", {}), template(each)["metadata"]["labels"])]
    must(pods, f"NetworkPolicy {name}", "is about no pod")
    for rule in one["spec"].get("ingress", []):
        for port in rule.get("ports", []):
            for pod in pods:
                names = [each["name"] for each in pod["spec"]["containers"][0]["ports"]]
                must(port["port"] in names, f"NetworkPolicy {name}", f"lets {port['port']} in, of {names}")

# What a pod would be told is what Loggia takes: each module's own arguments, and a Secret as docs/deploying.md says.
for name in sorted(deployments):
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("LOGGIA_")}, **settings, "LOGGIA_STORAGE_POSTGRES_URL": "postgresql://loggia@db/loggia"}
    arguments = template(deployments[name])["spec"]["containers"][0]["args"]
    done = subprocess.run([str(pathlib.Path(sys.argv[1]).resolve()), "config", "check", *arguments[1:]], env=environment, capture_output=True, text=True, cwd="/")
    must(not done.stderr, name, done.stderr)

if wrong:
    sys.exit("\n".join(wrong))
print(f"{len(documents)} documents, {len(deployments)} modules: all good")
