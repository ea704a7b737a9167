"""Notifications by mail from outside, against a real SMTP server on loopback (tests/support/smtp_sink.py): who gets one and who does not, what it says, what changes
before it is due, an outage, kill -9 around a delivery. `--deep` makes the outage a minute."""
import datetime, json, signal, time, zoneinfo
from mailing import CLAIM, Reader, Sink, caught_up, post, serve, waiting
from harness import DEEP, Person, Socket, run, wait_for


def hour(zone, plus):
    return (datetime.datetime.now(zoneinfo.ZoneInfo(zone)) + datetime.timedelta(hours=plus)).strftime("%H:%M")


def around_now(zone):
    return {"from": hour(zone, -2), "to": hour(zone, 2)}


def exactly_the_right_mails_for_22_cases(server):
    sink = Sink().start()
    serve(server, sink)
    ada = Person(server)
    ada.do("PATCH", "/users/me", {"display_name": "Ada <b>\u202f& Söhne"})
    new = lambda **how: Reader(server, sink, **how)
    room_of = lambda *who: ada.room(*who)
    wanted, decided = [], []   # (person, what the subject says), (person, room, seq, why not)

    def says(person, room, seq, subject):
        wanted.append((person, subject))

    def is_silent(person, room, seq, rule):
        decided.append((person, room, seq, rule))

    def case(then, what, text="hello", direct=False, rooms=None, setup=None, **how):
        person = new(**how)
        if direct:
            room = ada.do("POST", "/rooms/direct", {"user_id": person.id})["id"]
        else:
            room = room_of(person)
        if rooms:
            person.choose(**{key: value for key, value in how.items() if key in ("default", "quiet_hours")}, rooms={room: rooms})
        if setup:
            setup(person, room)
        then(person, room, post(ada, room, text.replace("@you", "@" + person.name)), what)
    # settings
    case(says, "mentioned you in room", "@you, look")
    case(is_silent, "message", "nobody is named")
    case(says, "wrote in room", "anything", default="all")
    case(is_silent, "message", "@you, look", default="none")
    case(says, "wrote in room", "anything", default="none", rooms="all")
    case(is_silent, "message", "@you, look", default="all", rooms="none")
    case(says, "wrote to you", direct=True)
    case(is_silent, "message", direct=True, default="none")
    case(says, "mentioned you in room", "@room, look")
    case(is_silent, "mail: off in your settings", "@you, look", email=False)
    # addresses
    case(is_silent, "mail: no address that was confirmed", "@you, look", verified=False)
    case(is_silent, "mail: no address that was confirmed", "@you, look", verified=None)
    # quiet hours and time zones
    case(is_silent, "quiet_hours", "@you, look", quiet_hours=around_now("UTC"))
    case(says, "mentioned you in room", "@you, look", quiet_hours=around_now("UTC"), zone="Etc/GMT-12")
    case(is_silent, "quiet_hours", "@you, look", quiet_hours=around_now("Asia/Kolkata"), zone="Asia/Kolkata")
    case(is_silent, "quiet_hours", "@you, look", quiet_hours=around_now("America/New_York"), zone="America/New_York")
    case(says, "mentioned you in room", "@you, look", quiet_hours={"from": hour("Asia/Kathmandu", 2), "to": hour("Asia/Kathmandu", 4)}, zone="Asia/Kathmandu")
    # blocks
    case(is_silent, "block", "@you, look", setup=lambda person, room: person.do("PUT", f"/users/me/blocks/{ada.id}"))
    # presence: who is here gets none until they go; away is not here
    live = []

    def comes(person, room):
        live.append(Socket(person))
        live[-1].op("presence", state="online")
    case(is_silent, "mail: waits until", "@you, look", setup=comes)
    case(is_silent, "mail: you had read up to it already", "@you, look", setup=comes)
    case(says, "mentioned you in room", "@you, look", setup=lambda person, room: (comes(person, room), live[-1].op("presence", state="away")))
    case(is_silent, "mail: you had seen the notification", "@you, look", setup=comes)
    reads, sees = decided[-2], decided[-1]
    wait_for(lambda: sees[0].do("GET", "/notifications")["items"], "the notification")
    sees[0].do("PUT", "/notifications/read", {"all": True})
    reads[0].do("PUT", f"/rooms/{reads[1]}/read", {"seq": reads[2]})

    for person, subject in wanted:
        mail = person.mail()
        assert subject in mail.subject and "Ada <b>\u202f& Söhne" in mail.subject, mail.subject
    caught_up(server)
    for person, room, seq, rule in decided:
        if rule.startswith("mail: "):
            person.not_mailed(room, seq, rule.removeprefix("mail: "))
            assert person.why(room, seq)[0] is True
        else:
            notified, rules = person.why(room, seq)
            assert not notified and list(rules)[-1] == rule, (rule, rules)
    wait_for(lambda: waiting(server) == 1, "that only who is here waits")
    got = sorted(m.recipient for m in sink.mails if "Confirm" not in m.subject)
    assert got == sorted(person.address for person, _ in wanted), got
    print(f"        {len(wanted) + len(decided)} cases: {len(wanted)} mails, {len(decided)} without one")
    # who was here goes: now it comes
    late = next(person for person, _, _, rule in decided if "waits" in rule)
    live[0].cut()
    late.mail()
    sink.stop()


