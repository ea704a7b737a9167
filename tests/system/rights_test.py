"""Between modules, with certificates as `loggia up` makes them: whose log says what to whom, and who may send signals of what."""
import http.client, json, pathlib, ssl
from harness import Person, Socket, run

SPLIT = pathlib.Path(__file__).resolve().parents[2] / "config" / "split"
MODULES = ["auth", "chat", "gateway", "notification", "realtime", "user"]
# Who may read it: contract, section 4, and who produces it (another instance of the same module). Of auth's log also those that check tokens, which are told what ended (section 3, guarantee 6).
READERS = {
    ("chat", "new-messages"): {"chat", "realtime", "notification"},
    ("chat", "read-receipts"): {"chat", "realtime"},
    ("auth", "user-events"): {"auth", "user", "chat", "notification", "realtime", "gateway"},
    ("user", "user-events"): {"auth", "user", "chat", "notification", "realtime"},
    ("user", "user-status-updates"): {"user", "realtime", "notification"},
    ("notification", "notifications"): {"realtime", "notification"},
}
SAYERS = {"room-signals": {"realtime"}, "user-status-updates": {"realtime", "user"}}


def asked_by(server, caller, address, path, body):
    folder = pathlib.Path(server.data, "certs")
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.check_hostname = False  # the name is a module's, not a host's
    context.load_cert_chain(folder / f"{caller}.pem", folder / f"{caller}.key")
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=20)
    try:
        connection.request("POST", "/rpc/bus/" + path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def addresses(server):
    return {line.split()[0]: line.split()[1] for line in server.command("instances").stdout.splitlines()[1:]}


def a_log_is_read_by_those_that_the_contract_names(server):
    server.verb = ["up", str(SPLIT)]
    server.start()
    person = Person(server)
    Socket(person).op("send", room=person.room(), text="between us", client_id="1")
    at = addresses(server)
    for (owner, topic), readers in READERS.items():
        question = {"module": owner, "topics": [{"topic": topic, "after": [0] * 16}], "limit": 100, "wait": 0}
        answers = {caller: asked_by(server, caller, at[owner], "log", json.dumps(question)) for caller in MODULES}
        may = {caller for caller, (status, _) in answers.items() if status == 200}
        assert may == readers, (owner, topic, answers)
        for caller in set(MODULES) - readers:
            status, body = answers[caller]
            assert status == 403 and f"may not read {topic} from the log of {owner}" in body and "between us" not in body, (caller, body)
        # One that it may read does not open another.
        mixed = dict(question, topics=question["topics"] + [{"topic": "nothing", "after": []}])
        assert asked_by(server, min(readers), at[owner], "log", json.dumps(mixed))[0] == 403
    assert "between us" in asked_by(server, "realtime", at["chat"], "log", json.dumps(dict(question, module="chat", topics=[
        {"topic": "new-messages", "after": [0] * 16}])))[1]


def signals_are_heard_from_those_that_produce_their_topic(server):
    server.verb = ["up", str(SPLIT)]
    server.start()
    at = addresses(server)
    for topic, sayers in SAYERS.items():
        event = {"specversion": "1.0", "id": "01890000-0000-7000-8000-000000000001", "source": "/loggia/realtime/x", "type": "typing.started",
                 "subject": "01890000-0000-7000-8000-000000000002", "time": "2026-01-01T00:00:00.000Z", "datacontenttype": "application/json",
                 "dataschema": "/schemas/typing.started/1", "partitionkey": "01890000-0000-7000-8000-000000000002", "data": {}}
        event = json.dumps(event, separators=(",", ":"))
        answers = {caller: asked_by(server, caller, at["realtime"], "signals", f"{topic} 0 {event}\n") for caller in MODULES}
        assert {caller for caller, (status, _) in answers.items() if status == 204} == sayers, (topic, answers)
        assert all(f"may not send signals of {topic}" in answers[caller][1] for caller in set(MODULES) - sayers), (topic, answers)


run([a_log_is_read_by_those_that_the_contract_names, signals_are_heard_from_those_that_produce_their_topic])
