"""Sections 4 and 6 of RFC 9113: the length, stream, padding and place of each type of frame."""

from case import HEAD, Table
from wire import (ACK, CONTINUATION, DATA, END_HEADERS, FRAME_SIZE_ERROR, GOAWAY, HEADERS, PADDED,
                  PING, PRIORITY, PRIORITY_FLAG, PROTOCOL_ERROR, PUSH_PROMISE, RST_STREAM, SETTINGS,
                  STATUS_200, WINDOW_UPDATE, continuation, data, frame, goaway, headers, ping,
                  priority, rst_stream, settings, window_update)

TABLE = Table()
add = TABLE.connection
BODY = b"hello"

# (type, name, section, lengths that are wrong)
FIXED = (
    (RST_STREAM, "RST_STREAM", "6.4", (0, 3, 5, 8), 1),
    (PING, "PING", "6.7", (0, 7, 9, 16), 0),
    (WINDOW_UPDATE, "WINDOW_UPDATE of a stream", "6.9", (0, 3, 5), 1),
    (WINDOW_UPDATE, "WINDOW_UPDATE of the connection", "6.9", (0, 3, 5), 0),
    (SETTINGS, "SETTINGS", "6.5", (1, 5, 7), 0),
    (GOAWAY, "GOAWAY", "6.8", (0, 4, 7), 0),
)
for kind, name, section, lengths, stream in FIXED:
    for length in lengths:
        add(f"{name} of {length} octets", section, frame(kind, 0, stream, bytes(length)),
            FRAME_SIZE_ERROR)
add("SETTINGS ACK with a payload", "6.5", frame(SETTINGS, ACK, 0, bytes(6)), FRAME_SIZE_ERROR)
for length in (0, 4, 6):
    TABLE.stream(f"PRIORITY of {length} octets", "6.3", frame(PRIORITY, 0, 1, bytes(length)),
                 FRAME_SIZE_ERROR)

# The stream identifier is 0 where it must not be, or the other way round.
ON_ZERO = (
    ("DATA", "6.1", data(0, b"x")), ("HEADERS", "6.2", headers(0)),
    ("PRIORITY", "6.3", priority(0)), ("RST_STREAM", "6.4", rst_stream(0, 8)),
    ("PUSH_PROMISE", "6.6", frame(PUSH_PROMISE, END_HEADERS, 0, b"\0\0\0\2" + STATUS_200)),
    ("CONTINUATION", "6.10", continuation(0, STATUS_200)),
)
for name, section, octets in ON_ZERO:
    add(f"{name} on stream 0", section, octets, PROTOCOL_ERROR)
for name, section, octets in (("SETTINGS", "6.5", frame(SETTINGS, 0, 1)),
                              ("SETTINGS ACK", "6.5", frame(SETTINGS, ACK, 1)),
                              ("PING", "6.7", frame(PING, 0, 1, bytes(8))),
                              ("GOAWAY", "6.8", frame(GOAWAY, 0, 1, bytes(8)))):
    add(f"{name} on a stream", section, octets, PROTOCOL_ERROR)

# Padding.
add("HEADERS padded beyond their end", "6.2",
    frame(HEADERS, PADDED | END_HEADERS, 1, b"\x02" + STATUS_200), PROTOCOL_ERROR)
add("HEADERS padded by all of their length", "6.2",
    frame(HEADERS, PADDED | END_HEADERS, 1, b"\xff" + STATUS_200 * 3), PROTOCOL_ERROR)
add("DATA padded beyond their end", "6.1", HEAD + frame(DATA, PADDED, 1, b"\x06" + BODY),
    PROTOCOL_ERROR)
add("DATA padded by exactly their length", "6.1", HEAD + frame(DATA, PADDED, 1, b"\x01"),
    PROTOCOL_ERROR)
add("DATA padded without a length of padding", "6.1", HEAD + frame(DATA, PADDED, 1),
    FRAME_SIZE_ERROR, exits=16)
add("HEADERS padded without a length of padding", "6.2", frame(HEADERS, PADDED | END_HEADERS, 1),
    FRAME_SIZE_ERROR)
add("HEADERS with half a priority", "6.2",
    frame(HEADERS, PRIORITY_FLAG | END_HEADERS, 1, bytes(4)), FRAME_SIZE_ERROR)
add("padded HEADERS with priority, too short for both", "6.2",
    frame(HEADERS, PRIORITY_FLAG | PADDED | END_HEADERS, 1, bytes(5)), FRAME_SIZE_ERROR)
add("padding that leaves no room for the priority", "6.2",
    frame(HEADERS, PRIORITY_FLAG | PADDED | END_HEADERS, 1, b"\x03" + bytes(7)), PROTOCOL_ERROR)

# Inside a field block, every other frame is wrong.
OPEN = headers(1, STATUS_200, end_headers=False)
INSIDE = (
    ("DATA", data(1, b"x")), ("HEADERS", headers(1)), ("PRIORITY", priority(1)),
    ("RST_STREAM", rst_stream(1, 8)), ("SETTINGS", settings()),
    ("SETTINGS ACK", frame(SETTINGS, ACK, 0)), ("PING", ping()), ("GOAWAY", goaway(1)),
    ("WINDOW_UPDATE", window_update(0, 1)), ("an unknown type", frame(0x2a, 0, 0, b"x")),
    ("an unknown type on the stream", frame(0xbe, 0, 1, b"x")),
    ("CONTINUATION of another stream", continuation(3)),
    ("PUSH_PROMISE", frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + STATUS_200)),
)
for name, octets in INSIDE:
    add(f"{name} inside a field block", "4.3", OPEN + octets, PROTOCOL_ERROR)
