"""Mail from outside, against a real SMTP server on loopback (tests/support/smtp_sink.py): who gets one and who does not, an outage, kill -9 around a
delivery, login and TLS, links to verify an address and to choose a new password. `--deep` makes the outage a minute."""
import datetime, json, os, pathlib, signal, ssl, subprocess, sys, time, zoneinfo
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from smtp_sink import Sink
from harness import DEEP, PATIENCE, Person, Server, Socket, run, wait_for, word

AFTER = "300ms"      # between two mails to one person lies six times as much
# What a process that was killed had taken is free at its next start where the data is its own; on a shared PostgreSQL, when its claim is over.
CLAIM = 100 if "storage.kind=postgres" in os.environ.get("LOGGIA_SET", "") else 0


def serve(server, sink, *more, after=AFTER):
    server.flags = ["--set", f"smtp.url={sink.url()}", "--set", "smtp.from=Loggia <chat@example.org>", "--set", f"notification.mail_after={after}",
                    "--set", "http.public_url=https://chat.example", *more]
    return server.start()


class Reader(Person):
    """Somebody with a verified address who wants mail; `settings` as in PUT /notifications/settings."""

    def __init__(self, server, sink, verified=True, zone=None, **settings):
        super().__init__(server)
        self.sink, self.address = sink, f"{self.name}@mail.example"
        if verified is not None:
            self.do("PUT", "/auth/account", {"email": self.address})
            mail = sink.wait(self.address)[0]
            if verified:
                server.call("POST", "/auth/email/verify", {"token": mail.link("verify")})
                assert self.do("GET", "/auth/account")["email_verified"] is True
        if zone:
            self.do("PATCH", "/users/me", {"time_zone": zone})
        self.choose(**settings)

    def choose(self, **settings):
        self.do("PUT", "/notifications/settings", {"default": "mentions", "email": True, **settings})

    def mails(self):
        return [m for m in self.sink.to(self.address) if m.message["List-Unsubscribe"]]

    def mail(self, count=1):
        wait_for(lambda: len(self.mails()) >= count, f"mail {count} to {self.name}", 20 + CLAIM)
        assert len(self.mails()) == count, [m.subject for m in self.mails()]
        return self.mails()[-1]

    def why(self, room, seq):
        told = self.do("GET", f"/notifications/explain?room={room}&seq={seq}")
        return told["notified"], {r["rule"]: r["result"] for r in told["rules"]}

    def not_mailed(self, room, seq, words):
        """Waits until it is decided, and for this reason."""
        wait_for(lambda: words in self.why(room, seq)[1].get("mail", ""), f"'{words}' for {self.name}, not {self.why(room, seq)}")
        assert not self.mails(), [m.subject for m in self.mails()]


def post(author, room, text):
    return author.do("POST", f"/rooms/{room}/messages", {"text": text})["seq"]


def hour(zone, plus):
    return (datetime.datetime.now(zoneinfo.ZoneInfo(zone)) + datetime.timedelta(hours=plus)).strftime("%H:%M")


def around_now(zone):
    return {"from": hour(zone, -2), "to": hour(zone, 2)}


def caught_up(server):
    """Every message was decided about, and every mail that is due is out."""
    behind = lambda: [line for line in server.command("topics", "lag").stdout.splitlines()[1:] if line.split()[1] == "notification" and line.split()[5] != "0"]
    wait_for(lambda: not behind(), "the decisions")


def waiting(server, module="notification"):
    for line in server.call("GET", "/metrics", admin=True)[1].splitlines():
        if line.startswith("loggia_mails_waiting") and module in line:
            return int(line.split()[1])


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


