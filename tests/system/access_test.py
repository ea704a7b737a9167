"""Who may do what to which object: every route of the served OpenAPI and every request of the socket, by seven kinds of caller, on each kind of object.

RULES and OPS are the specification (contract, section 2: "Who may"). A route or request without a rule fails the test, and so does a rule without a route.
"""
import json, uuid
from harness import Person, Socket, run

CALLERS = ["owner", "admin", "member", "ex-member", "stranger", "disabled", "anonymous"]
# What the first five get, by kind of object: 2 it is done, n not_found, f forbidden, c conflict, v not valid. The other two get unauthenticated (a)
# everywhere but on open routes, where all seven are named. Where a room is in the path: `own` is a private room of theirs, `public` a public one,
# `another's` a private one of others, `deleted` and `random` what the names say: of these three nobody may learn that they are, or were, there.
NOBODY, ALL, ADMIN = "nnnnn", "22222", "f2fff"
MEMBERS, RULERS = ("2n2nn", "2f2ff"), ("2nfnn", "2ffff")  # in a private room, and in a public one


def room(own, public, **others):
    return {"own": own, "public": public, "another's": NOBODY, "deleted": NOBODY, "random": NOBODY, **others}


def message(own, another, gone, public, random=NOBODY):
    """`own`, `another's`, `gone` (deleted) and `random`: a message of the caller's private room; `foreign`: one of a room of others."""
    return {"own": own, "another's": another, "gone": gone, "random": random, "public": public, "foreign": NOBODY, "deleted": NOBODY}


def person(own, another=ALL, disabled=ALL, random=NOBODY):
    return {"own": own, "another's": another, "disabled": disabled, "random": random}


