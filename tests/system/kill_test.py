"""50 cycles (--deep: 200) of kill -9 in a loop of sends over 16 connections: what was acknowledged is kept, once, under its number."""
import pathlib, random, subprocess, threading, time
from harness import DEEP, SEED, Person, Socket, run

CYCLES, SENDERS = 200 if DEEP else 50, 16


def nothing_acknowledged_is_lost_and_every_resume_is_exact(server):
    server.start()
    sender, reader = Person(server), Person(server)
    room = sender.room(reader)
    acked, seen, resume, back = {}, [], None, []
    chance = random.Random(SEED)
    for cycle in range(CYCLES):
        if cycle % 10 == 0:   # a token lives 10 minutes, and a password costs a tenth of a second
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
        enough = len(acked) + 30
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
        began = time.monotonic()
        server.start()
        probe = Socket(sender)   # the token of before is good
        acked[f"back-{cycle}"] = probe.op("send", room=room, text="back", client_id=f"back-{cycle}")["seq"]
        back.append(time.monotonic() - began)
        probe.cut()
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
    back.sort()
    print(f"        {CYCLES} cycles, {len(acked)} acknowledged, {len(have)} stored, {len(seen)} seen by the reader; 0 lost, 0 doubled, 0 holes; from the kill to the "
          f"first acknowledgement p50 {back[len(back) // 2] * 1000:.0f} ms, p99 {back[int(len(back) * .99)] * 1000:.0f} ms; seed {SEED}")


def a_million_messages_are_no_reason_to_start_late(server):
    load = pathlib.Path(server.binary).parent / "bench/loggia_load"
    if not DEEP:
        print("        NOT RUN: a million messages take minutes; with --deep")
        return
    assert load.exists(), "build it first: scripts/build release loggia_load"
    server.start()
    stored, began = 0, time.monotonic()
    while stored < 1_000_000:
        said = subprocess.run([load, "--target", "loggia", "--address", f"{server.host}:{server.port}", "--pid", str(server.process.pid), "--mode", "acks", "--members", "16",
                               "--window", "32", "--seconds", "20"], capture_output=True, text=True, check=True, timeout=120).stdout
        stored += int(float(said.split('"acks_s":')[1].split(",")[0]) * 20)
        assert time.monotonic() - began < 1800, f"only {stored} within half an hour"
    back = []
    for turn in range(5):
        person = Person(server)
        room = person.room()
        server.kill()
        started = time.monotonic()
        server.start()
        Socket(person).op("send", room=room, text="back", client_id="back")
        back.append(time.monotonic() - started)
    assert max(back) < 2, back
    print(f"        {stored} stored in {time.monotonic() - began:.0f} s; kill -9, start, first acknowledgement: {', '.join(f'{one * 1000:.0f} ms' for one in back)}")


run([nothing_acknowledged_is_lost_and_every_resume_is_exact, a_million_messages_are_no_reason_to_start_late])
