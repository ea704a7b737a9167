"""Who poses as somebody else: pages of other origins, headers that only a proxy or a module sets, and forged tokens at every door."""
import base64, hashlib, hmac, http.client, json, pathlib, secrets, socket, sqlite3, subprocess, time
from harness import PATIENCE, Person, Server, Socket, run, wait_for


def raw(server, method, path, headers, body=b""):
    """Status, headers and body; `headers` is a list, so that a name may be there twice."""
    connection = http.client.HTTPConnection(server.host, int(server.port), timeout=30 * PATIENCE)
    try:
        connection.putrequest(method, path, skip_host=any(n.lower() == "host" for n, _ in headers), skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def handshake(server, headers):
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", key), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Protocol", "loggia.v1"), *headers]
    return raw(server, "GET", "/api/v1/realtime", fields)[0]


def only_our_own_origin_opens_sockets_and_uses_the_cookie(server):
    server.start()
    own = f"http://{server.host}:{server.port}"
    Person(server, "ada")
    password = Person(server, "bob").password
    table = [  # the Origin fields, and whether a socket and the cookie are for it
        ([], True, False), ([own], True, True), (["null"], False, False), (["http://evil.example"], False, False), ([f"{own}.evil.example"], False, False),
        ([f"http://evil-{server.host}:{server.port}"], False, False), ([f"http://{server.host}:{int(server.port) ^ 1}"], False, False), ([f"http://{server.host}"], False, False),
        ([f"https://{server.host}:{server.port}"], False, False), ([f"http://localhost:{server.port}"], False, False), ([f"{own}@evil.example"], False, False),
        ([f"http://evil.example#{own}"], False, False), ([f"http://evil.example/{own}"], False, False), ([f"{own} http://evil.example"], False, False),
        ([own, "http://evil.example"], False, False), (["http://evil.example", own], False, False), ([""], False, False), ([f"file://{server.host}:{server.port}"], False, False),
        ([f"http://[::ffff:{server.host}]:{server.port}"], False, False), ([f"http://0x7f000001:{server.port}"], False, False),
    ]

    def sign_in():
        status, headers, body = raw(server, "POST", "/api/v1/auth/login", [("Content-Type", "application/json")], json.dumps({"login": "bob", "password": password, "cookie": True}).encode())
        assert status == 200 and b"refresh_token" not in body, (status, body)
        cookie = headers["Set-Cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/api/v1/auth")), cookie
        return cookie.split(";")[0]

    cookie = sign_in()
    for origins, socket_too, cookie_too in table:
        fields = [("Origin", origin) for origin in origins]
        status = handshake(server, fields)
        assert status == (101 if socket_too else 403), (origins, status)
        for call in ("refresh", "logout"):
            # What a foreign page sends uses nothing up: the next call with the cookie still works.
            status, headers, body = raw(server, "POST", f"/api/v1/auth/{call}", [("Cookie", cookie), *fields])
            assert status == ((200 if call == "refresh" else 204) if cookie_too else 403), (call, origins, status, body)
            assert cookie_too or "Set-Cookie" not in headers, (call, origins)
            if cookie_too:
                cookie = headers["Set-Cookie"].split(";")[0] if call == "refresh" else sign_in()
        status, headers, _ = raw(server, "OPTIONS", "/api/v1/auth/refresh", [*fields, ("Access-Control-Request-Method", "POST")])
        assert not any(name.lower().startswith("access-control") for name in headers), (origins, headers)
    # A cookie is for these two calls alone, and a form of another page has no JSON.
    assert raw(server, "GET", "/api/v1/users/me", [("Cookie", cookie), ("Origin", own)])[0] == 401
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", ""):
        for path in ("/auth/login", "/auth/register", "/auth/refresh"):
            status, _, body = raw(server, "POST", "/api/v1" + path, [("Content-Type", kind), ("Origin", own), ("Cookie", cookie)], b'{"login":"bob","password":"' + password.encode() + b'"}')
            assert status == 415, (kind, path, status, body)
    print(f"        {len(table)} kinds of Origin at the socket, at refresh and at logout")


