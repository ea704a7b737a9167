"""bus.transport = "kafka" on a real broker: what any client reads there, what happens while it is away, and what a person is told who set it up wrongly."""
import json, subprocess, threading, time
import broker as kafka
import harness
from harness import DEEP, Person, Socket, run, wait_for

AWAY = 60 if DEEP else 8      # seconds for which a broker is gone
RATE = 200                    # messages a second meanwhile


def on(server, broker, *more, **words):
    server.set = [one.replace("{n}", server.name) for pair in kafka.settings(broker, *more, **words) for one in ("--set", pair)]
    return server


def lag(server):
    """(topic, group, partition) -> (position, head)"""
    rows = [line.split() for line in server.command("topics", "lag").stdout.splitlines()[1:]]
    return {(row[0], row[1], int(row[2])): (int(row[3]), int(row[4])) for row in rows}


def relayed(server):
    return all(position == head for (_, group, _), (position, head) in lag(server).items() if group == "kafka-relay")


def readiness(server):
    status, answer, _ = server.call("GET", "/readyz", admin=True)
    return status, answer["status"], next(check for check in answer["checks"] if check["name"] == "kafka")


def any_client_reads_cloud_events_in_the_partition_of_their_key(server):
    broker = kafka.Broker().start()
    try:
        on(server, broker).start()
        ada, bob = Person(server), Person(server)
        room = ada.room(bob)
        watching = Socket(bob)
        for at in range(5):
            ada.do("POST", f"/rooms/{room}/messages", {"text": f"number {at}"})
        watching.event(lambda e: e["ev"] == "message.created" and e["data"]["text"] == "number 4")
        wait_for(lambda: relayed(server), "the relay's end")
        topic = server.name + ".new-messages"
        events = [json.loads(line) for line in broker.read(topic) if room in line]
        assert [e["data"]["data"]["text"] for e in events if e["type"] == "message.created"] == [f"number {at}" for at in range(5)], events
        assert all(e["specversion"] == "1.0" and e["partitionkey"] == e["subject"] == room and e["datacontenttype"] == "application/json" for e in events)
        assert [int(e["sequence"]) for e in events] == list(range(1, len(events) + 1))   # the only room: alone in its partition
        shaped = broker.read(topic, "-f", "%k %p %h\\n")
        assert {line.split()[0] for line in shaped} == {room} and len({line.split()[1] for line in shaped}) == 1, shaped
        assert all(line.endswith("content-type=application/cloudevents+json") for line in shaped), shaped
        signals = [json.loads(line) for line in broker.read(server.name + ".user-status-updates")]
        assert signals and all("sequence" not in e and e["source"].startswith("/loggia/realtime/") for e in signals if e["type"] == "presence.changed"), signals
        # Kafka's own default partitioner agrees: a record with the same key, written by another client, lies in the same partition.
        subprocess.run(["kcat", "-b", broker.addresses, "-P", "-t", topic, "-k", room, "-X", "partitioner=murmur2_random"], input="no event of ours", text=True, check=True, timeout=60)
        strange = [line for line in broker.read(topic, "-f", "%p %s\\n") if line.endswith("no event of ours")]
        assert strange == [shaped[0].split()[1] + " no event of ours"], strange
        wait_for(lambda: server.metric("loggia_kafka_strange_records_total") >= 1, "the strange record's count")
        ada.do("POST", f"/rooms/{room}/messages", {"text": f"after it, @{bob.name}"})
        wait_for(lambda: bob.do("GET", "/notifications")["items"], "a notification")
        status, _, check = readiness(server)
        assert status == 200 and check["status"] == "ok", check
        wait_for(lambda: relayed(server), "the relay's end")
        assert json.loads(server.command("topics", "tail", "new-messages", "--count", "1").stdout)["data"]["data"]["text"].startswith("after it")
    finally:
        broker.discard()