RULES = {
    "GET /admin/audit": {"own": ADMIN},
    "GET /admin/status": {"own": ADMIN},
    "GET /admin/users": {"own": ADMIN},
    "PATCH /admin/users/{id}": person("fcfff", ADMIN, ADMIN, "fnfff"),  # one administrator always remains
    "DELETE /admin/users/{id}/sessions": person(ADMIN, ADMIN, ADMIN, "fnfff"),
    "GET /auth/account": {"own": ALL},
    "PUT /auth/account": {"own": ALL},
    "POST /auth/email/verify": {"own": "vvvvvvv"},  # the token in the mail is the proof, and this is none
    "POST /auth/login": {"own": "22222fa"},
    "POST /auth/logout": {"own": ALL + "aa"},
    "PUT /auth/password": {"own": ALL},
    "POST /auth/password/forgot": {"own": "2222222"},  # whoever asks, and for whatever address
    "POST /auth/password/reset": {"own": "vvvvvvv"},
    "POST /auth/refresh": {"own": "aaaaaaa"},
    "POST /auth/register": {"own": "2222222"},
    "GET /auth/sessions": {"own": ALL},
    "DELETE /auth/sessions/{id}": {"own": ALL, "another's": NOBODY, "random": NOBODY},
    "POST /auth/validate": {"own": "2222222"},
    "GET /notifications": {"own": ALL},
    "GET /notifications/explain": room(*MEMBERS),
    "PUT /notifications/read": {"own": ALL},
    "GET /notifications/settings": {"own": ALL},
    "PUT /notifications/settings": {"own": ALL},
    "GET /realtime": {"own": "uuuuuuu"},  # no handshake: 426
    "GET /rooms": {"own": ALL},
    "POST /rooms": {"own": ALL},
    "POST /rooms/direct": person("vvvvv"),
    "GET /rooms/{room}": room("2n2nn", ALL),
    "PATCH /rooms/{room}": room(*RULERS),
    "DELETE /rooms/{room}": room("22fnn", "22fff", **{"another's": "n2nnn"}),  # an administrator deletes any room
    "GET /rooms/{room}/bans": room(*RULERS),
    "PUT /rooms/{room}/bans/{user}": room(*RULERS),
    "DELETE /rooms/{room}/bans/{user}": room(*RULERS),
    "GET /rooms/{room}/events": room(*MEMBERS),
    "POST /rooms/{room}/join": room("2n2nn", ALL),
    "GET /rooms/{room}/members": room(*MEMBERS),
    "PUT /rooms/{room}/members/{user}": room(*RULERS),
    "DELETE /rooms/{room}/members/{user}": room(*RULERS),
    "GET /rooms/{room}/messages": room(*MEMBERS),
    "POST /rooms/{room}/messages": room(*MEMBERS),
    "GET /rooms/{room}/messages/{seq}": message("2n2nn", "2n2nn", "2n2nn", MEMBERS[1]),
    "PATCH /rooms/{room}/messages/{seq}": message("2n2nn", "fnfnn", "fnfnn", MEMBERS[1]),
    "DELETE /rooms/{room}/messages/{seq}": message("2n2nn", "2nfnn", "2nfnn", "222ff"),  # in public rooms an administrator too
    "PUT /rooms/{room}/messages/{seq}/reactions/{emoji}": message("2n2nn", "2n2nn", "cncnn", MEMBERS[1]),
    "DELETE /rooms/{room}/messages/{seq}/reactions/{emoji}": message("2n2nn", "2n2nn", "cncnn", MEMBERS[1]),
    "GET /rooms/{room}/pins": room(*MEMBERS),
    "PUT /rooms/{room}/pins/{seq}": message("2nfnn", "2nfnn", "cnfnn", RULERS[1], "nnfnn"),
    "DELETE /rooms/{room}/pins/{seq}": message("2nfnn", "2nfnn", "cnfnn", RULERS[1], "nnfnn"),
    "PUT /rooms/{room}/read": room(*MEMBERS),
    "GET /rooms/{room}/receipts": room(*MEMBERS),
    "GET /users": {"own": ALL},
    "GET /users/by-name/{username}": person(ALL),
    "GET /users/me": {"own": ALL},
    "PATCH /users/me": {"own": ALL},
    "GET /users/me/blocks": {"own": ALL},
    "PUT /users/me/blocks/{user}": person("vvvvv"),
    "DELETE /users/me/blocks/{user}": person(ALL, random=ALL),
    "GET /users/{id}": person(ALL),
}
# The same for the requests of the socket.
OPS = {
    "send": room(*MEMBERS),
    "edit": message("2n2nn", "fnfnn", "fnfnn", MEMBERS[1]),
    "delete": message("2n2nn", "2nfnn", "2nfnn", "222ff"),
    "react": message("2n2nn", "2n2nn", "cncnn", MEMBERS[1]),
    "unreact": message("2n2nn", "2n2nn", "cncnn", MEMBERS[1]),
    "read": room(*MEMBERS),
    "typing": room("2n2nn", "2n2nn"),  # what is not one's own is not looked at
    "sync": room(*MEMBERS),
    "presence": {"own": ALL},
    "ping": {"own": ALL},
    "auth": {"own": ALL, "another's": "fffff"},
}
FIELDS = {"send": {"text": "hello"}, "edit": {"text": "changed"}, "react": {"emoji": "x"}, "unreact": {"emoji": "x"}, "read": {"seq": 3}, "sync": {"after": 0}, "presence": {"state": "away"}}


def body_for(route, kind, caller, world):
    person = world.people.get(caller)
    secret = person.password if person else "password-x"
    return {
        "PATCH /admin/users/{id}": {"roles": ["member"]},
        "PUT /auth/account": {"email": "somebody@example.org"},
        "POST /auth/email/verify": {"token": "x"},
        "POST /auth/password/forgot": {"email": "somebody@example.org"},
        "POST /auth/password/reset": {"token": "x", "new_password": "a password for it"},
        "POST /auth/login": {"login": person.name if person else "nobody-here", "password": secret},
        "PUT /auth/password": {"current_password": secret, "new_password": secret + "x"},
        "POST /auth/refresh": {"refresh_token": "x"},
        "POST /auth/register": {"username": "u" + uuid.uuid4().hex[:12], "password": "a password for it"},
        "POST /auth/validate": {"token": "x"},
        "PUT /notifications/read": {"ids": [str(uuid.uuid4())]},
        "PUT /notifications/settings": {"default": "all"},
        "POST /rooms": {"name": "room", "visibility": "private"},
        "POST /rooms/direct": {"user_id": world.user(kind, caller)},
        "PATCH /rooms/{room}": {"topic": "a new topic"},
        "PUT /rooms/{room}/members/{user}": {"role": "moderator"},
        "POST /rooms/{room}/messages": {"text": "hello"},
        "PATCH /rooms/{room}/messages/{seq}": {"text": "changed"},
        "PUT /rooms/{room}/read": {"seq": 3},
        "PATCH /users/me": {"bio": "new"},
    }.get(route)