def a_mail_is_what_it_should_be(server):
    sink = Sink().start()
    serve(server, sink)
    ada, bob = Person(server), Reader(server, sink, default="all")
    ada.do("PATCH", "/users/me", {"display_name": "Bcc: eve@evil.example"})
    room = ada.do("POST", "/rooms", {"name": "Größe <script>alert(1)</script> \u2028 and a name that is so long that its header has to be folded",
                                     "visibility": "private", "members": [bob.id]})["id"]
    watching = Socket(bob)
    first = post(ada, room, "a secret text")
    post(ada, room, "another one")
    post(ada, room, f"@{bob.name} now for you")
    other = ada.do("POST", "/rooms/direct", {"user_id": bob.id})["id"]
    caught_up(server)
    assert "waits until" in bob.why(room, first)[1]["mail"]
    watching.cut()
    mail = bob.mail()
    message = mail.message
    assert mail.sender == "chat@example.org" and message["From"] == "Loggia <chat@example.org>" and message["To"] == bob.address, message.items()
    assert mail.subject.startswith("3 messages by Bcc: eve@evil.example in Größe <script>alert(1)</script>") and mail.subject.endswith("1 of them to you"), mail.subject
    notification = bob.do("GET", "/notifications")["items"][-1]
    assert message["Message-ID"] == f"<{notification['id']}@example.org>", message["Message-ID"]
    assert message["Auto-Submitted"] == "auto-generated" and message["Bcc"] is None and message["Date"]
    assert message["List-Unsubscribe"] == "<https://chat.example/#/settings>"
    assert message.get_content_type() == "multipart/alternative" and [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
    assert all(len(line) <= 998 for line in mail.content.split(b"\r\n")) and b"\n" not in mail.content.replace(b"\r\n", b""), "a line without CR"
    head = mail.content.split(b"\r\n\r\n")[0]
    assert head.isascii() and max(len(line) for line in head.split(b"\r\n") if b"boundary=" not in line) <= 78, head   # libcurl folds none of its own
    assert f"https://chat.example/#/room/{room}" in mail.text and "secret" not in mail.text
    page = mail.part("html")
    assert "<script>" not in page and "&lt;script&gt;" in page and "secret" not in page and f'href="https://chat.example/#/room/{room}"' in page
    # Two rooms, one mail; and what the log of events and the explanation say.
    watching = Socket(bob)
    again, direct = post(ada, room, "more"), post(ada, other, "only for you")
    caught_up(server)
    watching.cut()
    mail = bob.mail(2)
    assert mail.subject == "2 messages for you in 2 rooms" and "Bcc: eve@evil.example wrote to you" in mail.text, mail.text
    wait_for(lambda: "sent at" in bob.why(room, again)[1]["mail"] and "sent at" in bob.why(other, direct)[1]["mail"], "the record")
    told = [json.loads(line) for line in server.command("topics", "tail", "notifications", "--count", "100").stdout.splitlines()]
    delivered = [e["data"] for e in told if e["type"] == "notification.delivered"]
    assert len(delivered) == 5 and all(d["user_id"] == bob.id and d["channel"] == "email" for d in delivered), delivered
    assert len({d["id"] for d in delivered}) == 5
    sink.stop()


def what_changes_before_a_mail_is_due_changes_the_mail(server):
    sink = Sink().start()
    serve(server, sink)
    ada, root = Person(server), Person(server)
    server.command("user", "role", root.name, "--role", "admin", "--role", "member")
    root.login()

    def held(**how):
        """A notification whose mail waits, since its reader is here."""
        person = Reader(server, sink, **how)
        socket, room = Socket(person), ada.room(person)
        seq = post(ada, room, f"@{person.name} look")
        wait_for(lambda: "waits until" in person.why(room, seq)[1].get("mail", ""), "the decision")
        return person, socket, room, seq
    outcomes = []

    def silent(what, change, words=None, **how):
        person, socket, room, seq = held(**how)
        change(person, room, seq)
        socket.cut()
        outcomes.append((what, person, room, seq, words))
    silent("a message is deleted", lambda p, room, seq: ada.do("DELETE", f"/rooms/{room}/messages/{seq}"))
    silent("an edit takes the mention away", lambda p, room, seq: ada.do("PATCH", f"/rooms/{room}/messages/{seq}", {"text": "not you"}), "it does not mention you")
    silent("a room is deleted", lambda p, room, seq: ada.do("DELETE", f"/rooms/{room}"))
    silent("a member leaves", lambda p, room, seq: p.do("DELETE", f"/rooms/{room}/members/me"))
    silent("a member is removed", lambda p, room, seq: ada.do("DELETE", f"/rooms/{room}/members/{p.id}"))
    silent("the author is blocked", lambda p, room, seq: p.do("PUT", f"/users/me/blocks/{ada.id}"), "there is a block")
    silent("mail is switched off", lambda p, room, seq: p.choose(email=False), "your settings want no mail")
    silent("the room is muted", lambda p, room, seq: p.choose(rooms={room: "none"}), "it mentions you")
    silent("it is read", lambda p, room, seq: p.do("PUT", f"/rooms/{room}/read", {"seq": seq}), "you had read up to it already")
    silent("the address is changed", lambda p, room, seq: p.do("PUT", "/auth/account", {"email": "x" + p.address}), "no address that was confirmed")
    silent("the account is disabled", lambda p, room, seq: root.do("PATCH", f"/admin/users/{p.id}", {"disabled": True}))
    edited, socket, room, seq = held()
    ada.do("PATCH", f"/rooms/{room}/messages/{seq}", {"text": f"@{edited.name} in other words"})
    socket.cut()
    assert "mentioned you" in edited.mail().subject
    quiet, socket, room, seq = held()
    quiet.choose(quiet_hours=around_now("UTC"))
    socket.cut()
    for what, person, room, seq, words in outcomes:
        if words:
            person.not_mailed(room, seq, words)
    wait_for(lambda: waiting(server) == 1, "that what is left is the one that waits for the end of the quiet hours")
    assert not any(person.mails() for _, person, *_ in outcomes) and not quiet.mails()
    # The address of before is told, the new one has to be proved.
    moved = next(person for what, person, *_ in outcomes if what == "the address is changed")
    assert "was changed" in sink.to(moved.address)[-1].subject and sink.wait("x" + moved.address)[0].link("verify")
    quiet.choose()
    assert "mentioned you" in quiet.mail().subject
    print(f"        {len(outcomes)} changes without a mail, 2 with one")
    sink.stop()


def nothing_is_lost_or_doubled_while_the_mail_server_is_away(server):
    sink = Sink().start()
    serve(server, sink)
    ada, people = Person(server), [Reader(server, sink) for _ in range(6)]
    room = ada.room(*people)
    for person in people[:2]:
        post(ada, room, f"@{person.name} before")
    for person in people[:2]:
        person.mail()
    sink.stop()
    began = time.monotonic()
    for person in people:
        post(ada, room, f"@{person.name} meanwhile")
    check = lambda: next(c for c in server.call("GET", "/readyz", base="")[1]["checks"] if c["name"] == "smtp")
    wait_for(lambda: check()["status"] == "degraded", "the degraded check")
    status, ready, _ = server.call("GET", "/readyz", base="")
    assert status == 200 and ready["status"] == "degraded" and f"127.0.0.1:{sink.port} takes no connection" in check()["detail"], ready
    time.sleep(max(0, (60 if DEEP else 3) - (time.monotonic() - began)))    # as long as it is away: a time that passes, not a wait for something
    assert waiting(server) == 6, waiting(server)
    sink.start()
    for at, person in enumerate(people):
        wait_for(lambda: len(person.mails()) == (2 if at < 2 else 1), f"the mail of {person.name}", 60)
    wait_for(lambda: waiting(server) == 0 and check()["status"] == "ok", "that all is well", 60)
    ids = [mail.id for person in people for mail in person.mails()]
    assert len(ids) == 8 and len(set(ids)) == 8, ids
    # One recipient is refused for good, another one for now: the others go on.
    gone, greylisted = people[0], people[1]
    sink.refusals = {gone.address: f"550 5.1.1 <{gone.address}> unknown", greylisted.address: "450 4.2.0 come back later"}
    seq = post(ada, room, "@room look")
    for person in people[2:]:
        person.mail(2)
    wait_for(lambda: "550 5.1.1" in gone.why(room, seq)[1]["mail"], "the refusal")
    assert gone.address not in gone.why(room, seq)[1]["mail"], "an address in an explanation"
    sink.refusals = {}
    greylisted.mail(3)
    told = [json.loads(line) for line in server.command("topics", "tail", "notifications", "--count", "100").stdout.splitlines()]
    failed = [e["data"] for e in told if e["type"] == "notification.failed"]
    assert len(failed) == 1 and failed[0]["user_id"] == gone.id and "550" in failed[0]["detail"] and gone.address not in json.dumps(told), failed
    sink.stop()


def killed_around_a_delivery_none_is_lost_and_a_repeat_has_the_same_name(server):
    sink = Sink().start()
    serve(server, sink)
    ada, bob, cid = Person(server), Reader(server, sink), Reader(server, sink)
    room = ada.room(bob, cid)

    def once(of):
        def strike(address):
            if address == of:
                sink.at_recipient = sink.at_content = None
                server.process.send_signal(signal.SIGKILL)
        return strike
    sink.at_recipient = once(bob.address)      # decided, not delivered
    post(ada, room, f"@{bob.name} look")
    server.process.wait(30)
    assert not bob.mails()
    server.start()
    bob.mail()
    sink.at_content = once(cid.address)        # delivered, not written down
    post(ada.login(), room, f"@{cid.name} look")
    server.process.wait(30)
    first = cid.mail()
    server.start()
    repeat = cid.mail(2)
    assert repeat.id == first.id and repeat.subject == first.subject and repeat.message["Date"] == first.message["Date"]
    # And with more that came between the two: it is in a mail of its own.
    wait_for(lambda: waiting(server) == 0, "that all is out")
    sink.at_content = once(cid.address)
    post(ada, room, f"@{cid.name} second")
    server.process.wait(30)
    server.start()
    seq = post(ada.login(), room, f"@{cid.name} third")
    wait_for(lambda: len({m.id for m in cid.mails()}) == 3, "three different mails", 20 + CLAIM)
    wait_for(lambda: "sent at" in cid.login().why(room, seq)[1]["mail"], "the record")
    counts = sorted([m.id for m in cid.mails()].count(one) for one in {m.id for m in cid.mails()})
    assert counts == [1, 2, 2], counts
    # A clean stop while a mail is on its way writes it down.
    stopping = []
    sink.at_content = lambda address: stopping or stopping.append(server.process.send_signal(signal.SIGTERM))
    post(ada, room, f"@{bob.name} at the end")
    assert server.process.wait(30) == 0
    server.start()
    wait_for(lambda: waiting(server) == 0, "the queue")
    assert len(bob.mails()) == 2, [m.subject for m in bob.mails()]
    sink.stop()


run([exactly_the_right_mails_for_22_cases, a_mail_is_what_it_should_be, what_changes_before_a_mail_is_due_changes_the_mail,
     nothing_is_lost_or_doubled_while_the_mail_server_is_away, killed_around_a_delivery_none_is_lost_and_a_repeat_has_the_same_name])
