"""Rules of sections 5 to 8 of RFC 9113 that meet each other: two in one frame, one inside another,
or one after the other has been used up."""

import wire
from case import HEAD, HTTP2, NOTHING, PARTIAL, RECEIVE, TIMEOUT, Table
from case import STREAM as RESET
from wire import (ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, HEADER_TABLE_SIZE,
                  INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE, PROTOCOL_ERROR,
                  SETTINGS_TIMEOUT, STATUS_200, STREAM_CLOSED, continuation, data, field, frame,
                  goaway, headers, ping, priority, response, rst_stream, settings, status,
                  table_size, window_update)

TABLE = Table()
ok = TABLE.ok
BODY = b"hello"
END = data(1, BODY, end=True)
RESERVED = 0x80000000
LARGEST = 0x7fffffff
TRAILER = field(b"a", b"b")
LENGTH = b"content-length"
SIZED = headers(1, STATUS_200 + field(LENGTH, b"5"))
OPEN = headers(1, STATUS_200, end_headers=False)
EITHER = (PROTOCOL_ERROR, FRAME_SIZE_ERROR)

# SETTINGS that are never acknowledged, in real time. PINGs are answered.


def never_acknowledge(peer, meanwhile=lambda peer: None):
    peer.start(ack=False)
    peer.requests()
    while not peer.ended:
        peer.pause(0.5)
        meanwhile(peer)
        for found in peer.frames[peer.seen:]:
            if found.kind == wire.PING and not found.flags & wire.ACK:
                peer.send(ping(found.payload, ack=True))
        peer.seen = len(peer.frames)


def after_ten_seconds(result, _):
    return None if result.seconds > 9.5 else "ended too early"


TABLE.connection("SETTINGS that are never acknowledged", "6.5.3", never_acknowledge,
                 SETTINGS_TIMEOUT, at="accept", check=after_ten_seconds)
TABLE.connection("a body that comes does not acknowledge SETTINGS", "6.5.3", lambda peer: (
    never_acknowledge(peer, lambda peer: peer.send(
        b"" if any(f.kind == wire.GOAWAY for f in peer.frames) else
        (HEAD if not peer.syncs else b"") + data(1, b"x")) or setattr(peer, "syncs", 1))),
                 SETTINGS_TIMEOUT, at="accept", out=b"x" * 40, check=after_ten_seconds)

# Inside a field block.
TABLE.connection("GOAWAY, and then SETTINGS inside a field block", "6.10",
                 goaway(1) + OPEN + settings((INITIAL_WINDOW_SIZE, 1)), PROTOCOL_ERROR)
TABLE.connection("GOAWAY, and then PUSH_PROMISE", "8.4",
                 goaway(1) + frame(wire.PUSH_PROMISE, wire.END_HEADERS, 1, b"\0\0\0\2\x82"),
                 PROTOCOL_ERROR)
TABLE.connection("PING of a wrong size inside a field block", "6.7",
                 OPEN + frame(wire.PING, 0, 0, bytes(7)), EITHER)
TABLE.connection("a frame that is too long inside a field block", "4.2",
                 OPEN + frame(0x2a, 0, 1, b"", 0xffffff), EITHER)
TABLE.connection("RST_STREAM inside the field block that it resets", "6.10",
                 OPEN + rst_stream(1, wire.CANCEL) + continuation(1), PROTOCOL_ERROR)
TABLE.connection("a field block inside a field block of trailers", "6.10",
                 HEAD + headers(1, TRAILER, end=True, end_headers=False) + headers(3),
                 PROTOCOL_ERROR, urls=2, lines=2)
ok("a hundred CONTINUATIONs without octets", "6.10", OPEN + continuation(1, b"", False) * 100 +
   continuation(1) + END, BODY)
ok("trailers in a hundred CONTINUATIONs, most without octets", "6.10",
   HEAD + data(1, BODY) + headers(1, b"", end=True, end_headers=False) +
   continuation(1, b"", False) * 99 + continuation(1, TRAILER), BODY)
TABLE.connection("trailers in CONTINUATIONs without octets and without end", "10.5", lambda peer: (
    peer.send(HEAD, data(1, BODY), headers(1, b"", end=True, end_headers=False)),
    peer.flood(continuation(1, b"", False) * 500)), ENHANCE_YOUR_CALM, out=BODY)
