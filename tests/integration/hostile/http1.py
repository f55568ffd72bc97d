"""HTTP/1.1 servers (RFC 9112) that are ambiguous, endless, or cut: nothing that can be read in two
ways is believed, and a short body is never a success. Also for weft-load, which is told to speak
HTTP/1.1 by ALPN."""

import time

from case import EMPTY_REPLY, FIELDS, INVALID, PARTIAL, RECEIVE, SEND, TIMEOUT, Table
from peer import PATIENCE, Gone

TABLE = Table()
BODY = b"hello"
OK_LINE = b"HTTP/1.1 200 OK\r\n"
LENGTH_5 = OK_LINE + b"Content-Length: 5\r\n\r\n"
CHUNKED = OK_LINE + b"Transfer-Encoding: chunked\r\n\r\n"
EMPTY = OK_LINE + b"Content-Length: 0\r\n\r\n"
LOST = (PARTIAL, RECEIVE, EMPTY_REPLY)


def await_head(peer):
    """The next request's head; what follows it stays."""
    peer.raw, peer.expect_preface = True, False
    end = time.monotonic() + PATIENCE
    while b"\r\n\r\n" not in peer.buffer:
        if peer.ended:
            raise Gone("the client left before its request was whole")
        peer._wait(end)
        peer._read_some()
    head, peer.buffer = peer.buffer.split(b"\r\n\r\n", 1)
    return head


def answer(*octets):
    return lambda peer: (await_head(peer), peer.send(*octets))


def fin(*octets):
    return lambda peer: (await_head(peer), peer.send(*octets), peer.fin())


def close_notify(*octets):
    return lambda peer: (await_head(peer), peer.send(*octets), peer.close_notify(), peer.fin())


def reset(*octets):
    return lambda peer: (await_head(peer), peer.send(*octets), peer.pause(0.05), peer.reset())


def singly(octets):
    return lambda peer: (await_head(peer), peer.send_singly(octets))


def flood(first, piece, limit=64 << 20):
    return lambda peer: (await_head(peer), peer.send(first), peer.flood(piece * 200, limit))


def add(name, section, script, exits, **more):
    TABLE.add(name, section, script, exits, at="accept", http1=True, alpn=("http/1.1",), **more)


def refuse(name, section, octets, out=b"", **more):
    add(name, section, answer(octets), INVALID, out=out, **more)


def ok(name, section, script, out=BODY, **more):
    add(name, section, script, 0, out=out, **more)


# What has to work.
ok("content-length", "6.3", answer(LENGTH_5 + BODY))
ok("chunks with extensions and trailers", "7.1", answer(
    CHUNKED + b"2;a=b\r\nhe\r\n003 ;x=\"y\"\r\nllo\r\n0;z\r\nX-Sum: 1\r\n\r\n"))
ok("the end of the connection", "6.3", close_notify(OK_LINE + b"\r\n" + BODY), tls=True)
ok("the end of the connection, in cleartext", "6.3", fin(OK_LINE + b"\r\n" + BODY), tls=False)
ok("each octet in a write of its own", "2.2", singly(
    b"HTTP/1.1 103 H\r\nLink: </a>\r\n\r\n" + CHUNKED + b"5\r\nhello\r\n0\r\na: b\r\n\r\n"))