def headers_of_proxies_and_modules_are_nobodys_but_theirs(server):
    server.start()
    ada, admin = Person(server), Person(server)
    server.command("user", "role", admin.name, "--role", "admin", "--role", "member")
    admin.login()
    spoofed = [
        ("X-User-Id", admin.id), ("X-User", admin.name), ("X-Remote-User", admin.name), ("Remote-User", admin.name), ("X-Forwarded-User", admin.name), ("X-Auth-Request-User", admin.name),
        ("X-Roles", "admin"), ("loggia-subject", admin.id), ("loggia-username", admin.name), ("loggia-roles", "admin,member"), ("loggia-session", admin.id), ("loggia-module", "gateway"),
        ("loggia-address", "203.0.113.9"), ("X-Forwarded-For", "203.0.113.9"), ("X-Real-IP", "203.0.113.9"), ("Forwarded", "for=203.0.113.9;host=evil.example;proto=https"),
        ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https"), ("X-HTTP-Method-Override", "DELETE"), ("X-Original-URL", "/api/v1/admin/users"), ("X-Rewrite-URL", "/api/v1/admin/users"),
        ("X-Request-Id", "spoofed"), ("Trace-Id", "spoofed"), ("X-Client-Cert", "CN=gateway"), ("X-SSL-Client-S-DN", "CN=gateway"),
    ]
    bearer = ("Authorization", "Bearer " + ada.token)
    for name, value in spoofed:
        header = (name, value)
        status, headers, _ = raw(server, "GET", "/api/v1/users/me", [header])
        assert status == 401 and headers["Trace-Id"] != "spoofed", (name, status)
        status, _, body = raw(server, "GET", "/api/v1/users/me", [header, bearer])
        assert status == 200 and json.loads(body)["id"] == ada.id, (name, status, body)
        assert raw(server, "GET", "/api/v1/admin/users", [header, bearer])[0] == 403, name
        assert raw(server, "POST", "/api/v1/auth/validate", [header, bearer, ("Content-Type", "application/json")], b'{"token":"x"}')[0] == 200, name
        if "203.0.113.9" not in value and "Forwarded" not in name:
            continue
        status, _, body = raw(server, "POST", "/api/v1/auth/login", [header, ("Content-Type", "application/json")], json.dumps({"login": ada.name, "password": ada.password, "cookie": True}).encode())
        assert status == 200, (name, body)
        status, _, body = raw(server, "GET", "/api/v1/auth/sessions", [header, bearer])
        assert {one["address"] for one in json.loads(body)["items"]} == {"127.0.0.1"}, (name, body)
    # What only modules ask of each other is no address of the public listener.
    for method, path in (("POST", "/api/v1/internal/hello"), ("GET", "/api/v1/internal/cursor"), ("POST", "/rpc/internal/hello"), ("GET", "/rpc/users/me"), ("GET", "/rpc"), ("GET", "/metrics"),
                         ("GET", "/api/v1/internal/people"), ("POST", "/api/v1/internal/profiles"), ("TRACE", "/api/v1/users/me"), ("GET", "/.git/config"), ("GET", "/debug")):
        status = raw(server, method, path, [bearer, ("loggia-module", "gateway"), ("loggia-subject", admin.id)])[0]
        assert status in (404, 405), (method, path, status)
    print(f"        {len(spoofed)} headers, each as nobody and as a member; those about addresses at a login too")


# ---- forged tokens ----

def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Signer:
    """ES256 by the openssl command (it comes with ca-certificates)."""

    def __init__(self, pem):
        self.pem = pem

    def sign(self, content):
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.pem], input=content.encode(), capture_output=True, check=True).stdout
        at, out = 2, b""
        for _ in range(2):
            size = der[at + 1]
            out += int.from_bytes(der[at + 2:at + 2 + size], "big").to_bytes(32, "big")
            at += 2 + size
        return out

    def token(self, header, claims):
        content = (header if isinstance(header, str) else b64(header)) + "." + (claims if isinstance(claims, str) else b64(claims))
        return content + "." + b64(self.sign(content))


