"""Section 5 of RFC 9113: stream states, RST_STREAM and GOAWAY."""

import wire
from case import (ANY, HEAD, HTTP2, NOT_HTTP2, NOTHING, OK, PARTIAL, RECEIVE, Table)
from case import STREAM as RESET
from wire import (CANCEL, HTTP_1_1_REQUIRED, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM,
                  STREAM_CLOSED, data, goaway, headers, ping, priority, response, rst_stream,
                  window_update)

TABLE = Table()
BODY = b"hello"
MAX_ID = 0x7fffffff

# Streams that nobody opened.
for name, section, make in (("DATA", "5.1", lambda n: data(n, b"x")),
                            ("HEADERS", "5.1", headers),
                            ("RST_STREAM", "6.4", lambda n: rst_stream(n, CANCEL)),
                            ("WINDOW_UPDATE", "6.9", lambda n: window_update(n, 1))):
    for stream in (3, 2, 4, MAX_ID, MAX_ID - 1):
        TABLE.connection(f"{name} on idle stream {stream}", section, make(stream), PROTOCOL_ERROR)
TABLE.ok("PRIORITY on idle streams", "6.3", priority(3) + priority(2) + priority(MAX_ID) +
         response(1, BODY), BODY)
TABLE.ok("PRIORITY of our stream", "6.3", priority(1) + priority(1, 3) + priority(1, 0x80000003) +
         response(1, BODY) , BODY)
TABLE.stream("PRIORITY of a stream on itself", "5.3.1", priority(1, 1), PROTOCOL_ERROR)
TABLE.stream("HEADERS of a stream that depends on itself", "5.3.1",
             headers(1, priority=(1, 5)), PROTOCOL_ERROR)

# A stream that was closed by END_STREAM, while another is open.
SECOND = {"urls": 2, "out": BODY, "lines": 1}
for name, section, octets in (("DATA", "5.1", data(1, b"x")),
                              ("empty DATA", "5.1", data(1, end=True)),
                              ("HEADERS", "5.1", headers(1)),
                              ("trailers", "5.1", headers(1, wire.field(b"a", b"b"), end=True))):
    TABLE.connection(f"{name} after END_STREAM", section, response(1, BODY) + octets,
                     STREAM_CLOSED, **SECOND)
for name, section, octets in (("RST_STREAM", "5.1", rst_stream(1, CANCEL)),
                              ("RST_STREAM twice", "5.1", rst_stream(1, CANCEL) * 2),
                              ("WINDOW_UPDATE", "5.1", window_update(1, 100)),
                              ("PRIORITY", "5.1", priority(1)),
                              ("PRIORITY of an unknown one", "5.1", priority(1, 99))):
    TABLE.ok(f"{name} after END_STREAM is ignored", section,
             response(1, BODY) + octets + response(3, BODY), BODY * 2, urls=2)
TABLE.connection("DATA after RST_STREAM", "5.1", rst_stream(1, CANCEL) + data(1, b"x"),
                 STREAM_CLOSED, urls=2, lines=2, exits=(RESET, HTTP2))
TABLE.connection("HEADERS after RST_STREAM", "5.1", rst_stream(1, CANCEL) + headers(1),
                 STREAM_CLOSED, urls=2, lines=2, exits=(RESET, HTTP2))

# While an upload goes on, the stream is half-closed (remote) after the answer.
UPLOAD = {"data": bytes(1 << 20), "options": ("--data-binary", "@-")}
for name, octets in (("DATA", data(1, b"more")), ("HEADERS", headers(1))):
    # The client may have reset the stream by then, RFC 9113 section 8.1.
    TABLE.add(f"{name} after the answer to an unfinished upload", "5.1", lambda peer, o=octets: (
        peer.await_frame(wire.DATA, 1), peer.send(response(1, BODY) + o)), (0, HTTP2), out=BODY,
              **UPLOAD)

# Our stream was reset by us: what is on the way is let pass, RFC 9113 section 5.1.
WRONG = headers(1, wire.status(b"abc"))
TABLE.stream("frames on a stream that we reset are ignored", "5.1", lambda peer: (
    peer.send(WRONG, data(1, b"x" * 100), headers(1, wire.field(b"a", b"b"), end=True),
              window_update(1, 1), rst_stream(1, CANCEL), priority(1), response(3, BODY))),
             PROTOCOL_ERROR, urls=2, out=BODY)


def beyond_the_first_credit(peer):
    """More DATA than the connection's window held at first, and never more than it holds."""
    step, sent, first = 16 * 16384, 0, peer.window(0)
    while sent <= first:
        while sent + step > peer.window(0):
            peer.await_frame(wire.WINDOW_UPDATE, 0)
        peer.send(data(1, bytes(16384)) * 16)
        peer.sync()
        sent += step


TABLE.stream("DATA for a reset stream give the connection's credit back", "5.1", lambda peer: (
    peer.send(WRONG), beyond_the_first_credit(peer), peer.send(response(3, BODY))),
             PROTOCOL_ERROR, urls=2, out=BODY)
TABLE.stream("the field blocks of a reset stream keep the table in step", "4.3", lambda peer: (
    peer.send(WRONG, headers(1, wire.field(b"x-y", b"from the reset stream", indexed=True),
                             end=True),
              headers(3, wire.STATUS_200 + b"\xbe"), data(3, BODY, end=True))),
             PROTOCOL_ERROR, urls=2, out=b"HTTP/2 200 \r\nx-y: from the reset stream\r\n\r\n" + BODY,
             options=("-i",))

