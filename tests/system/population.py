"""People who talk through several doors while the test breaks things: a thread with all their connections, and some threads with HTTP requests.

Each client does what the contract asks of one: it reconnects with `resume`, at another door, after a delay by chance; it sends again what was not acknowledged, under the same
`client_id`; it counts `seq`. What went wrong is kept with its moment, for the test to judge."""
import collections, http.client, json, random, select, threading, time
from concurrent.futures import ThreadPoolExecutor
from crowd import Connection, Crowd, frame
from harness import SEED, Person, wait_for

HEARD_WITHIN = 10    # an opening that has not got its answer by then is tried at another door
ANSWERED_WITHIN = 20


# What people ask over HTTP, in turn: of each module something, what changes with a name of its own, with a key, and with neither.
OPERATIONS = [
    lambda person, room, cid: ("GET", f"/rooms/{room}/messages?limit=5"),
    lambda person, room, cid: ("POST", f"/rooms/{room}/messages", {"text": cid, "client_id": cid}),
    lambda person, room, cid: ("GET", f"/users/{person.id}"),
    lambda person, room, cid: ("POST", f"/rooms/{room}/messages", {"text": cid}, {"Idempotency-Key": cid}),
    lambda person, room, cid: ("GET", "/notifications"),
    lambda person, room, cid: ("PATCH", "/users/me", {"display_name": cid}),
    lambda person, room, cid: ("GET", "/rooms"),
    lambda person, room, cid: ("PUT", f"/rooms/{room}/messages/{person.first}/reactions/%F0%9F%91%8D"),
    lambda person, room, cid: ("PUT", "/notifications/settings", {"default": "mentions", "rooms": {}, "email": False, "web_push": False}),
]
LOGIN = lambda person, room, cid: ("POST", "/auth/login", {"login": person.name, "password": person.password})   # its hash takes more than all of these: one in forty


class Request:
    """A send, or a request over HTTP: `tries` of it were begun, the last at `began`; `failed`: of a try (when it began, when it failed, kind, what came of it)."""

    def __init__(self, kind, room, cid):
        self.kind, self.room, self.cid = kind, room, cid
        self.due = self.began = time.monotonic()
        self.tries, self.failed, self.done = 0, [], None

    def fail(self, why):
        self.failed.append((self.began, time.monotonic(), self.kind, why))


class Client:
    """One connection's life."""

    def __init__(self, town, person, room, door):
        self.town, self.person, self.room, self.door = town, person, room, door
        self.connection, self.resume, self.back, self.away_since, self.again_at = None, None, False, None, 0.0
        self.position, self.number, self.pending, self.waiting = None, 0, {}, collections.deque()
        self.open()

    def open(self):
        self.back = False
        self.opening_since = time.monotonic()
        if self.resume is not None:
            self.resume["rooms"] = {self.room: self.position}
        self.connection = Connection(self.town.crowd, self.person.token, self.resume, self.heard, ended=self.ended, server=self.town.doors[self.door])

    def ended(self, connection):
        now = connection.closed_at
        if self.town.over:
            return
        if self.back:
            self.away_since = now
            self.town.closed[str(connection.code)] += 1
        self.back = False
        for request in self.pending.values():
            request.fail("cut")
            self.waiting.append(request)
        self.pending.clear()
        self.door = (self.door + 1) % len(self.town.doors)
        self.again_at = now + self.town.chance.random() / 2
        self.town.absent.add(self)

    def turn(self, now):
        """Of one that is not back."""
        if self.connection.state == "closed":
            if now >= self.again_at:
                self.open()
        elif now - self.opening_since > HEARD_WITHIN:
            self.town.closed["no answer to hello"] += 1
            self.connection.close("late")

    def is_back(self, now):
        self.back = True
        self.town.absent.discard(self)
        if self.away_since is not None:
            self.town.backs.append((self.away_since, now - self.away_since))
            self.away_since = None
        while self.waiting:
            self.send(self.waiting.popleft())

    def send(self, request):
        if not self.back:
            self.waiting.append(request)
            return
        self.number += 1
        request.began, request.tries = time.monotonic(), request.tries + 1
        self.pending[self.number] = request
        try:
            self.connection.socket.send(frame(json.dumps({"id": self.number, "op": "send", "room": self.room, "text": request.cid, "client_id": request.cid})))
        except OSError:
            self.connection.close("cut")

    def heard(self, connection, text, now):
        if connection is not self.connection:
            return
        said = json.loads(text)
        if said.get("re") == 0:
            if "ok" not in said:
                self.town.refused.append((now, said))
                return connection.close("refused")
            self.number = 0
            hello = said["ok"]
            first = self.resume is None
            self.resume = {"epoch": hello["epoch"], "cursor": hello["cursor"]}
            if first:
                self.position = next(room["last_seq"] for room in hello["rooms"] if room["id"] == self.room)
                self.is_back(now)
        elif "re" in said:
            request = self.pending.pop(said["re"])
            if "ok" in said:
                self.town.acknowledged(request, said["ok"]["seq"], now)
            else:
                request.fail(said["error"]["code"])
                self.town.later(self, request)
        elif said["ev"] == "replay.done":
            self.resume["cursor"] = said["data"]["cursor"]
            self.is_back(now)
        elif "seq" in said and said["room"] == self.room:
            if said["seq"] != self.position + 1:
                self.town.wrong.append(f"{said['seq']} after {self.position} in {self.room}")
            self.position = said["seq"]
        elif said["ev"] in ("room.reset", "room.removed"):
            self.town.wrong.append(said)


