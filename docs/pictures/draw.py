#!/usr/bin/env python3
"""Draws the pictures of docs/architecture.md: `docs/pictures/draw.py` writes them beside itself. Standard library only; what it writes is part of the tree.

Each is readable at 900 pixels and follows the reader's light or dark scheme, with a background of its own. Fonts are those of the reader's machine, so every text has room to spare.
"""
import pathlib
from xml.sax.saxutils import escape

HERE = pathlib.Path(__file__).resolve().parent
WIDTH = 900
#        name      light      dark
COLOURS = {
    "ink":    ("#1f2328", "#e6edf3"),
    "quiet":  ("#59636e", "#9da7b3"),
    "paper":  ("#ffffff", "#0d1117"),
    "card":   ("#f3f5f8", "#171d26"),
    "edge":   ("#afb8c1", "#4a5360"),
    "blue":   ("#0757ba", "#6cb2ff"),   # calls
    "green":  ("#157233", "#56d364"),   # events of a log
    "orange": ("#b04500", "#ffa657"),   # signals
    "violet": ("#7339c9", "#d2a8ff"),   # tunnels; what is so in split mode alone
}


def style(scheme):
    rules = []
    for name, pair in COLOURS.items():
        colour = pair[scheme]
        rules.append(f".f-{name}{{fill:{colour}}}.s-{name}{{stroke:{colour}}}")
    return "".join(rules)


