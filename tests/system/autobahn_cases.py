"""Drives the case classes of Autobahn's test suite, converted to Python 3, against an echo server: `autobahn_cases.py FOLDER URL SECTION,…`.

Runs in the environment that autobahn_test.py makes, and prints one JSON object a case. Our server takes text alone and closes with 1003 on a binary
frame (RFC 6455, 7.4.1). So a case that sends binary is run as it is, which must end with 1003, and once more with its binary frames as text ones of
7 bits: sizes, fragments and pieces are then the case's.
"""
import binascii, collections, json, os, sys, types

folder, url, sections = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
package = types.ModuleType("autobahntestsuite")
package.__path__ = [folder]
resources = types.ModuleType("pkg_resources")
resources.resource_filename = lambda _, path: os.path.join(folder, path)
sys.modules.update(autobahntestsuite=package, pkg_resources=resources)


def raw(text):
    """Texts of Python 2 are bytes: one character of Latin-1 each."""
    return text.encode("latin-1") if isinstance(text, str) else text


hexlify, unhexlify = binascii.b2a_hex, binascii.a2b_hex
binascii.b2a_hex = lambda data, *more: hexlify(raw(data), *more).decode()
binascii.a2b_hex = binascii.unhexlify = lambda text: unhexlify(text).decode("latin-1")

import autobahn.websocket.utf8validator as utf8  # noqa: E402
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol, connectWS  # noqa: E402
from twisted.internet import reactor  # noqa: E402

Validator = utf8.Utf8Validator


class TextValidator:
    def __init__(self):
        self.inner = Validator()

    def reset(self):
        self.inner.reset()

    def validate(self, text):
        return self.inner.validate(raw(text))


utf8.Utf8Validator = TextValidator
from autobahntestsuite.case import Cases  # noqa: E402
from autobahntestsuite.case.case import Case  # noqa: E402
utf8.Utf8Validator = Validator


def number(case):
    return ".".join(case.__name__[4:].split("_"))


def seven_bits(data):
    return bytes(byte & 0x7F for byte in raw(data))


class Client(WebSocketClientProtocol):
    connectionWasOpen = createWirelog = sent_binary = False

    def connectionMade(self):
        self.txFrameStats = collections.Counter()
        super().connectionMade()

    def logTxFrame(self, head, *_):
        self.txFrameStats[head.opcode] += 1

    def logRxFrame(self, *_): pass
    def logRxOctets(self, *_): pass
    def logTxOctets(self, *_): pass
    def enableWirelog(self, *_): pass

    def _kind(self, binary, payload):
        self.sent_binary = self.sent_binary or binary
        return (False, seven_bits(payload)) if binary and self.factory.as_text else (binary, raw(payload))

    def sendFrame(self, opcode, payload=b"", **more):
        if opcode == 2 or (opcode == 0 and self.factory.as_text):
            binary, payload = self._kind(True, payload)
            opcode = opcode if binary or opcode == 0 else 1
        return super().sendFrame(opcode=opcode, payload=raw(payload), **more)

    def sendMessage(self, payload, *args, binary=False, isBinary=False, **more):
        if args:
            binary, args = args[0], args[1:]
        binary, payload = self._kind(binary or isBinary, payload)
        return super().sendMessage(payload, binary, *args, **more)

    def beginMessage(self, *args, binary=False, isBinary=False, **more):
        self.text_of_binary = False
        binary, _ = self._kind(bool(args and args[0]) or binary or isBinary, b"")
        self.text_of_binary = not binary and self.factory.as_text
        return super().beginMessage(binary, **more)

    def sendMessageFrameData(self, payload, *args, **more):
        return super().sendMessageFrameData(seven_bits(payload) if getattr(self, "text_of_binary", False) else raw(payload), *args, **more)

    def sendPing(self, payload=None):
        return super().sendPing(raw(payload) if payload is not None else None)

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        return super().sendCloseFrame(code=code, reasonUtf8=raw(reasonUtf8) if reasonUtf8 else None, isReply=isReply)

    def later(self, delay, action):
        reactor.callLater(delay, lambda: action() if self.state != self.STATE_CLOSED else None)

    def continueLater(self, delay, action, tag=None):
        self.later(delay, action)

    def killAfter(self, delay):
        self.later(delay, self._fail_connection)

    def closeAfter(self, delay):
        self.later(delay, self.sendClose)

    def failConnection(self):
        self._fail_connection()

    def guard(self, action, *args):
        try:
            action(*args)
        except Exception as problem:  # noqa: BLE001 - of the case or of our conversion: either way it has failed
            self.factory.problem = repr(problem)
            self._fail_connection()

    def onOpen(self):
        self.connectionWasOpen = True
        self.guard(self.case.onOpen)

    def onMessage(self, payload, binary):
        self.guard(self.case.onMessage, payload.decode("latin-1"), binary or (self.factory.as_text and self.sent_binary))

    def onPing(self, payload):
        super().onPing(payload)
        self.guard(self.case.onPing, payload.decode("latin-1"))

    def onPong(self, payload):
        self.guard(self.case.onPong, payload.decode("latin-1"))

    def onClose(self, clean, code, reason):
        self.case.onClose(clean, code, reason)

    def connectionLost(self, reason):
        super().connectionLost(reason)
        try:
            self.case.onConnectionLost(getattr(self, "failedByMe", False))
        except Exception as problem:  # noqa: BLE001
            self.factory.problem = (self.factory.problem or "") + repr(problem)
        done(self.factory, self)


class Factory(WebSocketClientFactory):
    problem = None

    def buildProtocol(self, _):
        client = Client()
        client.factory = self
        client.perMessageCompressionOffers = []
        client.case = self.case(client)
        return client

    def clientConnectionFailed(self, _, reason):
        print(json.dumps({"case": number(self.case), "behavior": "NO CONNECTION", "close": "", "problem": str(reason)}), flush=True)
        following()


def plain(value, as_text):
    if isinstance(value, (bytes, str)):
        data = raw(value) if isinstance(value, bytes) or all(ord(c) < 256 for c in value) else value.encode()
        return seven_bits(data) if as_text else data
    return [plain(one, as_text) for one in value] if isinstance(value, (list, tuple)) else value


Case.compare = lambda self, a, b: plain(a, self.p.factory.as_text) == plain(b, self.p.factory.as_text)
waiting = collections.deque((case, False) for case in Cases if number(case).split(".")[0] in sections)


def done(factory, client):
    case = client.case
    result = {"case": number(factory.case), "behavior": case.behavior, "close": case.behaviorClose, "code": client.remoteCloseCode, "problem": factory.problem, "why": [case.result, case.resultClose]}
    if factory.as_text:
        result["as"] = "text"
    elif client.sent_binary:
        result["as"] = "binary"
        waiting.appendleft((factory.case, True))
    print(json.dumps(result), flush=True)
    following()


def following():
    if not waiting:
        return reactor.callLater(0, reactor.stop)
    factory = Factory(url)
    factory.case, factory.as_text = waiting.popleft()
    factory.logFrames = True
    factory.setProtocolOptions(failByDrop=False, openHandshakeTimeout=5, closeHandshakeTimeout=3, serverConnectionDropTimeout=2)
    reactor.callLater(0, connectWS, factory)


following()
reactor.run()
