"""Section 10.5 of RFC 9113: harmless frames without end, and frames that keep a client busy.

Each flood ends when the client ends it, by ENHANCE_YOUR_CALM, within its bounds of memory."""

import wire
from case import FIELDS, HEAD, HTTP2, NOTHING, OK, PARTIAL, RECEIVE, STREAM, TIMEOUT, Table
from wire import (CANCEL, ENHANCE_YOUR_CALM, INITIAL_WINDOW_SIZE, data, field, frame, goaway,
                  headers, ping, priority, response, rst_stream, settings, settings_ack, status,
                  window_update)

TABLE = Table()
BODY = b"hello"
MANY = 500
CALM = (HTTP2, FIELDS)


def flood(name, octets, code=ENHANCE_YOUR_CALM, before=b"", **more):
    def script(peer):
        peer.send(before)
        peer.flood(octets * MANY)
    TABLE.connection(name, "10.5", script, code, **more)


flood("PING", ping())
flood("PING in the middle of a body", ping(), before=HEAD + data(1, BODY), out=BODY)
flood("PING ACK", ping(ack=True))
flood("empty SETTINGS", settings())
flood("SETTINGS that move the window up and down",
      settings((INITIAL_WINDOW_SIZE, 0)) + settings((INITIAL_WINDOW_SIZE, 65535)))
flood("SETTINGS that move the table up and down", settings((1, 0)) + settings((1, 65536)))
flood("SETTINGS of 2000 entries", settings(*[(0x55, i) for i in range(2000)]))
flood("PRIORITY of our stream", priority(1))
flood("PRIORITY of idle streams", priority(0x7ffffffe))
flood("WINDOW_UPDATE of our stream", window_update(1, 1))
flood("WINDOW_UPDATE of the connection", window_update(0, 1))
flood("WINDOW_UPDATE of a closed stream", window_update(1, 1), before=response(1, BODY), urls=2,
      out=BODY)
flood("empty DATA", data(1), before=HEAD)
flood("DATA of padding alone", data(1, b"", pad=255), before=HEAD)
flood("DATA with a padding of zero alone", data(1, b"", pad=0), before=HEAD)
flood("unknown frames", frame(0x2a, 0, 0, b""))
flood("unknown frames of a stream", frame(0xee, 255, 1, b"12345678"))
flood("large unknown frames", frame(0x2a, 0, 0, bytes(16384)))
flood("ALTSVC", frame(0x0a, 0, 0, b"\0\x09localhosth2=\":1\""))
flood("ORIGIN", frame(0x0c, 0, 0, b"\0\x11https://localhost"))
flood("GOAWAY", goaway(1))
flood("GOAWAY with debug data", goaway(1, 0, bytes(16000)))
flood("RST_STREAM of a closed stream", rst_stream(1, CANCEL), before=response(1, BODY), urls=2,
      out=BODY)
flood("103", headers(1, status(b"103")), code=None, exits=CALM, reset=ENHANCE_YOUR_CALM)
flood("103 with large fields", headers(1, status(b"103") + field(b"a", b"b" * 10000)), code=None,
      exits=CALM, reset=ENHANCE_YOUR_CALM)
flood("PING and WINDOW_UPDATE and SETTINGS in turn",
      ping() + window_update(0, 1) + settings() + priority(1))
flood("DATA for a stream that we reset", data(1, b"x"), before=headers(1, status(b"abc")), urls=2,
      lines=2)
flood("empty DATA for a stream that we reset", data(1), before=headers(1, status(b"abc")), urls=2,
      lines=2)
flood("HEADERS for a stream that we reset", headers(1, field(b"a", b"b")),
      before=headers(1, status(b"abc")), urls=2, lines=2)
TABLE.connection("SETTINGS ACK without end", "6.5", lambda peer: peer.flood(settings_ack() * MANY),
                 wire.PROTOCOL_ERROR)


