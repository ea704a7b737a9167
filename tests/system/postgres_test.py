"""PostgreSQL from outside: moving house (docs/moving.md) to it and back, with --deep 200,000 messages; each mistake; a server that goes and comes;
a second one of Loggia.

The rows that make the volume are written here, by the format's description: that an import takes them is the description's test.
"""
import base64, copy, hashlib, json, pathlib, subprocess
from harness import DEEP, Person, Server, Socket, run, wait_for

MESSAGES = 200_000 if DEEP else 4_000
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/postgres"


SPLIT = pathlib.Path(__file__).resolve().parents[2] / "config" / "split"


class Postgres:
    def __init__(self, home):
        self.dir = str(home / "postgres")
        home.chmod(0o755)   # the server's own user passes through

    def start(self):
        done = subprocess.run([SCRIPT, "start", "--dir", self.dir], capture_output=True, text=True)
        if done.returncode == 77:
            print(done.stderr.strip())
            return False
        assert done.returncode == 0, done.stderr
        self.url = done.stdout.strip().removeprefix("url=")
        return True

    def stop(self, *how):
        subprocess.run([SCRIPT, "stop", "--dir", self.dir, *how], check=True)

    def database(self, name):
        """The address of a new one."""
        subprocess.run([SCRIPT, "psql", "--dir", self.dir, "-q", "-d", "postgres", "-c", f"CREATE DATABASE {name}"], check=True)
        return self.url.rsplit("/", 1)[0] + "/" + name

    def flags(self, url=None):
        return ("--set", "storage.kind=postgres", "--set", f"storage.postgres.url={url or self.url}")


def loggia(server, *words):
    return server.run(*words, timeout=None, cwd=server.home)


def total(rows):
    """The sum of the SHA-256 of the rows, as the end of a file says it."""
    number = sum(int.from_bytes(hashlib.sha256(row.encode()).digest(), "little") for row in rows) % 2**256
    return "".join(f"{number >> 32 * word & 0xFFFFFFFF:08x}" for word in range(8))


