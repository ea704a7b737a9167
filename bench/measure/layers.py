"""Sorts the samples of `perf script` into layers: what the processor was doing, and for which part of Loggia.

A sample's layer is that of its innermost frame that says something; memcpy, std:: and fmt belong to whoever called them. Its part is the innermost
module or the log on the stack: what SQLite does is chat's where chat's statement runs, and the store's own where it commits. Kernel frames are sorted by
the system call (or fault) that led to them, which is the outermost that a rule knows: what the loopback interface does for the receiver happens inside
the sender's send.
"""
import collections, functools, re

KERNEL = [
    ("kernel: send", r"sys_(sendto|sendmsg|sendmmsg)|sock_write_iter|tcp_sendmsg"),
    ("kernel: receive", r"sys_(recvfrom|recvmsg|recvmmsg)|sock_read_iter|tcp_recvmsg"),
    ("kernel: wake a loop (eventfd)", r"eventfd"),
    ("kernel: epoll", r"epoll"),
    ("kernel: fdatasync", r"fdatasync|fsync"),
    ("kernel: file write", r"sys_(pwrite|write)|ext4_file_write"),
    ("kernel: file read", r"sys_(pread|read)|ext4_file_read"),
    ("kernel: locks of files", r"sys_fcntl|posix_lock"),
    ("kernel: futex", r"futex"),
    ("kernel: clock and timers", r"timerfd|clock_|nanosleep"),
    ("kernel: memory", r"page_fault|sys_(mmap|munmap|madvise|brk|mremap)"),
    ("kernel: accept, open, close", r"sys_(accept|open|close|socket|shutdown)"),
    ("kernel: interrupts", r"asm_sysvec|asm_common_interrupt|irq|ret_from_fork"),
]
LIBRARY = [("SQLite", "libsqlite3"), ("SQLite", "libSQLiteCpp"), ("crypto", "libcrypto"), ("crypto", "libargon2"), ("crypto", "libssl"),
           ("compression", "libz."), ("text", "libutf8proc")]
MALLOC = re.compile(r"^(__libc_|__GI_|_*)?(int_)?(malloc|free|cfree|calloc|realloc|memalign|posix_memalign|aligned_alloc)"
                    r"|^(operator (new|delete)|unlink_chunk|tcache_|sysmalloc|systrim|arena_get|alloc_perturb)")
LOCKS = re.compile(r"^_*(pthread_(mutex|cond|rwlock)|lll_|GI___lll|futex_)|nptl_")
OWN = [  # by the front of a name without its template arguments; the first that fits
    ("JSON", r"nlohmann::|loggia::(json|codec|Encoder|Decoder|RawJson|JsonValue|encode|decode|append_quoted|append_text|frame_text|write_json|"
             r"parse_untrusted|checked_)"),
    ("coroutines and Asio", r"boost::asio::|boost::system::|std::__n4861::|std::coroutine"),
    ("WebSocket and HTTP", r"loggia::http::|loggia::rpc::"),
    ("store (around SQLite)", r"loggia::sqlite::|SQLite::|loggia::(Database|Transaction|Statement|Row|Rows|Idempotency)\b"),
    ("log and bus", r"loggia::bus::|loggia::(Bus|Log|Consumer)"),
    ("realtime fan-out", r"loggia::realtime::"),
    ("chat", r"loggia::chat::"),
    ("gateway", r"loggia::gateway::"),
    ("auth and user", r"loggia::(auth|user)::"),
    ("notification", r"loggia::notification::"),
    ("crypto", r"loggia::crypto::"),
    ("coroutines and Asio", r"loggia::(\(anonymous namespace\)::)?(Tasks|WorkerPool|ThreadShards|Latch|Shards|Task\b|post|spawn)"),
    ("kernel of Loggia, else", r"loggia::"),
]
MODULES = {"realtime": "realtime fan-out", "chat": "chat", "bus": "log and bus", "gateway": "gateway", "auth": "auth and user", "user": "auth and user",
           "notification": "notification"}
OTHER_PARTS = ("WebSocket and HTTP", "store (around SQLite)")
NAMED = re.compile(r"loggia::(" + "|".join(MODULES) + r")::")
KERNEL, OWN = ([(name, re.compile(rule)) for name, rule in rules] for rules in (KERNEL, OWN))


