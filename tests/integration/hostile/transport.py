"""Connections that are cut, and octets that come in odd portions. A short body is never a success:
RFC 9113 section 8.1, RFC 8446 section 6.1."""

import wire
from case import HEAD, HTTP2, NOT_HTTP2, PARTIAL, RECEIVE, SEND, STREAM, TIMEOUT, TLS, Table
from wire import STATUS_200, continuation, data, field, frame, headers, response, rst_stream

TABLE = Table()
BODY = b"hello"
SIZED = headers(1, STATUS_200 + field(b"content-length", b"5"))
LOST = (PARTIAL, RECEIVE)


def fin(*octets):
    return lambda peer: (peer.send(*octets), peer.fin())


def reset(*octets):
    """What was sent has been taken before the RST, which would overtake it."""
    return lambda peer: (peer.send(*octets), peer.sync(), peer.reset())


def reset_inside(*octets):
    return lambda peer: (peer.send(*octets), peer.pause(0.05), peer.reset())


def close_notify(*octets):
    return lambda peer: (peer.send(*octets), peer.close_notify(), peer.fin())


POINTS = (
    ("before the answer", b"", b""), ("after the head", HEAD, b""),
    ("after the head with content-length", SIZED, b""), ("after a 103", headers(1, b"\x08\x03103"),
                                                         b""),
    ("in mid-body", HEAD + data(1, BODY), BODY),
    ("after all of content-length but END_STREAM", SIZED + data(1, BODY), BODY),
)
INSIDE = (
    ("in the middle of a frame header", b"\0\0", b""),
    ("in the middle of HEADERS", HEAD[:9], b""),
    ("inside a field block", headers(1, end_headers=False), b""),
    ("inside a CONTINUATION", headers(1, end_headers=False) + continuation(1, b"xyz")[:10], b""),
    ("in the middle of DATA", HEAD + frame(wire.DATA, 1, 1, BODY, 10), BODY),
    ("in the middle of padding", HEAD + frame(wire.DATA, 9, 1, b"\x20" + BODY, 38), BODY),
    ("one octet before the end", (SIZED + data(1, BODY, end=True))[:-1], BODY),
    ("in the middle of trailers", HEAD + data(1, BODY) + headers(1, b"\0\1a\1b", end=True)[:-1],
     BODY),
    ("in the middle of a PING", HEAD + data(1, BODY) + wire.ping()[:12], BODY),
)
for name, octets, out in POINTS + INSIDE:
    TABLE.add(f"FIN {name}", "8.1", fin(octets), LOST, out=out)
    TABLE.add(f"close_notify {name}", "8.1", close_notify(octets), LOST, out=out, tls=True)
for name, octets, out in POINTS:
    TABLE.add(f"RST {name}", "8.1", reset(octets), LOST, out=out)
for name, octets, out in INSIDE:
    TABLE.add(f"RST {name}", "8.1", reset_inside(octets), LOST, out=out)
TABLE.ok("FIN after the whole response", "8.1", fin(response(1, BODY)), BODY)
TABLE.ok("FIN after trailers", "8.1", fin(HEAD + data(1, BODY) + headers(1, b"\0\1a\1b", end=True)),
         BODY)
TABLE.ok("close_notify after the whole response", "8.1", close_notify(response(1, BODY)), BODY,
         tls=True)
TABLE.add("FIN in the middle of the second of two bodies", "8.1",
          fin(response(1, BODY), headers(3), data(3, BODY)), PARTIAL, urls=2, out=BODY * 2)
TABLE.add("the end at once", "3.4", lambda peer: peer.fin(), (RECEIVE, SEND, NOT_HTTP2),
          at="accept")
TABLE.add("RST at once", "3.4", lambda peer: peer.reset(), (RECEIVE, SEND, TLS, 7), at="socket")
TABLE.add("the end after SETTINGS", "3.4", lambda peer: (peer.send(wire.settings()), peer.fin()),
          (RECEIVE, SEND), at="accept")
TABLE.add("RST_STREAM and FIN", "6.4", fin(HEAD, data(1, BODY), rst_stream(1, 0)),
          (STREAM, PARTIAL), out=BODY)