ok("HTTP/1.0", "9.3", close_notify(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n" + BODY),
   tls=True)
ok("HTTP/1.0, in cleartext", "9.3", fin(b"HTTP/1.0 200 OK\r\n\r\n" + BODY), tls=False)
ok("no reason phrase", "4", answer(b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n" + BODY))
BODILESS = {b"GET /0": b"HTTP/1.1 204 No Content\r\n\r\n",
            b"GET /1": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"}
# On whichever connection they come: a body that was waited for would take the next head.
ok("204 and 304 without a body", "6.3", lambda peer: [
    peer.send(BODILESS.get(await_head(peer)[:6], LENGTH_5 + BODY)) for _ in range(9)],
   BODY * 7, urls=9)
ok("100 and 103 before the response", "9110 15.2", answer(
    b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 103 H\r\nLink: </a>\r\n\r\n" * 10 + LENGTH_5 +
    BODY))
ok("content-length twice, the same", "6.3", answer(
    OK_LINE + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n" + BODY))
ok("a body of 5 MiB in small chunks", "7.1", answer(
    CHUNKED + b"64\r\n" + b"\r\n64\r\n".join([b"x" * 100] * 50000) + b"\r\n0\r\n\r\n"),
   b"x" * 5000000)
ok("an answer before the end of the upload", "9.3", lambda peer: (
    await_head(peer), peer.send(LENGTH_5 + BODY)), data=bytes(8 << 20),
   options=("--data-binary", "@-"))

# Framing.
for name, head in (
        ("content-length twice", b"Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("a list of content-lengths", b"Content-Length: 5, 5\r\n"),
        ("a negative content-length", b"Content-Length: -5\r\n"),
        ("a content-length with a sign", b"Content-Length: +5\r\n"),
        ("a hexadecimal content-length", b"Content-Length: 0x5\r\n"),
        ("a content-length above 2^64", b"Content-Length: 18446744073709551621\r\n"),
        ("an empty content-length", b"Content-Length: \r\n"),
        ("content-length and chunked", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        ("chunked and content-length", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
        ("gzip, chunked", b"Transfer-Encoding: gzip, chunked\r\n"),
        ("chunked twice", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ("identity", b"Transfer-Encoding: identity\r\n"),
        ("a coding that nobody knows", b"Transfer-Encoding: xchunked\r\n"),
        ("space before the colon", b"Content-Length : 5\r\n"),
        ("a folded field", b"X: a\r\n b\r\nContent-Length: 5\r\n"),
        ("a field folded at once", b" X: a\r\nContent-Length: 5\r\n"),
        ("a name with a space", b"a b: c\r\nContent-Length: 5\r\n"),
        ("a line without a colon", b"nonsense\r\nContent-Length: 5\r\n"),
        ("an empty name", b": x\r\nContent-Length: 5\r\n"),
        ("NUL in a name", b"a\0b: c\r\nContent-Length: 5\r\n"),
        ("NUL in a value", b"a: b\0c\r\nContent-Length: 5\r\n"),
        ("CR in a value", b"a: b\rc\r\nContent-Length: 5\r\n"),
        ("LF at the end of a line", b"a: b\nContent-Length: 5\r\n"),
        ("a CR of its own line", b"a: b\r\r\nContent-Length: 5\r\n"),
):
    refuse(name, "5", OK_LINE + head + b"\r\n" + BODY)
refuse("chunked in HTTP/1.0", "6.1", b"HTTP/1.0" + CHUNKED[8:] + b"5\r\nhello\r\n0\r\n\r\n")
refuse("a head that ends in LF LF", "2.2", OK_LINE + b"Content-Length: 5\n\n" + BODY)

# Status lines.
for name, line in (
        ("two spaces before the status", b"HTTP/1.1  200 OK\r\n"), ("status 099", b"HTTP/1.1 099 x\r\n"),
        ("status 600", b"HTTP/1.1 600 x\r\n"), ("status 2000", b"HTTP/1.1 2000 x\r\n"),
        ("HTTP/2.0", b"HTTP/2.0 200 OK\r\n"), ("HTTP/0.9", b"<html>hello</html>\r\n"),
        ("lower case", b"http/1.1 200 OK\r\n"), ("an empty line first", b"\r\n" + OK_LINE),
        ("NUL in the reason", b"HTTP/1.1 200 O\0K\r\n"), ("an SSH greeting", b"SSH-2.0-x\r\n"),
        ("101", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n"),
        ("103 with content", b"HTTP/1.1 103 H\r\nContent-Length: 5\r\n"),
):
    refuse(f"{name} in a status line", "4", line + b"Content-Length: 5\r\n\r\n" + BODY)

# Chunks.
for name, octets in (
        ("no size", b"\r\nhello\r\n0\r\n\r\n"), ("a sign", b"+5\r\nhello\r\n0\r\n\r\n"),
        ("minus", b"-5\r\nhello\r\n0\r\n\r\n"), ("0x", b"0x5\r\nhello\r\n0\r\n\r\n"),
        ("space before", b" 5\r\nhello\r\n0\r\n\r\n"), ("space behind", b"5 \r\nhello\r\n0\r\n\r\n"),
        ("17 digits", b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("no hexadecimal digit", b"5g\r\nhello\r\n0\r\n\r\n"), ("LF alone", b"5\nhello\r\n0\r\n\r\n"),
        ("CR alone", b"5\rhello\r\n0\r\n\r\n"), ("LF in an extension", b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
):
    refuse(f"a chunk size with {name}", "7.1", CHUNKED + octets)
for name, octets in (
        ("too short a size", b"4\r\nhello\r\n0\r\n\r\n"), ("LF behind the data", b"5\r\nhello\n0\r\n\r\n"),
        ("nothing behind the data", b"5\r\nhello0\r\n\r\n"),
        ("trailers with a folded field", b"5\r\nhello\r\n0\r\na: b\r\n c\r\n\r\n"),
        ("trailers with content-length", b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n"),
        ("trailers that end in LF", b"5\r\nhello\r\n0\r\na: b\n\n"),
):
    refuse(f"a chunk with {name}", "7.1", CHUNKED + octets, BODY)

# Ends.
POINTS = (
    ("before the answer", b"", b""), ("in the status line", b"HTTP/1.1 20", b""),
    ("in the head", OK_LINE + b"Content-", b""), ("after the head", LENGTH_5, b""),
    ("after a 103", b"HTTP/1.1 103 H\r\n\r\n", b""), ("in mid-body", LENGTH_5 + b"hell", b"hell"),
    ("in a chunk", CHUNKED + b"9\r\nhello", BODY), ("behind a chunk", CHUNKED + b"5\r\nhello\r\n", BODY),
    ("in the last chunk", CHUNKED + b"5\r\nhello\r\n0\r\n", BODY),
    ("in trailers", CHUNKED + b"5\r\nhello\r\n0\r\na: b\r\n", BODY),
)
for name, octets, out in POINTS:
    add(f"FIN {name}", "8", fin(octets), LOST, out=out)
    add(f"close_notify {name}", "8", close_notify(octets), LOST, out=out, tls=True)
    add(f"RST {name}", "8", reset(octets), (*LOST, SEND), out=out)
add("a body until the end without close_notify", "9.8", fin(OK_LINE + b"\r\n" + BODY), LOST,
    out=BODY, tls=True)
add("a body until the end and RST", "8", reset(OK_LINE + b"\r\n" + BODY), LOST, out=BODY)

# Octets that no request asked for.
for name, octets in (("garbage", b"garbage"), ("another response", LENGTH_5 + b"evil!"),
                     ("an empty line", b"\r\n")):
    ok(f"{name} behind a response is no answer", "6.3",
       lambda peer, octets=octets: (await_head(peer), peer.send(LENGTH_5 + BODY + octets)),
       BODY * 2, urls=2, check=lambda result, them: None if len(them) == 2 else
       f"{len(them)} connections, not 2")
add("a response before the request", "9.2", lambda peer: peer.send(LENGTH_5 + b"evil!"),
    (0, *INVALID, SEND), out=b"evil!")
ok("a connection that is closed behind each response", "9.6", lambda peer: (
    await_head(peer), peer.send(OK_LINE + b"Connection: close\r\nContent-Length: 5\r\n\r\n" + BODY),
    peer.fin()), BODY * 5, urls=5)

# Floods, each to be ended by a limit.
for name, first, piece, exits in (
        ("100", b"", b"HTTP/1.1 100 Continue\r\n\r\n", FIELDS),
        ("103 with fields", b"", b"HTTP/1.1 103 H\r\nlink: " + b"x" * 1000 + b"\r\n\r\n", FIELDS),
        ("fields", OK_LINE, b"a: b\r\n", FIELDS),
        ("one field", OK_LINE + b"a: ", b"x" * 1000, FIELDS),
        ("a reason phrase", b"HTTP/1.1 200 ", b"x" * 1000, FIELDS),
        ("fields of the connection", OK_LINE, b"Connection: x\r\n", FIELDS),
        ("a chunk extension", CHUNKED + b"5;", b"x" * 1000, RECEIVE),
        ("chunk extensions", CHUNKED, b"1;" + b"x" * 100 + b"\r\ny\r\n", RECEIVE),
        ("trailers", CHUNKED + b"0\r\n", b"a: b\r\n", FIELDS),
        ("zeros before a chunk size", CHUNKED, b"0" * 1000, RECEIVE),
):
    # What came of the body before the limit may have been printed.
    add(f"{name} without end", "8", flood(first, piece), exits, out=b"y" * 20000)

# Time.
add("silence", "9.5", lambda peer: peer.drain(), TIMEOUT, max_time=1)
add("a head that drips", "9.5", lambda peer: (
    await_head(peer), peer.send(OK_LINE), [(peer.send(b"a: b\r\n"), peer.pause(0.1))
                                           for _ in range(40)]), TIMEOUT, max_time=1)
add("103 does not keep a dead request alive", "9.5", lambda peer: (
    await_head(peer), [(peer.send(b"HTTP/1.1 103 H\r\n\r\n"), peer.pause(0.1))
                       for _ in range(40)]), TIMEOUT, max_time=1)
add("a chunk size that drips", "7.1", lambda peer: (
    await_head(peer), peer.send(CHUNKED), [(peer.send(b"0"), peer.pause(0.2)) for _ in range(14)],
    peer.pause(10)), TIMEOUT, max_time=1)


# weft-load, over TLS, where ALPN says HTTP/1.1.
BAD = (1, 2, 3)


def load(name, section, script, exits=BAD, options=("-T", "2"), **more):
    TABLE.add(name, section, script, exits, program="weft-load", at="accept", tls=True,
              alpn=("http/1.1",), max_time=20, options=options, **more)


def each(*octets):
    def script(peer):
        while not peer.ended:
            await_head(peer)
            peer.send(*octets)
    return script


load("weft-load: each request answered", "9.3", each(LENGTH_5, BODY), (0,))
load("weft-load: each request answered in chunks", "7.1",
     each(CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"), (0,))
load("weft-load: each connection closed", "9.6", close_notify(
    OK_LINE + b"Connection: close\r\nContent-Length: 0\r\n\r\n"), (0, *BAD))
load("weft-load: both lengths", "6.3",
     each(OK_LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"))
load("weft-load: bad chunks", "7.1", each(CHUNKED + b"0x5\r\nhello\r\n"))
load("weft-load: a short body", "8", close_notify(LENGTH_5 + b"hell"))
load("weft-load: garbage behind each response", "6.3", each(EMPTY + b"garbage"), (0, *BAD))
load("weft-load: 100 without end", "8", flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 8 << 20))
load("weft-load: folded fields", "5.2", each(OK_LINE + b"a: b\r\n c\r\nContent-Length: 0\r\n\r\n"))
load("weft-load: silence", "9.5", lambda peer: peer.drain(20), options=("-c", "10", "-T", "1"))