def forged_tokens(server, good, victim):
    head, body, signature = good.split(".")
    header, claims = json.loads(unb64(head)), json.loads(unb64(body))
    signing = sqlite3.connect(f"file:{server.data}/auth.db?mode=ro", uri=True).execute("SELECT pem FROM signing_keys WHERE kid = ?", (header["kid"],)).fetchone()[0]
    own_pem, other_pem = server.home / "own.pem", server.home / "other.pem"
    own_pem.write_text(signing)
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(other_pem)], check=True, capture_output=True)
    ours, theirs = Signer(str(own_pem)), Signer(str(other_pem))
    assert ours.token(header, claims).split(".")[:2] == [head, body]
    public = subprocess.run(["openssl", "ec", "-in", str(own_pem), "-pubout"], capture_output=True, check=True).stdout
    jwk = server.call("GET", "/.well-known/jwks.json", base="")[1]["keys"][0]
    x, y = unb64(jwk["x"]), unb64(jwk["y"])
    now = int(time.time())
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    mac = lambda key, h, c=claims: (lambda content: content + "." + b64(hmac.new(key, content.encode(), hashlib.sha256).digest()))(b64(h) + "." + b64(c))
    without = lambda d, name: {k: v for k, v in d.items() if k != name}
    other_jwk = {"kty": "EC", "crv": "P-256", "x": b64(secrets.token_bytes(32)), "y": b64(secrets.token_bytes(32))}
    r, s = unb64(signature)[:32], unb64(signature)[32:]

    # Nobody's key, or none: what an attacker can make.
    for alg in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {alg!r}, no signature", b64({**header, "alg": alg}) + "." + body + "."
    yield "alg none, the old signature", b64({**header, "alg": "none"}) + "." + body + "." + signature
    yield "signature stripped", head + "." + body + "."
    yield "signature and dot stripped", head + "." + body
    for name, key in (("PEM", public), ("PEM without newline", public.strip()), ("DER", base64.b64decode(b"".join(public.splitlines()[1:-1]))), ("point", b"\4" + x + y), ("x", x), ("kid", header["kid"].encode()), ("nothing", b"")):
        yield f"HS256 with the public key as {name}", mac(key, {**header, "alg": "HS256"})
    yield "ES256 with an HMAC for a signature", mac(public, header)
    for alg in ("RS256", "PS256", "ES384", "ES512", "EdDSA", "es256"):
        yield f"alg {alg} over a good signature", ours.token({**header, "alg": alg}, claims)
    yield "another key under our kid", theirs.token(header, claims)
    yield "another kid", theirs.token({**header, "kid": "x"}, claims)
    yield "no kid", theirs.token(without(header, "kid"), claims)
    for kid in ("../../../../dev/null", "/dev/null", "' OR '1'='1", "x' UNION SELECT 'k", header["kid"] + "\0", header["kid"].lower(), "", "*"):
        yield f"kid {kid!r}", theirs.token({**header, "kid": kid}, claims)
    yield "its own key in jwk", theirs.token({**header, "jwk": other_jwk}, claims)
    yield "jku", theirs.token({**header, "jku": "http://127.0.0.1:1/jwks.json"}, claims)
    yield "x5u", theirs.token({**header, "x5u": "http://127.0.0.1:1/cert.pem"}, claims)
    yield "x5c", theirs.token({**header, "x5c": [b64(b"cert")]}, claims)
    for name, pair in (("zeros", bytes(64)), ("r of zero", bytes(32) + s), ("s of zero", r + bytes(32)), ("r and s of the order", order.to_bytes(32, "big") * 2), ("ones", b"\xff" * 64), ("half", r), ("DER", b"\x30\x44\x02\x20" + r + b"\x02\x20" + s), ("long", r + s + b"\0")):
        yield f"signature of {name}", head + "." + body + "." + b64(pair)
    yield "claims of somebody else", head + "." + b64({**claims, "sub": victim.id, "username": victim.name}) + "." + signature
    yield "more roles", head + "." + b64({**claims, "roles": ["admin"]}) + "." + signature
    yield "a later end", head + "." + b64({**claims, "exp": now + 10**6}) + "." + signature
    # The same bytes written otherwise.
    for name, text in (("a space before", " " + good), ("a space behind", good + " "), ("padding", good + "=="), ("a tab inside", good[:20] + "\t" + good[20:]), ("standard base64", head + "+/." + body + "." + signature),
                       ("a fourth part", good + ".x"), ("an empty part", "." + good), ("two dots", good.replace(".", "..", 1)), ("one more character", good + "A"), ("one less", good[:-1]), ("spare bits", good[:-1] + chr(ord(good[-1]) + 1)),
                       ("upper case", good.upper()), ("a quote around", f'"{good}"'), ("twice", good + "," + good), ("only dots", ".."), ("nothing", ""), ("very long", "a" * 8000), ("a JSON serialization", json.dumps({"payload": body, "signatures": []}))):
        yield name, text
    # Signed by the server's own key, as a bug of it would: still not what it must say.
    for name, change in (("expired", {"exp": now - 1}), ("of the past", {"exp": 0}), ("negative end", {"exp": -1}), ("an end as text", {"exp": str(now + 600)}), ("a broken end", {"exp": now + 600.5}), ("an end beyond 64 bits", {"exp": 2**64}),
                         ("not yet", {"nbf": now + 600}), ("from the future", {"iat": now + 600}), ("for others", {"aud": "other"}), ("for many", {"aud": ["loggia"]}), ("from others", {"iss": "other"}), ("from nobody", {"iss": ""}),
                         ("nil subject", {"sub": "00000000-0000-0000-0000-000000000000"}), ("a name as subject", {"sub": "admin"}), ("a session that never was", {"sid": "0" * 8 + "-0000-7000-8000-" + "0" * 12, "sub": None}), ("roles as text", {"roles": "admin"})):
        yield "our signature: " + name, ours.token(header, {**claims, **change})
    for name in ("exp", "sub", "sid", "aud", "iss", "iat", "jti", "roles"):
        yield f"our signature: no {name}", ours.token(header, without(claims, name))
    text = json.dumps(claims)
    yield "our signature: a claim twice", ours.token(header, b64((text[:-1] + ',"sub":"' + victim.id + '"}').encode()))
    for name, value in (("crit", ["exp"]), ("b64", False), ("zip", "DEF"), ("cty", "JWT"), ("enc", "A256GCM")):
        yield f"our signature: {name} in the header", ours.token({**header, name: value}, claims)
    for kind in ("at+jwt", "JOSE", "refresh", "jwt", ""):
        yield f"our signature: typ {kind!r}", ours.token({**header, "typ": kind}, claims)
    yield "our signature: no typ", ours.token(without(header, "typ"), claims)
    yield "our signature: claims that are a list", ours.token(header, b64([claims]))
    yield "our signature: claims that are no JSON", ours.token(header, b64(b"\xff\xfe"))


