"""The two load generators behind one face. `fan` and `latency` return the same words for both:

deliveries_s, cpu (server CPU seconds a million deliveries), bytes (of one delivery as it arrives, frame heads and all else that came included),
p50_ms and p99_ms (to the last member), generator_cores, other_cores (what everybody else on the machine took; None where it is not known), lost.
"""
import json, subprocess
from .servers import BUILD

FRAME_HEAD = 4   # of a WebSocket frame of 126 to 65535 bytes


def run(words):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}".strip())
    return json.loads(done.stdout.strip().splitlines()[-1])


def pids_of(server):
    return ",".join(map(str, server.pids()))


class Loadgen:
    def __init__(self, program):
        self.program = program
        self.name = "../shared/loadgen"

    def _run(self, server, **flags):
        words = [self.program, "-driver", server.driver, "-addr", server.address, "-pids", pids_of(server)]
        for name, value in flags.items():
            words += ["-" + name, value]
        got = run(words)
        if got["dead"]:
            raise RuntimeError(f"{server.name}: {got['dead']} connections were closed by the server: {got}")
        p50, p99 = got["last_ms"][:2]
        return {"deliveries_s": got["deliv_s"], "cpu": got["cpu_s_per_M"], "bytes": got["bytes_per_deliv"], "p50_ms": p50, "p99_ms": p99,
                "generator_cores": got["lg_cores"], "other_cores": got["other_cores"], "lost": got["lost"]}

    def fan(self, server, rooms, members, senders, window, size, seconds):
        return self._run(server, rooms=rooms, members=members, pubs=senders, window=window, size=size, d=f"{seconds}s")

    def latency(self, server, members, rate, size, seconds):
        return self._run(server, mode="latency", members=members, pubs=1, rate=rate, size=size, d=f"{seconds}s")

    def frame(self, server, size):
        """Bytes of Loggia's frame for a text of `size`: the sender's acknowledgements are under one byte of what 100 members get."""
        return int(self.fan(server, 1, 100, 1, 4, size, 1)["bytes"]) - FRAME_HEAD


class OwnLoad:
    name = "bench/load.cpp"

    def _run(self, server, **flags):
        words = [BUILD / "bench/loggia_load", "--target", server.target, "--address", server.address, "--pid", pids_of(server)]
        for name, value in flags.items():
            words += ["--" + name, value]
        return run(words)

    def _counted(self, server, **flags):
        got = self._run(server, warm=2, **flags)
        head = 1 if server.target == "tcp" else FRAME_HEAD
        return {"deliveries_s": got["deliveries_s"], "cpu": got["cpu_s_per_million"], "bytes": got["frame_bytes"] + head, "p50_ms": got["p50_ms"],
                "p99_ms": got["p99_ms"], "generator_cores": got["load_cores"], "other_cores": None, "lost": got["lost"]}

    def fan(self, server, rooms, members, senders, window, size, seconds):
        return self._counted(server, mode="fan", rooms=rooms, members=members, senders=senders, window=window, size=size, seconds=seconds)

    def latency(self, server, members, rate, size, seconds):
        return self._counted(server, mode="latency", members=members, senders=1, rate=rate, size=size, seconds=seconds)

    def frame(self, server, size):
        return int(self.fan(server, 1, 2, 1, 1, size, 0.5)["bytes"]) - FRAME_HEAD

    # Only here: loadgen does not time acknowledgements.
    def acks(self, server, members, window, size, seconds):
        return self._run(server, mode="acks", members=members, window=window, size=size, seconds=seconds)