def certificate(folder):
    """A CA, and a certificate of it for 127.0.0.1."""
    make = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)
    make("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test CA")
    make("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    make("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "cert.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return str(folder / "ca.pem"), context


def login_and_tls_are_as_smtp_url_says_and_a_password_is_told_to_nobody(server):
    authority, context = certificate(server.home)
    secret = "canary" + word(20)
    sink = Sink(login=("chat@example.org", secret), tls=context).start()
    server.environment = {"SSL_CERT_FILE": authority}
    noise = ["--set", "log.level=debug"]
    serve(server, sink, *noise)
    reader = Reader(server, sink)
    ada = Person(server)
    post(ada, ada.room(reader), f"@{reader.name} look")
    mail = reader.mail()
    assert mail.secure and sink.verbs.count("AUTH") >= 2
    token = sink.to(reader.address)[0].link("verify")

    def trouble(words):
        wait_for(lambda: words in next(c for c in server.call("GET", "/readyz", base="")[1]["checks"] if c["name"] == "smtp").get("detail", ""), words)
        status, ready, _ = server.call("GET", "/readyz", base="")
        assert status == 200 and ready["status"] == "degraded", ready
        return ready
    said = []
    assert server.stop() == 0
    # A wrong password; a certificate that nobody vouches for; a server that takes no TLS.
    sink.login = ("chat@example.org", "another one")
    server.start()
    said.append(trouble("refuses the user or the password of smtp.url"))
    reader.login()
    seq = post(ada.login(), ada.room(reader), f"@{reader.name} look again")
    server.stop()
    sink.login = ("chat@example.org", secret)
    server.environment = {}
    server.start()
    said.append(trouble("is not trusted"))
    server.stop()
    plain = Sink(port=0).start()
    server.flags[1] = f"smtp.url=smtp://chat%40example.org:{secret}@127.0.0.1:{plain.port}"
    server.start()
    said.append(trouble("takes no STARTTLS"))
    assert "AUTH" not in plain.verbs and not plain.mails
    server.stop()
    plain.stop()
    # And all is well again: what waited goes out.
    server.environment, server.flags[1] = {"SSL_CERT_FILE": authority}, f"smtp.url={sink.url()}"
    server.start()
    reader.mail(2)
    server.stop()
    # TLS from the start.
    direct = Sink(login=("chat@example.org", secret), tls=context, smtps=True).start()
    server.flags[1] = f"smtp.url={direct.url()}"
    server.start()
    post(ada.login(), ada.room(reader), f"@{reader.name} once more")
    wait_for(lambda: direct.to(reader.address), "the mail over smtps")
    direct.stop()
    shown = subprocess.run([server.binary, "config", "show", *server.flags], capture_output=True, text=True).stdout
    metrics = server.call("GET", "/metrics", admin=True)[1]
    server.stop()
    log = (server.home / "stderr.log").read_text()
    for what in (log, json.dumps(said), shown, metrics):
        assert secret not in what and token not in what, "a secret is told"
        assert reader.address not in what, "an address is told"
    assert "mail.server_away" in log and "mail.server_back" not in log.split("mail.server_away")[0]
    sink.stop()


def a_configuration_that_cannot_work_is_one_line_and_exit_2(server):
    secret = "canary" + word(20)
    cases = {
        ("smtp.url=http://mail.example.org", "smtp.from=a@example.org"): "smtp.url: begins with smtp://",
        (f"smtp.url=smtp://user:{secret}@", "smtp.from=a@example.org"): "smtp.url: names no host",
        (f"smtp.url=smtp://user:{secret}@mail.example.org:port", "smtp.from=a@example.org"): "smtp.url: has no port",
        (f"smtp.url=smtp://{secret}@mail.example.org", "smtp.from=a@example.org"): "smtp.url: names a user without a password",
        (f"smtp.url=smtp://user:{secret}%@mail.example.org", "smtp.from=a@example.org"): "smtp.url: has a user or password that is not well-formed",
        (f"smtp.url=smtp://user:{secret}@mail.example.org",): "smtp.from: is missing",
        (f"smtp.url=smtp://user:{secret}@mail.example.org", "smtp.from=nowhere"): "smtp.from: is no sender",
    }
    for settings, line in cases.items():
        for command in (["serve", "--data", server.data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"], ["config", "check"]):
            done = subprocess.run([server.binary, *command, *[w for s in settings for w in ("--set", s)]], capture_output=True, text=True, timeout=60)
            lines = done.stderr.strip().splitlines()
            assert done.returncode == 2 and len(lines) == 1 and line in lines[0], (settings, done)
            assert secret not in done.stderr + done.stdout, "the password is told"


def an_address_is_proved_and_a_password_is_reset_by_mail(server):
    sink = Sink().start()
    serve(server, sink)
    name, address = "p" + word(), f"{word()}@Mail.Example"
    status, answer, _ = server.call("POST", "/auth/register", {"username": name, "password": "password-" + name, "email": address})
    assert status == 201
    token, address = answer["access_token"], address.lower()
    call = lambda method, path, body=None: server.call(method, path, body, token)
    assert call("GET", "/auth/account")[1] == {"email": address, "email_verified": False, "roles": ["member"], "totp": False}
    login = lambda who, password: server.call("POST", "/auth/login", {"login": who, "password": password})[0]
    forgot = lambda email: server.call("POST", "/auth/password/forgot", {"email": email})[0]
    # What is not verified counts for nothing.
    assert login(address, "password-" + name) == 401 and forgot(address) == 202
    link = sink.wait(address)[0].link("verify")
    assert server.call("POST", "/auth/email/verify", {"token": link + "x"})[0] == 422
    assert server.call("POST", "/auth/email/verify", {"token": link})[0] == 204
    assert server.call("POST", "/auth/email/verify", {"token": link})[0] == 422, "a link is good once"
    assert call("GET", "/auth/account")[1]["email_verified"] is True and login(address.upper(), "password-" + name) == 200
    # Another account cannot have it, and is not told before it has proved that it reads its mail.
    other = Person(server)
    assert other.do("PUT", "/auth/account", {"email": address})["email_verified"] is False
    second = sink.wait(address, 2)[1]
    assert server.call("POST", "/auth/email/verify", {"token": second.link("verify")})[0] == 409
    # The way back in; every session ends, live.
    watching = Socket(type("Caller", (), {"server": server, "token": token}))
    for email in (address, "nobody@mail.example", "nonsense"):
        assert forgot(email) == 202
    reset = sink.wait(address, 3)[2]
    assert f"https://chat.example/#/reset/{reset.link('reset')}" in reset.text and name in reset.text
    again = lambda word, password: server.call("POST", "/auth/password/reset", {"token": word, "new_password": password})
    assert again(reset.link("reset"), "short")[1]["errors"][0]["pointer"] == "/new_password"
    assert again("x" * 32, "a new password")[1]["errors"][0]["pointer"] == "/token"
    assert again(link, "a new password")[0] == 422, "a link of another kind"
    assert again(reset.link("reset"), "a new password")[0] == 204
    assert watching.ends() == 4009 and call("GET", "/auth/account")[0] == 401
    assert again(reset.link("reset"), "another password")[0] == 422, "a link is good once"
    assert login(name, "a new password") == 200 and login(name, "password-" + name) == 401
    # Only the newest link is good, and not too many are sent.
    token = server.call("POST", "/auth/login", {"login": name, "password": "a new password"})[1]["access_token"]
    assert forgot(address) == 202
    older = sink.wait(address, 4)[3].link("reset")
    assert forgot(address) == 202
    newer = sink.wait(address, 5)[4].link("reset")
    for _ in range(6):
        assert forgot(address) == 202
    wait_for(lambda: waiting(server, "auth") == 0, "the mails")
    links = [m.link("reset") for m in sink.to(address) if "#/reset/" in m.text]
    assert links[1:] == [older, newer], f"five mails with links within the hour, not {len(sink.to(address))}"
    assert again(older, "yet another password")[0] == 422 and again(newer, "yet another password")[0] == 204
    assert [m.recipient for m in sink.mails if m.recipient not in (address,)] == []
    # Nothing of a token is left behind but its hash.
    server.stop()
    for path in pathlib.Path(server.data).glob("auth.db*"):
        assert not any(one.encode() in path.read_bytes() for one in [*links, link, reset.link("reset")] if path.suffix == ".db"), path
    sink.stop()


def without_a_mail_server_nothing_breaks(server):
    server.start()
    person = Person(server)
    assert person.do("PUT", "/auth/account", {"email": "a@mail.example"}) == {"email": "a@mail.example", "email_verified": False, "roles": ["member"], "totp": False}
    assert server.call("POST", "/auth/password/forgot", {"email": "a@mail.example"})[0] == 202
    assert not any(c["name"] == "smtp" for c in server.call("GET", "/readyz", base="")[1]["checks"])
    person.do("PUT", "/notifications/settings", {"default": "all", "email": True})
    ada = Person(server)
    room = ada.room(person)
    seq = post(ada, room, "hello")
    wait_for(lambda: person.do("GET", "/notifications")["items"], "the notification")
    rules = person.do("GET", f"/notifications/explain?room={room}&seq={seq}")["rules"]
    assert rules[-1] == {"rule": "mail", "result": "this server sends none"}, rules
    assert "auth.mail_not_configured" in server.tail()


run([exactly_the_right_mails_for_22_cases, a_mail_is_what_it_should_be, what_changes_before_a_mail_is_due_changes_the_mail,
     nothing_is_lost_or_doubled_while_the_mail_server_is_away, killed_around_a_delivery_none_is_lost_and_a_repeat_has_the_same_name,
     login_and_tls_are_as_smtp_url_says_and_a_password_is_told_to_nobody, a_configuration_that_cannot_work_is_one_line_and_exit_2,
     an_address_is_proved_and_a_password_is_reset_by_mail, without_a_mail_server_nothing_breaks])
