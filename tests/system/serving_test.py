"""The executable as a person at the shell meets it: modules left out, the demo, health, a page, drain."""
import os, pathlib, re, signal, subprocess, tempfile
from harness import PATIENCE, Person, Server, Socket, run, wait_for


def a_module_left_out_is_refused_by_the_name_of_what_needs_it(server):
    done = server.run("serve", "--data", server.data, "--modules", "user,auth,realtime,notification,gateway")
    assert done.returncode == 2 and "chat" in done.stderr and "realtime" in done.stderr, done


def config_check_finds_what_serve_would_refuse(server):
    wrong = ["--set", "http.allowed_origins=nonsense", "--set", "http.trusted_proxies=10.0.0.0/99", "--set", "http.public_url=chat.example"]
    for command in (["config", "check"], ["serve", "--data", server.data]):
        done = server.run(*command, *wrong)
        assert done.returncode == 2 and not done.stdout, done
        for key in ("http.allowed_origins", "http.trusted_proxies", "http.public_url"):
            assert f"loggia: {key}: " in done.stderr, done.stderr
    done = server.run("config", "check", "--set", "chat.retention=off")
    assert done.returncode == 0, done


def the_modules_that_need_nothing_else_run_alone(server):
    server.flags = ["--modules", "user,auth,chat,notification"]
    process = subprocess.Popen([server.binary, "serve", "--data", server.data, "--admin", "127.0.0.1:0", *server.flags], stdout=subprocess.PIPE, text=True, env=server.variables())
    server.process = process
    line = process.stdout.readline()
    assert line.startswith("loggia ready admin=http://127.0.0.1:") and "http=" not in line.replace("admin=http", ""), line
    assert server.stop() == 0


def health_readiness_and_metrics_tell_the_state(server):
    server.start()
    assert server.call("GET", "/healthz", admin=True)[0] == 200
    status, ready, _ = server.call("GET", "/readyz", admin=True)
    assert status == 200 and ready["status"] == "ok", ready
    assert {c["name"] for c in ready["checks"]} >= {"auth", "user", "chat", "realtime", "notification", "gateway", "storage.chat"}, ready
    metrics = server.call("GET", "/metrics", admin=True)[1]
    assert "# TYPE loggia_build_info gauge" in metrics and "process_resident_memory_bytes" in metrics, metrics[:500]


def the_page_is_in_the_executable_and_loads_nothing_from_elsewhere(server):
    server.start()
    status, page, headers = server.call("GET", "/", base="")
    assert status == 200 and "<script" in page, page[:300]
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy and headers["X-Content-Type-Options"] == "nosniff", headers
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert not re.match(r"(https?:)?//", address), address
        assert server.call("GET", "/" + address.lstrip("./"), base="")[0] == 200, address
    assert server.call("GET", "/docs", base="")[0] == 200
    assert server.call("GET", "/no-such-page", base="")[0] == 404


def the_demo_prints_an_address_and_two_logins(server):
    process = subprocess.Popen([server.binary, "serve", "--demo", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=server.variables())
    server.process = process
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("loggia ready"):
            break
    server.ready = dict(re.findall(r"(\w+)=(\S+)", line))
    server.host, server.port = server.ready["http"].removeprefix("http://").rsplit(":", 1)
    assert server.ready["http"] in said.replace(line, ""), said
    logins = re.findall(r"^    (\w+) +(\S+)$", said, re.M)
    assert len(logins) == 2, said
    for name, password in logins:
        status, answer, _ = server.call("POST", "/auth/login", {"login": name, "password": password})
        assert status == 200, answer
        rooms = server.call("GET", "/rooms", token=answer["access_token"])[1]["items"]
        assert len(rooms) >= 3 and any(r["kind"] == "direct" for r in rooms), rooms
    assert server.stop() == 0


def the_demo_leaves_a_directory_that_it_did_not_make_alone(server):
    os.makedirs(server.data)
    pathlib.Path(server.data, "letters.txt").write_text("mine")
    done = server.run("serve", "--demo", "--data", server.data)
    assert done.returncode == 1 and server.data in done.stderr, done


def sigterm_drains_and_tells_the_clients(server):
    server.start()
    person = Person(server)
    room = person.room()
    live = Socket(person)
    numbers = [live.begin("send", room=room, text=str(n), client_id=str(n)) for n in range(100)]
    assert server.stop() == 0 and live.ends() == 1001
    acknowledged = [a["ok"]["seq"] for a in live.answers.values() if "ok" in a and "seq" in a["ok"]]
    assert any(e["ev"] == "server.draining" for e in live.events), live.events[-3:]
    server.start()
    kept = {m["seq"] for m in person.everything(room, "messages")}
    assert set(acknowledged) <= kept and numbers


def a_process_that_still_waits_for_what_it_needs_ends_at_once(server):
    started = subprocess.Popen([server.binary, "serve", "--modules", "chat", "--data", server.data, "--admin", "127.0.0.1:0", "--set", "rpc.listen=127.0.0.1:0", "--set", "discovery.peers.user=127.0.0.1:1"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=server.variables(), cwd=server.home)
    try:
        wait_for(lambda: "rpc.instance_awaited" in started.stderr.readline(), "that it looks for user")
        started.send_signal(signal.SIGTERM)
        out, err = started.communicate(timeout=5 * PATIENCE)
        assert started.returncode == 0 and out == "" and "process.stopped_while_starting signal=SIGTERM" in err, (started.returncode, out, err)
    finally:
        started.kill()


def every_route_of_the_description_answers(server):
    server.start()
    person = Person(server)
    description = server.call("GET", "/openapi.json", base="")[1]
    printed = server.run("openapi")
    import json
    assert json.loads(printed.stdout)["paths"].keys() == description["paths"].keys()
    base = description["servers"][0]["url"]
    nobody = "00000000-0000-7000-8000-000000000000"
    routes = 0
    for path, methods in description["paths"].items():
        for method in set(methods) & {"get", "post", "put", "patch", "delete"}:
            status, answer, _ = server.call(method.upper(), re.sub(r"\{\w+\}", nobody, path), {} if method in ("post", "put", "patch") else None, person.token, base=base if path.startswith("/") else "")
            assert status != 405 and not (status == 404 and "no such route" in str(answer)), (method, path, status, answer)
            assert status < 500, (method, path, status, answer)
            routes += 1
    assert routes > 40, routes


run([a_module_left_out_is_refused_by_the_name_of_what_needs_it, config_check_finds_what_serve_would_refuse, the_modules_that_need_nothing_else_run_alone, health_readiness_and_metrics_tell_the_state,
     the_page_is_in_the_executable_and_loads_nothing_from_elsewhere, the_demo_prints_an_address_and_two_logins,
     the_demo_leaves_a_directory_that_it_did_not_make_alone, a_process_that_still_waits_for_what_it_needs_ends_at_once, sigterm_drains_and_tells_the_clients, every_route_of_the_description_answers])