QUERIES = {"GET /notifications/explain": "?room={room}&seq={seq}", "GET /rooms/{room}/receipts": "?seq=1", "GET /rooms/{room}/events": "?after=0", "GET /users": "?query=p", "GET /rooms": "?scope=public"}


class Room:
    """A room as `owner` made it: `member`, `target` and the disabled one are in, `ex-member` was removed, `banned` is banned."""

    def __init__(self, world, visibility):
        people = world.people
        self.id = people["owner"].room(people["member"], people["ex-member"], people["disabled"], people["target"], people["banned"], visibility=visibility)
        self.seqs = {name: people[name].do("POST", f"/rooms/{self.id}/messages", {"text": "by " + name})["seq"] for name in ("owner", "member", "target")}
        self.gone = people["target"].do("POST", f"/rooms/{self.id}/messages", {"text": "to be deleted"})["seq"]
        people["owner"].do("DELETE", f"/rooms/{self.id}/messages/{self.gone}")
        people["owner"].do("PUT", f"/rooms/{self.id}/pins/{self.seqs['owner']}")
        people["owner"].do("PUT", f"/rooms/{self.id}/messages/{self.seqs['target']}/reactions/x")
        people["owner"].do("DELETE", f"/rooms/{self.id}/members/{people['ex-member'].id}")
        people["owner"].do("PUT", f"/rooms/{self.id}/bans/{people['banned'].id}")