class Town:
    """`doors`: the gateways. `people` in rooms of five, each with `devices` connections; `rate` sends a second over sockets, `asks` requests a second over HTTP."""

    def __init__(self, doors, people, devices, rate, asks):
        self.doors, self.rate, self.chance = doors, rate, random.Random(SEED)
        self.closed, self.backs, self.refused, self.wrong, self.absent = collections.Counter(), [], [], [], set()
        self.requests, self.acked, self.latencies, self.again, self.over = [], {}, [], [], False
        self.lock = threading.Lock()
        with ThreadPoolExecutor(4) as pool:   # the hash of a password takes its time
            self.people = list(pool.map(lambda n: Person(doors[n % len(doors)]), range(people)))
        self.rooms = [self.people[n].room(*self.people[n + 1:n + 5]) for n in range(0, people, 5)]
        for n, room in enumerate(self.rooms):
            for person in self.people[n * 5:n * 5 + 5]:
                person.first = self.people[n * 5].do("POST", f"/rooms/{room}/messages", {"text": "first", "client_id": "first"})["seq"]
        self.crowd = Crowd(doors[0])
        self.clients = [Client(self, person, self.rooms[n // 5], (n + device) % len(doors)) for n, person in enumerate(self.people) for device in range(devices)]
        self.crowd.until(lambda: all(client.back for client in self.clients), "all are in", 60)
        self.sending = True
        self.threads = [threading.Thread(target=self.live, daemon=True)] + [threading.Thread(target=self.ask, args=(n, 4 / asks), daemon=True) for n in range(4 if asks else 0)]
        for thread in self.threads:
            thread.start()

    # ---- sockets ----

    def live(self):
        due, number = time.monotonic(), 0
        while not self.over:
            now = time.monotonic()
            while self.sending and due <= now:
                client = self.chance.choice(self.clients)
                number += 1
                if client.back:   # who is not connected does not write
                    request = Request("send", client.room, f"s{number}")
                    self.requests.append(request)
                    client.send(request)
                due += 1 / self.rate
            for client in list(self.absent):
                client.turn(now)
            while self.again and self.again[0][0] <= now:
                _, client, request = self.again.pop(0)
                client.send(request)
            self.crowd.turn(0.004)

    def later(self, client, request):
        self.again.append((time.monotonic() + 0.1, client, request))

    def acknowledged(self, request, seq, now):
        request.done = now
        self.latencies.append((request.due, now - request.due))
        self.acked[request.room, request.cid] = seq

    # ---- HTTP ----

    def ask(self, number, every):
        chance, lines, due, count, avoid = random.Random(SEED + number), {}, time.monotonic(), 0, {}
        while self.sending:
            time.sleep(max(0, due - time.monotonic()))
            due, count = due + every, count + 1
            at = chance.randrange(len(self.people))
            person, room = self.people[at], self.rooms[at // 5]
            request = Request("HTTP", room, f"h{number}-{count}")
            asked = (LOGIN if count % 40 == 0 else OPERATIONS[(count + 3 * number) % len(OPERATIONS)])(person, room, request.cid)
            request.kind = asked[0] + " " + asked[1].split("/")[1]
            self.requests.append(request)
            while request.done is None and time.monotonic() < request.due + ANSWERED_WITHIN:
                door = min(range(len(self.doors)), key=lambda n: (avoid.get(n, 0) > time.monotonic(), chance.random()))
                self.try_at(door, lines, avoid, request, person, *asked)

    def try_at(self, door, lines, avoid, request, person, method, path, body=None, headers=()):
        line = lines.pop(door, None)
        if line and select.select([line.sock], [], [], 0)[0]:   # the other side closed it while nothing was asked
            line.close()
            line = None
        if line is None:
            line = http.client.HTTPConnection(self.doors[door].host, int(self.doors[door].port), timeout=ANSWERED_WITHIN)
            try:
                line.connect()
            except OSError:
                avoid[door] = time.monotonic() + 2   # nothing was asked: this door is closed, the other is tried
                return
        request.began, request.tries = time.monotonic(), request.tries + 1
        try:
            line.request(method, "/api/v1" + path, body and json.dumps(body), {"Authorization": "Bearer " + person.token, "Content-Type": "application/json", **dict(headers)})
            answer = line.getresponse()
            text = answer.read()
        except (http.client.HTTPException, OSError) as problem:
            line.close()
            request.fail(type(problem).__name__)
            return
        if answer.status >= 300:
            request.fail(f"{answer.status} {json.loads(text).get('code') if text.startswith(b'{') else ''}")
            time.sleep(0.1)
        else:
            with self.lock:
                if body and "text" in body:
                    self.acknowledged(request, json.loads(text)["seq"], time.monotonic())
                else:
                    request.done = time.monotonic()
        if answer.will_close:
            line.close()
        else:
            lines[door] = line

    # ---- the end ----

    def end(self):
        """Nothing new; what is under way gets its answer."""
        self.sending = False
        wait_for(lambda: not self.absent and all(not client.pending and not client.waiting for client in self.clients) and not self.again, "answers to all that was sent", 30)
        for thread in self.threads[1:]:
            thread.join(ANSWERED_WITHIN + 5)
            assert not thread.is_alive(), "a request over HTTP has no end"

    def check(self):
        """Everything that was acknowledged is there once under its number, no room has a hole, everybody has heard everything."""
        unanswered = [request for request in self.requests if request.done is None]
        assert not unanswered, f"{len(unanswered)} have no answer: {[(one.kind, one.failed[-3:]) for one in unanswered[:3]]}"
        assert not self.wrong and not self.refused, (self.wrong[:5], self.refused[:3])
        stored = 0
        for number, room in enumerate(self.rooms):
            person = self.people[number * 5]
            have = {}
            for message in person.everything(room, "messages"):
                assert message["text"] not in have, f"{message['text']} is there twice"
                have[message["text"]] = message["seq"]
            stored += len(have)
            lost = {cid: seq for (of, cid), seq in self.acked.items() if of == room and have.get(cid) != seq}
            assert not lost, f"{len(lost)} acknowledged are gone or renumbered: {list(lost.items())[:5]}"
            events = [event["seq"] for event in person.everything(room, "events")]
            assert events == list(range(1, len(events) + 1)), f"a hole or a repeat in {room}"
            wait_for(lambda: all(client.position == events[-1] for client in self.clients if client.room == room), f"the last event of {room} at everybody", 20)
        assert not self.wrong, self.wrong[:5]
        return stored

    def close(self):
        self.sending, self.over = False, True
        for thread in self.threads:
            thread.join(ANSWERED_WITHIN + 5)
        self.crowd.close()