ok("CONTINUATION with every flag that it does not have", "4.1", OPEN +
   frame(wire.CONTINUATION, 0xfb, 1, b"") + frame(wire.CONTINUATION, 0xff, 1, b"") + END, BODY)
ok("CONTINUATION whose reserved bit is set", "4.1", OPEN +
   frame(wire.CONTINUATION, wire.END_HEADERS, RESERVED | 1, b"") + END, BODY)
TABLE.stream("a stream that depends on itself in its trailers", "5.3.1", HEAD + data(1, BODY) +
             headers(1, TRAILER, end=True, priority=(1, 0)), PROTOCOL_ERROR, out=BODY)

# Padding and END_STREAM.
for pad in (0, 1, 255):
    ok(f"END_STREAM in DATA of {pad} octets of padding alone", "6.1",
       SIZED + data(1, BODY) + data(1, b"", end=True, pad=pad), BODY)
    ok(f"END_STREAM in HEADERS with {pad} octets of padding", "6.2",
       headers(1, end=True, pad=pad))
    ok(f"END_STREAM in trailers with {pad} octets of padding", "6.2",
       SIZED + data(1, BODY) + headers(1, TRAILER, end=True, pad=pad, priority=(3, 9)), BODY)
ok("the largest frame, padded as far as it goes", "6.1", HEAD +
   data(1, b"z" * (16384 - 256), end=True, pad=255), b"z" * (16384 - 256))
TABLE.connection("the largest frame, padded by an octet too many", "6.1", HEAD +
                 frame(wire.DATA, wire.PADDED, 1, b"\xff" + bytes(254)), PROTOCOL_ERROR)
ok("padding where content-length is 0", "8.1.1", headers(1, STATUS_200 + field(LENGTH, b"0")) +
   data(1, b"", pad=255) * 3 + data(1, b"", end=True, pad=0))

# After content-length was reached.
ok("trailers after content-length was reached", "8.1", SIZED + data(1, BODY) +
   headers(1, TRAILER, end=True), BODY)
ok("empty DATA after content-length was reached", "8.1.1", SIZED + data(1, BODY) + data(1) * 5 +
   data(1, end=True), BODY)
TABLE.stream("an octet after content-length was reached", "8.1.1", SIZED + data(1, BODY) + data(1) +
             data(1, b"x"), PROTOCOL_ERROR, out=BODY)
TABLE.stream("content-length reached, and HEADERS that do not end the stream", "8.1", SIZED +
             data(1, BODY) + headers(1, TRAILER), PROTOCOL_ERROR, out=BODY)

# Informational responses in wrong places.
for code in (b"100", b"103"):
    name = code.decode()
    TABLE.stream(f"{name} with END_STREAM", "8.1", headers(1, status(code), end=True),
                 PROTOCOL_ERROR)
    TABLE.stream(f"{name} after the response's head", "8.1", HEAD + headers(1, status(code)),
                 PROTOCOL_ERROR)
    TABLE.stream(f"{name} between DATA frames", "8.1", HEAD + data(1, BODY) +
                 headers(1, status(code)) + END, PROTOCOL_ERROR, out=BODY)
    TABLE.stream(f"{name} in place of trailers", "8.1", HEAD + data(1, BODY) +
                 headers(1, status(code), end=True), PROTOCOL_ERROR, out=BODY)
    TABLE.stream(f"DATA after {name}", "8.1", headers(1, status(code)) + END, PROTOCOL_ERROR)
TABLE.stream("101 between informational responses", "8.6", headers(1, status(b"103")) +
             headers(1, status(b"101")) + HEAD + END, PROTOCOL_ERROR)
TABLE.stream("trailers in place of a response after 103", "8.1", headers(1, status(b"103")) +
             headers(1, TRAILER, end=True), PROTOCOL_ERROR)

# Responses without content.
ASK_HEAD = {"options": ("-I",), "out": b"HTTP/2 200 \r\ncontent-length: 5\r\n\r\n"}
ok("HEAD, content-length and END_STREAM of its own", "8.1.1", SIZED + data(1, end=True), **ASK_HEAD)
ok("HEAD and content-length in HEADERS with END_STREAM", "8.1.1",
   headers(1, STATUS_200 + field(LENGTH, b"5"), end=True), **ASK_HEAD)
