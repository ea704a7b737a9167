"""What an attacker sends over a real socket: smuggled requests, oversize ones, JSON bombs. After each the server answers, and is no larger."""
import base64, json, pathlib, re, socket, threading
from harness import PATIENCE, Person, Socket, run, wait_for

GROWTH_MAX = 5 << 10  # KiB
CANARY = b"GET /healthz?canary HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# Name, bytes, and whether the request may be read in its one way; all others are refused and the connection closed.
SMUGGLING = [
    ("length and chunked", POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX", False),
    ("chunked and length", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nX", False),
    ("two lengths that differ", POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhelloX", False),
    ("two lengths alike", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", False),
    ("a list of lengths", POST + b"Content-Length: 5, 5\r\n\r\nhello", False),
    ("a length with a sign", POST + b"Content-Length: +5\r\n\r\nhello", False),
    ("a length in hexadecimal", POST + b"Content-Length: 0x5\r\n\r\nhello", False),
    ("a negative length", POST + b"Content-Length: -1\r\n\r\nhello", False),
    ("a length beyond 64 bits", POST + b"Content-Length: 18446744073709551621\r\n\r\nhello", False),
    ("an empty length", POST + b"Content-Length: \r\n\r\nhello", False),
    ("xchunked", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", False),
    ("chunked, identity", POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", False),
    ("identity and a length", POST + b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", False),
    ("gzip, chunked", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", False),
    ("chunked twice", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
    ("a tab before chunked", POST + b"Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n", True),
    ("a vertical tab before chunked", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", False),
    ("a space before the colon", POST + b"Content-Length : 5\r\n\r\nhello", False),
    ("a folded line", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", False),
    ("lines that end in LF", b"POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello", False),
    ("LF within a field", POST + b"X: a\nContent-Length: 5\r\n\r\nhello", False),
    ("CR within a value", POST + b"X: a\rContent-Length: 5\r\n\r\n", False),
    ("NUL within a value", POST + b"X: a\0b\r\n\r\n", False),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", False),
    ("two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", False),
    ("another host in the target", b"GET http://evil/ HTTP/1.1\r\nHost: a\r\n\r\n", False),
    ("an empty line before", b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", True),
    ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", False),
    ("HTTP/0.9", b"GET /\r\n\r\n", False),
    ("a chunk size beyond 64 bits", CHUNKED + b"FFFFFFFFFFFFFFFFF\r\n", False),
    ("a negative chunk size", CHUNKED + b"-1\r\nx\r\n0\r\n\r\n", False),
    ("a chunk size with 0x", CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", False),
    ("chunks that end in LF", CHUNKED + b"5\nhello\n0\n\n", False),
    ("LF in a chunk extension", CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n", False),
    ("a chunk longer than its size", CHUNKED + b"5\r\nhelloXX0\r\n\r\n", False),
    ("a trailer with a length", CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n", False),
    ("chunked in HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
    ("a byte beyond ASCII in a name", POST + b"X\xff: a\r\n\r\n", False),
    ("CR CR LF at the end", b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", False),
    ("a space in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", False),
    ("a method in lower case", b"get / HTTP/1.1\r\nHost: a\r\n\r\n", True),
]


def connect(server, limit=15):
    s = socket.create_connection((server.host, int(server.port)), timeout=limit * PATIENCE)
    return s


def read_all(s, enough=None):
    """What comes until the end, or until `enough` is in it; a reset ends it too."""
    said = b""
    try:
        while enough is None or enough not in said:
            more = s.recv(65536)
            if not more:
                break
            said += more
    except ConnectionError:
        pass
    return said


def statuses(said):
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]


def memory(server, field):
    return int(re.search(field + r":\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])


def answers(server):
    assert server.process.poll() is None, "the server has ended"
    status, _, _ = server.call("GET", "/healthz", base="")
    assert status == 200, status


class Watched:
    """The highest resident memory while this is open, against what it was before."""

    def __init__(self, server, what, limit=GROWTH_MAX):
        self.server, self.what, self.limit = server, what, limit

    def __enter__(self):
        pathlib.Path(f"/proc/{self.server.process.pid}/clear_refs").write_text("5")  # the peak begins anew
        self.before = memory(self.server, "VmRSS")
        return self

    def __exit__(self, kind, *_):
        if kind:
            return
        answers(self.server)
        self.growth = memory(self.server, "VmHWM") - self.before
        assert self.growth <= self.limit, f"{self.what}: the server grew by {self.growth} KiB"


def the_41_smuggling_cases_are_refused_or_read_in_their_one_way(server):
    server.start()
    assert len(SMUGGLING) == 41
    refused = 0
    for name, raw, taken in SMUGGLING:
        with connect(server) as s:
            s.sendall(raw + CANARY)
            if taken:
                said = read_all(s, b'{"status":"ok"}')
                assert len(statuses(said)) == 2 and said.endswith(b'{"status":"ok"}'), (name, said)
                continue
            said = read_all(s)
        got = statuses(said)
        assert len(got) == 1 and got[0] in (400, 505), (name, said)
        assert b"connection: close" in said.lower() and b"application/problem+json" in said and b'{"status":"ok"}' not in said, (name, said)
        refused += 1
    answers(server)
    print(f"        {refused} refused, {len(SMUGGLING) - refused} read in one way, no canary answered behind a refused one")


def sent(server, before, piece, total, after=b""):
    """Sends until the server has had enough; its first status, or None where it cut the connection."""
    with connect(server) as s:
        done = 0
        try:
            s.sendall(before)
            while done < total:
                s.sendall(piece)
                done += len(piece)
            s.sendall(after)
        except (ConnectionError, TimeoutError):
            pass
        return (statuses(read_all(s, b"\r\n\r\n")) or [None])[0]


def oversize_requests_cost_an_answer_and_no_memory(server):
    server.start()
    wait_for(lambda: server.call("GET", "/readyz", admin=True)[0] == 200, "ready")
    MB = 1 << 20
    attacks = [
        ("64 MiB of small trailers", 400, CHUNKED + b"0\r\n", b"X-A: " + b"y" * 500 + b"\r\n", 64 * MB, b"\r\n"),
        ("a trailer of 64 MiB", 400, CHUNKED + b"0\r\nX: ", b"y" * 65536, 64 * MB, b"\r\n\r\n"),
        ("a chunk extension of 64 MiB", 400, CHUNKED + b"1;a=", b"y" * 65536, 64 * MB, b"\r\nx\r\n0\r\n\r\n"),
        ("a header field of 1 MiB", 431, b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"y" * 65536, MB, b"\r\n\r\n"),
        ("a header field of 64 MiB", 431, b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"y" * 65536, 64 * MB, b"\r\n\r\n"),
        ("32 MiB of chunks with extensions", 400, CHUNKED, (b"0000000000000001;" + b"e" * 100 + b"\r\nx\r\n") * 100, 32 * MB, b"0\r\n\r\n"),
        ("101 header fields", 431, b"GET / HTTP/1.1\r\nHost: a\r\n", b"x: y\r\n" * 100, 1, b"\r\n"),
        ("100 header fields", 200, b"GET / HTTP/1.1\r\nHost: a\r\n", b"x: y\r\n" * 99, 1, b"\r\n"),
        ("a million header fields", 431, b"GET / HTTP/1.1\r\nHost: a\r\n", b"x: y\r\n" * 1000, 6 * MB, b"\r\n"),
        ("a target of 1 MiB", 414, b"GET /", b"a" * 65536, MB, b" HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("an endless first line", 414, b"", b"a" * 65536, 64 * MB),
        ("a million empty lines", 400, b"", b"\r\n" * 1000, 2 * MB),
        ("a body beyond the limit", 413, POST + b"Content-Length: 67108864\r\n\r\n", b"x" * 65536, 64 * MB),
        ("a length beyond all limits", 413, POST + b"Content-Length: 9223372036854775807\r\n\r\n", b"x" * 65536, MB),
        ("a chunk beyond the limit", 413, CHUNKED + b"7FFFFFFFFFFFFFFF\r\n", b"x" * 65536, 64 * MB),
        ("a thousand parameters", 400, b"GET /?", b"a=b&" * 1000, 1, b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]
    most = 0
    for name, wanted, *attack in attacks:
        with Watched(server, name) as watched:
            status = sent(server, *attack)
            assert status in (wanted, None), (name, status)
        most = max(most, watched.growth)
    # A million chunks of one byte are a body within the limit: read, and refused for what it is.
    with Watched(server, "a million chunks of one byte") as watched:
        status = sent(server, b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000, 6000 * 1000, b"0\r\n\r\n")
        assert status == 415, status
    print(f"        {len(attacks) + 1} attacks; the server grew by at most {max(most, watched.growth)} KiB")


def a_websocket_frame_beyond_the_limit_is_1009_and_costs_no_memory(server):
    server.start()
    ada = Person(server)
    live = Socket(ada)
    with Watched(server, "a frame of 10 MB"):
        try:
            live.socket.sendall(b"\x81\xff" + (10 << 20).to_bytes(8, "big") + bytes(4) + b"x" * (10 << 20))
        except ConnectionError:
            pass
        assert live.ends() in (1009, "cut"), live.closed
    fragments = Socket(ada)
    with Watched(server, "fragments without end"):
        try:
            fragments.socket.sendall(b"\x01\xfe\x7f\xff\0\0\0\0" + b"x" * 32767)
            for _ in range(1000):
                fragments.socket.sendall(b"\x00\xfe\x7f\xff\0\0\0\0" + b"x" * 32767)
        except ConnectionError:
            pass
        assert fragments.ends() in (1009, "cut"), fragments.closed
    pings = Socket(ada)
    with Watched(server, "100,000 pings that nobody answers"):
        pings.socket.sendall(b"\x89\x84\0\0\0\0ping" * 100000)
        assert pings.op("ping")
    pings.cut()


BOMBS = [  # body, status
    (b"[" * 100000, 400), (b"[" * 100000 + b"]" * 100000, 400), (b'{"a":' * 50000 + b"1" + b"}" * 50000, 400), (b"[" * 33 + b"]" * 33, 400),
    (b"[" * 32 + b"]" * 32, 422), (b"{" + b",".join(b'"k%d":0' % i for i in range(90000)) + b"}", 400), (b"[" + b"0," * 500000 + b"0]", 400),
    (b'{"login":"a","login":"b","password":"x"}', 400), (b'{"login":"a","\\u006cogin":"b","password":"x"}', 400),
    (b'{"login":1e309}', 400), (b'{"login":' + b"9" * 1000000 + b"}", 400), (b'{"login":-1e999999}', 400), (b'{"login":NaN}', 400),
    (b'{"login":Infinity}', 400), (b'{"login":-}', 400), (b'{"login":01}', 400), (b'{"login":+1}', 400), (b'{"login":.5}', 400), (b'{"login":0x10}', 400),
    (b'\xef\xbb\xbf{"login":"a","password":"x"}', 400), (b'{"login":"\\ud800","password":"x"}', 400), (b'{"login":"\\udc00\\ud800","password":"x"}', 400),
    (b'{"login":"\xed\xa0\x80","password":"x"}', 400), (b'{"login":"\xff","password":"x"}', 400), (b'{"login":"\xc0\xaf","password":"x"}', 400),
    (b'{"login":"\xf4\x90\x80\x80","password":"x"}', 400), (b'{"login":"a\0b","password":"x"}', 400), (b'{"login":"a","password":"x"}\0', 400),
    (b'{"login":"a\nb","password":"x"}', 400), (b'{"login":"\\x41","password":"x"}', 400), (b'{"login":"\\u12","password":"x"}', 400), (b"{'login':'a'}", 400),
    (b'{"login":"a","password":"x",}', 400), (b'/**/{"login":"a"}', 400), (b'{"login":"a"}{"login":"b"}', 400), (b'{"login":"a"', 400), (b'"\\', 400),
    (b" ", 400), (b"null", 422), (b"true", 422), (b'"login"', 422), (b"[]", 422), (b"{}", 422), (b'{"login":1,"password":"x"}', 422),
    (b'{"login":null,"password":"x"}', 422), (b'{"login":{"$gt":""},"password":{"$gt":""}}', 422), (b'{"login":["a"],"password":"x"}', 422),
    (b'{"login":"a","password":"x","role":"admin"}', 422), (b'{"login":"a","password":"x","__proto__":{}}', 422),
    (b'{"login":"' + b"a" * 1000000 + b'","password":"x"}', 422), (b'{"login":"\\u0000","password":"x"}', 401),
]


def json_bombs_are_told_what_is_wrong_with_them(server):
    server.start()
    most = 0
    for body, wanted in BOMBS:
        # nlohmann's lexer holds a token twice while it grows, so one of 1 MB may cost more for as long as it is read; argon2id takes 19 MiB.
        limit = GROWTH_MAX * (2 if len(body) >= 10**6 else 5 if wanted == 401 else 1)
        with Watched(server, body[:60], limit) as watched, connect(server) as s:
            s.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            said = read_all(s)
            assert statuses(said) == [wanted], (body[:60], said)
            problem = json.loads(said.split(b"\r\n\r\n", 1)[1])
            assert problem["code"] in ("invalid_request", "unauthenticated") and problem["detail"], problem
        if wanted != 401:
            most = max(most, watched.growth)
    print(f"        {len(BOMBS)} bodies; the server grew by at most {most} KiB")


def a_frame_that_is_a_bomb_is_answered_or_ends_its_connection(server):
    server.start()
    ada = Person(server)
    room = ada.room()
    ends = [b"[" * 60000, b"[" * 30000 + b"]" * 30000, b"\xef\xbb\xbf{}", b'{"id":1,"id":2,"op":"ping"}', b"{}", b'{"op":"ping"}', b'{"id":"1","op":"ping"}', b'{"id":1.5,"op":"ping"}',
            b'{"id":1e300,"op":"ping"}', b'{"id":18446744073709551616,"op":"ping"}', b'{"id":true,"op":"ping"}', b"null", b"", b'{"id":1,"op":"ping"}x', b'{"id":1,"op":"\\ud800"}',
            b"{" + b",".join(b'"k%d":0' % i for i in range(11000)) + b"}"]
    for frame in ends:
        live = Socket(ada)
        live._send(1, frame)
        assert live.ends() == 4000, (frame[:60], live.closed)
    live = Socket(ada)
    wrong = [{"op": "ping", "x": 1}, {"op": "send", "room": room, "text": 5, "client_id": "c"}, {"op": "send", "room": room, "text": "\0", "client_id": "c"},
             {"op": "send", "room": room, "text": "a", "client_id": ""}, {"op": "send", "room": "x" * 5000, "text": "a", "client_id": "c"}, {"op": "read", "room": room, "seq": 2**63},
             {"op": "read", "room": room, "seq": -1}, {"op": "read", "room": room, "seq": 1.5}, {"op": "read", "room": room, "seq": "1"}, {"op": "sync", "room": room, "after": 0, "limit": 10**9},
             {"op": "sync", "room": room, "after": -(2**63)}, {"op": "edit", "room": room, "seq": 2**62, "text": "x"}, {"op": "react", "room": room, "seq": 1, "emoji": "x" * 100000},
             {"op": "hello", "token": ada.token}, {"op": "nothing"}, {"op": ["ping"]}, {"op": None}, {"op": "presence", "state": "admin"}, {"op": "send", "room": room, "client_id": "c"},
             {"op": "send", "room": room, "text": "a", "client_id": "c", "author": ada.id}, {"op": "send", "room": room, "text": "a", "client_id": "c", "seq": 1}]
    for request in wrong:
        answer = live.answer(live.begin(**request))
        assert answer.get("error", {}).get("code") in ("invalid_request", "not_found"), (request, answer)
    assert live.op("ping") and live.timeline(room) == []
    print(f"        {len(ends)} frames ended their connection, {len(wrong)} were answered with what is wrong")


def letters(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def a_text_that_no_store_takes_is_refused_for_what_it_is_and_nobody_elses_request_with_it(server):
    """The same on every engine: PostgreSQL takes neither U+0000 nor what is no UTF-8, and SQLite would keep it."""
    server.flags = ["--set", "smtp.url=smtp://127.0.0.1:1", "--set", "smtp.from=chat@example.org", "--set", "http.public_url=https://chat.example"]
    server.start()
    ada, root = Person(server), Person(server)
    server.command("user", "role", root.name, "--role", "admin", "--role", "member")
    root.login()
    room = ada.room()
    rooms, messages = "/rooms", f"/rooms/{room}/messages"
    seq = ada.do("POST", messages, {"text": "a"})["seq"]
    cases = [  # who, method, path, body, status
        (None, "POST", "/auth/login", {"login": "\0", "password": "x"}, 401), (None, "POST", "/auth/login", {"login": "a@\0", "password": "x"}, 401),
        (None, "POST", "/auth/password/forgot", {"email": "\0"}, 202), (None, "POST", "/auth/password/forgot", {"email": "a@\0"}, 202),
        (None, "POST", "/auth/register", {"username": "x\0", "password": "a" * 12}, 422),
        (None, "POST", "/auth/register", {"username": "xyz", "password": "a" * 12, "email": "a\0@b.cd"}, 422),
        (None, "POST", "/auth/register", {"username": "xyz", "password": "a" * 12, "display_name": "a\0b"}, 422),
        (None, "POST", "/auth/email/verify", {"token": "\0"}, 422), (None, "POST", "/auth/password/reset", {"token": "\0", "new_password": "a" * 12}, 422),
        (None, "POST", "/auth/refresh", {"refresh_token": "\0"}, 401), (ada, "PUT", "/auth/account", {"email": "a\0@b.cd"}, 422),
        (ada, "GET", "/users?query=%00", None, 422), (ada, "GET", "/users?query=%ff", None, 422), (ada, "GET", "/users?cursor=" + letters(b"\0"), None, 422),
        (ada, "GET", "/users?cursor=" + letters(b"\xff"), None, 422), (ada, "GET", "/users/by-name/%ff", None, 404), (ada, "GET", "/users/me/blocks?cursor=" + letters(b"\xff"), None, 422),
        (ada, "PATCH", "/users/me", {"display_name": "a\0"}, 422), (ada, "PATCH", "/users/me", {"bio": "a\0"}, 422), (ada, "PATCH", "/users/me", {"status_text": "a\0"}, 422),
        (ada, "PATCH", "/users/me", {"locale": "de\0"}, 422), (ada, "PATCH", "/users/me", {"time_zone": "UTC\0"}, 422),
        (root, "GET", "/admin/users?query=%00", None, 422), (root, "GET", "/admin/users?query=%ff", None, 422), (root, "GET", "/admin/users?cursor=" + letters(b"\xff"), None, 422),
        (root, "GET", "/admin/users?cursor=" + letters(b"\0"), None, 422), (root, "GET", "/admin/audit?action=%00", None, 422), (root, "GET", "/admin/audit?action=%ff", None, 422),
        (ada, "GET", rooms + "?query=%00", None, 422), (ada, "GET", rooms + "?scope=public&query=%ff", None, 422), (ada, "GET", rooms + "?cursor=" + letters(b"\xff"), None, 422),
        (ada, "POST", rooms, {"name": "a\0", "visibility": "private"}, 422), (ada, "POST", rooms, {"name": "a", "topic": "\0", "visibility": "private"}, 422),
        (ada, "PATCH", f"/rooms/{room}", {"name": "a\0"}, 422), (ada, "PATCH", f"/rooms/{room}", {"retention": "7d\0"}, 422),
        (ada, "POST", messages, {"text": "a\0"}, 422), (ada, "POST", messages, {"text": "a", "client_id": "\0"}, 422), (ada, "PATCH", f"{messages}/{seq}", {"text": "\0"}, 422),
        (ada, "PUT", f"{messages}/{seq}/reactions/%ff", None, 422), (ada, "DELETE", f"{messages}/{seq}/reactions/%ff", None, 422),
        (ada, "PUT", "/notifications/settings", {"default": "all", "rooms": {"\0": "all"}, "email": False, "web_push": False}, 422),
        (ada, "GET", "/notifications?cursor=%ff", None, 422),
    ]
    untrue = [(path, body, wanted, status) for who, method, path, body, wanted in cases
              for status in [server.call(method, path, body, who and who.token)[0]] if status != wanted]
    assert not untrue, untrue
    status, answer, _ = server.call("POST", rooms, {"name": "a", "visibility": "private"}, ada.token, [("Idempotency-Key", "\xff")])
    assert status == 422, answer
    status, answer, _ = server.call("POST", "/auth/login", {"login": ada.name, "password": ada.password}, headers=[("User-Agent", "a\xff\xc0b")])
    assert status == 200, answer
    live = Socket(ada)
    for request in ({"op": "send", "room": room, "text": "a", "client_id": "\0"}, {"op": "edit", "room": room, "seq": seq, "text": "\0"}, {"op": "react", "room": room, "seq": seq, "emoji": "\0"},
                    {"op": "presence", "state": "\0"}, {"op": "typing", "room": "\0", "on": True}):
        answer = live.answer(live.begin(**request))
        assert answer.get("error", {}).get("code") in ("invalid_request", "not_found"), (request, answer)
    # What the others ask beside it, in one group with it, is done.
    stop, fails = threading.Event(), []

    def disturb():
        while not stop.is_set():
            status = server.call("POST", "/auth/password/forgot", {"email": "\0"})[0]
            if status != 202:
                fails.append(status)
    beside = threading.Thread(target=disturb)
    beside.start()
    for _ in range(20):
        ada.login()
    stop.set()
    beside.join()
    assert not fails, fails
    told = server.tail()
    assert "storage.read_failed" not in told and "storage.group_failed" not in told and "22021" not in told, told
    print(f"        {len(cases)} requests, none of which reached a statement with it")


run([the_41_smuggling_cases_are_refused_or_read_in_their_one_way, oversize_requests_cost_an_answer_and_no_memory, a_websocket_frame_beyond_the_limit_is_1009_and_costs_no_memory,
     json_bombs_are_told_what_is_wrong_with_them, a_frame_that_is_a_bomb_is_answered_or_ends_its_connection,
     a_text_that_no_store_takes_is_refused_for_what_it_is_and_nobody_elses_request_with_it])