add("a frame after an unfinished CONTINUATION", "6.10",
    OPEN + continuation(1, b"", end_headers=False) + ping(), PROTOCOL_ERROR)
add("CONTINUATION without a block", "6.10", continuation(1, STATUS_200), PROTOCOL_ERROR)
add("CONTINUATION after a whole block", "6.10", HEAD + continuation(1), PROTOCOL_ERROR)
add("CONTINUATION after the last one", "6.10",
    OPEN + continuation(1) + continuation(1), PROTOCOL_ERROR)
add("CONTINUATION after DATA", "6.10", HEAD + data(1, BODY) + continuation(1), PROTOCOL_ERROR,
    out=BODY)

# Longer than our MAX_FRAME_SIZE, of which only the header comes.
TOO_LONG = 16385
for kind, name, stream in ((DATA, "DATA", 1), (HEADERS, "HEADERS", 1), (SETTINGS, "SETTINGS", 0),
                           (PING, "PING", 0), (GOAWAY, "GOAWAY", 0), (RST_STREAM, "RST_STREAM", 1),
                           (WINDOW_UPDATE, "WINDOW_UPDATE", 0),
                           (PUSH_PROMISE, "PUSH_PROMISE", 1)):
    before = HEAD if kind == DATA else b""
    for length in (TOO_LONG, 0xffffff):
        if kind == DATA:
            # RFC 9113 section 4.2 leaves DATA to the stream or the connection.
            TABLE.add(f"DATA of {length} octets", "4.2", before + frame(kind, 0, stream, b"", length),
                      16, check=lambda result, them: None if them[0].goaways()[-1:] == [6] or
                      them[0].resets(1) == [6] else "neither was FRAME_SIZE_ERROR")
        else:
            add(f"{name} of {length} octets", "4.2", before + frame(kind, 0, stream, b"", length),
                FRAME_SIZE_ERROR)
add("an unknown frame of 2^24-1 octets", "4.2", frame(0x2a, 0, 0, b"", 0xffffff), FRAME_SIZE_ERROR)
add("CONTINUATION above the largest frame", "4.2", OPEN + frame(CONTINUATION, 4, 1, b"", TOO_LONG),
    FRAME_SIZE_ERROR)
TABLE.add("PRIORITY above the largest frame", "6.3", frame(PRIORITY, 0, 1, bytes(TOO_LONG)), 16)

# Push is off.
for name, octets in (("on our stream", frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2\x82")),
                     ("on an idle stream", frame(PUSH_PROMISE, END_HEADERS, 5, b"\0\0\0\2\x82")),
                     ("without its end", frame(PUSH_PROMISE, 0, 1, b"\0\0\0\2")),
                     ("of stream 0", frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\0")),
                     ("of an odd stream", frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\3"))):
    add(f"PUSH_PROMISE {name}", "8.4", octets, PROTOCOL_ERROR)
add("PUSH_PROMISE of 3 octets", "6.6", frame(PUSH_PROMISE, END_HEADERS, 1, bytes(3)),
    (PROTOCOL_ERROR, FRAME_SIZE_ERROR))

# After the first error nothing more is looked at.
add("a second wrong frame after the first", "5.4.1",
    frame(PING, 0, 0, b"x") + frame(SETTINGS, 0, 0, b"x") + data(0, b"x") * 50, FRAME_SIZE_ERROR,
    check=lambda result, them: None if len(them[0].goaways()) == 1 else "more than one GOAWAY")

# What has to be ignored.
WHOLE = HEAD + data(1, BODY, end=True)
for kind in (0x0a, 0x0b, 0x0c, 0x10, 0x2a, 0xff):
    TABLE.ok(f"type {kind} is ignored", "5.5",
             frame(kind, 0xff, 0, b"x" * 50) + frame(kind, 0, 1, b"") + frame(kind, 5, 7, b"y") +
             WHOLE, BODY)
TABLE.ok("unknown flags are ignored", "4.1",
         frame(PING, 0xfe, 0, bytes(8)) + window_update(0, 1)[:4] + b"\xff" + bytes(4) +
         b"\0\0\0\1" + frame(RST_STREAM, 0xff, 3, bytes(4))[:0] +
         headers(1, flags=0xd2) + data(1, BODY, end=True, flags=0xf6), BODY)
TABLE.ok("the reserved bit of a stream identifier is ignored", "4.1",
         headers(0x80000001) + data(0x80000001, BODY, end=True), BODY)
TABLE.ok("the reserved bit of an increment is ignored", "6.9",
         frame(WINDOW_UPDATE, 0, 0, b"\x80\0\0\1") + WHOLE, BODY)
TABLE.ok("padding of zero octets", "6.1", headers(1, pad=0) + data(1, BODY, end=True, pad=0), BODY)
TABLE.ok("padding of 255 octets", "6.1", headers(1, pad=255) + data(1, BODY, end=True, pad=255),
         BODY)
TABLE.ok("padding that is not zero is tolerated", "6.1",
         HEAD + frame(DATA, PADDED | 1, 1, b"\x03" + BODY + b"abc"), BODY, reset=None, goaway=None)
TABLE.ok("a frame of the largest size", "4.2", HEAD + data(1, b"z" * 16384, end=True), b"z" * 16384)
TABLE.ok("PING is answered with its octets", "6.7", lambda peer: (
    peer.send(ping(b"\0\1\2\3\4\5\6\7")), peer.await_frame(PING), peer.send(WHOLE)), BODY,
         check=lambda result, them: None if any(
             f.kind == PING and f.flags == ACK and f.payload == b"\0\1\2\3\4\5\6\7"
             for f in them[0].frames) else "no answer to PING")
TABLE.ok("PING ACK that nobody asked for is ignored", "6.7", ping(ack=True) + WHOLE, BODY)

