"""Servers that are unusual and right: each must succeed."""

import wire
from case import HEAD, Table
from http1 import answer
from wire import (MAX_FRAME_SIZE, STATUS_200, continuation, data, field, frame, headers, ping,
                  priority, response, settings, window_update)

TABLE = Table()
BODY = b"hello"
HTTP1_ANSWER = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
ok = TABLE.ok

ok("an empty response", "8.1", headers(1, end=True))
ok("an END_STREAM of its own", "6.1", HEAD + data(1, BODY) + data(1, end=True), BODY)
ok("padding and priority in every frame", "6.2",
   headers(1, pad=7, priority=(0, 200)) + data(1, BODY, pad=9) +
   headers(1, b"\0\1a\1b", end=True, pad=200, priority=(0x80000003, 0)), BODY)
ok("responses in reverse order", "5", lambda peer: peer.send(
    *[response(2 * i + 1, b"%d" % i) for i in reversed(range(10))]), b"0123456789", urls=10)
ok("bodies interleaved by the octet", "5", lambda peer: peer.send(
    *[headers(2 * i + 1) for i in range(5)],
    *[data(2 * i + 1, b"%d" % n) for n in range(8) for i in range(5)],
    *[data(2 * i + 1, end=True) for i in range(5)]), b"01234567" * 5, urls=5)
ok("fields in the dynamic table over many responses", "4.3", lambda peer: peer.send(
    headers(1, STATUS_200 + field(b"x-same", b"1", indexed=True), end=True),
    *[headers(2 * i + 3, STATUS_200 + b"\xbe", end=True) for i in range(19)]),
   b"HTTP/2 200 \r\nx-same: 1\r\n\r\n" * 20, urls=20, options=("-i",))
ok("HEADER_TABLE_SIZE 0 in the middle of traffic", "4.3.1", lambda peer: (
    [(peer.requests(), peer.send(settings((1, 4096 if i % 2 else 0))),
      peer.sync(), peer.send(response(2 * i + 1, BODY))) for i in range(6)]), BODY * 6, urls=6,
   at="preface", begin=((3, 1),))
ok("frames between others' frames", "5.5",
   frame(0x2a, 0, 0, b"grease") + HEAD + priority(1, 0) + ping() + window_update(0, 1) +
   data(1, b"he") + settings() + window_update(1, 1) + data(1, b"llo") + frame(0x2b, 1, 1) +
   headers(1, b"\0\1a\1b", end=True), BODY)
ok("a block cut after each octet", "6.10", headers(1, b"", end_headers=False) + b"".join(
    continuation(1, bytes([octet]), False) for octet in STATUS_200 + field(b"abc", b"defgh")) +
   continuation(1) + data(1, BODY, end=True), BODY)
ok("fields of 60,000 octets", "10.5.1", lambda peer: peer.send(
    headers(1, STATUS_200, end_headers=False),
    *[continuation(1, field(b"x-%d" % i, b"y" * 14900), i == 3) for i in range(4)],
    data(1, BODY, end=True)), BODY)
ok("MAX_FRAME_SIZE 2^24-1 and a large upload", "6.5.2", lambda peer: (
    peer.send(window_update(0, 1 << 22), window_update(1, 1 << 22)), until_end(peer),
    peer.send(response(1, BODY))), BODY, begin=((MAX_FRAME_SIZE, (1 << 24) - 1),),
   data=bytes(1 << 20), options=("--data-binary", "@-"))
ok("an answer before SETTINGS ACK of either side", "6.5.3", lambda peer: (
    peer.send(settings()), peer.requests(), peer.send(response(1, BODY))), BODY, at="accept")
ok("SETTINGS in single frames at the beginning", "3.4", lambda peer: (
    peer.start(), peer.send(settings((3, 100)), settings((4, 1 << 20)), settings((1, 8192))),
    peer.requests(), peer.send(response(1, BODY))), BODY, at="accept")
ok("many set-cookie and repeated fields", "8.2.3", headers(1, STATUS_200 + b"".join(
    field(b"set-cookie", b"c%d=1" % i) for i in range(50))) + data(1, BODY, end=True), BODY)
ok("names of one octet and values of none", "8.2.1", headers(1, STATUS_200 + b"".join(
    field(bytes([c]), b"") for c in b"!#$%&'*+-.^_`|~09az")) + data(1, BODY, end=True), BODY)
ok("te in the request's answer is not needed, nor date nor server", "8.3.2", response(1, BODY),
   BODY)

# ALPN.
ok("ALPN with h2 preferred", "3.2", response(1, BODY), BODY, tls=True, alpn=("h2", "http/1.1"))
ok("ALPN with http/1.1 alone is answered in HTTP/1.1", "3.2", HTTP1_ANSWER, BODY, tls=True,
   alpn=("http/1.1",), at="accept")
ok("no protocol in common, of which the server says nothing, is HTTP/1.1", "3.2", HTTP1_ANSWER,
   BODY, tls=True, alpn=("spdy/3",), at="accept")
ok("no ALPN at all is answered in HTTP/1.1", "3.2", HTTP1_ANSWER, BODY, tls=True, alpn=(),
   at="accept")


def until_end(peer):
    while not peer.await_frame(wire.DATA, 1).flags & wire.END_STREAM:
        pass