def under_load(server, broker, fail, mend, degraded=True):
    """`fail` under RATE messages a second, AWAY seconds, `mend`: what was acknowledged arrives, in order, once, at who listens and at the group."""
    on(server, broker).start()
    sender, reader = Person(server), Person(server)
    room = sender.room(reader)
    watching, socket = Socket(reader), Socket(sender)
    sent, took, failed, stop = {}, [], [], threading.Event()

    def send():
        began = time.monotonic()
        for at in range(10**9):
            time.sleep(max(0, began + at / RATE - time.monotonic()))
            if stop.is_set():
                return
            asked = time.monotonic()
            try:
                sent[f"k{at}"] = socket.op("send", room=room, text=f"k{at}", client_id=f"k{at}")["seq"]
            except AssertionError as why:
                failed.append(why)
            took.append(time.monotonic() - asked)
    sending = threading.Thread(target=send)
    sending.start()
    wait_for(lambda: len(sent) > RATE // 2, "sends")
    fail()
    began = time.monotonic()
    if degraded:
        status, whole, check = wait_for(lambda: (lambda got: got if got[2]["status"] != "ok" else None)(readiness(server)), "the readiness to tell it", 30)
        assert status == 200 and whole == "degraded" and broker.addresses.split(",")[0] in check["detail"], check
    time.sleep(max(0, began + AWAY - time.monotonic()))
    during = len(sent)
    heard = len(watching.timeline(room))
    waits = server.metric("loggia_relay_backlog_events")
    if degraded:
        assert waits > 0 and any(position < head for (_, group, _), (position, head) in lag(server).items() if group == "kafka-relay"), waits
        assert during - heard < RATE * 2, f"{during} sent and {heard} heard: who listens waits for the broker"
    mend()
    back = time.monotonic()
    wait_for(lambda: readiness(server)[2]["status"] == "ok" and server.metric("loggia_relay_backlog_events") < RATE, "the backlog's end", 60)
    drained = time.monotonic() - back
    stop.set()
    sending.join()
    assert not failed, failed[:3]
    last = max(sent.values())
    watching.event(lambda e: e.get("seq") == last and e.get("room") == room, 30)
    line = watching.timeline(room)
    assert line == list(range(line[0], line[0] + len(line))), "who listens saw a hole or a repeat"
    assert {e["seq"] for e in watching.events if e["ev"] == "message.created"} >= set(sent.values())
    wait_for(lambda: relayed(server), "the relay's end", 30)
    seen, before = {}, 0
    for text in broker.read(server.name + ".new-messages"):
        event = json.loads(text)
        if event["partitionkey"] == room:
            number = int(event["sequence"])
            assert number <= before + 1, f"{number} after {before} in Kafka: a hole"
            before = max(before, number)
            if event["type"] == "message.created":
                seen[event["data"]["data"]["client_id"]] = event["data"]["seq"]
    assert seen == sent, (len(seen), len(sent))
    wait_for(lambda: all(position == head for (topic, group, _), (position, head) in lag(server).items() if group == "notification" and topic == "new-messages"), "the group", 60)
    took.sort()
    print(f"        away {AWAY} s under {RATE} a second: {len(sent)} acknowledged, 0 failed, slowest {took[-1] * 1000:.0f} ms; {waits:.0f} waited, gone {drained:.1f} s after; "
          f"0 lost, 0 seen twice, 0 out of order")


def a_broker_that_is_killed_and_comes_back_costs_nobody_a_send_or_an_event(server):
    broker = kafka.Broker().start()
    try:
        under_load(server, broker, broker.kill, broker.start)
    finally:
        broker.discard()


def a_broker_that_accepts_and_never_answers_is_the_same(server):
    broker = kafka.Broker().start()
    try:
        under_load(server, broker, broker.freeze, broker.thaw)
    finally:
        broker.discard()


def a_server_stops_in_its_time_while_the_broker_says_nothing(server):
    broker = kafka.Broker().start()
    try:
        on(server, broker)
        for left in (False, True):   # whether its groups have already lost what they were given
            server.start()
            ada, bob = Person(server), Person(server)
            room = ada.room(bob)
            ada.do("POST", f"/rooms/{room}/messages", {"text": f"for @{bob.name}"})
            wait_for(lambda: bob.do("GET", "/notifications")["items"], "a notification", 60)
            socket, stop = Socket(ada), threading.Event()

            def send():
                for at in range(10**9):
                    if stop.wait(1 / RATE):
                        return
                    try:
                        socket.op("send", room=room, text=f"k{at}", client_id=f"k{at}")
                    except (AssertionError, ConnectionError, OSError):
                        return   # it is stopping
            sending = threading.Thread(target=send)
            sending.start()
            heard = server.metric("loggia_relay_acknowledged_total")
            wait_for(lambda: server.metric("loggia_relay_acknowledged_total") > heard + RATE, "events in Kafka")
            broker.freeze()
            waits = server.metric("loggia_relay_backlog_events")
            wait_for(lambda: server.metric("loggia_relay_backlog_events") > waits + RATE // 2, "events that wait")
            log = server.home / "stderr.log"
            lost = log.read_text().count("about=SESSTMOUT")
            if left:
                wait_for(lambda: log.read_text().count("about=SESSTMOUT") > lost, "a session's end", 30)
            began = time.monotonic()
            code = server.stop()
            took = time.monotonic() - began
            stop.set()
            sending.join()
            assert code == 0 and took < 10, (code, took)
            print(f"        stopped after {took:.1f} s" + (", its groups' sessions over" if left else ""))
            broker.thaw()
    finally:
        broker.discard()


def one_of_three_brokers_may_be_killed(server):
    broker = kafka.Broker(3).start()
    try:
        under_load(server, broker, lambda: broker.kill(2), lambda: broker.start("--node", "2"), degraded=False)
    finally:
        broker.discard()


def a_server_starts_without_the_broker_and_brings_it_what_waited(server):
    broker = kafka.Broker()
    try:
        on(server, broker).start()
        ada = Person(server)
        room = ada.room()
        listening = Socket(ada)
        ada.do("POST", f"/rooms/{room}/messages", {"text": "before"})
        listening.event(lambda e: e["ev"] == "message.created")
        status, _, check = readiness(server)
        assert status == 200 and check["status"] == "degraded" and "is away" in check["detail"], check
        broker.start()
        wait_for(lambda: relayed(server), "the relay's end", 60)
        assert any("before" in line for line in broker.read(server.name + ".new-messages"))
        ada.do("POST", f"/rooms/{room}/messages", {"text": f"after, for myself @{ada.name}"})
        wait_for(lambda: all(position == head for (position, head) in lag(server).values()), "every group", 60)
        assert listening.timeline(room) == [2, 3] or listening.timeline(room)[-2:] == [2, 3], listening.timeline(room)
    finally:
        broker.discard()


def a_topic_that_somebody_deletes_is_made_and_filled_again(server):
    broker = kafka.Broker().start()
    try:
        on(server, broker).start()
        ada = Person(server)
        room = ada.room()
        for at in range(20):
            ada.do("POST", f"/rooms/{room}/messages", {"text": f"first {at}"})
        wait_for(lambda: relayed(server), "the relay's end")
        topic = server.name + ".new-messages"
        broker.delete(topic)
        for at in range(20):
            ada.do("POST", f"/rooms/{room}/messages", {"text": f"second {at}"})
        wait_for(lambda: "kafka.topic_made topic=" + topic in server.tail().split("kafka.delivery_failed")[-1] and relayed(server), "the topic again", 60)
        texts = [json.loads(line)["data"]["data"].get("text") for line in broker.read(topic)]
        assert [text for text in dict.fromkeys(texts) if text] == [f"first {at}" for at in range(20)] + [f"second {at}" for at in range(20)], texts
    finally:
        broker.discard()


def what_is_set_wrongly_is_told_in_one_line_and_no_secret_with_it(server):
    secret = "canary-" + harness.word()
    broker = kafka.Broker(secure=True).start()
    try:
        def refused(*more, code=2, brokers=None):
            settings = kafka.settings(broker, *more)
            if brokers is not None:
                settings[1] = f"bus.kafka.brokers={brokers}"
            done = server.run("serve", "--data", server.data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", *[one.replace("{n}", server.name) for pair in settings for one in ("--set", pair)])
            assert done.returncode == code, done
            lines = [line for line in done.stderr.splitlines() if line.startswith("loggia: ")]
            assert lines and secret not in done.stderr + done.stdout, done.stderr
            return "\n".join(lines)
        sasl = ["bus.kafka.options.security.protocol=SASL_SSL", "bus.kafka.options.sasl.username=chat"]
        ca = f"bus.kafka.options.ssl.ca.location={broker.home}/tls/ca.pem"
        told = refused(*sasl, ca, "bus.kafka.options.sasl.mechanism=PLAIN", f"bus.kafka.options.sasl.password={secret}", brokers=broker.secure_address)
        assert "refuses the user or the password" in told and "sasl.password" in told, told
        told = refused(*sasl, ca, "bus.kafka.options.sasl.mechanism=SCRAM-SHA-512", "bus.kafka.options.sasl.password=chat-secret", brokers=broker.secure_address)
        assert "cannot do SCRAM with Kafka 4" in told, told
        told = refused(*sasl, "bus.kafka.options.sasl.mechanism=PLAIN", "bus.kafka.options.sasl.password=chat-secret", brokers=broker.secure_address)
        assert "ssl.ca.location" in told, told
        assert "no option of librdkafka" in refused("bus.kafka.options.sasl.pasword=" + secret)
        assert "is set by Loggia" in refused("bus.kafka.options.acks=1")
        assert "refuses the value" in refused("bus.kafka.options.socket.timeout.ms=" + secret)
        assert "is not HOST:PORT" in refused(brokers="kafka.example.org")
        assert "is needed with" in refused(brokers="")
        # What is right starts, and is refused once its topics are others.
        server.set = [one.replace("{n}", server.name) for pair in [*kafka.settings(broker)[:1], f"bus.kafka.brokers={broker.secure_address}", *kafka.settings(broker)[2:], *sasl, ca,
                      "bus.kafka.options.sasl.mechanism=PLAIN", "bus.kafka.options.sasl.password=chat-secret"] for one in ("--set", pair)]
        server.start()
        Person(server)
        wait_for(lambda: relayed(server), "the relay's end")
        assert "chat-secret" not in server.tail() and "chat-secret" not in server.command("config", "show").stdout
        assert server.stop() == 0
        other = harness.Server(server.binary)
        try:
            other.name = server.name
            server.data, kept = other.data, server.data
            told = refused("bus.partitions=8")
            assert "has 4 partitions, and the log has 8" in told and "topic_prefix" in told, told
            server.data = kept
        finally:
            other.discard()
    finally:
        broker.discard()


if kafka.missing():
    print("LEFT OUT: " + kafka.missing())
else:
    run([any_client_reads_cloud_events_in_the_partition_of_their_key, a_broker_that_is_killed_and_comes_back_costs_nobody_a_send_or_an_event,
         a_broker_that_accepts_and_never_answers_is_the_same, a_server_stops_in_its_time_while_the_broker_says_nothing, one_of_three_brokers_may_be_killed, a_server_starts_without_the_broker_and_brings_it_what_waited,
         a_topic_that_somebody_deletes_is_made_and_filled_again, what_is_set_wrongly_is_told_in_one_line_and_no_secret_with_it])
