"""A connection as a scripted server sees it: it sends whatever the script says, and reads meanwhile,
so that neither side waits for the other. One thread for each connection."""

import select
import socket
import ssl
import struct
import time
from collections import namedtuple

import records
import wire

Frame = namedtuple("Frame", "kind flags stream payload")

PATIENCE = 200  # a test that fails ends by the program's deadline
CHUNK = 65536


class Gone(Exception):
    """The client ended the connection, or did not do what the script waits for."""


class Peer:
    def __init__(self, connection, context=None):
        self.socket = connection
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = None
        self.frames = []     # everything the client sent
        self.buffer = b""    # not yet a whole frame
        self.ended = False   # the client sends nothing more
        self.clean_end = False
        self.expect_preface = True
        self.raw = False     # what comes is not taken apart
        self.seen = 0        # frames that await_frame() has passed
        self.syncs = 0
        self.why = ""        # TLS has failed
        self.paused = 0.0    # seconds
        self.records = None  # once the script makes its own
        self.records_sent, self.server_hello = 0, b""
        self.shaking = context is not None
        if context:
            self._handshake(context)

    # Octets.

    def _wait(self, end, write=False):
        left = end - time.monotonic()
        if left <= 0:
            raise Gone("nothing happened in time")
        return select.select([self.socket] if not self.ended else [],
                             [self.socket] if write else [], [], left)

    def _write_raw(self, octets):
        view, end = memoryview(octets), time.monotonic() + PATIENCE
        while view:
            readable, writable, _ = self._wait(end, True)
            if readable:
                self._read_some()
            if writable:
                try:
                    count = self.socket.send(view)
                except BlockingIOError:
                    continue
                except OSError as error:
                    self.drain(1)  # what the client had said before
                    raise Gone(str(error)) from None
                view, end = view[count:], time.monotonic() + PATIENCE

    def _read_some(self):
        try:
            octets = self.socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self.ended = True
            return
        if self.shaking:
            self.inside.write(octets)
            return
        if self.tls:
            if octets:
                self.inside.write(octets)
            else:
                self.inside.write_eof()
            octets = self._read_tls(octets)
        if not octets and not self.tls:
            self.ended = self.clean_end = True
        self.buffer += octets
        self._split()

    def _read_tls(self, raw):
        octets = b""
        try:
            while True:
                more = self.tls.read(CHUNK)
                if not more:
                    self.ended = self.clean_end = True
                    return octets
                octets += more
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.why = repr(error)
            self.ended = True
        if not raw:
            self.ended = True
        return octets

    def _handshake(self, context):
        self.inside, self.outside = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.key_log = context.keylog_filename
        tls = context.wrap_bio(self.inside, self.outside, server_side=True)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                octets = self.outside.read()
                self.server_hello = self.server_hello or octets
                self._write_raw(octets)
                self._wait(end)
                octets = self.socket.recv(CHUNK)
                if not octets:
                    raise Gone("the client left the handshake") from None
                self.inside.write(octets)
            except ssl.SSLError as error:
                self._write_raw(self.outside.read())
                raise Gone(f"handshake: {error.reason}") from None
        self._write_raw(self.outside.read())
        self.tls, self.shaking = tls, False
        self._read_pending()

    def _read_pending(self):
        """What came together with the end of the handshake."""
        self.buffer += self._read_tls(b"x")
        self._split()

    def seal(self, octets):
        """What goes over TCP for these octets, in records of at most 16 KiB."""
        if not self.tls:
            return octets
        view = memoryview(octets)
        if self.records:
            return b"".join(self.records.seal(records.APPLICATION_DATA, bytes(view[i:i + 16000]))
                            for i in range(0, len(view), 16000))
        while view:
            view = view[self.tls.write(view[:16384]):]
            self.records_sent += 1
        return self.outside.read()

    def make_records(self):
        """From here on the server's records are ours. Nothing was sent since the handshake but by
        send(), a record for each 16 KiB."""
        with open(self.key_log, encoding="ascii") as file:
            lines = [line.split() for line in file if not line.startswith("#")]
        secrets = {name: (bytes.fromhex(first), bytes.fromhex(then)) for name, first, then in lines}
        sent = self.records_sent + (self.tls.version() == "TLSv1.2")  # Finished
        self.records = records.Records(self.tls.version(), self.tls.cipher()[0], secrets,
                                       self.server_hello[11:43], sent)

    def send_record(self, kind, octets, padding=0):
        self._write_raw(self.records.seal(kind, octets, padding))

    def send(self, *octets):
        self._write_raw(self.seal(b"".join(octets)))

    def send_singly(self, octets, tcp_too=False):
        """Each octet in a TLS record, and a write, of its own."""
        sealed = [self.seal(octets[i:i + 1]) for i in range(len(octets))]
        if tcp_too:
            sealed = [bytes([octet]) for octet in b"".join(sealed)]
        for piece in sealed:
            self._write_raw(piece)

    # Frames.

    def _split(self):
        if self.expect_preface:
            if len(self.buffer) < len(wire.PREFACE):
                return
            self.raw = self.raw or not self.buffer.startswith(wire.PREFACE)
            if not self.raw:
                self.buffer = self.buffer[len(wire.PREFACE):]
            self.expect_preface = False
        at = 0
        while not self.raw and len(self.buffer) - at >= 9:
            length = int.from_bytes(self.buffer[at:at + 3], "big")
            if len(self.buffer) - at < 9 + length:
                break
            kind, flags, stream = struct.unpack(">BBI", self.buffer[at + 3:at + 9])
            self.frames.append(Frame(kind, flags, stream & 0x7fffffff,
                                     self.buffer[at + 9:at + 9 + length]))
            at += 9 + length
        self.buffer = self.buffer[at:]

    def await_frame(self, kind, stream=None, patience=PATIENCE):
        """The next frame of this kind after the one that was awaited last."""
        end = time.monotonic() + patience
        while True:
            while self.seen < len(self.frames):
                found = self.frames[self.seen]
                self.seen += 1
                if found.kind == kind and stream in (None, found.stream):
                    return found
            if self.ended:
                raise Gone(f"the client left before a frame of type {kind} {self.why}")
            self._wait(end)
            self._read_some()

    def start(self, *pairs, ack=True):
        """The server's side of the beginning: SETTINGS, and ACK of the client's."""
        self.send(wire.settings(*pairs))
        self.await_frame(wire.SETTINGS)
        if ack:
            self.send(wire.settings_ack())

    def requests(self, count=1):
        for _ in range(count):
            self.await_frame(wire.HEADERS)

    def sync(self):
        """Everything sent so far was taken by the client. What it sent meanwhile still counts as
        not awaited."""
        self.syncs += 1
        mark, end = b"sync%04d" % self.syncs, time.monotonic() + PATIENCE
        self.send(wire.ping(mark))
        at = self.seen
        while True:
            for found in self.frames[at:]:
                if found.kind == wire.PING and found.payload == mark:
                    return
            at = len(self.frames)
            if self.ended:
                raise Gone("the client left before it answered PING")
            self._wait(end)
            self._read_some()

    def flood(self, octets, limit=64 << 20, before=None):
        """Until the client has had enough. before(n) makes the n-th piece differ."""
        sent = count = 0
        while sent < limit and not self.ended:
            piece = before(count) if before else octets
            self.send(piece)
            sent += len(piece)
            count += 1

    def send_body(self, stream, piece, octets_each, count):
        """A body within the windows: @piece, @count times, with @octets_each of content."""
        allowed = 0
        for i in range(count):
            while (i + 1) * octets_each > allowed:
                allowed = min(self.window(stream), self.window(0))
                if (i + 1) * octets_each <= allowed:
                    break
                self._wait(time.monotonic() + PATIENCE)
                self._read_some()
            self.send(piece)

    def window(self, stream):
        """All that the client has allowed so far on the stream, or on the connection (0)."""
        total = 65535
        for one in self.frames:
            if one.kind == wire.WINDOW_UPDATE and one.stream == stream:
                total += int.from_bytes(one.payload, "big")
            if one.kind == wire.SETTINGS and stream and not one.flags & wire.ACK:
                for i in range(0, len(one.payload), 6):
                    name, value = struct.unpack(">HI", one.payload[i:i + 6])
                    if name == wire.INITIAL_WINDOW_SIZE:
                        total += value - 65535
        return total

    # Ends.

    def drain(self, patience=PATIENCE):
        """Reads until the client has ended the connection."""
        end = time.monotonic() + patience
        try:
            while not self.ended:
                self._wait(end)
                self._read_some()
        except Gone:
            pass

    def close_notify(self):
        """TLS's own end; TCP goes on."""
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass
        self._write_raw(self.outside.read())

    def fin(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """The end by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.ended = True

    def pause(self, seconds):
        """Time passes, and what comes is read."""
        start = time.monotonic()
        self.drain(seconds)
        self.paused += time.monotonic() - start

    # What the client answered.

    def goaways(self):
        return [int.from_bytes(f.payload[4:8], "big") for f in self.frames
                if f.kind == wire.GOAWAY]

    def resets(self, stream):
        return [int.from_bytes(f.payload, "big") for f in self.frames
                if f.kind == wire.RST_STREAM and f.stream == stream]
