"""Two whole servers on one PostgreSQL and one Kafka: one room written through both, who is removed or signed out at the other, kill -9, a frozen one,
PostgreSQL restarted at once."""
import json, random, signal, threading, time
from harness import DEEP, SEED, Person, Socket, run, wait_for
from pair import at, missing, on_two

SENDERS, SECONDS, KILLS = 32, (30 if DEEP else 6), (50 if DEEP else 4)


def listen(person, resume):
    """A connection as a client makes it: again, while the server says that it cannot yet."""
    made = []

    def attempt():
        try:
            made.append(Socket(person, resume))
        except (AssertionError, ConnectionError, OSError):
            return False
        return True
    wait_for(attempt, "a connection", 30)
    return made[-1]


def sign_in(person):
    """As a client does it: again, while auth's database is not back."""
    def attempt():
        status, answer, _ = person.server.call("POST", "/auth/login", {"login": person.name, "password": person.password})
        assert status in (200, 503), answer
        person.token = answer.get("access_token", person.token)
        return status == 200
    wait_for(attempt, "a login", 30)


class Senders:
    """SENDERS connections, half at each server, that send again until they have an answer, whatever is killed."""

    def __init__(self, servers, person, room, frozen=()):
        self.servers, self.person, self.room = servers, person, room
        self.acked, self.stopping = {}, threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(n,), daemon=True) for n in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def send(self, number):
        socket, turn, count = None, number, 0
        while not self.stopping.is_set():
            cid = f"s{number}-{count}"
            count += 1
            while True:
                try:
                    if socket is None:
                        socket = Socket(at(self.servers[turn % 2], self.person))
                    answer = socket.answer(socket.begin("send", room=self.room, text=cid, client_id=cid), 8)
                    if "ok" in answer:
                        self.acked[cid] = answer["ok"]["seq"]
                        break
                    time.sleep(0.05)
                except (ConnectionError, OSError, AssertionError):
                    if socket:
                        socket.cut()
                    socket, turn = None, turn + 1   # the other one
                    time.sleep(0.05)
                if self.stopping.is_set():
                    return

    def more(self, count, limit=60):
        enough = len(self.acked) + count
        wait_for(lambda: len(self.acked) >= enough, f"{count} more acknowledgements", limit)

    def end(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)


def check(acked, person, room, engines=None, name=None):
    """Everything that was acknowledged is there once under its number, the numbers have no hole; and in Kafka, without its repeats, the same."""
    have = {}
    for message in person.everything(room, "messages"):
        assert message["client_id"] not in have, "a message is there twice"
        have[message["client_id"]] = message["seq"]
    lost = {cid: seq for cid, seq in acked.items() if have.get(cid) != seq}
    assert not lost, f"{len(lost)} of {len(acked)} acknowledged are gone or renumbered: {list(lost.items())[:5]}"
    events = [event["seq"] for event in person.everything(room, "events")]
    assert events == list(range(1, len(events) + 1)), "a hole or a repeat in seq"
    if engines:
        def whole():
            told, before = [], 0
            for line in engines.broker.read(name + ".new-messages"):
                event = json.loads(line)
                if event["partitionkey"] != room:
                    continue
                number = int(event["sequence"])
                assert number <= before + 1 or not told, f"{number} after {before} in Kafka"
                if number > before:
                    told.append(event["data"]["seq"])
                    before = number
            return told if told == events else None
        wait_for(whole, "every event in Kafka", 60)
    return have


@on_two()
def one_room_written_through_both_has_no_hole_and_both_hear_it(one, other, engines):
    ada, bob = Person(one), Person(other)
    room = ada.room(bob)
    here, there = Socket(ada), Socket(bob)
    wait_for(lambda: room in there.positions or any(e["ev"] == "room.added" for e in there.events), "the room at the other")
    senders = Senders((one, other), ada, room)
    time.sleep(SECONDS)
    senders.end()
    have = check(senders.acked, ada, room, engines, one.name)
    last = max(have.values())
    for socket in (here, there):
        socket.event(lambda e: e.get("room") == room and e.get("seq") == last)
        line = socket.timeline(room)
        assert line == list(range(line[0], last + 1)), "a hole or a repeat at who listens"
    print(f"        {len(senders.acked)} acknowledged in {SECONDS} s by {SENDERS} senders through two servers; 0 lost, 0 doubled, 0 holes, both listeners heard each once, in order")


@on_two()
def who_is_removed_or_signed_out_at_one_is_so_at_the_other(one, other, engines):
    ada, bob = Person(one), Person(one)
    room = ada.room(bob)
    there = Socket(at(other, bob))
    ada.do("DELETE", f"/rooms/{room}/members/{bob.id}")
    there.event(lambda e: e["ev"] == "room.removed", 3)
    wait_for(lambda: at(other, bob).server.call("GET", f"/rooms/{room}/messages", token=bob.token)[0] == 404, "the room closed to who was removed", 3)
    status, _, _ = one.call("POST", "/auth/logout", {}, bob.token)
    assert status in (200, 204), status
    began = time.monotonic()
    assert there.ends(5) == 4001 or there.closed, there.closed
    took = time.monotonic() - began
    assert other.call("GET", "/rooms", token=bob.token)[0] == 401
    assert took < 1.5, took
    # What somebody chooses at one counts at the other.
    bob.login()
    ada.do("PUT", f"/rooms/{room}/members/{bob.id}", {})
    at(other, bob).do("PUT", "/notifications/settings", {"default": "none", "rooms": {}, "email": False, "web_push": False})
    def notified(text):
        seq = ada.do("POST", f"/rooms/{room}/messages", {"text": text})["seq"]
        def handled():
            rows = [line.split() for line in one.command("topics", "lag").stdout.splitlines()[1:]]
            return all(row[3] == row[4] for row in rows if row[0] == "new-messages" and row[1] in ("kafka-relay", "notification"))
        wait_for(handled, "the group", 20)
        return any(item["seq"] == seq for item in bob.do("GET", "/notifications?limit=100")["items"])
    wait_for(lambda: not notified(f"nothing for @{bob.name}"), "the choice of nothing to count at both", 10)
    bob.do("PUT", "/notifications/settings", {"default": "all", "rooms": {}, "email": False, "web_push": False})
    wait_for(lambda: notified("no name in it"), "the choice of all to count at both", 10)
    print(f"        signed out at one, closed at the other after {took * 1000:.0f} ms")


