"""Many processes on PostgreSQL, Kafka and etcd, while people talk: each killed and kept down, etcd away, and all restarted one after the other."""
import collections, shutil, threading, time
import pair
from crowd import part
from fleet import MODULES, Fleet, Ghost
from harness import DEEP, PATIENCE, Person, Socket, run, wait_for
from population import Town

# 200 requests a second, a fifth of them over HTTP, and 500 connections; or a quarter of it.
DOWN, ROUNDS, PEOPLE, DEVICES, RATE, ASKS = (30, 3, 250, 2, 160, 40) if DEEP else (5, 1, 50, 2, 40, 10)
GONE_AFTER, IN_FLIGHT, BACK_WITHIN, LOSERS = 3, 0.5 * PATIENCE, 10 * PATIENCE, 40 if DEEP else 6


def on(counts, *more):
    """A test of a fleet, which ends with it."""
    def of(test):
        def with_fleet(server):
            fleet = Fleet(server.binary, counts, "auth.access_token_lifetime=1h", *more)
            try:
                test(fleet.start())
            except BaseException:
                print(fleet.tails(), flush=True)
                raise
            finally:
                fleet.discard()
        with_fleet.__name__ = test.__name__
        return with_fleet
    return of


class Phase:
    """What was asked and what failed from its begin to its end."""

    def __init__(self, town, name):
        self.town, self.name, self.at = town, name, time.monotonic()

    def end(self):
        self.until = time.monotonic()

    def within(self, moment):
        return self.at <= moment < self.until

    def failures(self):
        return [failure for request in self.town.requests for failure in request.failed if self.within(failure[1])]

    def report(self):
        asked = sum(request.tries for request in self.town.requests if self.within(request.due))
        failed = self.failures()
        later = [failure for failure in failed if failure[0] > self.at + IN_FLIGHT]
        took = [took for due, took in self.town.latencies if self.within(due)]
        back = [took for since, took in self.town.backs if self.within(since)]
        kinds = dict(collections.Counter(f"{kind} {why}" for _, _, kind, why in failed))
        print(f"        {self.name}: {asked} asked, {len(failed)} failed {kinds or ''}, of them {len(later)} begun later than {IN_FLIGHT} s after it; "
              f"{len(back)} connections cut, back within {max(back, default=0):.1f} s; sends p50 {part(took, .5) * 1000:.0f} ms, p99 {part(took, .99) * 1000:.0f} ms, slowest {max(took, default=0):.1f} s", flush=True)
        return asked, failed, later, max(back, default=0)


def through(town, name, seconds, does=None):
    phase = Phase(town, name)
    if does:
        does()
    time.sleep(max(0.0, phase.at + seconds - time.monotonic()))
    return phase


@on({"gateway": 2, "chat": 2, "realtime": 2})
def what_is_killed_and_kept_down_costs_what_was_in_flight_there(fleet):
    town = Town(fleet.of("gateway"), PEOPLE, DEVICES, RATE, ASKS)
    try:
        out_of_logs = lambda: max(process.metric("loggia_follower_from_log_total") for process in fleet.of("realtime"))
        before, sent = out_of_logs(), len(town.acked)
        quiet = through(town, "nothing happens", DOWN)
        quiet.end()
        assert out_of_logs() - before < (len(town.acked) - sent) / 2, "who follows reads logs though Kafka is there"
        phases = [quiet]
        for module in ("chat", "realtime", "gateway"):
            victim = fleet.of(module)[0]
            where = victim.rpc() if module != "gateway" else None
            phase = through(town, f"{victim.called} killed for {DOWN} s", GONE_AFTER, victim.kill)
            ghost = Ghost(where) if where else None
            time.sleep(max(0.0, phase.at + DOWN - time.monotonic()))
            visitors = ghost.end() if ghost else 0
            victim.start()
            fleet.all_well()
            time.sleep(5)
            phase.end()
            phases.append(phase)
            assert visitors == 0, f"{visitors} connections to {victim.called} later than {GONE_AFTER} s after its death"
        phase = through(town, f"etcd away for {DOWN} s", DOWN, fleet.etcd.kill)
        fleet.etcd.start()
        fleet.all_well()
        time.sleep(5)
        phase.end()
        phases.append(phase)
        town.end()
        reports = [phase.report() for phase in phases]
        stored = town.check()
        asked, failed = sum(one[0] for one in reports), sum(len(one[1]) for one in reports)
        print(f"        {len(town.clients)} connections, {asked} asked, {failed} failed ({100 * failed / asked:.3f} %), {len(town.acked)} acknowledged, {stored} stored; 0 lost, 0 doubled, 0 holes; "
              f"closed: {dict(town.closed)}", flush=True)
        for phase, (_, these, later, back) in zip(phases, reports):
            assert back <= BACK_WITHIN, f"{phase.name}: back after {back:.1f} s"
            assert not (later if "killed" in phase.name else these), (phase.name, [(round(began - phase.at, 2), kind, why) for began, _, kind, why in (later or these)[:10]])
        assert not DEEP or failed < asked / 1000, f"{failed} of {asked} failed"
    finally:
        town.close()


