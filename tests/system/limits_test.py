"""The process and its surroundings: stopped under load, paused, out of descriptors or memory, clocks that jump, a log that nobody reads, clients that
are gone without a word."""
import glob, os, resource, signal, socket as sockets, subprocess, time
from harness import DEEP, PATIENCE, Person, Socket, run, wait_for
from work import Work, rss


def the_end_under_load_answers_or_takes_every_message(server):
    server.start()
    work = Work(server, senders=8)
    took = []
    for turn in range(50 if DEEP else 5):
        work.more(100)
        stuck = Socket(work.person) if turn % 2 else None   # a client that will not say goodbye
        if stuck:
            stuck.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        began = time.monotonic()
        code = server.stop()
        took.append(time.monotonic() - began)
        assert code == 0, f"exit {code}"
        assert took[-1] < 10 * PATIENCE, f"it took {took[-1]:.1f} s to end"
        server.start()
    work.more(50)
    work.end()
    wrong = set(work.errors) - {"unavailable", "outcome_unknown", "timeout"}
    assert not wrong, f"an error that a resend does not cure: {wrong}"
    stored = work.check()
    assert set(work.acked) and stored == len(work.acked) == work.asked, (stored, len(work.acked), work.asked)
    print(f"        {len(took)} times SIGTERM under load: exit 0 within {max(took):.2f} s; {stored} sent, each acknowledged in the end, stored once")


def a_pause_of_the_whole_process_loses_nothing(server):
    server.start()
    work = Work(server)
    reader = Person(server)
    work.person.do("PUT", f"/rooms/{work.room}/members/{reader.id}", {})
    watching = Socket(reader)
    work.more(50)
    for pause in [30] * 3 if DEEP else [3]:
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(pause)   # the fault itself
        server.process.send_signal(signal.SIGCONT)
        work.more(50)
    work.end()
    stored = work.check()
    last = work.person.everything(work.room, "events")[-1]["seq"]
    watching.event(lambda e: e.get("seq") == last)
    seen = watching.timeline(work.room)
    assert seen == list(range(seen[0], last + 1)), "the reader has a hole or a repeat"
    assert not work.errors, work.errors[:5]
    print(f"        stopped for {30 if DEEP else 3} s and continued: {stored} stored, the reader saw {len(seen)} events in order")


def without_descriptors_connections_live_and_new_ones_come_when_there_are_some(server):
    server.prepare = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    server.start()
    work = Work(server, senders=3)
    work.more(10)
    taken = []
    for _ in range(100):
        try:
            taken.append(sockets.create_connection((server.host, int(server.port)), timeout=2))
        except OSError:
            pass
    wait_for(lambda: "http.accept_failed" in server.tail(), "the end of the descriptors")
    assert len(os.listdir(f"/proc/{server.process.pid}/fd")) >= 63
    work.more(50)   # who is connected goes on
    for one in taken:
        one.close()
    began = time.monotonic()
    while True:
        try:
            Socket(work.person).op("ping")
            break
        except (OSError, AssertionError):
            assert time.monotonic() - began < 5, "no connection within 5 s of descriptors"
    back = time.monotonic() - began
    assert back < 1 * PATIENCE, f"a new connection came after {back:.2f} s"
    work.end()
    complaints = server.tail().count("http.accept_failed")
    assert complaints < 20, f"{complaints} lines about it in the log"
    assert server.process.poll() is None and not work.errors
    print(f"        64 descriptors: {len(taken)} connections tried, sends went on, the next connection {back * 1000:.0f} ms after they closed, {complaints} lines in the log, {work.check()} stored")


