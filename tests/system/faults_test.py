"""The storage's faults on the real executable: kill -9 at each write and sync, also while it starts; errors of the disk; a full disk; slow syncs."""
import os, random, shutil, signal, subprocess, time
from harness import DEEP, SEED, Person, Socket, run, wait_for
from work import Strace, Work, may_trace, rss

CALLS = "pwrite64,fdatasync,fsync,ftruncate,unlink,rename"


def kill_at_each_write_and_sync_of_a_start_and_of_sends(server):
    if not may_trace():
        return
    counts = list(range(1, 301)) if DEEP else sorted(random.Random(SEED).sample(range(1, 61), 20))
    server.start()
    work = Work(server)
    work.more(20)
    killed = {"start": 0, "sends": 0}
    for count in counts:
        # Counted from the start on: in the recovery of what the kill before left, and soon after it.
        server.kill()
        server.before = ["strace", "-f", "-q", "-o", "/dev/null", "-e", f"trace={CALLS}", "-e", f"inject={CALLS}:signal=SIGKILL:when={count}"]
        try:
            server.start()
        except AssertionError:
            killed["start"] += 1
        else:
            wait_for(lambda: server.process.poll() is not None, f"call {count} from the start on")
            killed["sends"] += 1
        server.process.wait()
        # Counted while it serves.
        server.before = []
        server.start()
        work.more(3)
        strace = Strace(server.process.pid, f"{CALLS}:signal=SIGKILL:when={count}")
        wait_for(lambda: server.process.poll() is not None, f"call {count} while it serves")
        killed["sends"] += 1
        strace.end()
        server.start()
        work.more(1)
    work.end()
    stored = work.check()
    print(f"        kill -9 at {sum(killed.values())} calls (K of {counts[0]} to {counts[-1]}; {killed['start']} before it was ready), {len(work.acked)} acknowledged, "
          f"{stored} stored, 0 lost, 0 doubled, 0 holes; seed {SEED}")


def an_error_of_the_disk_at_commit_is_unknown_and_ends_the_process(server):
    if not may_trace():
        return
    server.start()
    person = Person(server)
    room = person.room()
    unknown = there = 0
    cases = [(call, when) for call in ("fdatasync", "pwrite64") for when in (["1", "1+"] if not DEEP else ["1", "2", "3", "1+", "2+", "3+"])]
    for number, (call, when) in enumerate(cases * (5 if DEEP else 2)):
        socket = Socket(person)
        # Of the log of writes alone: the first sync of a new one is followed by one of its folder, whose result SQLite does not look at.
        strace = Strace(server.process.pid, f"{call}:error=EIO:when={when}", "chat-writer", server.data + "/chat.db-wal")
        for attempt in range(20):
            cid, text = f"eio-{number}-{attempt}", f"text {number} {attempt}"
            try:
                answer = socket.answer(socket.begin("send", room=room, text=text, client_id=cid))
            except ConnectionError:
                answer = None   # the answer did not come before the end: that is unknown too, and said by the cut
            if answer is None or "error" in answer:
                break           # else this call was not among the first of the thread
        else:
            raise AssertionError(f"{call} with {when} failed in none of 20 sends")
        assert answer is not None, "the process ended without an answer"
        assert answer["error"]["code"] == "outcome_unknown" and answer["error"]["retry"], (call, when, answer)
        unknown += 1
        code = server.process.wait(20)
        strace.end()
        assert code == 1, (call, when, code)
        server.start()
        stored = [m["seq"] for m in person.everything(room, "messages") if m["client_id"] == cid]
        assert len(stored) <= 1, stored
        there += len(stored)
        again = Socket(person).op("send", room=room, text=text, client_id=cid)
        assert not stored or again["seq"] == stored[0], (stored, again)
        assert [m["seq"] for m in person.everything(room, "messages") if m["client_id"] == cid] == [again["seq"]]
    events = [e["seq"] for e in person.everything(room, "events")]
    assert events == list(range(1, len(events) + 1)), events
    print(f"        {unknown} errors at commit answered outcome_unknown, exit 1 each; after the restart {there} were there and {unknown - there} not; each resend got its one number")


