"""What systemd hears of the executable (Type=notify with a watchdog)."""
import os, signal, socket
from harness import PATIENCE, run


def what_systemd_hears(server):
    name = "loggia-" + server.name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name)
        manager.settimeout(20 * PATIENCE)

        def hears(word):
            """Up to a datagram of that word: how many signs of life came before, and its lines."""
            signs = 0
            while True:
                lines = manager.recv(4096).decode().splitlines()
                if lines[0] == word:
                    return signs, lines
                assert lines == ["WATCHDOG=1"], (word, lines)
                signs += 1

        server.environment = {"NOTIFY_SOCKET": "@" + name, "WATCHDOG_USEC": "200000"}
        server.start()
        _, lines = hears("READY=1")
        assert lines[1].startswith("STATUS=loggia ready http=" + server.ready["http"]), lines
        for _ in range(3):
            hears("WATCHDOG=1")
        server.process.send_signal(signal.SIGHUP)
        _, lines = hears("RELOADING=1")
        assert int(lines[1].removeprefix("MONOTONIC_USEC=")) > 0, lines
        hears("READY=1")
        os.kill(server.process.pid, signal.SIGTERM)
        hears("STOPPING=1")
        assert server.process.wait(30 * PATIENCE) == 0


run([what_systemd_hears])