# While a server is frozen thousands of events pass: a resume brings them all, rather than room.reset.
@on_two("realtime.resume_limit=1000000", "realtime.resume_total=1000000")
def kills_freezes_and_a_crash_of_postgres_lose_nothing_and_show_nothing_twice(one, other, engines):
    chance = random.Random(SEED)
    ada, bob = Person(one), Person(other)
    room = ada.room(bob)
    senders = Senders((one, other), ada, room)
    seen, resume, happened = [], None, []
    for turn in range(KILLS):
        listening = listen(at(one if turn % 2 else other, bob), resume)
        senders.more(40)
        what = ["kill", "freeze", "postgres"][turn % 3]
        victim = (one, other)[chance.randrange(2)]
        time.sleep(chance.random() / 5)
        if what == "kill":
            victim.kill()
            victim.start()
        elif what == "freeze":
            victim.process.send_signal(signal.SIGSTOP)
            time.sleep(8)    # longer than a lease, and than a member's session in Kafka
            victim.process.send_signal(signal.SIGCONT)
        else:
            engines.crash_postgres()
        happened.append(what)
        senders.more(40)
        text = {"text": f"turn {turn} for @{bob.name}", "client_id": f"turn-{turn}"}
        wait_for(lambda: one.call("POST", f"/rooms/{room}/messages", text, ada.token)[0] == 201, "a send after it", 30)
        listening.cut()
        listening.ends()   # nothing comes between what was seen and where it goes on
        seen += listening.timeline(room)
        resume = listening.resume_point()
        if turn % 10 == 9:   # before the access tokens run out
            sign_in(ada), sign_in(bob)
    senders.end()
    have = check(senders.acked, ada, room, engines, one.name)
    last = listen(at(one, bob), resume)
    last.event(lambda e: e["ev"] == "replay.done")
    seen += last.timeline(room)
    assert seen == list(range(seen[0], seen[-1] + 1)), "who listened and resumed, at one and the other, saw a hole or a repeat"
    for each in (one, other):
        lines = (each.home / "stderr.log").read_text().count("kafka.log_not_readable")
        assert lines <= 20 * happened.count("postgres"), f"a store that is away fills the log: {lines} lines"
    told = wait_for(lambda: (lambda items: items if len(items) >= KILLS else None)(bob.do("GET", "/notifications?limit=100")["items"]), "a notification for each turn", 60)
    assert len(told) == KILLS and len({item["seq"] for item in told}) == KILLS, [item["seq"] for item in told]
    print(f"        {KILLS} times ({', '.join(f'{happened.count(one)} {one}' for one in ('kill', 'freeze', 'postgres'))}): {len(senders.acked)} acknowledged, {len(have)} stored; 0 lost, 0 doubled, "
          f"0 holes; {len(seen)} events heard once each; {KILLS} notifications, each once; seed {SEED}")


@on_two()
def a_topic_that_somebody_deletes_is_filled_again_whichever_server_makes_it(one, other, engines):
    ada = Person(one)
    room = ada.room()
    topic, sent = one.name + ".new-messages", []
    for turn in range(4):
        for number in range(10):
            text = f"{turn}-{number}"
            at((one, other)[number % 2], ada).do("POST", f"/rooms/{room}/messages", {"text": text})
            sent.append(text)

        def whole():
            told = [json.loads(line)["data"]["data"].get("text") for line in engines.broker.read(topic)]
            return list(dict.fromkeys(text for text in told if text)) == sent
        wait_for(whole, f"every message in Kafka after {turn} deletions", 30)
        engines.broker.delete(topic)   # and nothing is sent until it is there again
        wait_for(lambda: topic in engines.broker.topics(), "the topic again", 30)
        wait_for(whole, f"every message in Kafka after {turn + 1} deletions and nothing new", 30)
    made = [(each.home / "stderr.log").read_text().count("kafka.topic_made topic=" + topic) for each in (one, other)]
    print(f"        deleted 4 times; made by one and the other {made[0]} and {made[1]} times; each time it held all {len(sent)} messages, in order")


if missing():
    print("LEFT OUT: " + missing())
else:
    run([one_room_written_through_both_has_no_hole_and_both_hear_it, who_is_removed_or_signed_out_at_one_is_so_at_the_other,
         kills_freezes_and_a_crash_of_postgres_lose_nothing_and_show_nothing_twice, a_topic_that_somebody_deletes_is_filled_again_whichever_server_makes_it])
