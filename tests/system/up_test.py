"""`loggia up DIR` as a person at the shell meets it: one ready line, one log, restarts, ends, refusals."""
import json, os, pathlib, re, signal, time
from harness import Person, Socket, run, wait_for

SPLIT = pathlib.Path(__file__).resolve().parents[2] / "config" / "split"
MODULES = ["auth", "chat", "gateway", "notification", "realtime", "user"]


def set_of(server, **files):
    """A directory of configuration files: name=modules, or name=the whole text."""
    directory = server.home / "set"
    directory.mkdir(exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else f"[process]\nmodules = {content}\n"
        (directory / (name.replace("_", "-") + ".toml")).write_text(text)
    server.verb = ["up", str(directory)]
    return directory


def children(server):
    """Process ids of those that `up` watches, by name."""
    out = {}
    for one in pathlib.Path("/proc").iterdir():
        try:
            stat = (one / "stat").read_text().rsplit(")", 1)[1].split()
            if one.name.isdigit() and int(stat[1]) == server.process.pid and stat[0] != "Z":
                words = (one / "cmdline").read_bytes().decode().split("\0")
                out[pathlib.Path(words[words.index("--config") + 1]).stem] = int(one.name)
        except (OSError, ValueError, IndexError):
            pass
    return out


def gone(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def one_process_under_watch_is_a_server(server):
    set_of(server, all="")
    server.start()
    person = Person(server)
    made = server.command("user", "add", "ada", "--role", "admin", input="a password of ada\n")
    assert "ada" in made.stdout, made
    assert server.call("POST", "/auth/login", {"login": "ada", "password": "a password of ada"})[0] == 200
    room, socket = person.room(), Socket(person)
    socket.op("send", room=room, text="hello", client_id="1")
    child = children(server)["all"]
    assert server.stop() == 0 and gone(child)
    assert re.search(r"^all \| .* process\.stopped", server.tail(), re.M), server.tail()
    second = server.run("up", str(server.home / "set"), "--data", server.data, "--listen", "127.0.0.1:1x")
    assert second.returncode == 2 and not second.stdout, second


def what_is_killed_comes_back_at_the_same_address(server):
    set_of(server, all="")
    server.start()
    person = Person(server)
    for _ in range(2):
        child = children(server)["all"]
        os.kill(child, signal.SIGKILL)
        wait_for(lambda: children(server).get("all") not in (None, child), "the restart")
        wait_for(lambda: up_again(server), "the server's answer")
        person.login()
    assert server.stop() == 0
    assert server.tail().count("up.died process=all signal=9") == 2, server.tail()


def up_again(server):
    try:
        return server.call("GET", "/readyz", admin=True, base="")[0] == 200
    except OSError:
        return False


def no_server_outlives_the_one_that_watches_it(server):
    set_of(server, all="")
    server.start()
    person, child = Person(server), children(server)["all"]
    server.kill()
    wait_for(lambda: gone(child), "the end of what was watched")
    server.start()   # and its lock went with it
    person.login()
    assert server.stop() == 0


def a_second_start_on_the_same_addresses_works_at_once(server):
    set_of(server, all="")
    server.start()
    server.flags = ["--set", "http.listen=" + server.ready["http"].removeprefix("http://"), "--set", "admin.listen=" + server.ready["admin"].removeprefix("http://")]
    first = server.ready
    for how in (server.stop, server.kill, server.stop):
        child = children(server)["all"]
        how()
        wait_for(lambda: gone(child), "the end of what was watched")   # after a kill it drains by itself
        server.start()
        assert server.ready == first


def what_never_gets_ready_ends_the_set_with_its_own_words(server):
    set_of(server, all="")
    server.start()
    second = server.run("up", str(server.home / "set"), "--data", server.data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
    assert second.returncode == 1 and not second.stdout, second
    assert re.search(rf"^all \| loggia: the data directory .* is in use by process {children(server)['all']}", second.stderr, re.M), second.stderr
    assert up_again(server)


def a_log_of_json_stays_one(server):
    set_of(server, all="[log]\nformat = 'json'\n")
    server.start()
    assert server.stop() == 0
    lines = [json.loads(line) for line in (server.home / "stderr.log").read_text().splitlines()]
    assert {line.get("process") for line in lines if line["event"] == "process.stopped"} == {"all"}, lines
    assert any(line["event"] == "up.stopped" for line in lines), lines


def a_set_that_cannot_work_is_refused_before_anything_starts(server):
    def refused(*flags, environment=None):
        server.environment = environment or {}
        done = server.run("up", str(directory), "--data", server.data, *flags)
        assert done.returncode == 2 and not done.stdout and not os.path.exists(server.data), done
        return done.stderr

    directory = server.home / "nowhere"
    assert "nowhere" in refused()
    directory = set_of(server)
    assert "no *.toml" in refused()
    set_of(server, **{name: [name] for name in MODULES if name != "chat"})
    assert 'no file has the module "chat": add it to process.modules of one' in refused()
    set_of(server, chat=["chat"], more=["chat", "notification"])
    said = refused()
    for module in ("chat", "notification"):
        assert f'both have the module "{module}", whose SQLite file belongs to one process' in said, said
    set_of(server, more=["chta"])
    assert 'more.toml: process.modules: there is no module "chta"; did you mean "chat"?' in refused()
    set_of(server, more=["gateway"])
    said = refused("--listen", "127.0.0.1:18080")
    assert "127.0.0.1:18080 is http.listen of gateway.toml and http.listen of more.toml" in said, said
    set_of(server, more="[http]\nlissen = ':1'\n")
    assert re.search(r'more\.toml:2: there is no key "http.lissen"; did you mean "http.listen"\?', refused())
    (directory / "more.toml").unlink()
    mailing = server.run("up", str(SPLIT), "--data", str(server.home / "mailing"), "--set", "smtp.url=smtp://127.0.0.1:1", "--set", "smtp.from=chat@example.org")
    assert mailing.returncode == 2 and "auth.toml: http.public_url: is missing: mails (smtp.url) hold links" in mailing.stderr and "gateway.toml" not in mailing.stderr, mailing
    for flags, words in ((["--demo"], "loggia serve --demo"), (["--config", "x"], "--config"), (["--modules", "chat"], "process.modules"), (["--set", "rpc.listen=127.0.0.1:1"], "rpc.listen")):
        assert words in refused(*flags)
    assert "LOGGIA_RPC_LISTEN" in refused(environment={"LOGGIA_RPC_LISTEN": "127.0.0.1:1"})


def a_process_for_each_module_is_one_server(server):
    server.verb = ["up", str(SPLIT)]
    server.start()
    assert sorted(children(server)) == MODULES
    person, other = Person(server), Person(server)
    room, listening = person.room(other), Socket(other)
    Socket(person).op("send", room=room, text="across", client_id="1")
    listening.event(lambda e: e["ev"] == "message.created" and e["data"]["text"] == "across")
    # The shell finds the process that has its command, and asks all where several know something.
    server.command("user", "add", "ada", input="a password of ada\n")
    assert server.call("POST", "/auth/login", {"login": "ada", "password": "a password of ada"})[0] == 200
    listed = server.command("topics", "list").stdout.splitlines()[1:]
    assert len(listed) == len({tuple(line.split()[:2]) for line in listed}) == 6, listed
    # Nobody else works on the directory, and who does is named.
    for words in (["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"], ["migrate"], ["serve", "--modules", "user", "--admin", "127.0.0.1:0"]):
        second = server.command(*words, ok=False)
        assert second.returncode == 1 and str(children(server)["user"]) in second.stderr, second
    assert (pathlib.Path(server.data).stat().st_mode, pathlib.Path(server.data, "certs", "chat.key").stat().st_mode) == (0o40700, 0o100600)


def each_process_of_a_set_can_be_killed(server):
    server.verb = ["up", str(SPLIT)]
    server.start()
    person = Person(server)
    room = person.room()
    for module in MODULES:
        child = children(server)[module]
        os.kill(child, signal.SIGKILL)
        wait_for(lambda: children(server).get(module) not in (None, child), f"the restart of {module}")

        def works():
            try:
                person.login()
                Socket(person).op("send", room=room, text=module, client_id=module)
                return True
            except (AssertionError, OSError):
                return False
        wait_for(works, f"work after {module} was killed")
    assert [m["text"] for m in person.everything(room, "messages")] == MODULES
    assert server.stop() == 0


def who_is_where_and_how_they_are_is_listed(server):
    def listed(*words):
        head, *lines = server.command("instances", *words).stdout.splitlines()
        assert head.split() == ["MODULE", "ADDRESS", "HEALTH", "FROM", "IN", "FLIGHT", "DETAIL"], head
        rows = {}
        for line in lines:
            module, address, health = line.split()[:3]
            assert module not in rows, lines
            rows[module] = address, "not ready" if health == "not" and line.split()[3] == "ready" else health
            assert address.startswith("127.0.0.1:") and " static " in line, line
        return rows

    server.verb = ["up", str(SPLIT)]
    server.start()
    first = listed()
    assert list(first) == ["user", "auth", "chat", "notification", "realtime", "gateway"], first
    assert all(health == "ready" for _, health in first.values()), first
    # Who is killed is not there until it is back: while `up` is stopped it cannot bring anybody back. auth is the first that the shell would ask.
    for module in ("auth", "chat", "gateway"):
        child = children(server)[module]
        os.kill(server.process.pid, signal.SIGSTOP)
        os.kill(child, signal.SIGKILL)
        wait_for(lambda: gone(child), "the end of " + module)
        assert listed() == {**first, module: (first[module][0], "unreachable")}, module
        os.kill(server.process.pid, signal.SIGCONT)
        wait_for(lambda: listed() == first, f"{module} among those that are ready")
    # Who hangs is there to the system, and not to who asks; also those that the shell would ask first, which together cost it no more than one.
    for modules in (["realtime"], ["auth"], ["auth", "chat", "notification"]):
        hanging = [children(server)[module] for module in modules]
        for child in hanging:
            os.kill(child, signal.SIGSTOP)
        began = time.monotonic()
        assert listed() == {**first, **{module: (first[module][0], "unreachable") for module in modules}}, modules
        assert time.monotonic() - began < 9, modules  # two, but for a machine that is busy
        for child in hanging:
            os.kill(child, signal.SIGCONT)
        wait_for(lambda: listed() == first, f"{modules} among those that are ready")

    # Also by a shell beside no process that has their addresses, with the certificate of one of them and without.
    certs = pathlib.Path(server.data, "certs")
    known = [f"discovery.peers.{module}={address}" for module, (address, _) in first.items()]
    trusted = [f"rpc.tls.certificate={certs}/chat.pem", f"rpc.tls.private_key={certs}/chat.key", f"rpc.tls.ca={certs}/ca.pem"]

    def from_elsewhere(*settings):
        done = server.run("instances", "--data", str(server.home / "nowhere"), *[word for one in settings for word in ("--set", one)])
        assert done.returncode == 0, done
        return [" ".join(line.split()[2:]) for line in done.stdout.splitlines()[1:]]
    assert from_elsewhere(*known, *trusted) == ["ready static 0"] * 6
    assert from_elsewhere(*known) == ["not asked static - it does not answer without a certificate (rpc.tls.*)"] * 6
    assert server.stop() == 0
    assert from_elsewhere(*known, *trusted) == ["unreachable static - the module cannot be reached"] * 6


def instances_of_one_process_are_its_own_modules(server):
    server.start()
    lines = server.command("instances").stdout.splitlines()[1:]
    assert [line.split() for line in lines] == [[module, "-", "ready", "here", "0"] for module in ("user", "auth", "chat", "notification", "realtime", "gateway")], lines
    assert server.stop() == 0
    nothing = server.command("instances", ok=False)
    assert nothing.returncode == 1 and "nothing runs on" in nothing.stderr and not nothing.stdout, nothing
    for words, why in ((["discovery.kind=etcd"], "discovery.etcd.endpoints: is missing"), (["discovery.peers.chta=127.0.0.1:1"], 'did you mean "chat"?'),
                       (["discovery.kind=ectd"], "discovery.kind"), (["discovery.peers.chat=127.0.0.1:1", "rpc.tls.certificate=/nowhere.pem"], "/nowhere.pem")):
        refused = server.command("instances", *[word for pair in words for word in ("--set", pair)], ok=False)
        assert refused.returncode == 2 and why in refused.stderr and not refused.stdout, refused


def the_door_closes_first_and_what_all_need_last(server):
    server.verb = ["up", str(SPLIT)]
    server.start()
    assert server.stop() == 0
    said = re.findall(r"^(\w+) +\| .* process\.(stopping|stopped)", (server.home / "stderr.log").read_text(), re.M)
    at = {event: place for place, event in enumerate(said)}
    for before, after in (("gateway", "realtime"), ("gateway", "notification"), ("realtime", "chat"), ("notification", "auth"), ("chat", "user"), ("auth", "user")):
        assert at[before, "stopped"] < at[after, "stopping"], said


run([one_process_under_watch_is_a_server, what_is_killed_comes_back_at_the_same_address, no_server_outlives_the_one_that_watches_it,
     a_second_start_on_the_same_addresses_works_at_once, what_never_gets_ready_ends_the_set_with_its_own_words, a_log_of_json_stays_one,
     a_set_that_cannot_work_is_refused_before_anything_starts, a_process_for_each_module_is_one_server, each_process_of_a_set_can_be_killed,
     who_is_where_and_how_they_are_is_listed, instances_of_one_process_are_its_own_modules,
     the_door_closes_first_and_what_all_need_last])