def without_memory_a_request_fails_or_the_process_ends_and_nothing_is_lost(server):
    server.start()
    work = Work(server)
    work.more(50)
    outcomes = []
    for left in (4, 16, 32, 64) if DEEP else (8, 32):
        pid = server.process.pid
        size = int(open(f"/proc/{pid}/statm").read().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (size + left * 2**20, resource.RLIM_INFINITY))
        hungry, failed = [], 0
        while server.process.poll() is None and failed < 10 and len(hungry) < 300:
            try:
                one = sockets.create_connection((server.host, int(server.port)), timeout=5)
                hungry.append(one)
                one.settimeout(2)
                # A body that is announced and sent all but its end: it waits in memory.
                one.sendall(b"POST /api/v1/auth/validate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n" + b" " * 900000)
            except OSError:
                failed += 1
        try:
            code = server.process.wait(2)   # it may be about to end: the last words take a moment
        except subprocess.TimeoutExpired:
            code = None
            peak = int(next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmPeak")).split()[1]) * 1024
            assert peak > size + left * 2**20 - 2 * 2**20, f"{(size + left * 2**20 - peak) / 2**20:.1f} MiB were left: the test tests nothing"
        for one in hungry:
            one.close()
        outcomes.append("goes on" if code is None else f"ended with {code}")
        if code is None:
            resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            work.more(20)
            server.kill()
        server.start()
        work.more(20)
    work.end()
    print(f"        address space for {', '.join(outcomes)}; {work.check()} stored, {len(work.acked)} acknowledged, 0 lost")


def a_wall_clock_that_jumps_changes_no_order_and_no_timer(server):
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not library:
        print("        NOT RUN: faketime is not installed (apt-get install faketime)")
        return
    at = server.home / "time"
    def jump(offset):
        at.with_suffix(".new").write_text(offset + "\n")
        os.rename(at.with_suffix(".new"), at)
    jump("+0")
    server.environment = {"LD_PRELOAD": library[0], "FAKETIME_TIMESTAMP_FILE": str(at), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    server.start()
    work = Work(server)
    watching = Socket(work.person)
    jumps = ["-1h", "+1h", "+0", "+30s", "-30s"] * (3 if DEEP else 1) + ["+3650d", "+0"]
    pages = []
    for offset in jumps:
        jump(offset)
        work.more(30)
        pages.append(offset)
    work.end()
    work.person.login()
    stored = work.check()
    times = [m["created_at"] for m in work.person.everything(work.room, "messages")]
    assert max(times)[:4] > "2030" and sorted(times) != times, "the clock of the server did not jump: the test tests nothing"
    ids = [m["seq"] for m in work.person.everything(work.room, "messages")]
    assert ids == sorted(ids)
    wrong = set(work.errors) - {"unauthenticated"}
    assert not wrong, wrong
    assert server.process.poll() is None
    print(f"        the wall clock at {', '.join(jumps)}: {stored} stored in the order of their numbers, 0 lost, "
          f"errors: {sorted(set(work.errors)) or 'none'}; a socket of before {'lives' if watching.closed is None else 'was closed with ' + str(watching.closed)}")


def a_log_that_nobody_reads_stops_nothing(server):
    server.start()
    server.kill()
    read, write = os.pipe()
    server.prepare = lambda: os.dup2(write, 2)   # the log is a pipe whose reader goes away
    server.start()
    os.close(write)
    os.close(read)
    work = Work(server)
    for _ in range(20):
        Person(server)   # each has a line in the log
    work.more(100)
    work.end()
    assert server.process.poll() is None
    print(f"        standard error's reader gone: {work.check()} stored, the process goes on")
    assert server.stop() == 0


def a_client_that_is_gone_without_a_word_is_found_by_its_silence(server):
    if not DEEP:
        print("        NOT RUN: two heartbeats are 50 s; with --deep")
        return
    server.start()
    person = Person(server)
    count = 20
    silent = []
    for _ in range(count):
        one = Socket(person)
        one._send = lambda *_: None   # no pong, no word, and the kernel still takes what comes
        silent.append(one)
    wait_for(lambda: all(one.closed is not None for one in silent), "the end of the silent connections", 90)
    assert Person(server)
    print(f"        {count} silent connections ended: {sorted({str(one.closed) for one in silent})}")


run([the_end_under_load_answers_or_takes_every_message, a_pause_of_the_whole_process_loses_nothing,
     without_descriptors_connections_live_and_new_ones_come_when_there_are_some, without_memory_a_request_fails_or_the_process_ends_and_nothing_is_lost,
     a_wall_clock_that_jumps_changes_no_order_and_no_timer, a_log_that_nobody_reads_stops_nothing,
     a_client_that_is_gone_without_a_word_is_found_by_its_silence])