class World:
    def __init__(self, server):
        self.server = server
        self.people = {name: Person(server) for name in (*CALLERS[:6], "other", "target", "gone", "banned")}
        server.command("user", "role", self.people["admin"].name, "--role", "admin", "--role", "member")
        self.people["admin"].login()
        self.private, self.public = Room(self, "private"), Room(self, "public")
        other = self.people["other"]
        self.foreign = other.room(self.people["target"])
        self.foreign_seq = other.do("POST", f"/rooms/{self.foreign}/messages", {"text": "not yours"})["seq"]
        self.deleted = Room(self, "private")
        self.people["owner"].do("DELETE", f"/rooms/{self.deleted.id}")
        self.sessions = {name: self.session(name) for name in ("owner", "admin", "member", "ex-member", "stranger", "target")}
        for name in ("disabled", "gone"):
            server.command("user", "disable", self.people[name].name)

    def session(self, name):
        person = self.people[name]
        sessions = {s["id"] for s in person.do("GET", "/auth/sessions")["items"]}
        status, answer, _ = self.server.call("POST", "/auth/login", {"login": person.name, "password": person.password})
        assert status == 200, answer
        return next(s["id"] for s in person.do("GET", "/auth/sessions")["items"] if s["id"] not in sessions)

    def user(self, kind, caller):
        name = {"own": caller if caller in self.people else "owner", "another's": "target", "disabled": "gone"}.get(kind)
        return self.people[name].id if name else str(uuid.uuid4())

    def place(self, kind, caller, changes):
        """The room and the message that a kind of object stands for; a new room for what will change it."""
        if kind in ("another's room", "foreign"):
            return (self.people["other"].room(), 1) if changes else (self.foreign, self.foreign_seq)
        if kind == "deleted":
            return self.deleted.id, self.deleted.seqs["member"]
        if kind == "random room":
            return str(uuid.uuid4()), 1
        public = kind.startswith("public")
        where = Room(self, "public" if public else "private") if changes else self.public if public else self.private
        own = where.seqs.get(caller, where.seqs["member"])
        return where.id, {"another's": where.seqs["target"], "gone": where.gone, "random": 10**6}.get(kind, own)

    def path(self, route, kind, caller, changes):
        method, path = route.split(" ")
        on_message = "{seq}" in path
        if "{room}" in path + QUERIES.get(route, ""):
            where = kind if on_message else {"another's": "another's room", "random": "random room"}.get(kind, kind)
            place, seq = self.place(where, caller, changes)
            path = (path + QUERIES.get(route, "")).replace("{room}", place).replace("{seq}", str(seq)).replace("{emoji}", "x")
            about = "banned" if "/bans/" in path and method == "DELETE" else "stranger" if "/bans/" in path else "target"
            return path.replace("{user}", self.people[about].id)
        if "/auth/sessions/" in path:
            session = {"own": self.session(caller) if changes and caller in self.sessions else self.sessions.get(caller, self.sessions["owner"]), "another's": self.sessions["target"]}
            return path.replace("{id}", session.get(kind, str(uuid.uuid4())))
        name = {"own": self.people[caller if caller in self.people else "owner"].name, "another's": self.people["target"].name, "disabled": self.people["gone"].name}.get(kind, "nobody-here")
        return (path + QUERIES.get(route, "")).replace("{username}", name).replace("{user}", self.user(kind, caller)).replace("{id}", self.user(kind, caller))

    def token(self, caller):
        return self.people[caller].token if caller != "anonymous" else None

    def restore(self, route, caller):
        """Callers sign in again where a request has ended their session."""
        for name in {caller, "target", "admin"} & set(self.sessions):
            person = self.people[name]
            if route == "PUT /auth/password" and name == caller:
                person.password += "x"
            if self.server.call("GET", "/users/me", token=person.token)[0] == 401:
                person.login()

    def state(self):
        """What the refused must not have changed."""
        out = {}
        for name, place in (("owner", self.private.id), ("owner", self.public.id), ("other", self.foreign)):
            for part in ("", "/members", "/messages", "/bans", "/pins", "/events"):
                answer = self.people[name].do("GET", f"/rooms/{place}{part}")
                out[place + part] = {k: v for k, v in answer.items() if k not in ("read_seq", "unread")} if part == "" else answer
        accounts, ours = self.people["admin"].do("GET", "/admin/users?limit=200")["items"], {p.id for p in self.people.values()}
        out["accounts"] = sorted((a["id"], a["username"], tuple(a["roles"]), a["disabled"]) for a in accounts if a["id"] in ours)
        return out


LETTERS = {400: "m", 401: "a", 403: "f", 404: "n", 409: "c", 422: "v", 426: "u"}
CODES = {"unauthenticated": "a", "forbidden": "f", "not_found": "n", "conflict": "c", "invalid_request": "v"}


def letter(status):
    return "2" if 200 <= status < 300 else LETTERS.get(status, f"<{status}>")


def routes_of(server):
    description = server.call("GET", "/openapi.json", base="")[1]
    return {f"{method.upper()} {path}": operation for path, methods in description["paths"].items() for method, operation in methods.items() if method != "parameters"}