# RST_STREAM with each code at each point.
CODES = (*range(14), 0x0e, 0xffffffff)
for code in CODES:
    if code == REFUSED_STREAM:
        continue  # may be tried again, below
    STATUS, TLS = (NOT_HTTP2, False) if code == HTTP_1_1_REQUIRED else (RESET, ANY)
    TABLE.add(f"RST_STREAM({code}) before the answer", "6.4", rst_stream(1, code), STATUS,
              goaway=NOTHING, reset=NOTHING, tls=TLS)
    TABLE.add(f"RST_STREAM({code}) after the head", "6.4", HEAD + rst_stream(1, code), STATUS,
              goaway=NOTHING, reset=NOTHING)
    TABLE.add(f"RST_STREAM({code}) in mid-body", "8.1", HEAD + data(1, BODY) + rst_stream(1, code),
              STATUS, out=BODY, goaway=NOTHING, reset=NOTHING)
    TABLE.ok(f"RST_STREAM({code}) after END_STREAM", "5.1",
             response(1, BODY) + rst_stream(1, code), BODY)
    TABLE.add(f"RST_STREAM({code}) of one stream spares the other", "5.4.2",
              rst_stream(1, code) + response(3, BODY), STATUS, urls=2, out=BODY, goaway=NOTHING,
              tls=TLS)
LENGTH = wire.STATUS_200 + wire.field(b"content-length", b"5")
TABLE.add("RST_STREAM(NO_ERROR) when content-length was reached but no END_STREAM came", "8.1",
          headers(1, LENGTH) + data(1, BODY) + rst_stream(1, NO_ERROR), RESET, out=BODY)
TABLE.add("RST_STREAM of one stream in the middle of many", "5.4.2", lambda peer: peer.send(
    *[rst_stream(2 * i + 1, CANCEL) if i == 4 else response(2 * i + 1, BODY) for i in range(9)]),
          RESET, urls=9, out=BODY * 8, goaway=NOTHING)

# GOAWAY.
for code in (NO_ERROR, PROTOCOL_ERROR, wire.ENHANCE_YOUR_CALM, 0xdeadbeef):
    TABLE.add(f"GOAWAY({code}) that leaves the stream out", "6.8", goaway(0, code), HTTP2)
    TABLE.add(f"GOAWAY({code}) with the stream, then the end", "6.8", lambda peer, c=code: (
        peer.send(HEAD, data(1, BODY), goaway(1, c)), peer.fin()), (PARTIAL, HTTP2), out=BODY)
    TABLE.ok(f"GOAWAY({code}) with the stream, which is then answered", "6.8",
             goaway(1, code, b"some debug data") + response(1, BODY), BODY)
TABLE.ok("GOAWAY with a last stream in the future", "6.8", goaway(MAX_ID) + response(1, BODY), BODY)
TABLE.ok("a graceful end in two steps", "6.8", lambda peer: (
    peer.send(goaway(MAX_ID)), peer.sync(), peer.send(goaway(1), response(1, BODY))), BODY)
TABLE.add("a graceful end that leaves the second stream out", "6.8", lambda peer: (
    peer.send(goaway(MAX_ID)), peer.sync(), peer.send(goaway(1), response(1, BODY))), HTTP2,
          urls=2, out=BODY)
TABLE.add("GOAWAY between open streams", "6.8", lambda peer: (
    peer.send(HEAD, headers(3), headers(5), goaway(3), data(1, BODY, end=True),
              data(3, BODY, end=True))), HTTP2, urls=3, out=BODY * 2)
TABLE.connection("GOAWAY whose last stream rises", "6.8", goaway(1) + goaway(3), PROTOCOL_ERROR,
                 at="request")
TABLE.ok("GOAWAY twice the same", "6.8", goaway(1) * 2 + response(1, BODY), BODY)
TABLE.ok("GOAWAY with 16 KiB of debug data", "6.8", goaway(1, 0, b"\xff\0\n" * 5400) +
         response(1, BODY), BODY)
TABLE.ok("GOAWAY and PING", "6.8", goaway(1) + ping() + response(1, BODY), BODY)
TABLE.ok("GOAWAY with an even last stream", "6.8", goaway(2) + response(1, BODY), BODY)
TABLE.add("GOAWAY at once", "6.8", lambda peer: (peer.start(), peer.send(goaway(0)), peer.fin()),
          (HTTP2, RECEIVE), at="accept")
TABLE.add("GOAWAY in place of SETTINGS ACK, with the connection left open", "6.8", lambda peer: (
    peer.start(ack=False), peer.send(goaway(0, HTTP_1_1_REQUIRED)), peer.drain()), NOT_HTTP2,
          at="accept", tls=False)


def refuse(peer):
    while True:
        peer.send(rst_stream(peer.await_frame(wire.HEADERS).stream, REFUSED_STREAM))


def again(peer):
    peer.send(rst_stream(1, REFUSED_STREAM))
    peer.send(response(peer.await_frame(wire.HEADERS).stream, BODY))


TABLE.add("REFUSED_STREAM for ever", "8.7", refuse, RESET, at="preface", goaway=NOTHING)
TABLE.add("REFUSED_STREAM once", "8.7", again, (OK, RESET), out=BODY, goaway=NOTHING)
TABLE.add("REFUSED_STREAM after the head", "8.7", HEAD + rst_stream(1, REFUSED_STREAM), RESET,
          goaway=NOTHING)
TABLE.add("REFUSED_STREAM in mid-body", "8.7", HEAD + data(1, BODY) +
          rst_stream(1, REFUSED_STREAM), RESET, out=BODY, goaway=NOTHING)