ok("HEAD, and padding alone", "8.1.1", SIZED + data(1, b"", end=True, pad=9), **ASK_HEAD)
TABLE.stream("HEAD, and DATA with content", "8.1.1", SIZED + END, PROTOCOL_ERROR, **ASK_HEAD)
TABLE.stream("HEAD, and DATA with content before the end", "8.1.1", SIZED + data(1, b"x"),
             PROTOCOL_ERROR, **ASK_HEAD)
for code in (b"204", b"304"):
    ok(f"{code.decode()} and an END_STREAM of its own", "8.1.1", headers(1, status(code)) +
       data(1, end=True))
    TABLE.stream(f"{code.decode()} with one octet", "8.1.1", headers(1, status(code)) +
                 data(1, b"x", end=True), PROTOCOL_ERROR)
ok("304 with the content-length that a 200 would have", "8.1.1",
   headers(1, status(b"304") + field(LENGTH, b"500"), end=True))

# The header table, in one SETTINGS and over several.


def flips(name, first, *frames):
    """What the next block begins with. A request that was too early for the limit is refused."""
    def script(peer):
        peer.start((MAX_CONCURRENT_STREAMS, 0))
        peer.sync()
        for found in [f for f in peer.frames if f.kind == wire.HEADERS]:
            peer.send(rst_stream(found.stream, wire.REFUSED_STREAM))
        peer.sync()
        peer.seen = len(peer.frames)
        peer.send(*frames, settings((MAX_CONCURRENT_STREAMS, 1)))
        found = peer.await_frame(wire.HEADERS)
        peer.begins = found.payload
        peer.send(response(found.stream, BODY))
    ok(name, "4.3.1", script, BODY, at="accept", check=lambda _, them: None
       if them[0].begins.startswith(first) else f"the block begins {them[0].begins[:6].hex()}")


ZERO, ZERO_THEN_4096 = table_size(0), table_size(0) + table_size(4096)
flips("HEADER_TABLE_SIZE 0, 4096 and 0 in one SETTINGS", ZERO + b"\x82",
      settings((HEADER_TABLE_SIZE, 0), (HEADER_TABLE_SIZE, 4096), (HEADER_TABLE_SIZE, 0)))
flips("HEADER_TABLE_SIZE 0 and 4096 in one SETTINGS", ZERO_THEN_4096 + b"\x82",
      settings((HEADER_TABLE_SIZE, 0), (HEADER_TABLE_SIZE, 4096)))
flips("HEADER_TABLE_SIZE 0, and 4096 in the next SETTINGS", ZERO_THEN_4096 + b"\x82",
      settings((HEADER_TABLE_SIZE, 0)), settings((HEADER_TABLE_SIZE, 4096)))
flips("HEADER_TABLE_SIZE down in steps over three SETTINGS, and up", table_size(0) +
      table_size(100) + b"\x82", settings((HEADER_TABLE_SIZE, 1000)),
      settings((HEADER_TABLE_SIZE, 0)), settings((HEADER_TABLE_SIZE, 100)))
ok("a table of size 0 and back in trailers", "RFC 7541 4.2", HEAD + data(1, BODY) +
   headers(1, ZERO_THEN_4096 + TRAILER, end=True), BODY)

# Windows.
TABLE.connection("the connection's window above 2^31-1 by one octet", "6.9.1",
                 window_update(0, LARGEST - 65535) + window_update(0, 1), FLOW_CONTROL_ERROR)
TABLE.stream("a stream's window above 2^31-1 by one octet", "6.9.1",
             window_update(1, LARGEST - 65535) + window_update(1, 1), FLOW_CONTROL_ERROR)
TABLE.stream("an octet more than INITIAL_WINDOW_SIZE 2^31-1", "6.9.1",
             settings((INITIAL_WINDOW_SIZE, LARGEST)) + window_update(1, 1), FLOW_CONTROL_ERROR)
ok("INITIAL_WINDOW_SIZE down makes room for what was too much", "6.9.2",
   settings((INITIAL_WINDOW_SIZE, 0)) + window_update(1, LARGEST) + HEAD + END, BODY)