def front(symbol):
    """`void a::b<c>::d(e)` is a::b::d."""
    if symbol.startswith("operator "):
        return symbol
    symbol = symbol.replace("(anonymous namespace)", "{anonymous}").replace("operator()", "{call}").replace("operator<", "{less}")
    out, depth = [], 0
    for c in symbol:
        if c in "<(":
            depth += 1
        elif c in ">)":
            depth = max(0, depth - 1)
        elif depth == 0:
            out.append(c)
    words = [w for w in "".join(out).split(" ") if "::" in w or w.startswith(("sqlite", "_"))]
    return (words[-1] if words else "".join(out)).replace("{anonymous}", "(anonymous namespace)")


@functools.cache
def own_layer(symbol):
    name = front(symbol)
    if name.startswith("std::_Function_handler"):  # a closure: its arguments say whose
        found = NAMED.search(symbol)
        return MODULES[found.group(1)] if found else None
    return next((layer for layer, rule in OWN if rule.match(name)), None)


def layer_of(frames):
    """`frames` are (symbol, library), the innermost first."""
    kernel = [symbol for symbol, library in frames if library.startswith("[")]
    for symbol in reversed(kernel):
        for layer, rule in KERNEL:
            if rule.search(symbol):
                return layer
    if kernel:
        return "kernel: else"
    for symbol, library in frames:
        base = library.rsplit("/", 1)[-1]
        if MALLOC.match(symbol):
            return "malloc"
        if LOCKS.match(symbol):
            return "locks (user side)"
        found = next((layer for layer, start in LIBRARY if base.startswith(start)), None) or own_layer(symbol)
        if found:
            return found
    return "not known"


def part_of(frames):
    layers = [own_layer(symbol) for symbol, _ in frames]
    for wanted in (MODULES.values(), OTHER_PARTS):
        for layer in layers:
            if layer in wanted:
                return layer
    for symbol, _ in frames:  # what Asio calls by a name that holds the caller's
        found = NAMED.search(symbol)
        if found:
            return MODULES[found.group(1)]
    return "loops and threads"


HEAD = re.compile(r"^(\S.*?)\s+(\d+)\s+(\d+)\s+\S+:")
FRAME = re.compile(r"^\s+[0-9a-f]+ (.*) \((\S+)\)$")


def samples(lines):
    """(thread, weight, frames) of what `perf script -F comm,tid,period,event,ip,sym,dso` prints."""
    thread, weight, frames = None, 0, []
    for line in lines:
        head, frame = HEAD.match(line), FRAME.match(line)
        if head:
            thread, weight, frames = head.group(1), int(head.group(3)), []
        elif frame and thread:
            frames.append((frame.group(1), frame.group(2)))
        elif not line.strip() and thread:
            if frames:
                yield thread, weight, frames
            thread = None
    if thread and frames:
        yield thread, weight, frames


class Layers:
    def __init__(self, lines):
        self.layers, self.parts, self.threads = collections.Counter(), collections.defaultdict(collections.Counter), collections.Counter()
        self.unknown, self.count = collections.Counter(), 0
        for thread, weight, frames in samples(lines):
            layer, part = layer_of(frames), part_of(frames)
            self.count += 1
            self.layers[layer] += weight
            self.parts[part][layer] += weight
            self.threads[re.sub(r"-?\d+$", "", thread)] += weight
            if layer in ("not known", "kernel: else", "kernel of Loggia, else"):
                self.unknown[f"{layer}: {front(frames[0][0])}"] += weight
        self.whole = sum(self.layers.values()) or 1

    def share(self, weight):
        return f"{100 * weight / self.whole:.1f} %"

    def by_layer(self):
        """(layer, share, for which parts mostly)"""
        for layer, weight in self.layers.most_common():
            parts = sorted(((self.parts[part][layer], part) for part in self.parts), reverse=True)
            yield layer, weight, ", ".join(f"{part} {self.share(w)}" for w, part in parts[:3] if w >= 0.005 * self.whole)

    def by_part(self):
        for part in sorted(self.parts, key=lambda p: -sum(self.parts[p].values())):
            yield part, sum(self.parts[part].values())
