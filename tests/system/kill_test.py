"""20 cycles of kill -9 in a loop of sends over 16 connections: what was acknowledged is kept, once, under its number."""
import random, threading, time
from harness import Person, Socket, run

CYCLES, SENDERS = 20, 16


def nothing_acknowledged_is_lost_and_every_resume_is_exact(server):
    server.start()
    sender, reader = Person(server), Person(server)
    room = sender.room(reader)
    acked, seen, resume = {}, [], None
    chance = random.Random(20261129)
    for cycle in range(CYCLES):
        sender.login()
        reader.login()
        watching = Socket(reader, resume)
        sockets = [Socket(sender) for _ in range(SENDERS)]
        stop = threading.Event()

        def send(k):
            count = 0
            try:
                while not stop.is_set():
                    cid = f"{cycle}-{k}-{count}"
                    count += 1
                    acked[cid] = sockets[k].op("send", room=room, text=cid, client_id=cid)["seq"]
            except (ConnectionError, OSError, AssertionError):
                pass
        threads = [threading.Thread(target=send, args=(k,)) for k in range(SENDERS)]
        enough = len(acked) + 60
        for thread in threads:
            thread.start()
        end = time.monotonic() + 30
        while len(acked) < enough and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(chance.random() / 10)     # any moment will do
        server.kill()
        stop.set()
        for thread in threads:
            thread.join(40)
        watching.ends()
        seen += watching.timeline(room)
        resume = watching.resume_point()
        for socket in sockets:
            socket.cut()
        server.start()
    sender.login()
    reader.login()
    last = Socket(reader, resume)
    last.event(lambda e: e["ev"] == "replay.done")
    seen += last.timeline(room)
    have = {}
    for message in sender.everything(room, "messages"):
        assert message["client_id"] not in have, "a message is there twice"
        have[message["client_id"]] = message["seq"]
    lost = {cid: seq for cid, seq in acked.items() if have.get(cid) != seq}
    assert not lost, f"{len(lost)} of {len(acked)} acknowledged messages are gone or renumbered: {list(lost.items())[:5]}"
    events = [e["seq"] for e in sender.everything(room, "events")]
    assert events == list(range(1, len(events) + 1)), "a hole or a repeat in seq"
    first = seen[0]
    assert seen == list(range(first, events[-1] + 1)), "the reader that resumed did not see each event exactly once, in order"
    print(f"        {CYCLES} cycles, {len(acked)} acknowledged, {len(have)} stored, {len(seen)} seen by the reader")


run([nothing_acknowledged_is_lost_and_every_resume_is_exact])