# TLS that is none.
GARBAGE = (("SMTP", b"220 mail.example ESMTP\r\n"), ("zeros", bytes(64)), ("0xff", b"\xff" * 64),
           ("HTTP/1.1", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
           ("a fatal alert", bytes.fromhex("15030300020228")),
           ("a warning and then nothing", bytes.fromhex("1503030002015a")),
           ("a record of 2^16-1 octets", b"\x16\x03\x03\xff\xff" + bytes(65535)),
           ("half a ServerHello", bytes.fromhex("160303007a0200007603") + bytes(40)),
           ("application data at once", bytes.fromhex("1703030005") + b"hello"),
           ("a handshake message of 2^24-1 octets", b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" +
            bytes(16380)))
for name, octets in GARBAGE:
    TABLE.add(f"{name} in place of a TLS handshake", "9.2", lambda peer, o=octets: (
        setattr(peer, "raw", True), peer.send(o), peer.pause(0.2), peer.fin()), TLS, at="socket",
              tls=True)
TABLE.add("a TLS handshake that never begins", "9.2", lambda peer: (
    setattr(peer, "raw", True), peer.drain()), TIMEOUT, at="socket", tls=True, max_time=1)
TABLE.add("handshake records without end", "9.2", lambda peer: (
    setattr(peer, "raw", True),
    peer.flood(b"\x16\x03\x03\x40\x00\x02\x7f\xff\xff" + bytes(16380), limit=20 << 20)), TLS,
          at="socket", tls=True)


def raw(change):
    """The octets on the wire, records and all, altered."""
    def script(peer):
        peer._write_raw(change(peer.seal(response(1, BODY * 20))))  # pylint: disable=W0212
        peer.pause(0.3)
        peer.fin()
    return script


BROKEN = (TLS, RECEIVE, PARTIAL, HTTP2)
TABLE.add("a record with a wrong authentication tag", "9.2",
          raw(lambda o: o[:-1] + bytes([o[-1] ^ 1])), BROKEN, tls=True)
TABLE.add("a record with a flipped octet", "9.2", raw(lambda o: o[:20] + bytes([o[20] ^ 1]) +
                                                      o[21:]), BROKEN, tls=True)
TABLE.add("a record twice", "9.2", raw(lambda o: o + o), (0, *BROKEN), tls=True, out=BODY * 20)
TABLE.add("half a record", "9.2", raw(lambda o: o[:len(o) // 2]), BROKEN, tls=True)
TABLE.add("a cleartext record in mid-stream", "9.2", raw(lambda o: b"\x17\x03\x03\0\x05hello" + o),
          BROKEN, tls=True)
TABLE.add("cleartext frames after the handshake", "9.2",
          raw(lambda o: response(1, BODY)), BROKEN, tls=True)
TABLE.add("a record longer than TLS allows", "9.2",
          raw(lambda o: b"\x17\x03\x03\x48\x00" + bytes(0x4800)), BROKEN, tls=True)

# Odd portions that must not matter.
SPLIT = (HEAD + wire.ping() + data(1, BODY, pad=3) + wire.settings((4, 1 << 20)) +
         headers(1, b"\0\1a\1b", end=True))
TABLE.ok("every octet in a write of its own", "4.1", lambda peer: peer.send_singly(SPLIT), BODY)
TABLE.ok("every octet of each record in a write of its own", "4.1",
         lambda peer: peer.send_singly(SPLIT, tcp_too=True), BODY, tls=True)
TABLE.ok("the beginning in single octets", "3.4", lambda peer: (
    peer.send_singly(wire.settings((3, 100))), peer.requests(),
    peer.send_singly(response(1, BODY))), BODY, at="accept")
TABLE.ok("everything in one write", "3.4", lambda peer: (
    peer.await_frame(wire.HEADERS), peer.send(wire.settings(), wire.settings_ack(),
                                              response(1, BODY))), BODY, at="accept")
TABLE.ok("the end comes with the last octets", "8.1", fin(HEAD + data(1, b"z" * 16000) * 4 +
                                                         data(1, BODY, end=True)),
         b"z" * 64000 + BODY)