def every_route_for_every_caller_on_every_object(server):
    server.start()
    routes = routes_of(server)
    assert set(routes) == set(RULES), f"without a rule: {sorted(set(routes) - set(RULES))}; without a route: {sorted(set(RULES) - set(routes))}"
    world = World(server)
    before, wrong, cells = world.state(), [], 0
    for route, rule in sorted(RULES.items()):
        method = route.split(" ")[0]
        open_to_all = {} in routes[route].get("security", [])
        for kind, expected in rule.items():
            got = ""
            for caller, wanted in zip(CALLERS, expected if len(expected) == 7 else expected + "aa"):
                # What is allowed gets objects of its own; all that is refused is tried on the same ones, and must leave them as they were.
                path = world.path(route, kind, caller, method != "GET" and wanted == "2")
                status, answer, _ = server.call(method, path, body_for(route, kind, caller, world), world.token(caller))
                got += letter(status)
                cells += 1
                if status >= 400 and status != 426:
                    assert LETTERS[status] == CODES[answer["code"]], (route, kind, caller, answer)
                    assert wanted != "n" or "room" not in answer or not answer["room"], answer
                if wanted == "2" and method != "GET" and "/rooms" not in path:
                    world.restore(route, caller)
            assert open_to_all or got[5:] == "aa", (route, kind, got)
            if got != (expected if len(expected) == 7 else expected + "aa"):
                wrong.append(f"{route}, {kind}: {got} and not {expected}")
    assert not wrong, "\n".join(wrong)
    after = world.state()
    assert after == before, [(key, before[key], after[key]) for key in before if before[key] != after[key]]
    print(f"        {len(RULES)} routes, {cells} cells; what was refused changed nothing")


def every_request_of_the_socket_for_every_caller_on_every_object(server):
    server.start()
    described = json.loads(server.run("asyncapi").stdout)
    ops = {name[3:] for name in described["components"]["messages"] if name.startswith("op.")}
    assert ops == {*OPS, "hello"}, f"without a rule: {ops - set(OPS)}; without a request: {set(OPS) - ops}"
    world = World(server)
    wrong, cells = [], 0
    live = {name: Socket(world.people[name]) for name in CALLERS[:5]}
    for op, rule in OPS.items():
        for kind, expected in rule.items():
            got = ""
            for caller, wanted in zip(CALLERS, expected):
                fields = dict(FIELDS.get(op, {}))
                if "public" in rule:
                    on_message = "gone" in rule
                    where = kind if on_message else {"another's": "another's room", "random": "random room"}.get(kind, kind)
                    place, seq = world.place(where, caller, wanted == "2" and op not in ("typing", "sync"))
                    fields.update({"room": place}, **({"seq": seq} if on_message else {}), **({"client_id": uuid.uuid4().hex} if op == "send" else {}))
                if op == "auth":
                    fields["token"] = world.people[caller if kind == "own" else "target"].token
                answer = live[caller].answer(live[caller].begin(op, **fields))
                got += "2" if "ok" in answer else CODES.get(answer["error"]["code"], "?")
                cells += 1
            if got != expected:
                wrong.append(f"{op}, {kind}: {got} and not {expected}")
    assert not wrong, "\n".join(wrong)
    # hello: who is disabled or nobody gets no further, and `resume` brings nothing of a room that is not theirs.
    for token in (world.people["disabled"].token, world.people["gone"].token, "", "x"):
        try:
            Socket(type("Caller", (), {"server": server, "token": token}))
            assert False, "hello was answered"
        except (ConnectionError, AssertionError) as refused:
            assert refused.args[0] == 4003 or "invalid_request" in str(refused), refused
    places = {"own": world.private.id, "public": world.public.id, "another's": world.foreign, "deleted": world.deleted.id, "random": str(uuid.uuid4())}
    why = {"owner": {"deleted": "deleted", "another's": "unknown", "random": "unknown"}, "member": {"deleted": "deleted", "another's": "unknown", "random": "unknown"},
           "ex-member": {"own": "removed", "public": "removed", "another's": "unknown", "random": "unknown"}, "stranger": {name: "unknown" for name in places}, "admin": {name: "unknown" for name in places}}
    for caller, absent in why.items():
        resumed = Socket(world.people[caller], resume={"epoch": live["owner"].epoch, "rooms": {place: 0 for place in places.values()}})
        resumed.event(lambda e: e["ev"] == "replay.done")
        mine = {name for name in ("own", "public") if caller in ("owner", "member")}
        seen = {name for name, place in places.items() if resumed.timeline(place)}
        removed = {name: e["data"]["why"] for e in resumed.events if e["ev"] == "room.removed" for name, place in places.items() if e["room"] == place}
        assert seen == mine, (caller, seen)
        assert all(removed.get(name) == reason for name, reason in absent.items()), (caller, removed)
        resumed.cut()
    # What others do there is heard by those who are in, and by nobody else.
    text = "only for members " + uuid.uuid4().hex
    world.people["target"].do("POST", f"/rooms/{world.private.id}/messages", {"text": text})
    for name in ("owner", "member"):
        live[name].event(lambda e: e["ev"] == "message.created" and e["data"]["text"] == text)
    for name in ("admin", "ex-member", "stranger"):
        assert live[name].op("ping") and text not in json.dumps(live[name].events), name
    world.people["owner"].do("DELETE", f"/rooms/{world.private.id}/messages/{live['owner'].event(lambda e: e['ev'] == 'message.created' and e['data']['text'] == text)['seq']}")
    print(f"        {len(OPS)} requests, {cells} cells; hello for 4 bad tokens and 5 resumes")


