"""Two whole servers on one PostgreSQL and one Kafka are asked the same at the same moment: what there may be once, there is once."""
import threading
from harness import DEEP, Person, run, word
from pair import at, missing, on_two

TURNS = 100 if DEEP else 20


def at_once(*calls):
    """What each call returned; all begin at the same moment."""
    out, gate = [None] * len(calls), threading.Barrier(len(calls))

    def run_one(number, call):
        gate.wait(30)
        out[number] = call()
    threads = [threading.Thread(target=run_one, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return out


@on_two()
def what_there_may_be_once_is_there_once(one, other, _):
    ada, bob = Person(one), Person(one)
    # A refresh token.
    for turn in range(TURNS):
        token = one.call("POST", "/auth/login", {"login": ada.name, "password": ada.password})[1]["refresh_token"]
        answers = at_once(*[lambda server=server: server.call("POST", "/auth/refresh", {"refresh_token": token})[0] for server in (one, other)])
        assert sorted(answers) == [200, 401], (turn, answers)
    # A name; the room of two people; a message with one client_id.
    room = ada.room(bob)
    for turn in range(TURNS // 4):
        name = "n" + word()
        answers = at_once(*[lambda server=server: server.call("POST", "/auth/register", {"username": name, "password": "password-" + name})[0] for server in (one, other)])
        assert sorted(answers) == [201, 409], (turn, answers)
        eve = Person(one)
        answers = at_once(*[lambda who=who, whom=whom: who.do("POST", "/rooms/direct", {"user_id": whom.id})["id"] for who, whom in ((eve, ada), (at(other, ada), eve))])
        assert answers[0] == answers[1], (turn, answers)
        answers = at_once(*[lambda server=server: at(server, ada).do("POST", f"/rooms/{room}/messages", {"text": "once", "client_id": name})["seq"] for server in (one, other)])
        assert answers[0] == answers[1], (turn, answers)
        # Two fields of a profile: the one does not bring the other's old value back.
        fields = {"bio": name, "show_presence": turn % 2 == 1}
        at_once(*[lambda server=server, field=field: at(server, ada).do("PATCH", "/users/me", {field: fields[field]}) for server, field in zip((one, other), fields)])
        profile = ada.do("GET", "/users/me")
        assert {field: profile[field] for field in fields} == fields, (turn, profile)


@on_two()
def a_right_that_goes_is_gone_at_both_at_once(one, other, _):
    # Of two administrators who take each other's right one is left.
    admins = [Person(one), Person(one)]
    for turn in range(TURNS // 2):
        for admin in admins:
            one.command("user", "role", admin.name, "--role", "admin")
            admin.login()
        calls = [lambda server=server, who=who, whom=whom: server.call("PATCH", f"/admin/users/{whom.id}", {"roles": ["member"]}, who.token)[0]
                 for server, who, whom in ((one, admins[0], admins[1]), (other, admins[1], admins[0]))]
        answers = at_once(*calls)
        left = [admin for admin in admins if "admin" in admin.login().do("GET", "/auth/account")["roles"]]
        assert len(left) == 1 and answers.count(200) == 1, (turn, answers, len(left))
    # Who signs in while the account is closed is not left inside.
    for turn in range(TURNS):
        person = Person(one)
        _, login = at_once(lambda: one.call("PATCH", f"/admin/users/{person.id}", {"disabled": True}, left[0].token),
                           lambda: other.call("POST", "/auth/login", {"login": person.name, "password": person.password}))
        if login[0] == 200:
            assert other.call("POST", "/auth/refresh", {"refresh_token": login[1]["refresh_token"]})[0] == 401, turn
            assert one.call("PATCH", f"/admin/users/{person.id}", {"disabled": False}, left[0].token)[0] == 200
            assert other.call("POST", "/auth/refresh", {"refresh_token": login[1]["refresh_token"]})[0] == 401, f"{turn}: the session of before lives on"


if missing():
    print("LEFT OUT: " + missing())
else:
    run([what_there_may_be_once_is_there_once, a_right_that_goes_is_gone_at_both_at_once])
