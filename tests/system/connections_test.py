"""Connections that come, idle and go: what each costs, and that nothing of it is left (issue 4, line 9; line 10 is scripts/soak)."""
from harness import DEEP, PATIENCE, run
from opening import measure, people_in_rooms


def connections_are_cheap_and_leave_nothing(server):
    count, each = (10000, 20) if DEEP else (1000, 10)
    server.flags += ["--set", "auth.access_token_lifetime=6h"]
    server.start()
    people, _ = people_in_rooms(server, count // each, 10)
    found = measure(server, people, count, patient=DEEP)
    first, again, before = found["first"], found["again"], found["mib_before"]
    later = found.get("mib_later", again["mib_left"])
    print(f"        {count} connections of {count // each} people: {first['cpu_ms_each']:.3f} ms of CPU to open one, {again['cpu_ms_each']:.3f} when all come at once "
          f"({again['took_s']:.2f} s, p99 {again['p99_s']:.2f} s); {first['kib_each']:.1f} KiB each while idle; memory {before:.1f} MiB before, "
          f"{first['mib_left']:.1f} after, {again['mib_left']:.1f} after the second time, {later:.1f} in the end")
    assert again["took_s"] < 10 * PATIENCE, f"{count} came back in {again['took_s']:.1f} s"
    assert first["kib_each"] < 8 * PATIENCE and again["kib_each"] < 8 * PATIENCE, (first, again)
    assert later < before * 1.1, f"{before:.1f} MiB before, {later:.1f} MiB after"


run([connections_are_cheap_and_leave_nothing])
