"""Frames and field blocks as octets, right or wrong: nothing here checks what it is given."""

import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 5, 6, 7, 8, 9
ACK = END_STREAM = 1
END_HEADERS, PADDED, PRIORITY_FLAG = 4, 8, 0x20

# RFC 9113 section 7.
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM = 4, 5, 6, 7
CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM = 8, 9, 10, 11
INADEQUATE_SECURITY, HTTP_1_1_REQUIRED = 12, 13

# RFC 9113 section 6.5.2.
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS = 1, 2, 3
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 4, 5, 6

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STATUS_200 = b"\x88"  # RFC 7541 appendix A, index 8


def frame(kind, flags, stream, payload=b"", length=None):
    """length: what the header says, when it is not the truth."""
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def padded(payload, pad):
    return payload if pad is None else bytes([pad]) + payload + bytes(pad)


def data(stream, payload=b"", end=False, pad=None, flags=0):
    flags |= (END_STREAM if end else 0) | (PADDED if pad is not None else 0)
    return frame(DATA, flags, stream, padded(payload, pad))


def headers(stream, block=STATUS_200, end=False, end_headers=True, pad=None, priority=None,
            flags=0):
    """priority: (depends_on, weight - 1)."""
    flags |= (END_STREAM if end else 0) | (END_HEADERS if end_headers else 0)
    flags |= (PADDED if pad is not None else 0) | (PRIORITY_FLAG if priority else 0)
    front = struct.pack(">IB", *priority) if priority else b""
    return frame(HEADERS, flags, stream, padded(front + block, pad))


def continuation(stream, block=b"", end_headers=True):
    return frame(CONTINUATION, END_HEADERS if end_headers else 0, stream, block)


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def settings_ack():
    return frame(SETTINGS, ACK, 0)


def rst_stream(stream, code):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def goaway(last, code=NO_ERROR, debug=b""):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + debug)


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def ping(octets=b"12345678", ack=False):
    return frame(PING, ACK if ack else 0, 0, octets)


def priority(stream, depends_on=0, weight=15):
    return frame(PRIORITY, 0, stream, struct.pack(">IB", depends_on, weight))


def integer(value, bits, first=0):
    """RFC 7541 section 5.1."""
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([first | value])
    octets, value = [first | limit], value - limit
    while value >= 128:
        octets.append(value & 127 | 128)
        value >>= 7
    return bytes([*octets, value])


def string(octets, huffman=False):
    return integer(len(octets), 7, 0x80 if huffman else 0) + octets


def field(name, value, indexed=False):
    """A literal, RFC 7541 sections 6.2.1 (goes into the table) and 6.2.2 (does not)."""
    return (b"\x40" if indexed else b"\0") + string(name) + string(value)


def status(value):
    """Static index 8 for the name, RFC 7541 section 6.2.2."""
    return b"\x08" + string(value)


def table_size(size):
    """RFC 7541 section 6.3."""
    return integer(size, 5, 0x20)


def response(stream, body=b"", *fields, code=b"200"):
    """All frames of a complete response."""
    block = status(code) + b"".join(field(name, value) for name, value in fields)
    if not body:
        return headers(stream, block, end=True)
    return headers(stream, block) + data(stream, body, end=True)
