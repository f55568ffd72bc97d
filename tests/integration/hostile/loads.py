"""weft-load against the same kinds of servers: it ends, and its counts add up."""

import wire
from case import Table
from wire import data, field, frame, goaway, headers, ping, response, rst_stream, settings, status

TABLE = Table()
BODY = b"hello"
BAD = (1, 2, 3)


def load(name, section, script, **more):
    more.setdefault("options", ("-m", "5", "-T", "2"))
    TABLE.add(name, section, script, more.pop("exits", BAD), program="weft-load", max_time=20,
              at=more.pop("at", "preface"), **more)


def each(make):
    """Answers every request by make(stream)."""
    def script(peer):
        while not peer.ended:
            peer.send(make(peer.await_frame(wire.HEADERS).stream))
    return script


load("every request answered", "8.1", each(lambda n: response(n, BODY)), exits=(0,))
load("every request reset", "6.4", each(lambda n: rst_stream(n, wire.CANCEL)))
load("every request refused", "8.7", each(lambda n: rst_stream(n, wire.REFUSED_STREAM)))
load("every second request reset", "6.4", each(
    lambda n: response(n, BODY) if n % 4 == 1 else rst_stream(n, wire.INTERNAL_ERROR)))
load("every response malformed", "8.1.1", each(lambda n: headers(n, status(b"abc"))))
load("every content-length wrong", "8.1.1", each(
    lambda n: headers(n, wire.STATUS_200 + field(b"content-length", b"9")) +
    data(n, BODY, end=True)))
load("every body cut by NO_ERROR", "8.1", each(
    lambda n: headers(n) + data(n, BODY) + rst_stream(n, 0)))
load("a connection error at each request", "5.4.1", each(lambda n: frame(wire.PING, 0, 0, b"x")))
load("a wrong field block at each request", "4.3", each(lambda n: headers(n, b"\x80")))
load("GOAWAY after each request", "6.8", lambda peer: (
    peer.requests(), peer.send(goaway(1), response(1, BODY)), peer.fin()))
load("GOAWAY that leaves everything out", "6.8", lambda peer: (
    peer.requests(), peer.send(goaway(0)), peer.fin()))
load("the end after each response", "8.1", lambda peer: (
    peer.requests(), peer.send(response(1, BODY)), peer.fin()), exits=(0, *BAD))
load("the end in mid-body", "8.1", lambda peer: (
    peer.requests(), peer.send(headers(1), data(1, BODY)), peer.fin()))
load("the end at once", "3.4", lambda peer: peer.fin(), at="accept")
load("RST at once", "3.4", lambda peer: peer.reset(), at="socket")
load("silence", "3.4", lambda peer: peer.drain(20), at="accept", options=("-m", "20", "-T", "1"))
load("HTTP/1.1", "3.4", b"HTTP/1.1 400 no\r\n\r\n", at="accept")
load("garbage", "3.4", bytes(1000), at="accept")
load("a flood of PING", "10.5", lambda peer: peer.flood(ping() * 500, limit=8 << 20))
load("a flood of SETTINGS", "10.5", lambda peer: peer.flood(settings() * 500, limit=8 << 20))
load("PUSH_PROMISE", "8.4", each(lambda n: frame(5, 4, n, b"\0\0\0\2\x82")))
load("a table bomb at each request", "10.5.1", each(lambda n: headers(
    n, wire.STATUS_200 + field(b"x", b"y" * 4000, indexed=True) + b"\xbe" * 12000, end=True)))
load("103 without end", "8.1", each(lambda n: headers(n, status(b"103")) * 500))
load("DATA without HEADERS", "8.1", each(lambda n: data(n, BODY, end=True)))
load("responses with status 500", "8.3.2", each(lambda n: response(n, BODY, code=b"500")),
     exits=(0, *BAD))