def a_folder_that_cannot_be_synced_is_told_before_anything_is_taken(server):
    if not may_trace():
        return
    server.start()
    person = Person(server)
    room = person.room()
    Socket(person).op("send", room=room, text="kept", client_id="kept")
    for end in (server.stop, server.kill):   # with and without a log of writes that is there already
        end()
        server.before = ["strace", "-f", "-q", "-o", "/dev/null", "-P", server.data, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=1"]
        try:
            server.start()
        except AssertionError as problem:
            assert "exited with 1" in str(problem) and "cannot sync" in str(problem) and server.data in str(problem), problem
        else:
            raise AssertionError("it started although names in its folder may be lost")
        server.before = []
        server.start()
        assert person.everything(room, "messages")[-1]["client_id"] == "kept"
    print("        twice told, and exit 1; then it started")


def a_full_disk_refuses_writes_reads_on_and_recovers_by_itself(server):
    disk = server.home / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True).returncode != 0:
        print("        NOT RUN: a small tmpfs cannot be mounted here (root is needed)")
        return
    try:
        server.data = str(disk / "data")
        server.start()
        person = Person(server)
        room = person.room()
        socket = Socket(person)
        socket.op("send", room=room, text="before", client_id="before")
        recoveries, refused = [], 0
        for turn in range(5 if DEEP else 2):
            with open(disk / "filler", "wb", buffering=0) as filler:
                try:
                    while filler.write(bytes(4096)) == 4096:
                        pass
                except OSError:
                    pass
            answer, sent = None, 0
            while sent < 3000:   # the log of writes may have room of its own
                answer = socket.answer(socket.begin("send", room=room, text="x" * 4000, client_id=f"full-{turn}-{sent}"))
                sent += 1
                if "error" in answer:
                    break
            assert answer["error"]["code"] == "insufficient_storage", answer
            status, problem, headers = server.call("POST", f"/rooms/{room}/messages", {"text": "no"}, person.token)
            assert status == 507 and problem["code"] == "insufficient_storage" and headers.get("retry-after"), (status, problem, headers)
            refused += 2
            assert person.do("GET", f"/rooms/{room}/messages?limit=1")["items"], "reads go on"
            status, ready, _ = server.call("GET", "/readyz", admin=True)
            assert status == 503 and any(c["name"] == "storage.chat" and c["status"] == "down" for c in ready["checks"]), ready
            os.unlink(disk / "filler")
            began = time.monotonic()
            while "error" in socket.answer(socket.begin("send", room=room, text="after", client_id=f"after-{turn}")):
                assert time.monotonic() - began < 5, "no recovery within 5 s of room"
                time.sleep(0.05)
            recoveries.append(time.monotonic() - began)
            wait_for(lambda: server.call("GET", "/readyz", admin=True)[0] == 200, "readiness")
        cids = [m["client_id"] for m in person.everything(room, "messages") if "client_id" in m]
        assert len(cids) == len(set(cids)) and all(f"after-{turn}" in cids for turn in range(len(recoveries)))
        assert server.process.poll() is None and server.stop() == 0
        print(f"        {len(recoveries)} times full: {refused} writes refused with 507 insufficient_storage, reads went on, recovered after at most {max(recoveries):.2f} s")
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
        subprocess.run(["umount", "-l", disk], check=True)


def slow_syncs_make_answers_late_and_nothing_else(server):
    if not may_trace():
        return
    server.start()
    work = Work(server, senders=8)
    work.more(50)
    before, sockets = rss(server.process.pid), server.process.pid
    strace = Strace(server.process.pid, "fdatasync:delay_enter=1000000")
    acked, began, slowest = len(work.acked), time.monotonic(), 0.0
    while time.monotonic() - began < (30 if DEEP else 4):
        asked = time.monotonic()
        work.person.do("GET", f"/rooms/{work.room}/messages?limit=5")
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.1)
    slow = (len(work.acked) - acked) / (time.monotonic() - began)
    strace.end()
    grown = rss(sockets) - before
    work.more(50)
    work.end()
    assert not work.errors, work.errors[:5]
    assert slow < 20, f"{slow} acknowledgements a second with syncs of a second: they do not wait for the disk"
    assert slowest < 1, f"a read took {slowest:.2f} s"
    assert grown < 50, f"memory grew by {grown:.0f} MiB"
    print(f"        syncs of 1 s: {slow:.1f} acknowledgements a second from 8 senders, reads at most {slowest * 1000:.0f} ms, memory {grown:+.1f} MiB, {work.check()} stored, 0 lost")


run([kill_at_each_write_and_sync_of_a_start_and_of_sends, an_error_of_the_disk_at_commit_is_unknown_and_ends_the_process,
     a_folder_that_cannot_be_synced_is_told_before_anything_is_taken, a_full_disk_refuses_writes_reads_on_and_recovers_by_itself, slow_syncs_make_answers_late_and_nothing_else])