def blob(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def grown(source, target, messages):
    """The file with so many messages more, in the rooms that there are."""
    lines = source.read_text().splitlines()
    tables, end = {}, json.loads(lines[-1])["end"]
    for line in lines[1:-1]:
        if line.startswith("{"):
            head = json.loads(line)
            names = [column.split(":")[0] for column in head["columns"]]
            tables[head["table"]] = (line, names, rows := [])
        else:
            rows.append(line)
    _, names, rooms = tables["chat.rooms"]
    ids = [json.loads(room)[names.index("id")] for room in rooms]
    for table in ("chat.messages", "chat.timeline"):
        head, names, rows = tables[table]
        like, room_at = json.loads(rows[-1]), names.index("room")
        last = max(json.loads(row)[names.index("number")] for row in rows)
        for number in range(1, messages + 1):
            row = copy.copy(like)
            for name, value in (("number", last + number), ("room", ids[number % len(ids)]), ("seq", 10_000 + number), ("id", blob(number.to_bytes(16, "big"))),
                                ("client_id", f"grown {number}"), ("text", f"größe {number} \"\\\t")):
                if name in names:
                    row[names.index(name)] = value
            rows.append(json.dumps(row, ensure_ascii=False, separators=(",", ":")))
    everything, by_room = [], {room: [] for room in end["chat"]["rooms"]}
    for table, (_, names, rows) in tables.items():
        if table.startswith("chat."):
            name = table.removeprefix("chat.")
            at = names.index("id") if name == "rooms" else names.index("room") if "room" in names else None
            for row in rows:
                everything.append(name + row)
                if at is not None:
                    by_room.setdefault(json.loads(row)[at], []).append(name + row)
    end["chat"] = {"rows": len(everything), "sum": total(everything), "rooms": {room: {"rows": len(rows), "sum": total(rows)} for room, rows in by_room.items()}}
    with open(target, "w") as out:
        print(lines[0], *(line for head, _, rows in tables.values() for line in (head, *rows)), json.dumps({"end": end}), sep="\n", file=out)


def everything_moves_to_postgres_and_back_and_every_room_has_its_sum(server):
    postgres = Postgres(server.home)
    if not postgres.start():
        return
    try:
        server.start()
        ada, bob = Person(server), Person(server)
        rooms = [ada.room(bob) for _ in range(5)]
        for room in rooms:
            ada.do("POST", f"/rooms/{room}/messages", {"text": f"hello @{bob.name}"})
        refused = loggia(server, "export", "early", "--data", server.data)
        assert refused.returncode == 1 and "Stop it first" in refused.stderr, refused
        assert server.stop() == 0
        first, big, second, third = (server.home / name for name in ("first", "big", "second", "third"))
        server.command("export", str(first))
        assert first.stat().st_mode & 0o777 == 0o600
        grown(first, big, MESSAGES)
        broken = server.home / "broken"
        broken.write_text(big.read_text().replace("hello", "hallo"))
        for where in ((), postgres.flags(postgres.database("broken"))):
            on = ("--data", str(server.home / f"broken-data-{len(where)}"), *where)
            refused = loggia(server, "import", str(broken), *on)
            assert refused.returncode == 1 and "is not what the file says" in refused.stderr, refused
            for words in (("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"), ("user", "list"), ("export", str(server.home / "out-of-broken"))):
                try:
                    untrue = server.run(*words, *on, timeout=20, cwd=server.home)
                except subprocess.TimeoutExpired as started:
                    raise AssertionError(f"a server works on what is not what the file says: {started.stdout}")
                assert untrue.returncode in (1, 2) and "was not finished" in untrue.stderr, untrue
        broken.write_text("".join(big.read_text().splitlines(keepends=True)[:-1]))
        refused = loggia(server, "import", str(broken), "--data", str(server.home / "half-data"))
        assert refused.returncode == 2 and "ends too early" in refused.stderr, refused
        half = loggia(server, "serve", "--data", str(server.home / "half-data"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
        assert half.returncode == 1 and "was not finished" in half.stderr, half
        there, back = str(server.home / "there"), str(server.home / "back")
        moved = loggia(server, "import", str(big), "--data", there, *postgres.flags())
        assert moved.returncode == 0 and "every room have the sum that they had" in moved.stdout, moved
        again = loggia(server, "import", str(big), "--data", there, *postgres.flags())
        assert again.returncode == 1 and "not empty" in again.stderr, again
        assert loggia(server, "export", str(second), "--data", there, *postgres.flags()).returncode == 0
        assert loggia(server, "import", str(second), "--data", back).returncode == 0
        assert loggia(server, "export", str(third), "--data", back).returncode == 0
        assert second.read_bytes() == third.read_bytes(), "what came back is not what went"
        ends = [json.loads(path.read_text().splitlines()[-1])["end"] for path in (big, second, third)]
        assert ends[0] == ends[1] == ends[2] and len(ends[0]["chat"]["rooms"]) == 5, ends
        print(f"   {MESSAGES} messages in 5 rooms, {big.stat().st_size >> 20} MiB: {[room['sum'][:12] for room in ends[2]['chat']['rooms'].values()]}")
        # And it is a store like any other: people sign in, numbers go on.
        server.data, server.flags = there, list(postgres.flags())
        server.start()
        ada.login()
        sent = ada.do("POST", f"/rooms/{rooms[0]}/messages", {"text": "after the move"})
        assert sent["seq"] > 3, sent
        assert server.stop() == 0
    finally:
        postgres.stop("--immediate", "--clean")


def a_mistake_with_postgres_is_one_line_that_tells_no_password_and_readiness_names_what_is_away(server):
    postgres = Postgres(server.home)
    if not postgres.start():
        return
    try:
        place = postgres.url.removeprefix("postgresql://loggia@")
        for url, says in (("postgresql://loggia:geheim@127.0.0.1:1/loggia", "Is the server running"), (f"postgresql://nobody:geheim@{place}", "Make the user"),
                          ("mysql://a:geheim@b/c", "begins with postgresql://"), (f"postgresql://loggia:geheim@{place}_none", "Make the database")):
            refused = loggia(server, "serve", "--data", server.data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", *postgres.flags(url))
            assert refused.returncode == 2 and says in refused.stderr and refused.stderr.count("\n") == 1 and "geheim" not in refused.stderr + refused.stdout, refused
        without = loggia(server, "serve", "--data", server.data, "--set", "storage.kind=postgres")
        assert without.returncode == 2 and "storage.postgres.url" in without.stderr, without
        server.flags = list(postgres.flags())
        server.start()
        ada = Person(server)
        room = ada.room()
        assert "geheim" not in loggia(server, "config", "show", "--set", "storage.postgres.url=postgresql://a:geheim@b/c").stdout
        postgres.stop("--immediate")

        def checks():
            status, body, _ = server.call("GET", "/readyz", admin=True)
            return status, {check["name"]: check for check in body["checks"]}

        def is_down():
            status, found = checks()
            return found["storage.chat"] if status == 503 and found["storage.chat"]["status"] == "down" else None
        down = wait_for(is_down, "readiness that names the storage")
        assert "away" in down["detail"], down
        assert postgres.start()
        wait_for(lambda: checks()[0] == 200, "coming back")
        assert ada.do("POST", f"/rooms/{room}/messages", {"text": "it is back"})["seq"] >= 1
        assert server.stop() == 0
        text = pathlib.Path(server.home / "stderr.log").read_text()
        assert "geheim" not in text
    finally:
        postgres.stop("--immediate", "--clean")


def the_parts_of_a_server_share_a_database_without_a_broker_and_no_part_comes_twice(server):
    postgres = Postgres(server.home)
    if not postgres.start():
        return
    try:
        server.verb, server.flags = ["up", str(SPLIT)], list(postgres.flags())
        server.start()
        ada, bob = Person(server), Person(server)
        room, listening = ada.room(bob), Socket(bob)
        Socket(ada).op("send", room=room, text="through the rows", client_id="1")
        listening.event(lambda e: e["ev"] == "message.created" and e["data"]["text"] == "through the rows")
        again = server.run("serve", "--modules", "user", "--data", str(server.home / "other"), "--admin", "127.0.0.1:0", *postgres.flags(), cwd=server.home)
        assert again.returncode == 1 and "another process has the data of user in this database" in again.stderr, again
        assert server.stop() == 0
        twice = server.home / "twice"
        twice.mkdir()
        for name, modules in (("one", '"user", "auth", "chat", "notification", "realtime", "gateway"'), ("two", '"chat"')):
            (twice / f"{name}.toml").write_text(f"[process]\nmodules = [{modules}]\n")
        refused = server.run("up", str(twice), "--data", str(server.home / "more"), *postgres.flags(), cwd=server.home)
        assert refused.returncode == 2 and "whose log belongs to one process with the embedded bus" in refused.stderr, refused
    finally:
        postgres.stop("--immediate", "--clean")


def a_second_server_on_the_database_is_refused_where_the_two_would_not_hear_each_other(server):
    postgres = Postgres(server.home)
    if not postgres.start():
        return
    try:
        server.flags = list(postgres.flags())
        server.start()
        ada = Person(server)
        words = ("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", *postgres.flags())
        for transport in ((), ("--set", "bus.transport=kafka", "--set", "bus.kafka.brokers=127.0.0.1:1")):
            try:
                refused = server.run(*words, "--data", str(server.home / "other"), *transport, timeout=60, cwd=server.home)
            except subprocess.TimeoutExpired as started:
                raise AssertionError(f"a second server works beside the first: {started.stdout}")
            assert refused.returncode == 1 and "another process has the data of" in refused.stderr, refused
            assert refused.stderr.count("\n") == 1 and refused.stdout == "", refused
        # Commands go through the server, or to the store.
        assert ada.name in loggia(server, "user", "list", "--data", server.data, *postgres.flags()).stdout
        beside = loggia(server, "user", "list", "--data", str(server.home / "beside"), *postgres.flags())
        assert beside.returncode == 0 and ada.name in beside.stdout, beside
        topics = loggia(server, "topics", "list", "--data", str(server.home / "beside"), *postgres.flags())
        assert topics.returncode == 0 and "new-messages" in topics.stdout, topics
        server.kill()
        server.data = str(server.home / "other")
        server.start()
        ada.login()
        # PostgreSQL went and came: the database is the server's again, and no other's.
        postgres.stop("--immediate")
        assert postgres.start()
        wait_for(lambda: "server_lock_taken_again" in server.tail(), "the lock, taken again")
        refused = server.run(*words, "--data", str(server.home / "third"), timeout=60, cwd=server.home)
        assert refused.returncode == 1 and "another process has the data of" in refused.stderr, refused
        assert server.stop() == 0
        moved = loggia(server, "export", str(server.home / "out"), "--data", server.data, *postgres.flags())
        assert moved.returncode == 0, moved
    finally:
        postgres.stop("--immediate", "--clean")


run([the_parts_of_a_server_share_a_database_without_a_broker_and_no_part_comes_twice, everything_moves_to_postgres_and_back_and_every_room_has_its_sum,
     a_mistake_with_postgres_is_one_line_that_tells_no_password_and_readiness_names_what_is_away,
     a_second_server_on_the_database_is_refused_where_the_two_would_not_hear_each_other])
