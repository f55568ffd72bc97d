"""RFC 7541: field blocks that cannot be decoded, that are odd, or that grow."""

import wire
from case import HEAD, HTTP2, Table
from wire import (COMPRESSION_ERROR, ENHANCE_YOUR_CALM, STATUS_200, continuation, data, field,
                  headers, integer, response, status, string, table_size)

TABLE = Table()
BODY = b"hello"
DATA_END = data(1, BODY, end=True)

WRONG = (
    ("index 0", "6.1", b"\x80"),
    ("an index beyond both tables", "2.3.3", b"\xbe"),
    ("index 127", "2.3.3", integer(127, 7, 0x80)),
    ("an index of 2^31", "2.3.3", integer(1 << 31, 7, 0x80)),
    ("a name's index beyond both tables", "6.2.1", integer(62, 6, 0x40) + string(b"x")),
    ("a name's index beyond both tables, not indexed", "6.2.2", integer(62, 4) + string(b"x")),
    ("a name's index beyond both tables, never indexed", "6.2.3", integer(70, 4, 0x10) + b"\1x"),
    ("an integer without its end", "5.1", b"\xff\x80\x80"),
    ("an integer of five octets and more", "5.1", b"\xff" + b"\x80" * 10 + b"\1"),
    ("an integer above 2^32", "5.1", b"\xff\xff\xff\xff\xff\xff\x0f"),
    ("an integer above 2^64", "5.1", b"\xff" + b"\xff" * 9 + b"\x7f"),
    ("an integer of zeros without end", "5.1", b"\xff" + b"\x80" * 2000),
    ("a length beyond the block", "5.2", b"\0\x05abc"),
    ("a value's length beyond the block", "5.2", b"\0\1a\x7f\xff\x01x"),
    ("a length of 2^32-1", "5.2", b"\0" + integer(0xffffffff, 7) + b"abc"),
    ("a length of 2^63", "5.2", b"\0" + integer(1 << 63, 7) + b"abc"),
    ("a name without a value", "6.2.2", b"\0\1a"),
    ("a literal cut after its first octet", "6.2.2", b"\0"),
    ("a literal with an indexed name and no value", "6.2.1", b"\x48"),
    ("Huffman padding of zeros", "5.2", b"\0\1a\x81\x18"),
    ("Huffman padding of more than 7 bits", "5.2", b"\0\1a\x82\x1f\xff"),
    ("Huffman padding of 32 bits and nothing else", "5.2", b"\0\1a\x84\xff\xff\xff\xff"),
    ("Huffman code with EOS", "5.2", b"\0\1a\x85\x1f\xff\xff\xff\xff"),
    ("Huffman code cut in the middle", "5.2", b"\0\1a\x81\xfe"),
    ("a wrong Huffman code in a name", "5.2", b"\0\x82\x1f\xff\1a"),
    ("a table size above ours", "6.3", table_size(4097) + STATUS_200),
    ("a table size of 2^32-1", "6.3", table_size(0xffffffff) + STATUS_200),
    ("a table size that overflows", "6.3", b"\x3f" + b"\xff" * 9 + b"\x7f" + STATUS_200),
    ("a table size in the middle", "4.2", STATUS_200 + table_size(0)),
    ("a table size after a field", "4.2", table_size(0) + STATUS_200 + table_size(4096)),
    ("an entry that the table has lost", "4.4", field(b"a", b"b", indexed=True) + b"\xbf"),
)
for name, section, block in WRONG:
    good = b"" if block.startswith(b"\x20") or block.startswith(b"\x3f") else STATUS_200
    TABLE.connection(f"{name}", f"RFC 7541 {section}", headers(1, good + block), COMPRESSION_ERROR)
TABLE.connection("a wrong block in trailers", "RFC 7541 6.1",
                 HEAD + data(1, BODY) + headers(1, b"\x80", end=True), COMPRESSION_ERROR, out=BODY)
TABLE.connection("a wrong block split over CONTINUATION", "RFC 7541 5.1",
                 headers(1, STATUS_200 + b"\xff", end_headers=False) +
                 continuation(1, b"\x80" * 20), COMPRESSION_ERROR)
TABLE.connection("a wrong block for a stream that we reset", "4.3",
                 headers(1, status(b"abc")) + headers(1, b"\x80", end=True), COMPRESSION_ERROR,
                 urls=2, lines=2)
TABLE.connection("a wrong block hits every stream", "4.3",
                 headers(1, b"\x80") + response(3, BODY), COMPRESSION_ERROR, urls=3, lines=3)
TABLE.connection("an entry evicted by a smaller table", "RFC 7541 4.3",
                 headers(1, STATUS_200 + field(b"a", b"b", indexed=True)) +
                 headers(1, table_size(0) + b"\xbe", end=True), COMPRESSION_ERROR)
TABLE.stream("an empty field block", "8.3.2", headers(1, b"", end=True), wire.PROTOCOL_ERROR)


def fields(*pairs):
    return b"".join(field(name, value) for name, value in pairs)


def shown(*lines):
    return b"HTTP/2 200 \r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + BODY


