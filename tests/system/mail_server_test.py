"""The mail server as smtp.url names it: login, TLS, what cannot work; and the mails of accounts: an address is proved, a password chosen anew."""
import json, pathlib, ssl, subprocess
from mailing import Reader, Sink, post, serve, waiting
from harness import Person, Socket, run, wait_for, word


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
    shown = server.run("config", "show", *server.flags).stdout
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
            done = server.run(*command, *[w for s in settings for w in ("--set", s)])
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
    # Whose address it is, is asked when the mail is due: before it is proved.
    dropped = lambda: [line for line in server.call("GET", "/metrics", admin=True)[1].splitlines() if line.startswith("loggia_mails_total") and "auth" in line and "dropped" in line]
    wait_for(dropped, "the mail that nobody gets")
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


run([login_and_tls_are_as_smtp_url_says_and_a_password_is_told_to_nobody, a_configuration_that_cannot_work_is_one_line_and_exit_2,
     an_address_is_proved_and_a_password_is_reset_by_mail, without_a_mail_server_nothing_breaks])