def fields_that_are_not_the_callers_to_set_are_refused(server):
    server.start()
    routes, world = routes_of(server), World(server)
    before, tried = world.state(), 0
    foreign = {"id": str(uuid.uuid4()), "role": "owner", "roles": ["admin"], "author": world.people["target"].id, "user_id": world.people["target"].id, "room": world.foreign, "seq": 1, "created_by": world.people["target"].id,
               "created_at": "2020-01-01T00:00:00.000Z", "last_seq": 10**6, "my_role": "owner", "kind": "public", "username": "admin", "disabled": False, "deleted": False, "admin": True, "__proto__": {"admin": True}, "mentions": [], "key": "x", "inner": 1}
    for route, operation in sorted(routes.items()):
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if not schema:
            continue
        assert schema.get("additionalProperties") is False, route
        for name, value in foreign.items():
            if name in schema["properties"]:
                continue
            for caller in ("member", "admin"):
                body = {**body_for(route, "own", caller, world), name: value}
                status, answer, _ = server.call(route.split(" ")[0], world.path(route, "own", caller, False), body, world.token(caller))
                tried += 1
                assert status == (403 if "/admin/" in route and caller == "member" else 422), (route, name, caller, status, answer)
                assert status == 403 or any(e["pointer"] == "/" + name for e in answer["errors"]), (route, name, answer)
    assert world.state() == before
    # A member makes no administrator, and an administrator's old token is none once the role is gone.
    admin = world.people["admin"]
    assert server.call("PATCH", f"/admin/users/{world.people['member'].id}", {"roles": ["admin", "member"]}, world.token("member"))[0] == 403
    second = Person(server)
    assert server.call("PATCH", f"/admin/users/{second.id}", {"roles": ["admin", "member"]}, admin.token)[0] == 200
    second.login()
    assert server.call("GET", "/admin/users", token=second.token)[0] == 200
    assert server.call("PATCH", f"/admin/users/{second.id}", {"roles": ["member"]}, admin.token)[0] == 200
    assert server.call("GET", "/admin/users", token=second.token)[0] == 401
    # The last owner stays one; who is removed or banned does not come back by himself.
    owner, banned = world.people["owner"], world.people["banned"]
    for request in (("PUT", f"/rooms/{world.public.id}/members/me", {"role": "member"}), ("PUT", f"/rooms/{world.public.id}/members/{owner.id}", {"role": "member"}), ("DELETE", f"/rooms/{world.public.id}/members/me", None)):
        assert server.call(*request, owner.token)[0] == 409, request
    assert server.call("POST", f"/rooms/{world.public.id}/join", None, banned.token)[0] == 403
    assert server.call("PUT", f"/rooms/{world.public.id}/members/{world.people['member'].id}", {"role": "owner"}, world.token("member"))[0] == 403
    print(f"        {tried} bodies with one field too many")


run([every_route_for_every_caller_on_every_object, every_request_of_the_socket_for_every_caller_on_every_object, fields_that_are_not_the_callers_to_set_are_refused])
