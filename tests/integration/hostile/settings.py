"""Sections 3.4, 5.2, 6.5 and 6.9 of RFC 9113: the beginning, SETTINGS and flow control."""

import wire
from case import HEAD, HTTP2, NOT_HTTP2, NOTHING, OK, PARTIAL, RECEIVE, SEND, STREAM, TIMEOUT, Table
from wire import (ENABLE_PUSH, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, HEADER_TABLE_SIZE,
                  INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE,
                  MAX_HEADER_LIST_SIZE, PROTOCOL_ERROR, data, frame, headers, ping, response,
                  settings, settings_ack, window_update)

TABLE = Table()
BODY = b"hello"
WHOLE = HEAD + data(1, BODY, end=True)
LARGEST = 0x7fffffff

# The first frame.
FIRST = (
    ("HEADERS", headers(1)), ("DATA", data(1, b"x")), ("PING", ping()), ("GOAWAY", wire.goaway(0)),
    ("WINDOW_UPDATE", window_update(0, 1)), ("SETTINGS ACK", settings_ack()),
    ("an unknown type", frame(0x2a, 0, 0, b"xyz")), ("RST_STREAM", wire.rst_stream(1, 0)),
    ("PRIORITY", wire.priority(1)), ("CONTINUATION", wire.continuation(1)),
)
for name, octets in FIRST:
    TABLE.connection(f"{name} before SETTINGS", "3.4", octets, PROTOCOL_ERROR, at="accept",
                     exits=(HTTP2, NOT_HTTP2))
