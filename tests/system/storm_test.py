"""Crowds: everybody comes back at once, some never read, and some lose their rights while all are spoken to."""
import json, re, threading, time
from concurrent.futures import ThreadPoolExecutor
import opening
from crowd import Connection, Crowd, frame, part
from harness import DEEP, PATIENCE, Person, Socket, run, wait_for
from opening import cpu
from work import rss

EACH = 20   # connections of one person: the contract's limit


def people(server, count):
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda _: Person(server), range(count)))


def everybody_comes_back_at_once(server):
    count = 10000 if DEEP else 2000
    server.start()
    *everyone, speaker = people(server, count // EACH + 1)
    took, room = [], speaker.room(*everyone[:20])
    (server.home / "people").write_text("".join(f"{person.token} {room}\n" for person in everyone))
    for turn in range(2):
        if turn:
            server.kill()
            server.start()
        idle, spent = rss(server.process.pid), cpu(server.process.pid)
        # A client in C++: one in Python is slower at this than the server.
        with opening.Crowd(server, server.home / "people", count, window=count) as crowd:
            opened = crowd.line()
            assert opened["failed"] == 0 and opened["open"] == count, opened
            spent = (cpu(server.process.pid) - spent) * 1000 / count
            took.append(opened["took_ms"] / 1000)
            memory = rss(server.process.pid)
            # They are there: all that are in the room hear of the next message.
            Socket(speaker).op("send", room=room, text="here", client_id=f"storm-{turn}")
            wait_for(lambda: crowd.ask()["heard"] >= 20 * EACH, "the message to those of its room")
            counted = crowd.end()
            assert counted == {"open": count, "heard": 20 * EACH, "cut": 0}, counted
    assert took[-1] < 10 * PATIENCE, f"{count} came back in {took[-1]:.1f} s"
    assert memory < 300, f"{memory:.0f} MiB"
    print(f"        {count} connections signed in within {took[0]:.2f} s, after kill -9 again within {took[1]:.2f} s (p50 {opened['hello']['p50_ms'] / 1000:.2f} s, p99 {opened['hello']['p99_ms'] / 1000:.2f} s), "
          f"0 refused, {counted['open']} open, {spent:.3f} ms of CPU each, {memory:.0f} MiB resident ({(memory - idle) * 1024 / count:.1f} KiB each)")


class Sender:
    """Sends one message after the other as a connection of the crowd, so that its answers too have the moment at which the kernel had them, and one thread does all."""

    def __init__(self, crowd, person, room, text):
        self.room, self.text, self.number, self.due, self.sent_at, self.acknowledged_at, self.took = room, text, 0, 0.0, {}, {}, []
        self.connection = Connection(crowd, person.token, heard=self.heard)

    def heard(self, _, frame, now):
        if not frame.startswith(b'{"re":') or frame.startswith(b'{"re":0'):
            return
        number = json.loads(frame)["re"]
        assert b'"ok"' in frame, frame
        self.acknowledged_at[number] = now
        self.took.append(now - self.sent_at[number])
        self.due = time.monotonic() + 0.004

    def turn(self):
        if self.number == len(self.acknowledged_at) and time.monotonic() >= self.due:
            self.number += 1
            self.sent_at[self.number] = time.monotonic()
            self.connection.socket.send(frame(json.dumps({"id": self.number, "op": "send", "room": self.room, "text": self.text, "client_id": f"s-{self.number}"})))


def who_does_not_read_costs_nobody_else(server):
    slow_count, text = (200 if DEEP else 20), "x" * 7000
    server.start()
    everyone = people(server, max(2, slow_count // EACH) + 2)
    speaker, reader, slow_people = everyone[0], everyone[1], everyone[2:]
    room = speaker.room(*everyone[1:])
    crowd, arrived = Crowd(server), {}

    def heard(connection, frame, now):
        if b'"message.created"' in frame:
            arrived[int(json.loads(frame)["data"]["client_id"].removeprefix("s-"))] = now
    quick, sender = Connection(crowd, reader.token, heard=heard), Sender(crowd, speaker, room, text)
    slow = [Connection(crowd, slow_people[n % len(slow_people)].token, small=True) for n in range(slow_count)]
    crowd.until(lambda: crowd.open == slow_count + 2, "all are in", 30 * PATIENCE)
    positions = {c: json.loads(c.hello)["ok"] for c in slow}
    peak = before = rss(server.process.pid)

    def send_until(check, what, limit):
        nonlocal peak
        began, look = time.monotonic(), 0.0
        while True:
            if time.monotonic() > look:
                look, peak = time.monotonic() + 0.1, max(peak, rss(server.process.pid))
                if check(time.monotonic() - began):
                    break
            assert time.monotonic() < began + limit * PATIENCE, f"{what} did not happen within {limit} s; {sender.number} messages were sent"
            sender.turn()
            crowd.turn(0.002)

    def too_slow():
        return int(re.search(r'^loggia_realtime_closed_total{code="4008"} (\d+)', server.call("GET", "/metrics", admin=True)[1], re.M)[1])
    send_until(lambda passed: passed > 2 * PATIENCE, "two seconds", 10)   # while all read
    alone = part(sender.took, .5)
    for connection in slow:
        connection.pause()
    sender.took.clear()
    # The kernel takes 4 MiB for each; then nothing is taken for 15 s.
    send_until(lambda _: too_slow() == slow_count, "the end of the slow readers", 120)
    # Now they read what is there: the close says that they may resume.
    for connection in slow:
        connection.go_on()
    send_until(lambda passed: passed > (300 * PATIENCE if DEEP else 0) and all(c.state == "closed" for c in slow), "the close", 400)
    number = sender.number
    crowd.until(lambda: len(arrived) == len(sender.acknowledged_at) == number, "the quick reader's last message", 20 * PATIENCE)
    # A disk that is slow delays the acknowledgement and the delivery, and neither is the fault of who does not read: so the delivery is looked at from then on.
    late = [max(0.0, arrived[n] - sender.acknowledged_at[n]) for n in arrived]
    assert quick.state == sender.connection.state == "open"
    codes = sorted({str(c.code) for c in slow})
    said = (f"{slow_count} readers that do not read, {number} messages of 7 KB: closed with {', '.join(codes)}, memory {peak - before:+.0f} MiB at most; "
            f"who sends: p50 {part(sender.took, .5) * 1000:.1f} ms ({alone * 1000:.1f} while all read), p99 {part(sender.took, .99) * 1000:.1f} ms; "
            f"who reads: p50 {part(late, .5) * 1000:.1f} ms, p99 {part(late, .99) * 1000:.1f} ms after the acknowledgement; this client's own delay up to {crowd.own_delay * 1000:.0f} ms")
    assert codes == ["4008"], said
    assert peak - before < 220, said
    assert part(late, .99) < 0.25 * PATIENCE, said
    assert part(sender.took, .5) < 3 * alone + 0.05 * PATIENCE, said
    # They resume: everything that they missed, or a reset, and never a hole.
    person = slow_people[0]
    hello = positions[slow[0]]
    start = next(r["last_seq"] for r in hello["rooms"] if r["id"] == room)
    again = Socket(person, {"epoch": hello["epoch"], "cursor": hello["cursor"], "rooms": {room: start}})
    again.event(lambda e: e["ev"] == "replay.done", 60)
    seen = again.timeline(room)
    reset = any(e["ev"] == "room.reset" for e in again.events)
    assert reset or seen == list(range(start + 1, start + 1 + len(seen))) and len(seen) >= number, (len(seen), number)
    crowd.close()
    print(f"        {said}; a resume brought {'a reset' if reset else f'{len(seen)} events'}")


def who_loses_a_room_or_a_session_hears_nothing_after_a_second(server):
    persons, each = (500, 4) if DEEP else (100, 2)
    server.start()
    everyone = people(server, persons + 1)
    owner, members = everyone[0], everyone[1:]
    with ThreadPoolExecutor(4) as pool:
        rooms = list(pool.map(lambda n: owner.room(*members[n:n + 50]), range(0, persons, 50)))
    crowd = Crowd(server)
    last, by_person = {}, {}

    def heard(connection, frame, now):
        if b'"message.created"' in frame[:200] or b'"typing"' in frame[:60]:
            last[connection] = now
        elif b'"room.removed"' in frame[:60]:
            connection.removed = now
    for n, member in enumerate(members):
        by_person[member] = [Connection(crowd, member.token, heard=heard) for _ in range(each)]
    crowd.until(lambda: crowd.open == persons * each, "all are in", 60 * PATIENCE)
    stop, removed, ended, sends = threading.Event(), {}, {}, [0]

    def speak():   # to every room, all the time
        socket = Socket(owner)
        while not stop.is_set():
            numbers = [socket.begin("send", room=room, text="are you there", client_id=f"n{sends[0]}-{k}") for k, room in enumerate(rooms)]
            for number in numbers:
                assert "ok" in socket.answer(number)
            sends[0] += len(numbers)
            time.sleep(0.05 if not DEEP else 0.5)

    def cut():   # each loses the room, and a while later the session, each measured from before the request and from its answer
        for n, member in enumerate(members):
            room = rooms[n // 50]
            asked = time.monotonic()
            owner.do("DELETE", f"/rooms/{room}/members/{member.id}")
            removed[member] = asked, time.monotonic()
        for member in members:
            asked = time.monotonic()
            status, _, _ = server.call("POST", "/auth/logout", token=member.token)
            assert status == 204, status
            ended[member] = asked, time.monotonic()
        time.sleep(1.5)   # the time in which something wrong would come
        stop.set()
    crowd.own_delay = 0.0
    threads = [threading.Thread(target=speak), threading.Thread(target=cut)]
    for thread in threads:
        thread.start()
    crowd.until(stop.is_set, "all events", 300 * PATIENCE)
    for thread in threads:
        thread.join()
    latencies, whole, after = [], [], 0
    for member, connections in by_person.items():
        for c in connections:
            assert hasattr(c, "removed"), "room.removed did not come"
            assert c.state == "closed" and c.code == 4009, (c.state, c.code)
            for into, of in ((whole, 0), (latencies, 1)):
                gone = max(0.0, last.get(c, 0) - removed[member][of])
                into.append(max(gone, c.removed - removed[member][of]))
                into.append(c.closed_at - ended[member][of])
            after += gone > 1
        status, _, _ = server.call("GET", "/users/me", token=member.token)
        assert status == 401, f"the token of an ended session is taken: {status}"
    latencies = [max(0.0, one) for one in latencies]
    crowd.close()
    assert part(latencies, .99) < 1 * PATIENCE and after == 0, (part(latencies, .99), after, crowd.own_delay)
    print(f"        {2 * persons} events ({persons} removals, {persons} ended sessions) with {persons * each} connections and {sends[0]} messages meanwhile: "
          f"p50 {part(latencies, .5) * 1000:.0f} ms, p99 {part(latencies, .99) * 1000:.0f} ms, at most {max(latencies) * 1000:.0f} ms after the answer "
          f"(after the question p50 {part(whole, .5) * 1000:.0f} ms, p99 {part(whole, .99) * 1000:.0f} ms); delivered after a second: {after}; tokens refused: {persons} of {persons}; "
          f"this client's own delay up to {crowd.own_delay * 1000:.0f} ms")


run([everybody_comes_back_at_once, who_does_not_read_costs_nobody_else, who_loses_a_room_or_a_session_hears_nothing_after_a_second])