@on({module: 2 for module in MODULES})
def restarted_one_after_the_other_nobody_notices(fleet):
    town = Town(fleet.of("gateway"), PEOPLE, DEVICES, RATE, ASKS)
    try:
        phases, took = [], []
        for process in fleet.processes * ROUNDS:
            phase = Phase(town, f"{process.called} restarted")
            assert process.stop() == 0, process.tail()
            stopped = time.monotonic() - phase.at
            process.start()
            took.append((stopped, time.monotonic() - phase.at))
            fleet.all_well()
            wait_for(lambda: not town.absent, "everybody back", 2 * BACK_WITHIN)
            phase.end()
            phases.append(phase)
        town.end()
        reports = [phase.report() for phase in phases]
        stored = town.check()
        failed = [failure for request in town.requests for failure in request.failed]
        over_http = [(kind, why) for _, _, kind, why in failed if kind != "send"]
        asked = sum(request.tries for request in town.requests)
        print(f"        {len(fleet.processes)} processes restarted {'once' if ROUNDS == 1 else f'{ROUNDS} times'}, each stopped within {max(one[0] for one in took):.1f} s and ready {max(one[1] - one[0] for one in took):.1f} s after that: "
              f"{len(town.clients)} connections, {asked} asked, {len(over_http)} failed over HTTP, {len(failed) - len(over_http)} sends were sent again, none without an answer in the end; "
              f"{len(town.acked)} acknowledged, {stored} stored; 0 lost, 0 doubled, 0 holes; closed: {dict(town.closed)}", flush=True)
        assert not over_http, over_http[:10]
        assert set(town.closed) <= {"1001"}, town.closed
        for phase, (_, _, _, back) in zip(phases, reports):
            assert back <= BACK_WITHIN, f"{phase.name}: back after {back:.1f} s"
    finally:
        town.close()


def removed(room):
    return lambda event: event["ev"] == "room.removed" and event["room"] == room


def cut(fleet, count, what, before=lambda: None):
    """`count` people lose a room or their session, each with a socket at either gateway, while messages come: how long each took after the answer. `before` any of it."""
    doors = fleet.of("gateway")
    ada, bob = Person(doors[0]), Person(doors[1])
    people = [Person(doors[n % 2]) for n in range(count)]
    room, still = ada.room(*people), ada.room(bob)
    sockets, listening = [[Socket(pair.at(door, person)) for door in doors] for person in people], Socket(bob)
    over, took = threading.Event(), []
    before()
    # The first that happens, in a room where nothing else does.
    ada.do("DELETE", f"/rooms/{still}/members/{bob.id}")
    began = time.monotonic()
    listening.event(removed(still), 3)
    quiet = [time.monotonic() - began]

    def talk():
        number = 0
        while not over.wait(0.05):
            number += 1
            ada.do("POST", f"/rooms/{room}/messages", {"text": str(number)})
    talking = threading.Thread(target=talk, daemon=True)
    talking.start()
    try:
        for number, (person, both) in enumerate(zip(people, sockets)):
            if number % 2:
                doors[0].call("POST", "/auth/logout", {}, person.token)
            else:
                pair.at(doors[1], ada).do("DELETE", f"/rooms/{room}/members/{person.id}")
            began = time.monotonic()
            for socket in both:
                if number % 2:
                    assert socket.ends(3) == 4009, socket.closed
                else:
                    socket.event(removed(room), 3)
                took.append(time.monotonic() - began)
            time.sleep(max(0.0, began + 1 - time.monotonic()))
            for door in doors:
                assert door.call("GET", f"/rooms/{room}/messages", token=person.token)[0] == (401 if number % 2 else 404)
    finally:
        over.set()
        talking.join(30)
    for number, both in enumerate(sockets):
        for socket in both:
            last = next((at for at, event in enumerate(socket.events) if event["ev"] == "room.removed"), len(socket.events))
            assert not [event for event in socket.events[last + 1:] if event.get("room") == room], "something of the room came after room.removed"
    took += quiet
    print(f"        {what}: {count} people lost a room or their session, each with a socket at either gateway: the first within {quiet[0] * 1000:.0f} ms, p50 {part(took, .5) * 1000:.0f} ms, at most {max(took) * 1000:.0f} ms after the answer; refused over HTTP at both after a second", flush=True)
    assert max(took) <= 1 * PATIENCE, took


@on({"gateway": 2, "chat": 2, "realtime": 2})
def who_loses_a_room_or_a_session_is_cut_within_a_second_on_every_instance_with_and_without_the_broker(fleet):
    cut(fleet, LOSERS, "with the broker")
    cut(fleet, LOSERS, "the broker says nothing", fleet.engines.broker.freeze)
    fleet.engines.broker.thaw()


if pair.missing():
    print("LEFT OUT: " + pair.missing())
elif not shutil.which("etcd"):
    print("LEFT OUT: etcd is not installed (apt-get install etcd-server, or scripts/bootstrap engines)")
else:
    run([what_is_killed_and_kept_down_costs_what_was_in_flight_there, restarted_one_after_the_other_nobody_notices,
         who_loses_a_room_or_a_session_is_cut_within_a_second_on_every_instance_with_and_without_the_broker])