def forged_tokens_are_refused_at_every_door(server):
    server.start()
    ada, victim = Person(server, "ada"), Person(server, "victim")
    status, signed_in, _ = server.call("POST", "/auth/login", {"login": "ada", "password": ada.password})
    assert status == 200
    live = Socket(ada)
    forged = list(forged_tokens(server, ada.token, victim)) + [("a refresh token", signed_in["refresh_token"]), ("a password", ada.password), ("an id", ada.id)]
    assert len(forged) >= 60
    accepted = []
    for name, token in forged:
        sendable = all(32 <= ord(c) < 127 or c == "\t" for c in token)
        # A space around a header's value is no part of it, and one before the token is not either (RFC 9110, 5.5 and 11.4).
        if sendable and token.strip(" \t") != ada.token and raw(server, "GET", "/api/v1/users/me", [("Authorization", "Bearer " + token)])[0] != 401:
            accepted.append(("HTTP", name))
        _, answer, _ = server.call("POST", "/auth/validate", {"token": token})
        if answer.get("active"):
            accepted.append(("validate", name))
        answer = live.answer(live.begin("auth", token=token))
        if answer.get("error", {}).get("code") not in ("unauthenticated", "forbidden", "invalid_request"):
            accepted.append(("auth", name, answer))
        try:
            door = Socket(type("Forger", (), {"server": server, "token": token}))
            accepted.append(("hello", name, door.hello))
        except (ConnectionError, AssertionError) as refused:
            assert refused.args[0] == 4003 or "invalid_request" in str(refused), (name, refused)
    assert not accepted, accepted
    # The other doors of HTTP: schemes, places and repetitions that are not the one.
    good = ada.token
    for fields in ([("Authorization", good)], [("Authorization", "Basic " + good)], [("Authorization", "Token " + good)], [("Authorization", "Bearer: " + good)], [("X-Authorization", "Bearer " + good)],
                   [("Cookie", "loggia=" + good)], [("Cookie", "access_token=" + good)], [("Authorization", "Bearer x"), ("Authorization", "Bearer " + good)]):
        assert raw(server, "GET", "/api/v1/users/me", fields)[0] == 401, fields
    assert raw(server, "GET", "/api/v1/users/me?access_token=" + good, [])[0] in (401, 422)
    assert server.call("GET", "/users/me", token=good)[0] == 200 and live.op("ping") and live.op("auth", token=good), "the good one is still good"
    # A token of somebody else, good as it is, is not one of this connection.
    assert live.answer(live.begin("auth", token=victim.token))["error"]["code"] == "forbidden"
    print(f"        {len(forged)} forged tokens at 4 doors (HTTP, validate, hello, auth): 0 accepted")


run([only_our_own_origin_opens_sockets_and_uses_the_cookie, headers_of_proxies_and_modules_are_nobodys_but_theirs, forged_tokens_are_refused_at_every_door])
