"""Whether what the client sent on one connection is HTTP/2, whatever was done to it."""

import struct

import wire
from wire import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, NO_ERROR, PING,
                  PRIORITY, PRIORITY_FLAG, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE)

ON_STREAMS = (DATA, HEADERS, PRIORITY, RST_STREAM, CONTINUATION)
FLAGS = {DATA: END_STREAM, HEADERS: END_STREAM | END_HEADERS | PRIORITY_FLAG,
         CONTINUATION: END_HEADERS, SETTINGS: ACK, PING: ACK}
LENGTHS = {PRIORITY: 5, RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}


class Illegal(Exception):
    pass


def need(holds, what):
    if not holds:
        raise Illegal(what)


class Client:
    """What RFC 9113 lets a client send, frame by frame."""

    def __init__(self):
        self.highest, self.block, self.count = 0, None, 0
        self.half_closed, self.reset, self.windows = set(), set(), {}

    def take(self, frame):
        need(frame.kind <= CONTINUATION and frame.kind != PUSH_PROMISE, "a type that is not ours")
        need(self.count > 0 or frame.kind == SETTINGS and not frame.flags, "not SETTINGS first")
        need(not frame.flags & ~FLAGS.get(frame.kind, 0), "a flag without meaning")
        need(len(frame.payload) <= 16384 or frame.kind == DATA, "a frame that is too long")
        need(len(frame.payload) == LENGTHS.get(frame.kind, len(frame.payload)), "a wrong length")
        need((frame.stream != 0) == (frame.kind in ON_STREAMS) or frame.kind == WINDOW_UPDATE,
             "a wrong stream")
        need(self.block in (None, frame.stream) and
             (self.block is not None) == (frame.kind == CONTINUATION), "a block that is cut")
        self.count += 1
        {HEADERS: self.headers, DATA: self.data, RST_STREAM: self.rst_stream,
         WINDOW_UPDATE: self.window_update, SETTINGS: self.settings}.get(
             frame.kind, lambda frame: None)(frame)
        if frame.kind in (HEADERS, CONTINUATION):
            self.block = None if frame.flags & END_HEADERS else frame.stream

    def open(self, frame, what):
        need(frame.stream % 2 == 1 and frame.stream <= self.highest, f"{what} on an idle stream")
        need(frame.stream not in self.half_closed | self.reset, f"{what} after its stream's end")

    def headers(self, frame):
        if frame.stream > self.highest:
            need(frame.stream % 2 == 1, "an even stream")
            self.highest = frame.stream
        self.open(frame, "HEADERS")
        self.end(frame)

    def data(self, frame):
        self.open(frame, "DATA")
        self.end(frame)

    def end(self, frame):
        if frame.flags & END_STREAM:
            self.half_closed.add(frame.stream)

    def rst_stream(self, frame):
        need(frame.stream % 2 == 1 and frame.stream <= self.highest, "RST_STREAM when idle")
        need(frame.stream not in self.reset, "RST_STREAM twice")
        self.reset.add(frame.stream)

    def window_update(self, frame):
        increment = int.from_bytes(frame.payload, "big")
        need(0 < increment < 1 << 31, "a wrong increment")
        if frame.stream:
            need(frame.stream <= self.highest, "WINDOW_UPDATE when idle")
            need(frame.stream not in self.reset, "WINDOW_UPDATE after RST_STREAM")

    def settings(self, frame):
        need(len(frame.payload) % 6 == 0 and not (frame.flags and frame.payload), "wrong SETTINGS")
        for name, value in struct.iter_unpack(">HI", frame.payload):
            need(name != wire.ENABLE_PUSH or value == 0, "push is asked for")


def check(frames):
    """None, or what the client did wrong."""
    client = Client()
    for at, frame in enumerate(frames):
        try:
            client.take(frame)
        except Illegal as error:
            return f"the client sent {error}: {frame[:3]}"
        if frame.kind == GOAWAY and frame.payload[4:8] != NO_ERROR.to_bytes(4, "big") and \
                at + 1 < len(frames):
            return f"the client goes on after GOAWAY with {frames[at + 1][:3]}"
    return None
