"""Schemathesis over the OpenAPI that a running server serves, signed in as an administrator who owns a room: requests that the description allows, and requests
that it does not, to every route. No answer is a 5xx; each has a status, type, headers and shape of the description; what it forbids is refused, also without a token.

    build/venv/schemathesis/bin/python tests/schemathesis/run.py build/release/loggia [--deep] [--seed=N]   20 examples a route and pass; 500

The passes: ids of what exists; ids as they come; and, with a server of its own each, the routes that end one's own session, office or room."""
import os, pathlib, re, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from harness import DEEP, PATIENCE, SEED, Person, Server

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
EXAMPLES = 500 if DEEP else 20
ENDING = ["postAuthLogout", "putAuthPassword", "deleteAuthSessionsById", "deleteAdminUsersByIdSessions", "patchAdminUsersById", "deleteRoomsByRoom", "patchRoomsByRoom"]
# Valid data may be refused: that a cursor is the `next` of an earlier page, or that one of two fields is there, is no part of a schema.
NOT_CHECKED = "positive_data_acceptance"


class Pass:
    def __init__(self, name, options, phases="coverage,fuzzing", existing=True):
        self.name, self.options, self.phases, self.existing = name, options, phases, existing
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="loggia-schemathesis-"))

    def start(self):
        self.server = Server(BINARY, "--set", "auth.access_token_lifetime=12h").start()
        self.person = Person(self.server)
        self.server.command("user", "role", self.person.name, "--role", "admin", "--role", "member")
        self.person.login()

    def parameters(self):
        """Of paths, by name: something of each that exists."""
        other = Person(self.server)
        room = self.person.room(other, visibility="public")
        seq = self.person.do("POST", f"/rooms/{room}/messages", {"text": "the first"})["seq"]
        session = self.person.do("GET", "/auth/sessions")["items"][0]["id"]
        return {"room": room, "seq": seq, "user": other.id, "username": other.name, "emoji": "👍", "id": session if self.name.startswith("deleteAuth") else other.id}

    def run(self):
        self.start()
        try:
            if self.existing:
                lines = [f'"path.{name}" = ' + (str(value) if isinstance(value, int) else f'"{value}"') for name, value in self.parameters().items()]
                (self.folder / "schemathesis.toml").write_text("\n".join(["[parameters]", *lines, ""]))
            command = [str(pathlib.Path(sys.executable).parent / "schemathesis"), "run", self.server.ready["http"] + "/openapi.json", "--header", f"Authorization: Bearer {self.person.token}",
                       "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--continue-on-failure", "--generation-database", "none", "--suppress-health-check", "all", "--phases", self.phases,
                       "--checks", "all", "--exclude-checks", NOT_CHECKED, "--warnings", "off", "--no-color", "--request-timeout", str(20 * PATIENCE), *self.options]
            began = time.monotonic()
            done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, env={**os.environ, "COLUMNS": "160"})
            self.took = time.monotonic() - began
            self.output, self.passed = done.stdout + done.stderr, done.returncode == 0
            self.asked()
            log = (self.server.home / "stderr.log").read_text(errors="replace")
            self.errors = [line for line in log.splitlines() if re.match(r"\S+ error ", line)]
            code = self.server.stop()
            self.passed = self.passed and code == 0 and not self.errors
            return self
        finally:
            self.server.discard()

    def asked(self):
        """From the server's own count, and not from what Schemathesis says."""
        _, text, _ = self.server.call("GET", "/metrics", admin=True)
        counts = {status: int(float(n)) for status, n in re.findall(r'loggia_http_requests_total\{server="(?:http|public)",status="(\dxx)"\} (\S+)', text)}
        self.requests, self.failures = sum(counts.values()), counts.get("5xx", 0)
        self.passed = self.passed and self.requests > 0 and self.failures == 0


def main():
    without = [word for name in ENDING for word in ("--exclude-operation-id", name)]
    passes = [Pass("ids of what exists", without), Pass("ids as they come", without + ["--include-path-regex", r"\{"], phases="fuzzing", existing=False),
              *(Pass(name, ["--include-operation-id", name]) for name in ENDING)]
    began, failed = time.monotonic(), 0
    with ThreadPoolExecutor(2) as pool:
        for one in pool.map(Pass.run, passes):
            routes, cases = re.search(r"Operations: +(\d+) selected", one.output), re.search(r"(\d+) generated", one.output)
            print(f"        {one.name}: {routes[1] if routes else '?'} routes, {cases[1] if cases else '?'} cases, {one.requests} requests, {one.failures} x 5xx, {one.took:.0f} s")
            if not one.passed or not routes or int(routes[1]) < 1:
                failed += 1
                print(f"FAILED  {one.name}\n{one.output}", *one.errors[:20], sep="\n")
            else:
                print(f"ok      {one.name}", flush=True)
    print(f"{len(passes) - failed} passed, {failed} failed; {EXAMPLES} examples a route, seed {SEED}, {time.monotonic() - began:.0f} s")
    sys.exit(1 if failed else 0)


main()
