"""What processes are there, and what memory they have, from /proc."""
import pathlib

PROC = pathlib.Path("/proc")


def family(pid, proc=PROC):
    """A process and those that it started, and that these did."""
    parents = {}
    for one in proc.iterdir():
        if one.name.isdigit():
            try:
                parents[int(one.name)] = int((one / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):   # it has ended
                pass
    out, more = [], [pid]
    while more:
        out += more
        more = sorted(child for child, parent in parents.items() if parent in more)
    return out


def memory(pids, proc=PROC):
    """MiB of these processes added up: resident, where a page that several have counts for each, and proportional, where it counts once."""
    kib = {"Rss:": 0, "Pss:": 0}
    for pid in pids:
        try:
            lines = (proc / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:   # it has ended
            continue
        for line in lines:
            words = line.split()
            if words[0] in kib:
                kib[words[0]] += int(words[1])
    return {"rss": kib["Rss:"] / 1024, "pss": kib["Pss:"] / 1024}
