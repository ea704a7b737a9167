"""What the tests of mail share: a server with an SMTP server beside it, and people who read mail there."""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from smtp_sink import Sink  # noqa: F401
from harness import SET, Person, wait_for

AFTER = "300ms"      # between two mails to one person lies six times as much
# What a process that was killed had taken is free at its next start where the data is its own; on a shared PostgreSQL, when its claim is over.
CLAIM = 100 if "storage.kind=postgres" in SET else 0


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


def caught_up(server):
    """Every message was decided about, and every mail that is due is out."""
    behind = lambda: [line for line in server.command("topics", "lag").stdout.splitlines()[1:] if line.split()[1] == "notification" and line.split()[5] != "0"]
    wait_for(lambda: not behind(), "the decisions")


def waiting(server, module="notification"):
    for line in server.call("GET", "/metrics", admin=True)[1].splitlines():
        if line.startswith("loggia_mails_waiting") and module in line:
            return int(line.split()[1])