class Picture:
    def __init__(self, title, description):
        self.title, self.description, self.parts, self.height = title, description, [], 0

    def put(self, part):
        self.parts.append(part)

    def reach(self, y):
        self.height = max(self.height, y)

    def box(self, x, y, w, h, fill="card", stroke="edge", thick=1, dash="", r=7):
        self.reach(y + h)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.put(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}" class="f-{fill} s-{stroke}" stroke-width="{thick}"{dashed}/>')

    def text(self, x, y, words, size=12, colour="ink", anchor="start", bold=False, mono=False):
        self.reach(y)
        kind = f'f-{colour}{" b" if bold else ""}{" m" if mono else ""}'
        self.put(f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>')

    def line(self, points, colour="ink", thick=1.5, dash="", end=True, start=False):
        path = "M" + " L".join(f"{x} {y}" for x, y in points)
        more = f' stroke-dasharray="{dash}"' if dash else ""
        if end:
            more += f' marker-end="url(#to-{colour})"'
        if start:
            more += f' marker-start="url(#to-{colour})"'
        self.put(f'<path d="{path}" class="s-{colour} n" stroke-width="{thick}"{more}/>')

    def dot(self, x, y, colour, full=True, r=4.5):
        self.put(f'<circle cx="{x}" cy="{y}" r="{r}" class="f-{colour if full else "paper"} s-{colour}" stroke-width="1.8"/>')

    def store(self, x, y, w, h):
        """A database."""
        self.reach(y + h)
        e = 6
        self.put(f'<path d="M{x} {y + e} a{w / 2} {e} 0 0 1 {w} 0 v{h - 2 * e} a{w / 2} {e} 0 0 1 {-w} 0 z M{x} {y + e} a{w / 2} {e} 0 0 0 {w} 0" class="f-card s-edge" stroke-width="1.2"/>')

    def save(self, name):
        marks = "".join(f'<marker id="to-{c}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0 L10 5 L0 10 z" class="f-{c}"/></marker>'
                        for c in COLOURS)
        height = self.height + 16
        (HERE / name).write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="title about">\n'
            f'<title id="title">{escape(self.title)}</title>\n<desc id="about">{escape(self.description)}</desc>\n'
            '<style>text{font-family:system-ui,-apple-system,"Segoe UI","Liberation Sans",Arial,sans-serif}.b{font-weight:600}.n{fill:none}'
            '.m{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}'
            f'{style(0)}@media (prefers-color-scheme:dark){{{style(1)}}}</style>\n'
            f'<defs>{marks}</defs>\n<rect width="{WIDTH}" height="{height}" rx="10" class="f-paper"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


# ---- the modules, as their descriptors have them ----

ORDER = ["gateway", "realtime", "chat", "notification", "auth", "user"]
ROLE = {"gateway": "the only door", "realtime": "live connections", "chat": "rooms, messages", "notification": "who is told; mail", "auth": "accounts, tokens", "user": "profiles, presence"}
NEEDS = {"gateway": ["all others"], "realtime": ["auth, chat, user"], "chat": ["user"], "notification": ["auth, chat, user"], "auth": ["user"], "user": ["nobody"]}
HEARS = {"gateway": [], "realtime": ["new-messages", "read-receipts", "room-signals", "user-status-updates", "user-events", "notifications"], "chat": ["user-events"],
         "notification": ["new-messages", "user-events", "user-status-updates"], "auth": [], "user": ["user-status-updates"]}
STORES = ["chat", "notification", "auth", "user"]
CARD, GAP, LEFT = 136, 9, 20


def column(module):
    return LEFT + ORDER.index(module) * (CARD + GAP)


def middle(module):
    return column(module) + CARD / 2


def one_process():
    p = Picture("One process", "loggia serve: six modules between two bars. They call each other through ports, which are the services themselves; they hear of each other through the bus, which reads the log that each keeps in its own database.")
    for x, w, title, more in ((20, 281, "browsers, bots", "HTTP and WebSocket"), (330, 240, "a shell beside it", "loggia user, topics, migrate …"), (600, 281, "what watches", "/healthz /readyz /metrics")):
        p.box(x, 16, w, 42)
        p.text(x + w / 2, 34, title, 13, anchor="middle", bold=True)
        p.text(x + w / 2, 50, more, 11, "quiet", "middle")
    p.box(8, 92, 884, 640, "paper", "ink", 1.6)
    p.text(20, 110, "one process: loggia serve", 13, bold=True)
    p.text(880, 110, "src/kernel/lifecycle/process.cpp", 11, "quiet", "end", mono=True)
    for x, w, title, file in ((20, 281, "http.listen, the public listener", "src/kernel/http/server.cpp"), (330, 240, "DIR/control.sock", "lifecycle/control.cpp"), (600, 281, "admin.listen", "lifecycle/admin.cpp")):
        at = {20: 250, 330: 450, 600: 634}[x]   # beside the words at the frame's corners
        p.line([(at, 58), (at, 121)], "ink")
        p.box(x, 122, w, 42)
        p.text(x + w / 2, 140, title, 12, anchor="middle", bold=True)
        p.text(x + w / 2, 156, file, 11, "quiet", "middle", mono=True)
    p.line([(middle("gateway"), 164), (middle("gateway"), 257)], "ink")
    p.box(170, 186, 711, 44, "card", "blue", 1.6)
    p.text(182, 204, "calls: Kernel::ports", 13, "blue", bold=True)
    p.text(182, 221, "a port is a list of requests; here whoever asks gets the service itself, and a call is a function call", 11.5)
    p.text(870, 204, "include/loggia/MODULE/contract.hpp", 11, "quiet", "end", mono=True)
    p.line([(column("gateway") + CARD - 24, 257), (column("gateway") + CARD - 24, 208), (169, 208)], "blue")
    for module in ORDER:
        x = column(module)
        if module not in ("gateway", "user"):
            p.line([(x + 50, 257), (x + 50, 231)], "blue")   # it asks
        if module != "gateway":
            p.line([(x + 86, 231), (x + 86, 257)], "blue")   # it is asked
        p.box(x, 258, CARD, 194)
        p.text(x + 10, 278, module, 14, bold=True)
        p.text(x + 10, 294, ROLE[module], 11.5, "quiet")
        p.text(x + 10, 317, "calls", 11, "blue", bold=True)
        for at, words in enumerate(NEEDS[module]):
            p.text(x + 10, 332 + 14 * at, words, 11.5)
        p.text(x + 10, 354, "hears", 11, "green", bold=True)
        for at, words in enumerate(HEARS[module] or ["nothing"]):
            p.text(x + 10, 369 + 14 * at, words, 11.5)
    bus = 590
    for module in ORDER:
        x = column(module)
        if module in STORES:
            p.line([(x + 51, 452), (x + 51, 490)], "ink")
            p.store(x + 2, 491, 98, 56)
            p.text(x + 51, 520, module + ".db", 11.5, anchor="middle")
            p.text(x + 51, 536, "data and log", 11, "quiet", "middle")
            p.line([(x + 51, 547), (x + 51, bus - 1)], "green")
        elif module == "realtime":
            p.line([(x + 51, 452), (x + 51, bus - 1)], "orange", dash="3 4")
        if HEARS[module]:
            p.line([(x + CARD - 18, bus), (x + CARD - 18, 453)], "green", dash="6 4")
    x = column("gateway")
    p.text(x, 480, "one transaction:", 11.5, bold=True)
    for at, words in enumerate(("the change, its event,", "the log's row. After", "the commit the bus is", "told; then the caller", "is answered.")):
        p.text(x, 496 + 15 * at, words, 11.5)
    p.box(20, bus, 861, 44, "card", "green", 1.6)
    p.text(32, bus + 18, "events: Kernel::bus", 13, "green", bold=True)
    p.text(32, bus + 35, "solid: written, in order, kept · dashed: groups and followers hear it · dotted: signals (presence, typing), which nobody keeps", 11.5)
    p.text(870, bus + 18, "src/kernel/bus/bus_here.cpp, embedded.cpp; kafka/", 11, "quiet", "end", mono=True)
    p.text(20, bus + 70, "threads", 12, bold=True)
    for at, (name, words) in enumerate((("main", "starts and stops: lifecycle/process.cpp"), ("shard-0 … N", "connections, coroutines, services; one event loop a core: src/kernel/tasks/shards.cpp"),
                                        ("NAME-writer, -reader", "of each database: src/kernel/storage/writer.cpp, reader_pool.cpp"))):
        p.text(100, bus + 70 + 18 * at, name, 11.5, mono=True)
        p.text(250, bus + 70 + 18 * at, words, 11.5, "quiet")
    p.text(20, bus + 128, "In a database of PostgreSQL each module has a schema in place of a file: storage.kind, src/kernel/storage/postgres/.", 11.5, "quiet")
    p.save("one-process.svg")


# ---- split mode ----

CALLS = {"gateway": ["chat", "notification", "auth", "user"], "realtime": ["chat", "auth", "user"], "notification": ["chat", "auth", "user"], "chat": ["user"], "auth": ["user"]}
READ_BY = {"chat": ["realtime", "notification"], "notification": ["realtime"], "auth": ["gateway", "realtime", "chat", "notification"], "user": ["realtime", "chat", "notification"]}
PUSHED_TO = ["notification", "user"]
INSIDE = {
    "gateway": ["proxies of four", "a Verifier", "TunnelDoors"],
    "realtime": ["proxies of three", "a Verifier"],
    "chat": ["a proxy of user"],
    "notification": ["proxies of three", "a Verifier"],
    "auth": ["a proxy of user"],
    "user": [],
}


def lane(p, y, rows, title, colour, words, file):
    height = 46 + 17 * rows
    p.box(8, y, 884, height, "paper", colour, 1.3)
    p.text(20, y + 18, title, 13, colour, bold=True)
    p.text(20, y + 34, words, 11.5, "quiet")
    p.text(880, y + 18, file, 11, "quiet", "end", mono=True)
    for module in ORDER:
        p.put(f'<line x1="{middle(module)}" y1="{y + 41}" x2="{middle(module)}" y2="{y + height - 3}" class="s-edge" stroke-width="1" stroke-dasharray="1 3"/>')
    return y + 50, y + height + 8


def wire(p, y, asks, answers, colour, dash="", thick=1.6):
    """From who asks (hollow) to those who answer."""
    at = [middle(m) for m in answers] + [middle(asks)]
    p.line([(min(at), y), (max(at), y)], colour, thick, dash, end=False)
    p.dot(middle(asks), y, colour, full=False)
    for one in answers:
        p.dot(middle(one), y, colour)


def split_mode():
    p = Picture("Split mode", "loggia up config/split: six processes of one module each, and who asks whom for what: tunnels of bytes for WebSockets, calls, logs by long poll, and signals that are pushed.")
    p.box(20, 16, 200, 42)
    p.text(120, 34, "browsers, bots", 13, anchor="middle", bold=True)
    p.text(120, 50, "HTTP and WebSocket", 11, "quiet", "middle")
    p.line([(middle("gateway"), 58), (middle("gateway"), 95)], "ink")
    p.text(98, 82, "http.listen: nothing else is public", 11.5, "quiet")
    p.box(330, 16, 551, 42)
    p.text(342, 34, "loggia up config/split", 13, bold=True)
    p.text(342, 50, "one process for each file: planned, started, watched, stopped as one", 11.5, "quiet")
    p.text(870, 34, "lifecycle/supervisor/", 11, "quiet", "end", mono=True)
    for module in ORDER:
        x = column(module)
        p.box(x, 96, CARD, 184, "paper", "ink", 1.6)
        p.box(x + 7, 103, CARD - 14, 26)
        p.text(x + CARD / 2, 121, module, 13.5, anchor="middle", bold=True)
        for at, words in enumerate(INSIDE[module]):
            p.text(x + 12, 147 + 15 * at, words, 11.5, "violet")
        if module in STORES:
            p.store(x + 16, 192, CARD - 32, 44)
            p.text(x + CARD / 2, 219, module + ".db", 11.5, anchor="middle")
        else:
            p.text(x + CARD / 2, 212, "stores nothing:", 11.5, "quiet", "middle")
            p.text(x + CARD / 2, 227, "may be several", 11.5, "quiet", "middle")
        p.box(x + 7, 246, CARD - 14, 26, "card", "edge")
        p.text(x + CARD / 2, 263, "rpc.listen", 11.5, "quiet", "middle", mono=True)
    y, below = lane(p, 296, 1, "tunnels: GET /rpc/realtime", "violet", "the bytes of a WebSocket, both ways, between the client's connection and one instance", "src/kernel/rpc/tunnels.cpp, src/kernel/http/tunnel.cpp")
    wire(p, y, "gateway", ["realtime"], "violet", thick=4)
    y, below = lane(p, below, 5, "calls: METHOD /rpc and the route", "blue", "a request of a contract and its answer, as in one process: Proxy, Balancer, HttpTransport, InnerListener", "wire.hpp, discovery/balancer.cpp, rpc/transport.cpp, rpc/listener.cpp")
    for at, (asks, answers) in enumerate(CALLS.items()):
        wire(p, y + 17 * at, asks, answers, "blue")
    y, below = lane(p, below, 4, "logs: POST /rpc/bus/log", "green", "who reads asks for what comes after what it has; the owner of the log answers when there is something, or after 2 s", "src/kernel/bus/log_elsewhere.cpp, log_service.cpp")
    for at, (owner, readers) in enumerate(READ_BY.items()):
        now = y + 17 * at
        spots = [middle(m) for m in readers + [owner]]
        p.line([(min(spots), now), (max(spots), now)], "green", 1.6, "6 4", end=False)
        for one in readers:
            p.dot(middle(one), now, "green", full=False)
        p.dot(middle(owner), now, "green")
    y, below = lane(p, below, 1, "signals: POST /rpc/bus/signals", "orange", "presence and typing, at most once, pushed to every instance of who hears them; also to realtime's other instances", "src/kernel/bus/signal_sender.cpp")
    wire(p, y, "realtime", PUSHED_TO, "orange", "3 4")
    for module in ORDER:
        p.text(middle(module), below + 6, module, 11.5, anchor="middle", bold=True)
    below += 20
    p.dot(20, below + 12, "ink", full=False)
    p.text(32, below + 16, "asks", 11.5)
    p.dot(76, below + 12, "ink")
    p.text(88, below + 16, "answers", 11.5)
    p.text(160, below + 16, "All of it is HTTP/1.1 on the inner listener, between two processes that each show a certificate.", 11.5, "quiet")
    rows = (("where are they", "discovery.kind: src/kernel/discovery/static.cpp, etcd/, dns.cpp"), ("which of them", "discovery/balancer.cpp; a room's calls keep to one instance of chat"),
            ("who are they", "include/loggia/kernel/mutual_tls.hpp, src/kernel/http/mutual_tls.cpp"), ("what may they", "RpcTable: src/kernel/rpc/permissions.cpp, made of the modules' needs"), ("wired up by", "Inner: src/kernel/lifecycle/inner.cpp"))
    for at, (question, answer) in enumerate(rows):
        p.text(20, below + 40 + 18 * at, question, 11.5, bold=True)
        p.text(136, below + 40 + 18 * at, answer, 11.5, "quiet")
    p.save("split-mode.svg")


# ---- one message ----

LINES = [("client", "client"), ("http", "src/kernel/http"), ("realtime", "modules/realtime"), ("chat", "modules/chat"), ("writer", "chat-writer"), ("bus", "src/kernel/bus")]
SPAN, FIRST = 72, 44
#    from, to, words, where in one process, where in split mode
STEPS = [
    ("client", "http", "a text frame: {\"op\":\"send\", …}", "http/websocket.cpp WebSocketConnection::take", "before it: gateway http/tunnel.cpp Tunnel::take, to realtime"),
    ("http", "realtime", "read strictly; its turn among the connection's requests", "realtime/session.cpp Session::message, Session::pump", None),
    ("realtime", "chat", "chat::SendNow, as that person", "realtime/requests.cpp run(SendOp) → LiveService::on", "kernel/wire.hpp Proxy::on → Balancer, HttpTransport, InnerListener"),
    ("chat", "chat", "the text is made ready: length, NFC, names that may be mentions", "chat/message_service.cpp drafted", None),
    ("chat", "writer", "one command for the store", "chat/chat.hpp Chat::written → Writer::enqueue", None),
    ("writer", "writer", "with all that has gathered: rights, client_id, the next seq", "writer.cpp run_group → chat/message_commands.cpp post_message", None),
    ("writer", "writer", "message, event and the log's row; COMMIT, one sync", "chat/timeline.cpp add_frame; bus/log_here.cpp write_rows", None),
    ("writer", "bus", "the event is in the log: who hears it is told", "bus/log_here.cpp committed → embedded.cpp published", "LogService::wake: the long polls that wait are answered"),
    ("writer", "chat", "the command is answered, back on its shard", "storage/writer.cpp answer", None),
    ("chat", "client", "{\"re\":1,\"ok\":{id, seq, created_at}}: it is durable", "realtime/requests.cpp serve → Session::answer", "the answer to the call, then the tunnel"),
    ("bus", "realtime", "to the room's home shard: is it the next seq?", "realtime/ears.cpp listen → home_rooms.cpp event", "before it: bus/log_elsewhere.cpp run, take"),
    ("realtime", "realtime", "framed once, and mailed to each shard with readers", "realtime/home_rooms.cpp emit → fanout.cpp Node::event", None),
    ("realtime", "http", "the same bytes into every reader's queue", "fanout.cpp Node::flush → session_out.cpp deliver", None),
    ("http", "client", "to each socket, one gathered write a turn of the loop", "http/websocket.cpp WebSocketConnection::flush", "then the readers' tunnels"),
    ("bus", "bus", "beside it: notification's group decides who is told", "bus/group.cpp run → notification/listener.cpp on_timeline", "by the same long poll of chat's log"),
]


def message():
    p = Picture("One message", "The way of a message from the sender's socket through http, realtime, chat and its writer into the log, and from there to the readers' sockets; with the file and function of each step, and what split mode puts in between.")
    xs = {name: FIRST + SPAN * at for at, (name, _) in enumerate(LINES)}
    top, text_at = 58, xs["bus"] + 46
    for name, where in LINES:
        x = xs[name]
        p.box(x - 33, 16, 66, 26, "card", "edge")
        p.text(x, 33, name, 12, anchor="middle", bold=True)
    p.text(text_at, 26, "what happens", 12.5, bold=True)
    p.text(text_at, 42, "file and function", 11, "blue", mono=True)
    p.text(text_at + 120, 42, "in split mode also", 11, "violet")
    y, places = top, []
    for step in STEPS:
        places.append(y)
        y += 56 if step[4] else 42
    for name in xs:
        p.put(f'<line x1="{xs[name]}" y1="42" x2="{xs[name]}" y2="{y}" class="s-edge" stroke-width="1"/>')
    for at, (source, target, words, where, split) in enumerate(STEPS):
        row = places[at]
        if at % 2:
            p.put(f'<rect x="{text_at - 22}" y="{row - 1}" width="{WIDTH - text_at + 14}" height="{(55 if split else 41)}" rx="5" class="f-card"/>')
        now = row + 20
        colour = "green" if "bus" in (source, target) else "ink"
        if at in (11, 12, 13):
            colour = "green"
        if source == target:
            x = xs[source]
            p.line([(x + 6, now - 7), (x + 28, now - 7), (x + 28, now + 6), (x + 10, now + 6)], colour)
        else:
            p.line([(xs[source], now), (xs[target] - (2 if xs[target] > xs[source] else -2), now)], colour)
        p.put(f'<circle cx="{xs[source]}" cy="{now}" r="9.5" class="f-paper s-{colour}" stroke-width="1.4"/>')
        p.text(xs[source], now + 4, str(at + 1), 10.5, colour, "middle", bold=True)
        p.text(text_at, row + 15, words, 12.5)
        p.text(text_at, row + 31, where, 11, "blue", mono=True)
        if split:
            p.text(text_at, row + 46, split, 11, "violet", mono=False)
    p.reach(y)
    p.text(12, y + 22, "1 to 10: what the sender waits for; 10 and 11 go their ways without waiting for each other. Green: the event on its way to the readers.", 11.5, "quiet")
    p.text(12, y + 40, "http, realtime and chat run on shards; the writer is the thread chat-writer. Files are below src/kernel/, include/loggia/ and modules/.", 11.5, "quiet")
    p.save("message.svg")


one_process()
split_mode()
message()