TABLE.connection("WINDOW_UPDATE of the reserved bit alone", "6.9", window_update(0, RESERVED),
                 PROTOCOL_ERROR)
ok("WINDOW_UPDATE with the reserved bit", "6.9", window_update(0, RESERVED | 1) +
   window_update(1, RESERVED | 1) + HEAD + END, BODY)
TABLE.connection("a zero increment on an idle stream", "5.1", window_update(9, 0), PROTOCOL_ERROR)
TABLE.add("a zero increment on a closed stream", "6.9", response(1, BODY) + window_update(1, 0) +
          response(3, BODY), 0, out=BODY * 2, urls=2, goaway=NOTHING)


def received(peer):
    return b"".join(f.payload for f in peer.frames if f.kind == wire.DATA)


UPLOAD = bytes(range(256)) * 1024
ARRIVED = {"data": UPLOAD, "options": ("--data-binary", "@-"), "check": lambda _, them: None
           if received(them[0]) == UPLOAD else "the upload is not what was sent"}


def take(peer, then=lambda peer, count: None):
    """The whole upload, with credit for each frame; then(peer, n) after the n-th."""
    peer.send(window_update(0, 1 << 20))
    part, count = peer.await_frame(wire.DATA, 1), 0
    while not part.flags & wire.END_STREAM:
        count += 1
        peer.send(window_update(1, max(1, len(part.payload))))
        then(peer, count)
        part = peer.await_frame(wire.DATA, 1)
    peer.send(response(1, BODY))


ok("INITIAL_WINDOW_SIZE up and down in one SETTINGS during an upload", "6.9.2", lambda peer: take(
    peer, lambda peer, count: peer.send(settings(
        (INITIAL_WINDOW_SIZE, 0), (INITIAL_WINDOW_SIZE, 1 << 20), (INITIAL_WINDOW_SIZE, 70000)))
    if count == 2 else None), BODY, **ARRIVED)
ok("INITIAL_WINDOW_SIZE up and down twenty times during an upload", "6.9.2", lambda peer: take(
    peer, lambda peer, count: peer.send(settings(
        (INITIAL_WINDOW_SIZE, 65535 if count % 2 else 1000))) if count <= 20 else None), BODY,
   **ARRIVED)
ok("MAX_FRAME_SIZE up and down in one SETTINGS during an upload", "6.5.2", lambda peer: take(
    peer, lambda peer, count: peer.send(settings(
        (MAX_FRAME_SIZE, (1 << 24) - 1), (MAX_FRAME_SIZE, 16384))) if count == 1 else None), BODY,
   **{**ARRIVED, "check": lambda _, them: None if received(them[0]) == UPLOAD and
      max(len(f.payload) for f in them[0].frames) <= 16384 else "a frame is too long"})
ok("MAX_CONCURRENT_STREAMS 0 during an upload", "5.1.2", lambda peer: take(
    peer, lambda peer, count: peer.send(settings((MAX_CONCURRENT_STREAMS, 0)))
    if count == 1 else None), BODY, **ARRIVED)
ok("GOAWAY during an upload that it includes", "6.8", lambda peer: take(
    peer, lambda peer, count: peer.send(goaway(1)) if count == 1 else None), BODY, **ARRIVED)
ok("1xx during an upload", "8.1", lambda peer: take(
    peer, lambda peer, count: peer.send(headers(1, status(b"103"))) if count < 5 else None), BODY,
   **ARRIVED)

# Frames that we do not know, where they mean something to others.
for name, kind, payload in (("PRIORITY_UPDATE", 0x10, b"\0\0\0\1u=1"), ("ALTSVC", 0x0a, b"\0\0"),
                            ("ORIGIN", 0x0c, b"\0\x09https://a"), ("CACHE_DIGEST", 0x0d, b"x"),
                            ("type 255", 0xff, bytes(16384))):
    for stream in (0, 1, 2, 3, 9, LARGEST):
        ok(f"{name} on stream {stream}", "5.5", HEAD + frame(kind, 0xff, stream, payload) + END,
           BODY)
TABLE.connection("PRIORITY_UPDATE inside a field block", "5.5", OPEN +
                 frame(0x10, 0, 0, b"\0\0\0\1u=1") + continuation(1), PROTOCOL_ERROR)