def unread(kind):
    """The answers are not read: what we queue must not grow."""
    def script(peer):
        peer.socket.setblocking(True)
        peer.socket.settimeout(3)
        try:
            for _ in range(400):
                peer.socket.sendall(peer.seal(kind * 1000))
        except OSError:
            pass
        peer.ended = True
    return script


for name, kind in (("PING", ping()), ("SETTINGS", settings())):
    TABLE.add(f"{name} by a peer that does not read", "10.5", unread(kind),
              (HTTP2, RECEIVE, PARTIAL, 55, TIMEOUT))

# Honest servers that come close.
TABLE.ok("PING in front of every DATA frame", "6.7", lambda peer: (
    peer.send(HEAD), peer.send_body(1, (ping() + data(1, bytes(8192))) * 20, 8192 * 20, 100),
    peer.send(data(1, end=True))), bytes(8192) * 2000)
TABLE.ok("WINDOW_UPDATE of both kinds for each DATA frame of a large body", "6.9", lambda peer: (
    peer.send(HEAD), peer.send_body(1, (window_update(0, 1) + window_update(1, 1) +
                                        data(1, bytes(4096))) * 50, 4096 * 50, 30),
    peer.send(data(1, end=True))), bytes(4096) * 1500)
TABLE.ok("a few empty DATA frames", "6.1", HEAD + data(1) * 20 + data(1, BODY) + data(1) * 20 +
         data(1, end=True), BODY)
TABLE.ok("a body in DATA frames of one octet", "6.1", lambda peer: peer.send(
    HEAD, data(1, b"x") * 20000, data(1, end=True)), b"x" * 20000)
TABLE.ok("each DATA frame padded by 255 octets", "6.1", lambda peer: peer.send(
    HEAD, data(1, b"x" * 100, pad=255) * 2000, data(1, end=True)), b"x" * 200000)
TABLE.ok("100 PINGs at once", "6.7", ping() * 100 + response(1, BODY), BODY)
TABLE.ok("20 SETTINGS at once", "6.5", settings((4, 70000)) * 20 + response(1, BODY), BODY)
TABLE.ok("unknown frames between DATA frames", "5.5",
         HEAD + (frame(0x2a, 0, 1, b"grease") + data(1, BODY)) * 200 + data(1, end=True),
         BODY * 200)
TABLE.ok("ten 103 responses", "8.1", headers(1, status(b"103") + field(b"link", b"</x>")) * 10 +
         response(1, BODY), BODY)


def two_hundred(peer):
    """Each of many streams is reset, and the last is answered."""
    for i in range(199):
        peer.send(rst_stream(2 * i + 1, CANCEL))
    peer.send(response(399, BODY))


TABLE.add("199 of 200 requests reset", "10.5", two_hundred, STREAM, urls=200, lines=199, out=BODY,
          goaway=NOTHING, reset=NOTHING, at="request", options=("-S",))
TABLE.add("a body that drips slower than the deadline allows", "10.5", lambda peer: (
    peer.send(HEAD), [(peer.send(data(1, b"x")), peer.pause(0.1)) for _ in range(40)]), TIMEOUT,
          out=b"x" * 40, max_time=1)
TABLE.add("PING does not keep a dead request alive", "10.5", lambda peer: (
    [(peer.send(ping()), peer.pause(0.1)) for _ in range(40)]), TIMEOUT, max_time=1)
TABLE.add("103 does not keep a dead request alive", "10.5", lambda peer: (
    [(peer.send(headers(1, status(b"103"))), peer.pause(0.1)) for _ in range(40)]), TIMEOUT,
          max_time=1)
TABLE.add("a field block that drips", "10.5", lambda peer: (
    peer.send(headers(1, b"", end_headers=False)),
    [(peer.send(wire.continuation(1, b"\0\1a\1b", False)), peer.pause(0.1)) for _ in range(40)]),
          TIMEOUT, max_time=1)
TABLE.add("a frame header that drips", "10.5", lambda peer: (
    [(peer.send(bytes([octet])), peer.pause(0.2)) for octet in headers(1)]), (TIMEOUT, OK),
          max_time=1)
