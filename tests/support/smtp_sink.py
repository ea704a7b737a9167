"""A real SMTP server on a free loopback port, on aiosmtpd: keeps every mail it takes, may want STARTTLS and a login, refuses what a test says, and can be
stopped and started again on its port. As a program it prints its address, then a line of JSON for each mail, until its input ends.

aiosmtpd is Debian's (python3-aiosmtpd), so it belongs to /usr/bin/python3: need_aiosmtpd() starts the test again with that one where another is first on PATH.
"""
import asyncio, email, email.policy, json, logging, os, socket, sys, threading, time, warnings


def need_aiosmtpd():
    try:
        import aiosmtpd  # noqa: F401
    except ImportError:
        assert sys.executable != "/usr/bin/python3", "python3-aiosmtpd is missing: scripts/bootstrap installs it"
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])


need_aiosmtpd()
from aiosmtpd.smtp import SMTP, AuthResult  # noqa: E402


warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")   # under smtps there is TLS already
logging.getLogger("mail").setLevel(logging.CRITICAL)   # a client that goes away in the middle is no news here


class Taken:
    def __init__(self, sender, recipient, content, secure):
        self.sender, self.recipient, self.content, self.secure, self.at = sender, recipient, content, secure, time.monotonic()
        self.message = email.message_from_bytes(content, policy=email.policy.default)
        self.id, self.subject = self.message["Message-ID"], self.message["Subject"]

    def part(self, subtype):
        body = self.message.get_body((subtype,))
        return body.get_content() if body else ""

    @property
    def text(self):
        return self.part("plain")

    def link(self, name):
        """The token behind `#/NAME/`."""
        return self.text.split(f"#/{name}/")[1].split()[0]


class Sink:
    def __init__(self, login=None, tls=None, smtps=False, port=0):
        self.login, self.tls, self.smtps = login, tls, smtps    # (user, password), an ssl.SSLContext, TLS from the start
        self.mails, self.refusals, self.verbs = [], {}, []
        self.at_recipient = self.at_content = None   # called with the address before it is answered, on the server's thread
        self.changed = threading.Condition()
        self.port, self.loop, self.server, self.transports = port, None, None, set()

    def start(self):
        ready = threading.Event()

        def run():
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
            listening = socket.socket()
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", self.port))
            self.port = listening.getsockname()[1]
            self.server = self.loop.run_until_complete(self.loop.create_server(self._connection, sock=listening, ssl=self.tls if self.smtps else None))
            ready.set()
            self.loop.run_forever()
            self.server.close()
            for transport in list(self.transports):
                try:
                    transport.abort()
                except AttributeError:   # Python 3.11, of a TLS connection that has ended
                    pass
            self.loop.run_until_complete(asyncio.sleep(0))
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.close()
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        ready.wait(10)
        return self

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def _connection(self):
        sink = self

        class Session(SMTP):
            def connection_made(self, transport):
                sink.transports.add(transport)
                super().connection_made(transport)

            def connection_lost(self, problem):
                sink.transports.discard(self.transport)
                super().connection_lost(problem)

        wants = {}
        if self.login:
            wants = {"auth_required": True, "auth_require_tls": bool(self.tls) and not self.smtps, "authenticator": self._authenticate}
        starttls = {} if self.smtps else {"tls_context": self.tls, "require_starttls": bool(self.tls)}
        return Session(self, hostname="sink.example", enable_SMTPUTF8=True, loop=self.loop, **starttls, **wants)

    def _authenticate(self, server, session, envelope, mechanism, data):
        self.verbs.append("AUTH")
        right = (data.login.decode(), data.password.decode()) == self.login
        return AuthResult(success=right, handled=False)

    # What aiosmtpd calls.
    async def handle_RCPT(self, server, session, envelope, address, options):
        self.verbs.append("RCPT")
        refusal = self.refusals.get(address) or self.refusals.get("*")
        if self.at_recipient:
            self.at_recipient(address)
        if refusal and not refusal.startswith("DATA "):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        for address in envelope.rcpt_tos:
            refusal = self.refusals.get(address) or self.refusals.get("*")
            if refusal:
                return refusal.removeprefix("DATA ")
            with self.changed:
                self.mails.append(Taken(envelope.mail_from, address, envelope.content, session.ssl is not None))
                self.changed.notify_all()
            if self.at_content:
                self.at_content(address)
        return "250 OK"

    def url(self):
        login = f"{self.login[0].replace('@', '%40')}:{self.login[1]}@" if self.login else ""
        return f"{'smtps' if self.smtps else 'smtp'}://{login}127.0.0.1:{self.port}"

    def to(self, address):
        with self.changed:
            return [mail for mail in self.mails if mail.recipient == address]

    def wait(self, address, count=1, limit=20):
        """The mails to this address, once there are so many."""
        with self.changed:
            enough = self.changed.wait_for(lambda: len([m for m in self.mails if m.recipient == address]) >= count, limit)
            found = [mail for mail in self.mails if mail.recipient == address]
            assert enough, f"{len(found)} of {count} mails to {address} came within {limit:.0f} s; others: {[(m.recipient, m.subject) for m in self.mails][-5:]}"
            return found


if __name__ == "__main__":
    sink = Sink().start()
    print(sink.url(), flush=True)

    def tell():
        told = 0
        while True:
            with sink.changed:
                sink.changed.wait_for(lambda: len(sink.mails) > told)
                fresh, told = sink.mails[told:], len(sink.mails)
            for mail in fresh:
                print(json.dumps({"to": mail.recipient, "subject": mail.subject, "id": mail.id, "text": mail.text, "html": mail.part("html")}), flush=True)
    threading.Thread(target=tell, daemon=True).start()
    sys.stdin.read()