# Flags and bits without a meaning.
ok("RST_STREAM of a closed stream with every flag", "4.1", response(1, BODY) +
   frame(wire.RST_STREAM, 0xff, 1, bytes(4)) + response(3, BODY), BODY * 2, urls=2)
TABLE.add("RST_STREAM with every flag", "4.1", frame(wire.RST_STREAM, 0xff, 1, b"\0\0\0\x08"),
          RESET, goaway=NOTHING, reset=NOTHING)
ok("SETTINGS with every flag but ACK", "4.1", frame(wire.SETTINGS, 0xfe, 0, b"") + HEAD + END, BODY)
ok("SETTINGS on stream 0 with its reserved bit", "4.1", frame(wire.SETTINGS, 0, RESERVED, b"") +
   frame(wire.PING, 0, RESERVED, b"12345678") + HEAD + END, BODY)
ok("GOAWAY whose last stream has the reserved bit", "6.8", goaway(RESERVED | 1) + HEAD + END, BODY)
TABLE.connection("SETTINGS ACK with every flag, without SETTINGS", "6.5",
                 frame(wire.SETTINGS, 0xff, 0, b""), PROTOCOL_ERROR)
ok("PING ACK that nobody asked for, in mid-body", "6.7", HEAD + ping(ack=True) * 3 + END, BODY)
ok("PRIORITY of weight 0 on a closed, an open and an idle stream", "5.3", response(1, BODY) +
   priority(1, 3, 0) + priority(3, 1, 255) + priority(LARGEST, 3, 0) + response(3, BODY), BODY * 2,
   urls=2)
TABLE.connection("the client's preface in mid-body", "3.4", HEAD + wire.PREFACE, FRAME_SIZE_ERROR)

# The end of a connection.
TABLE.add("GOAWAY that includes the stream, and a second one that does not", "6.8",
          goaway(1) + HEAD + data(1, BODY) + goaway(0), (HTTP2, PARTIAL), out=BODY)
TABLE.add("GOAWAY twice with rising errors, and FIN in mid-body", "6.8", lambda peer: (
    peer.send(HEAD, data(1, BODY), goaway(1), goaway(1, wire.INTERNAL_ERROR)), peer.fin()),
          (PARTIAL, HTTP2, RECEIVE), out=BODY)
TABLE.connection("DATA of a stream that GOAWAY left out, then PING of a wrong size", "6.8",
                 goaway(0) + data(1, BODY) + frame(wire.PING, 0, 0, b"x"), None)
TABLE.connection("HEADERS and DATA after END_STREAM in trailers", "5.1", HEAD +
                 headers(1, TRAILER, end=True) + data(1, BODY), (STREAM_CLOSED, PROTOCOL_ERROR),
                 urls=2)
TABLE.add("an answer to the second request, and nothing to the first", "5", response(3, BODY),
          TIMEOUT, urls=2, out=BODY, max_time=2)


def pings_in_order(_, them):
    got = [f.payload for f in them[0].frames if f.kind == wire.PING and f.flags & wire.ACK]
    want = [b"number%02d" % i for i in range(20)]
    return None if [p for p in got if p.startswith(b"number")] == want else f"PING ACKs {got}"


ok("PINGs are answered in order, each by its own octets", "6.7", lambda peer: (
    peer.send(HEAD, *[ping(b"number%02d" % i) + data(1, b"x") for i in range(20)]), peer.sync(),
    peer.send(data(1, end=True))), b"x" * 20, check=pings_in_order)


def leave_after_one(peer):
    """Each connection answers its first request, and takes no other."""
    stream = peer.await_frame(wire.HEADERS).stream
    peer.send(goaway(stream))
    peer.sync()
    known = sum(f.kind == wire.HEADERS for f in peer.frames)
    peer.send(response(stream, BODY))
    peer.sync()
    peer.late = sum(f.kind == wire.HEADERS for f in peer.frames) - known


TABLE.add("no request goes to a connection that said GOAWAY", "6.8", leave_after_one, (0, HTTP2),
          at="preface", urls=4, out=BODY * 4, lines=3, begin=((MAX_CONCURRENT_STREAMS, 1),),
          check=lambda _, them: "a request came after GOAWAY"
          if any(getattr(peer, "late", 0) for peer in them) else None)