INCLUDE = {"options": ("-i",)}
RIGHT = (
    ("a table size of 0 and back", "6.3", table_size(0) + table_size(4096) + STATUS_200 +
     field(b"a", b"b", indexed=True) + b"\xbe", shown(b"a: b", b"a: b")),
    ("two table sizes at the beginning", "4.2", table_size(100) + table_size(200) + STATUS_200,
     shown()),
    ("an entry larger than the table empties it", "4.4",
     STATUS_200 + field(b"a", b"b", indexed=True) + field(b"big", b"x" * 5000, indexed=True) +
     field(b"c", b"d", indexed=True) + b"\xbe", shown(b"a: b", b"big: " + b"x" * 5000, b"c: d",
                                                      b"c: d")),
    ("a name from the entry that the insertion evicts", "4.4",
     table_size(50) + STATUS_200 + field(b"long-name", b"v1", indexed=True) +
     integer(62, 6, 0x40) + string(b"v2") + b"\xbe",
     shown(b"long-name: v1", b"long-name: v2", b"long-name: v2")),
    ("an integer with needless zero octets", "5.1", STATUS_200 + b"\0\1a\x7f\x80\x80\x00" +
     b"y" * 127, shown(b"a: " + b"y" * 127)),
    ("Huffman code", "5.2", STATUS_200 + b"\0\1a" + string(bytes.fromhex(
        "f1e3c2e5f23a6ba0ab90f4ff"), huffman=True), shown(b"a: www.example.com")),
    ("Huffman code of nothing", "5.2", STATUS_200 + b"\0\1a\x80", shown(b"a: ")),
    ("a never-indexed field", "6.2.3", STATUS_200 + b"\x10\1a\1b", shown(b"a: b")),
    ("a status from a literal name", "6.2.2", field(b":status", b"200"), shown()),
    ("octets above 127 in a value", "8.2.1", STATUS_200 + field(b"a", b"\xe2\x82\xac"),
     shown(b"a: \xe2\x82\xac")),
)
for name, section, block, out in RIGHT:
    TABLE.ok(name, f"RFC 7541 {section}", headers(1, block) + DATA_END, out, **INCLUDE)
LONG = STATUS_200 + fields(*[(b"x-%d" % i, b"y" * 50) for i in range(100)])
TABLE.ok("a block in 60 CONTINUATION frames", "6.10", headers(1, LONG[:1], end_headers=False) +
         b"".join(continuation(1, LONG[i:i + 110], i + 110 >= len(LONG))
                  for i in range(1, len(LONG), 110)) + DATA_END,
         shown(*[b"x-%d: " % i + b"y" * 50 for i in range(100)]), **INCLUDE)
TABLE.ok("a few empty CONTINUATION frames", "6.10", headers(1, b"", end_headers=False) +
         continuation(1, b"", False) * 5 + continuation(1, STATUS_200, False) + continuation(1) +
         DATA_END, BODY)

# Too large. What is refused is one stream or the connection; nothing grows.
CALM = {"goaway": None, "reset": None}


def refused(result, them):
    """ENHANCE_YOUR_CALM or PROTOCOL_ERROR for the stream or for the connection."""
    codes = them[0].goaways() + them[0].resets(1)
    return None if {ENHANCE_YOUR_CALM, wire.PROTOCOL_ERROR} & set(codes) else f"codes {codes}"


def too_large(name, octets, **more):
    TABLE.add(name, "10.5.1", octets, (HTTP2, 100), check=refused, **CALM, **more)


def split(block, size=16000):
    """HEADERS and CONTINUATION."""
    pieces = [block[i:i + size] for i in range(0, len(block), size)]
    return headers(1, pieces[0], end_headers=len(pieces) == 1) + b"".join(
        continuation(1, piece, i + 2 == len(pieces)) for i, piece in enumerate(pieces[1:]))


BOMB = STATUS_200 + field(b"x", b"y" * 4000, indexed=True) + b"\xbe" * 12000
too_large("a table bomb in one frame", headers(1, BOMB, end=True))
too_large("a table bomb for each of many streams", b"".join(
    headers(2 * i + 1, BOMB if i == 0 else STATUS_200 + b"\xbe" * 12000, end=True)
    for i in range(20)), urls=20, lines=20)
too_large("a bomb of fields without a name's worth of octets",
          split(STATUS_200 + b"\0\1a\0" * 60000))
too_large("one field of 200,000 octets", split(STATUS_200 + field(b"a", b"v" * 200000)))
too_large("one name of 200,000 octets", split(STATUS_200 + field(b"n" * 200000, b"")))
too_large("fields of 1 MiB in all", split(STATUS_200 + field(b"a", b"v" * 1000) * 1048))
too_large("trailers of 200,000 octets", HEAD + data(1, b"x") + split(
    field(b"a", b"v" * 200000)), out=b"x")
TABLE.stream("a header list too large spares the other streams", "10.5.1", lambda peer: (
    peer.send(headers(1, BOMB, end=True), headers(3, STATUS_200 + b"\xbe"),
              data(3, BODY, end=True))), ENHANCE_YOUR_CALM, urls=2, exits=(HTTP2, 100), out=BODY)


def continuations(size):
    def script(peer):
        peer.send(headers(1, STATUS_200, end_headers=False))
        peer.flood(continuation(1, b"\0\1a" + string(b"v" * size) if size else b"", False) * 10)
    return script


for size in (0, 1, 100, 16000):
    TABLE.connection(f"CONTINUATION of {size} octets without end", "10.5", continuations(size),
                     ENHANCE_YOUR_CALM)
