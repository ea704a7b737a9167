"""Hours in short: a steady rate of messages, connections that come and go all the time, and a sample of the server every few seconds. Used by scripts/soak."""
import pathlib
from opening import Crowd, cpu, descriptors, people_in_rooms
from work import rss

WAL_MOST = 64 * 2**20          # bytes of a write-ahead log
GROWTH_MOST = 1.0              # MiB of memory in 10 minutes


def wal_sizes(server):
    return {path.name.removesuffix(".db-wal"): path.stat().st_size for path in pathlib.Path(server.data).glob("*.db-wal")}


def soak(server, connections, people, rate, seconds, churn=20, every=10, tell=lambda sample: None):
    """The samples, oldest first. `people` are in rooms of 10."""
    pid, samples = server.process.pid, []
    file, _ = people_in_rooms(server, people, 10)
    with Crowd(server, file, connections, rate=rate, seconds=seconds, churn=churn, every=every) as crowd:
        opened = crowd.line()
        assert opened["failed"] == 0, opened
        spent = cpu(pid)
        while not (line := crowd.line())["last"]:
            now = cpu(pid)
            line.update(mib=rss(pid), descriptors=descriptors(pid), wal=wal_sizes(server), cpu=(now - spent) / every)
            spent = now
            samples.append(line)
            tell(line)
        crowd.end()
    return samples


def slope(points):
    """Least squares, a unit of x."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def middle(values):
    values = sorted(values)
    return values[len(values) // 2]


def verdict(samples, long=True, warm=None):
    """What is said of them, and what is wrong. Slopes count after the first third; a short run is not judged by them."""
    end = samples[-1]["at"]
    warm = end / 3 if warm is None else warm
    late = [one for one in samples if one["at"] >= warm]
    grows = slope([(one["at"] / 600, one["mib"]) for one in late])
    files = slope([(one["at"] / 600, one["descriptors"]) for one in late])
    wal = max(max(one["wal"].values(), default=0) for one in samples)
    half = len(late) // 2
    parts = {}
    for what in ("ack", "delivery"):
        for figure in ("p50_ms", "p99_ms"):
            values = [one[what][figure] for one in late]
            parts[what, figure] = middle(values[:half] or values), middle(values[half:])
    sends, heard = sum(one["ack"]["count"] for one in samples), sum(one["delivery"]["count"] for one in samples)
    lines = [f"{end:.0f} s, {samples[-1]['open']} connections, {samples[-1]['came']} went and came, {sends} messages acknowledged ({sends / end:.0f} a second), {heard} deliveries, "
             f"{samples[-1]['cut']} connections cut, {middle([one['cpu'] for one in late]):.2f} cores",
             f"memory {samples[0]['mib']:.1f} MiB at first, {late[0]['mib']:.1f} when warm, {samples[-1]['mib']:.1f} at the end: {grows:+.2f} MiB in 10 minutes",
             f"descriptors {min(one['descriptors'] for one in late)} to {max(one['descriptors'] for one in late)}, {files:+.1f} in 10 minutes; "
             f"write-ahead log at most {wal / 2**20:.1f} MiB",
             "first half and second half, medians of the samples: " + ", ".join(f"{what} {figure.removesuffix('_ms')} {a:.1f} and {b:.1f} ms" for (what, figure), (a, b) in parts.items())]
    wrong = []
    if samples[-1]["cut"] or samples[-1]["failed"]:
        wrong.append(f"{samples[-1]['cut']} connections were cut, {samples[-1]['failed']} did not come in")
    if wal > WAL_MOST:
        wrong.append(f"a write-ahead log of {wal / 2**20:.0f} MiB")
    # Those that come and go at this moment, and readers' files: a few more or fewer.
    if max(one["descriptors"] for one in late) > min(one["descriptors"] for one in late) + 100:
        wrong.append("descriptors are not flat")
    if long:
        if grows > GROWTH_MOST:
            wrong.append(f"memory grows by {grows:.2f} MiB in 10 minutes")
        if files > 20:
            wrong.append(f"descriptors grow by {files:.0f} in 10 minutes")
        for what in ("ack", "delivery"):
            before, after = parts[what, "p99_ms"]
            if after > 1.5 * before + 5:
                wrong.append(f"p99 of {what} rises from {before:.1f} to {after:.1f} ms")
    return lines, wrong
