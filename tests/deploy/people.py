"""Two people at a server that runs somewhere, through its gateway: register, a room, a message, a connection that is cut and resumed.
`python3 tests/deploy/people.py 127.0.0.1:8080`"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from harness import Person, Server, Socket, wait_for  # noqa: E402


class Somewhere(Server):
    def __init__(self, place):
        self.host, self.port = place.rsplit(":", 1)


server = Somewhere(sys.argv[1])
wait_for(lambda: server.call("GET", "/readyz", base="")[1]["status"] == "ok", "a server with all it needs", 60)
ada, ben = Person(server), Person(server)
room = ada.room(ben)
writing, reading = Socket(ada), Socket(ben)
first = writing.op("send", room=room, text="hello", client_id="c1")
assert reading.event(lambda e: e.get("room") == room and e.get("seq") == first["seq"])
here = reading.resume_point()
reading.cut()
missed = [writing.op("send", room=room, text=f"while you were away {n}", client_id=f"m{n}")["seq"] for n in range(3)]
again = Socket(ben, here)
for seq in missed:
    again.event(lambda e: e.get("room") == room and e.get("seq") == seq)
assert again.timeline(room) == missed, (again.timeline(room), missed)
assert [m["text"] for m in ben.everything(room, "messages")] == ["hello", *(f"while you were away {n}" for n in range(3))]
print(f"two people, a room, 4 messages, 3 of them by a resume: {sys.argv[1]}")
