"""Secrets and texts of people are in no log, no metric, no argument and no environment, whatever goes wrong with the request that carries them."""
import base64, json, pathlib, secrets, signal, socket, sqlite3
from harness import PATIENCE, Person, Socket, run

NOISE = ["--set", "log.level=debug", "--set", "log.format=json"]


class Canaries:
    """Each is a word of its own, so that a hit says what has leaked."""

    def __init__(self):
        self.words = {}

    def make(self, what, length=24):
        word = "canary" + secrets.token_hex(length // 2)
        self.words[what] = word
        return word

    def note(self, what, secret):
        self.words[what] = secret
        return secret

    def hits(self, where, text):
        return [(where, what) for what, word in self.words.items() for form in {word, base64.b64encode(word.encode()).decode().rstrip("="), word.encode().hex()} if form in text]


def request(server, data):
    with socket.create_connection((server.host, int(server.port)), timeout=10 * PATIENCE) as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
        except ConnectionError:
            pass


def workload(server, canaries):
    make, note = canaries.make, canaries.note
    person = Person(server)
    note("password", person.password)
    status, answer, _ = server.call("POST", "/auth/login", {"login": person.name, "password": person.password})
    note("access token", answer["access_token"].split(".")[2])
    note("access token's claims", answer["access_token"].split(".")[1])
    note("refresh token", answer["refresh_token"])
    other = Person(server)
    note("another's password", other.password)
    # Sign-in in all its refusals.
    for body in ({"login": make("login that is a password"), "password": make("wrong password")}, {"login": person.name, "password": make("wrong password of a known login")},
                 {"login": person.name, "password": make("password beside an unknown field"), make("unknown field"): 1}, {"login": person.name, "password": [make("password in a list")]},
                 {"login": person.name, "password": person.password, "totp": make("totp")}):
        server.call("POST", "/auth/login", body)
    for body in ({"username": make("refused username") + "!", "password": make("password of a refused name"), "email": make("address") + "@example.org"},
                 {"username": "short" + secrets.token_hex(4), "password": make("p", 4)}, {"username": person.name, "password": make("password of a name that is taken"), "invite": make("invite")}):
        server.call("POST", "/auth/register", body)
    server.call("POST", "/auth/refresh", {"refresh_token": make("refresh token that is none")})
    status, renewed, _ = server.call("POST", "/auth/refresh", {"refresh_token": answer["refresh_token"]})
    assert status == 200, renewed
    note("second refresh token", renewed["refresh_token"])
    server.call("POST", "/auth/refresh", {"refresh_token": answer["refresh_token"]})  # reuse: the session ends, which is logged
    status, headers_of, more = server.call("POST", "/auth/login", {"login": person.name, "password": person.password, "cookie": True})
    note("cookie", more["Set-Cookie"].split("=")[1].split(";")[0])
    server.call("POST", "/auth/refresh", headers={"Cookie": more["Set-Cookie"].split(";")[0], "Origin": "http://evil.example"})
    server.call("POST", "/auth/validate", {"token": make("validated token")})
    server.call("PUT", "/auth/password", {"current_password": make("wrong current password"), "new_password": make("refused new password")}, person.login().token)
    assert server.call("PUT", "/auth/password", {"current_password": person.password, "new_password": make("new password")}, person.token)[0] == 204
    person.password = canaries.words["new password"]
    assert server.call("PUT", "/auth/account", {"email": make("own address") + "@example.org"}, person.token)[0] == 200
    server.call("PUT", "/auth/account", {"email": make("address that is none")}, person.token)
    server.call("POST", "/auth/email/verify", {"token": make("token of a link")})
    for email in (canaries.words["own address"] + "@example.org", make("address that nobody has") + "@example.org", make("forgotten nonsense")):
        assert server.call("POST", "/auth/password/forgot", {"email": email})[0] == 202
    server.call("POST", "/auth/password/reset", {"token": make("token of a reset"), "new_password": make("password of a reset")})
    for token in (make("bearer"), "loggia_" + make("long-lived token")):
        server.call("GET", "/users/me", token=token)
    # Texts, names and everything else that people write, taken or refused.
    room = person.room(other)
    for text in (make("text"), make("text that is refused") + "\0", make("a long text") * 400, "@" + other.name + " " + make("text of a mention")):
        server.call("POST", f"/rooms/{room}/messages", {"text": text, "client_id": make("client_id")}, person.token, headers={"Idempotency-Key": make("idempotency key")})
    server.call("PATCH", f"/rooms/{room}/messages/3", {"text": make("edited text")}, person.token)
    server.call("DELETE", f"/rooms/{room}/messages/3", None, person.token)
    server.call("POST", f"/rooms/{room}/messages", {"text": make("conflicting text"), "client_id": canaries.words["client_id"]}, person.token)
    server.call("PATCH", f"/rooms/{room}", {"name": make("room name"), "topic": make("topic")}, person.token)
    server.call("PATCH", "/users/me", {"bio": make("bio"), "status_text": make("status"), "display_name": make("display name"), "time_zone": make("time zone")}, person.token)
    server.call("GET", f"/users?query={make('searched')}&limit={make('limit')}", token=person.token)
    server.call("GET", f"/rooms?cursor={make('cursor')}", token=person.token)
    server.call("GET", f"/{make('path')}?token={make('token in a query')}", base="")
    # Headers, targets and bodies that the guard refuses.
    w = lambda what: make(what).encode()
    for data in (b"GET /api/v1/users/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + w("token of a refused head") + b"\r\nHost: b\r\n\r\n", b"GET /" + w("refused target") + b" x HTTP/1.1\r\nHost: a\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: a\r\nX: " + w("header with CR") + b"\rX: y\r\n\r\n", b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{\"password\":\"" + w("cut body"),
                 b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + w("wrong chunk"), b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n" + w("body that is no JSON"),
                 w("method") + b" / HTTP/1.1\r\nHost: " + w("host") + b"\r\nUser-Agent: a\x1b[31m\r\nCookie: loggia=" + w("cookie that is none") + b"\r\n\r\n"):
        request(server, data)
    for name in ("X-Forwarded-For", "traceparent", "Origin", "User-Agent", "Referer", "X-Request-Id"):
        server.call("GET", "/users/me", token=person.token, headers={name: make("header " + name)})
    # The socket.
    live = Socket(person)
    for op, fields in (("send", {"room": room, "text": make("sent text"), "client_id": make("sent client_id")}), ("send", {"room": room, "text": make("refused sent text"), "client_id": ""}), ("edit", {"room": room, "seq": 999, "text": make("edit of nothing")}),
                       ("auth", {"token": make("token in auth")}), ("react", {"room": room, "seq": 1, "emoji": make("emoji")}), ("presence", {"state": make("state")}), (make("op"), {}), ("ping", {make("field of a request"): 1})):
        live.answer(live.begin(op, **fields))
    live._send(1, ('{"id":' + make("frame that is no JSON")).encode())
    live.ends()
    try:
        Socket(type("Caller", (), {"server": server, "token": make("token in hello")}))
    except (ConnectionError, AssertionError):
        pass
    server.command("user", "add", "bob" + secrets.token_hex(3), input=make("password on standard input") + "\n")
    server.command("user", "password", other.name, input=make("password set by the shell") + "\n")
    server.call("POST", "/auth/logout", token=person.login().token)


def no_secret_and_no_text_is_logged_or_counted_or_shown_in_proc(server):
    server.flags = NOISE
    server.start()
    canaries = Canaries()
    workload(server, canaries)
    proc = pathlib.Path(f"/proc/{server.process.pid}")
    hits = canaries.hits("metrics", server.call("GET", "/metrics", admin=True)[1]) + canaries.hits("readyz", json.dumps(server.call("GET", "/readyz", admin=True)[1]))
    for name in ("cmdline", "environ", "comm", "status"):
        hits += canaries.hits(name, (proc / name).read_bytes().decode(errors="replace"))
    hits += canaries.hits("thread names", " ".join(t.read_text() for t in proc.glob("task/*/comm")))
    targets = server.descriptors()
    assert len(targets) > 10, targets
    hits += canaries.hits("descriptors", " ".join(targets))
    hits += canaries.hits("file names", " ".join(str(path) for path in pathlib.Path(server.data).rglob("*")))
    assert server.signal(signal.SIGTERM) == 0
    log = (server.home / "stderr.log").read_text(errors="replace")
    hits += canaries.hits("log", log)
    assert not hits, hits
    lines = log.splitlines()
    assert "auth.refresh_reused" in log and log.count("user.registered") >= 3, f"the log does not tell what happened:\n{log}"
    planted = canaries.words["text"]
    assert canaries.hits("log", log + planted) and canaries.hits("log", log + base64.b64encode(planted.encode()).decode()), "a canary would not be found"
    for line in lines:  # one line an event, whatever was in it
        assert isinstance(json.loads(line), dict), line
    assert "\x1b" not in log and "\r" not in log
    print(f"        {len(canaries.words)} canaries, {len(lines)} lines of log at debug: 0 hits")


def what_is_stored_of_a_secret_is_not_the_secret(server):
    server.start()
    canaries = Canaries()
    person = Person(server)
    canaries.note("password", person.password)
    status, answer, _ = server.call("POST", "/auth/login", {"login": person.name, "password": person.password})
    canaries.note("refresh token", answer["refresh_token"])
    canaries.note("access token", answer["access_token"])
    room = person.room()
    text = canaries.make("deleted text")
    seq = person.do("POST", f"/rooms/{room}/messages", {"text": text})["seq"]
    person.do("PATCH", f"/rooms/{room}/messages/{seq}", {"text": "edited since"})
    erased = person.do("POST", f"/rooms/{room}/messages", {"text": canaries.make("erased text")})["seq"]
    person.do("DELETE", f"/rooms/{room}/messages/{erased}")
    assert server.stop() == 0
    hits = []
    for path in pathlib.Path(server.data).glob("*.db"):
        base = sqlite3.connect(path)
        for (table,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in base.execute(f'SELECT * FROM "{table}"'):
                hits += canaries.hits(f"{path.name} {table}", " ".join(v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in row))
    assert not hits, hits


run([no_secret_and_no_text_is_logged_or_counted_or_shown_in_proc, what_is_stored_of_a_secret_is_not_the_secret])