ANSWERS = (
    ("an HTTP/1.1 answer", b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"),
    ("an HTTP/1.0 answer", b"HTTP/1.0 505 no\r\n\r\n"),
    ("HTML", b"<html><body>this is no HTTP/2 at all</body></html>"),
    ("an SMTP greeting", b"220 mail.example ESMTP ready, and more text to follow\r\n"),
    ("an SSH greeting", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" * 2),
    ("zero octets", bytes(1000)), ("octets of 255", b"\xff" * 1000),
    ("the client's own preface", wire.PREFACE + settings()),
)
for name, octets in ANSWERS:
    TABLE.add(f"{name} in place of HTTP/2", "3.4", octets, (HTTP2, NOT_HTTP2), at="accept",
              goaway=(PROTOCOL_ERROR, FRAME_SIZE_ERROR))
TABLE.add("an HTTP/1.1 answer is told as such", "3.4", ANSWERS[0][1], NOT_HTTP2, at="accept",
          text="HTTP/1", tls=False)
TABLE.add("a short answer and the end", "3.4", lambda peer: (peer.send(b"no\r\n"), peer.fin()),
          (RECEIVE, NOT_HTTP2, HTTP2), at="accept", tls=False)
TABLE.add("silence after connecting", "3.4", lambda peer: peer.drain(), TIMEOUT, at="accept",
          max_time=1)
TABLE.add("SETTINGS and then silence", "3.4", lambda peer: peer.drain(), TIMEOUT, max_time=1)
TABLE.add("half a frame header and then silence", "4.1", b"\0\0\4\1", TIMEOUT, max_time=1)
TABLE.add("no SETTINGS ACK, and an answer all the same", "6.5.3", lambda peer: (
    peer.start(ack=False), peer.requests(), peer.send(WHOLE)), OK, out=BODY, at="accept",
          goaway=NOTHING)
TABLE.connection("SETTINGS ACK twice", "6.5", settings_ack(), PROTOCOL_ERROR)

# Values that are out of bounds, RFC 9113 section 6.5.2.
WRONG = (
    (ENABLE_PUSH, 1, PROTOCOL_ERROR), (ENABLE_PUSH, 2, PROTOCOL_ERROR),
    (ENABLE_PUSH, 0xffffffff, PROTOCOL_ERROR),
    (INITIAL_WINDOW_SIZE, 0x80000000, FLOW_CONTROL_ERROR),
    (INITIAL_WINDOW_SIZE, 0xffffffff, FLOW_CONTROL_ERROR),
    (MAX_FRAME_SIZE, 0, PROTOCOL_ERROR), (MAX_FRAME_SIZE, 16383, PROTOCOL_ERROR),
    (MAX_FRAME_SIZE, 1 << 24, PROTOCOL_ERROR), (MAX_FRAME_SIZE, 0xffffffff, PROTOCOL_ERROR),
)
for name, value, code in WRONG:
    TABLE.connection(f"setting {name} of {value}", "6.5.2", settings((name, value)), code)
    TABLE.connection(f"setting {name} of {value} at the beginning", "6.5.2",
                     settings((name, value)), code, at="accept", exits=(HTTP2, NOT_HTTP2))
TABLE.connection("a wrong setting after a right one of its kind", "6.5.2",
                 settings((MAX_FRAME_SIZE, 16384), (MAX_FRAME_SIZE, 1)), PROTOCOL_ERROR)
TABLE.connection("a right setting after a wrong one of its kind", "6.5.2",
                 settings((MAX_FRAME_SIZE, 1), (MAX_FRAME_SIZE, 16384)), PROTOCOL_ERROR)
RIGHT = (
    ("ENABLE_PUSH 0", (ENABLE_PUSH, 0)), ("an unknown setting", (0xff, 0xffffffff)),
    ("setting 0", (0, 7)), ("NO_RFC7540_PRIORITIES", (9, 1)), ("ENABLE_CONNECT_PROTOCOL", (8, 1)),
    ("HEADER_TABLE_SIZE 0", (HEADER_TABLE_SIZE, 0)),
    ("HEADER_TABLE_SIZE 2^32-1", (HEADER_TABLE_SIZE, 0xffffffff)),
    ("MAX_CONCURRENT_STREAMS 2^32-1", (MAX_CONCURRENT_STREAMS, 0xffffffff)),
    ("MAX_FRAME_SIZE 2^24-1", (MAX_FRAME_SIZE, (1 << 24) - 1)),
    ("MAX_HEADER_LIST_SIZE 2^32-1", (MAX_HEADER_LIST_SIZE, 0xffffffff)),
    ("INITIAL_WINDOW_SIZE 2^31-1", (INITIAL_WINDOW_SIZE, LARGEST)),
    ("INITIAL_WINDOW_SIZE 0", (INITIAL_WINDOW_SIZE, 0)),
)
for name, pair in RIGHT:
    TABLE.ok(f"{name} at the beginning", "6.5.2", WHOLE, BODY, begin=(pair,))
    TABLE.ok(f"{name} in mid-flight", "6.5.2", HEAD + settings(pair) + data(1, BODY, end=True), BODY)
TABLE.ok("the same setting several times: the last counts", "6.5.3",
         settings(*[(INITIAL_WINDOW_SIZE, n) for n in (0, 70000, 5, 65535)]) + WHOLE, BODY)
TABLE.ok("each SETTINGS is acknowledged", "6.5.3", lambda peer: (
    peer.send(settings() * 5), peer.sync(), peer.send(WHOLE)), BODY,
         check=lambda result, them: None if sum(
             f.kind == wire.SETTINGS and f.flags == wire.ACK for f in them[0].frames) == 6
         else "not six acknowledgements")

# Windows.
TABLE.connection("a zero increment on the connection", "6.9", window_update(0, 0), PROTOCOL_ERROR)
TABLE.stream("a zero increment on a stream", "6.9", window_update(1, 0), PROTOCOL_ERROR)
TABLE.stream("a zero increment in the middle of a body", "6.9",
             HEAD + data(1, BODY) + window_update(1, 0), PROTOCOL_ERROR, out=BODY)
TABLE.connection("the connection's window above 2^31-1", "6.9.1", window_update(0, LARGEST),
                 FLOW_CONTROL_ERROR)
TABLE.stream("a stream's window above 2^31-1", "6.9.1", window_update(1, LARGEST),
             FLOW_CONTROL_ERROR)
TABLE.connection("the connection's window in many steps", "6.9.1", window_update(0, 1 << 28) * 8,
                 FLOW_CONTROL_ERROR)
TABLE.connection("INITIAL_WINDOW_SIZE lifts an open stream above 2^31-1", "6.9.2",
                 window_update(1, LARGEST - 65535) + settings((INITIAL_WINDOW_SIZE, 65536)),
                 FLOW_CONTROL_ERROR)
TABLE.ok("a window of exactly 2^31-1", "6.9.1", window_update(0, LARGEST - 65535) +
         window_update(1, LARGEST - 65535) + WHOLE, BODY)
TABLE.connection("WINDOW_UPDATE on an idle stream", "5.1", window_update(3, 5), PROTOCOL_ERROR)


def beyond_the_window(peer):
    peer.send(HEAD, data(1, b"x" * 16384) * (peer.window(1) // 16384 + 2))


TABLE.add("DATA beyond the stream's window", "6.9", beyond_the_window, (HTTP2, TIMEOUT), out=b"x" *
          (4 << 20), max_time=2,
          check=lambda result, them: None if FLOW_CONTROL_ERROR in
          them[0].resets(1) + them[0].goaways() or result.status == TIMEOUT
          else "no FLOW_CONTROL_ERROR")

# Uploads.
UPLOAD = bytes(range(256)) * 1024  # 256 KiB


def received(peer, stream=1):
    return b"".join(f.payload for f in peer.frames if f.kind == wire.DATA and f.stream == stream)


def take_upload(peer):
    """Gives credit as it is used, until the end."""
    peer.send(window_update(0, 1 << 20))
    while True:
        part = peer.await_frame(wire.DATA, 1)
        if part.flags & wire.END_STREAM:
            break
        peer.send(window_update(1, max(1, len(part.payload))))
    peer.send(response(1, BODY))


def single_steps(peer):
    """The window is below zero at first by what was sent before the client knew of it."""
    peer.sync()
    count = sum(f.kind == wire.DATA for f in peer.frames)
    for _ in range(count):
        peer.await_frame(wire.DATA, 1)
    if count > 0:
        peer.send(window_update(1, len(received(peer))))
    peer.send(window_update(0, 1 << 20))
    for _ in range(20):
        peer.send(window_update(1, 1))
        peer.await_frame(wire.DATA, 1)
    peer.send(window_update(1, 1 << 20))
    take_upload(peer)


def arrived(result, them):
    return None if received(them[0]) == UPLOAD else "the upload is not what was sent"


POST = {"data": UPLOAD, "options": ("--data-binary", "@-"), "check": arrived}
TABLE.ok("an upload through windows of 64 KiB", "5.2", take_upload, BODY, **POST)
TABLE.ok("an upload after INITIAL_WINDOW_SIZE 0", "6.9.2", lambda peer: (
    peer.sync(), peer.send(window_update(1, len(UPLOAD))), take_upload(peer)), BODY,
         begin=((INITIAL_WINDOW_SIZE, 0),), **POST)
TABLE.ok("an upload whose window went below zero", "6.9.2", lambda peer: (
    peer.await_frame(wire.DATA, 1), peer.send(settings((INITIAL_WINDOW_SIZE, 0))), peer.sync(),
    peer.send(window_update(0, 1 << 20), window_update(1, 1000)), peer.sync(),
    peer.send(settings((INITIAL_WINDOW_SIZE, 65535)), window_update(1, 1 << 20)),
    take_upload(peer)), BODY, **POST)
TABLE.ok("an upload with MAX_FRAME_SIZE raised on the way", "6.5.2", lambda peer: (
    peer.await_frame(wire.DATA, 1), peer.send(settings((MAX_FRAME_SIZE, 1 << 20))),
    take_upload(peer)), BODY, **POST)
TABLE.ok("an upload in steps of one octet at first", "6.9", single_steps, BODY,
         begin=((INITIAL_WINDOW_SIZE, 0),), **POST)
TABLE.add("an upload that never gets credit", "6.9", lambda peer: peer.drain(), TIMEOUT,
          max_time=1, data=UPLOAD, options=("--data-binary", "@-"),
          check=lambda result, them: None if len(received(them[0])) == 65535
          else f"{len(received(them[0]))} octets of DATA")
TABLE.ok("an answer before the end of the upload, and NO_ERROR", "8.1", lambda peer: (
    peer.await_frame(wire.DATA, 1), peer.send(response(1, BODY), wire.rst_stream(1, 0))), BODY,
         data=UPLOAD, options=("--data-binary", "@-"), reset=None)
TABLE.ok("an answer before the end of the upload, and nothing more", "8.1", lambda peer: (
    peer.await_frame(wire.DATA, 1), peer.send(response(1, BODY))), BODY,
         data=UPLOAD, options=("--data-binary", "@-"), reset=None)
TABLE.ok("an upload that goes on after its answer", "8.1", lambda peer: (
    peer.await_frame(wire.DATA, 1), peer.send(response(1, BODY)), peer.pause(0.2),
    peer.send(window_update(0, 1 << 20)),
    [(peer.send(window_update(1, 50000)), peer.pause(0.3)) for _ in range(5)]), BODY, **POST)
TABLE.add("an upload that is refused in the middle", "6.4", lambda peer: (
    peer.await_frame(wire.DATA, 1), peer.send(wire.rst_stream(1, wire.CANCEL))), STREAM,
          data=UPLOAD, options=("--data-binary", "@-"))
TABLE.add("an upload cut by the end of the connection", "5.4.1", lambda peer: (
    peer.await_frame(wire.DATA, 1), peer.fin()), (RECEIVE, SEND, PARTIAL),
          data=UPLOAD, options=("--data-binary", "@-"), tls=False)

# How many streams.
def answer(peer, count):
    for _ in range(count):
        peer.send(response(peer.await_frame(wire.HEADERS).stream, BODY))


TABLE.ok("one stream at a time", "5.1.2", lambda peer: answer(peer, 10), BODY * 10, urls=10,
         at="preface", begin=((MAX_CONCURRENT_STREAMS, 1),), options=("-v",))
TABLE.ok("no stream for a while", "5.1.2", lambda peer: (
    peer.start((MAX_CONCURRENT_STREAMS, 0)), peer.sync(),
    peer.send(settings((MAX_CONCURRENT_STREAMS, 2))), answer(peer, 4)), BODY * 4, urls=4, at="accept")
TABLE.add("no stream ever", "5.1.2", lambda peer: (
    peer.start((MAX_CONCURRENT_STREAMS, 0)), peer.drain()), (TIMEOUT, STREAM), at="accept",
          max_time=1)
TABLE.ok("fewer streams while many are open", "5.1.2", lambda peer: (
    peer.send(settings((MAX_CONCURRENT_STREAMS, 1))), peer.sync(),
    [peer.send(response(2 * i + 1, BODY)) for i in range(8)]), BODY * 8, urls=8)
