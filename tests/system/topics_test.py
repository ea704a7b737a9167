"""`loggia topics` beside a running server and without one, and what its output promises."""
import json
from harness import Person, run


def topics_show_producers_positions_and_events(server):
    server.start()
    ada, bob = Person(server), Person(server)
    room = ada.room(bob)
    ada.do("POST", f"/rooms/{room}/messages", {"text": "one"})

    def check():
        listed = server.command("topics", "list").stdout
        assert {(line.split()[0], line.split()[1]) for line in listed.splitlines()[1:]} >= {
            ("new-messages", "chat"), ("read-receipts", "chat"), ("user-events", "auth"), ("user-events", "user"), ("notifications", "notification")}, listed
        assert "notification" in server.command("topics", "lag").stdout
        events = [json.loads(line) for line in server.command("topics", "tail", "new-messages", "--count", "100").stdout.splitlines()]
        mine = [e for e in events if e["partitionkey"] == room]
        assert [e["type"] for e in mine] == ["member.joined", "member.joined", "message.created"], events
        assert all(len(e["sequence"]) == 20 and e["specversion"] == "1.0" and e["source"].startswith("/loggia/chat/") for e in mine)
        assert mine[2]["data"] == ada.stored, (mine[2]["data"], ada.stored)
        wrong = server.command("topics", "tail", "new-mesages", ok=False)
        assert wrong.returncode != 0 and "new-messages" in wrong.stderr, wrong
    ada.stored = ada.do("GET", f"/rooms/{room}/events")["items"][2]
    check()
    replayed = server.command("topics", "replay", "new-messages", "--group", "notification", "--from", "1").stdout
    assert "will be handled again" in replayed and "0 mails" in replayed, replayed
    assert server.stop() == 0
    check()


def a_group_that_handles_again_shows_nothing_twice(server):
    server.start()
    ada, bob = Person(server), Person(server)
    room = ada.room(bob)
    ada.do("POST", f"/rooms/{room}/messages", {"text": f"hello @{bob.name}"})
    from harness import wait_for
    first = wait_for(lambda: bob.do("GET", "/notifications")["items"], "a notification")
    server.command("topics", "replay", "new-messages", "--group", "notification", "--from", "1")
    wait_for(lambda: all(line.split()[5] == "0" for line in server.command("topics", "lag").stdout.splitlines()[1:] if line.split()[1] == "notification"), "catching up")
    assert bob.do("GET", "/notifications")["items"] == first


run([topics_show_producers_positions_and_events, a_group_that_handles_again_shows_nothing_twice])
