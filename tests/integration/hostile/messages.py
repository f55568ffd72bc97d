"""Section 8 of RFC 9113: what a response may be made of."""

import wire
from case import HEAD, NOTHING, STREAM, Table
from wire import (PROTOCOL_ERROR, STATUS_200, data, field, headers, response, rst_stream, status)

TABLE = Table()
BODY = b"hello"
END = data(1, BODY, end=True)


def malformed(name, section, octets, out=b"", **more):
    """A stream error, whatever else follows on the stream, and alone it is a failure."""
    TABLE.stream(name, section, octets, PROTOCOL_ERROR, out=out, **more)


def head(*fields, first=STATUS_200):
    return headers(1, first + b"".join(field(*pair) for pair in fields))


# Pseudo-header fields.
malformed(":status missing", "8.3.2", headers(1, field(b"a", b"b")) + END)
malformed(":status twice", "8.3", headers(1, STATUS_200 * 2) + END)
malformed(":status twice and different", "8.3", headers(1, STATUS_200 + b"\x8d") + END)
malformed(":status after a regular field", "8.3", headers(1, field(b"a", b"b") + STATUS_200) + END)
malformed("an unknown pseudo-header", "8.3", head((b":unknown", b"x")) + END)
malformed("an empty pseudo-header", "8.3", head((b":", b"x")) + END)
malformed("an upper-case :Status", "8.3", headers(1, field(b":Status", b"200")) + END)
for name, value in ((b":method", b"GET"), (b":path", b"/"), (b":scheme", b"https"),
                    (b":authority", b"localhost"), (b":protocol", b"websocket")):
    malformed(f"{name.decode()} in a response", "8.3", head((name, value)) + END)
    malformed(f"{name.decode()} alone in a response", "8.3", headers(1, field(name, value)) + END)
    malformed(f"{name.decode()} in trailers", "8.1", HEAD + data(1, BODY) +
              headers(1, field(name, value), end=True), out=BODY)
malformed(":status in trailers", "8.1", HEAD + data(1, BODY) + headers(1, STATUS_200, end=True),
          out=BODY)
for value in (b"", b"2", b"20", b"2000", b"0200", b"+200", b"-200", b" 200", b"200 ", b"2 0",
              b"abc", b"20a", b"0x2", b"200 OK", b"099", b"000", b"600", b"999", b"2\xb2\xb2",
              b"200\0", b"2e2", b"\xef\xbc\x92\xef\xbc\x90\xef\xbc\x90"):
    malformed(f":status {value!r}", "8.3.2", headers(1, status(value)) + END)
malformed("101", "8.6", headers(1, status(b"101")) + END)
malformed("101 and then 200", "8.6", headers(1, status(b"101")) + HEAD + END)

# Names and values.
for name in (b"Upper", b"uppeR", b"", b"a b", b"a:b", b"a:", b" a", b"a ", b"a\tb", b"a\0", b"a\r",
             b"a\nb", b"\x7f", b"a\xff", b"\xe4", b"a(b)", b'a"', b"a/b", b"a=b", b"a,b", b"a;b",
             b"a[b]", b"a{b}", b"a@b", b"a\\b", b"a?b", b"a<b"):
    malformed(f"the name {name!r}", "8.2.1", head((name, b"v")) + END)
for value in (b"a\rb", b"a\nb", b"a\r\nb", b"a\0b", b"\0", b"\n", b"a\r\n", b" a", b"a ", b"\ta",
              b"a\t", b" ", b"x\r\n\r\nHTTP/1.1 200 OK"):
    malformed(f"the value {value!r}", "8.2.1", head((b"name", value)) + END)
    malformed(f"the value {value!r} in trailers", "8.2.1", HEAD + data(1, BODY) +
              headers(1, field(b"name", value), end=True), out=BODY)
malformed("an upper-case name in trailers", "8.2.1", HEAD + data(1, BODY) +
          headers(1, field(b"Name", b"v"), end=True), out=BODY)
for name, value in ((b"connection", b"close"), (b"connection", b""), (b"keep-alive", b"timeout=5"),
                    (b"proxy-connection", b"keep-alive"), (b"transfer-encoding", b"chunked"),
                    (b"transfer-encoding", b"identity"), (b"upgrade", b"h2c"),
                    (b"te", b"trailers"), (b"te", b"gzip")):
    malformed(f"{name.decode()}: {value.decode()}", "8.2.2", head((name, value)) + END)
malformed("transfer-encoding in trailers", "8.2.2", HEAD + data(1, BODY) +
          headers(1, field(b"transfer-encoding", b"chunked"), end=True), out=BODY)
malformed("connection by a static name in a 103", "8.2.2",
          headers(1, status(b"103") + field(b"connection", b"x")) + HEAD + END)

# content-length.
LENGTH = b"content-length"
for values, octets, name in (
        ((b"4",), BODY, "less than the content"), ((b"6",), BODY, "more than the content"),
        ((b"0",), BODY, "of zero and content"), ((b"5", b"6"), BODY, "twice and different"),
        ((b"6", b"5"), BODY, "twice and different, the last one right"),
        ((b"18446744073709551621",), BODY, "of 2^64+5"), ((b"4294967301",), BODY, "of 2^32+5"),
        ((b"-5",), BODY, "below zero"), ((b"+5",), BODY, "with a sign"), ((b"",), BODY, "empty"),
        ((b"5 5",), BODY, "with a space"), ((b"0x5",), BODY, "in hexadecimal"),
        ((b"5.0",), BODY, "with a point"), ((b"5a",), BODY, "with a letter"),
        ((b"5,6",), BODY, "with a list that differs"), ((b"5;5",), BODY, "with a semicolon"),
        ((b"99999999999999999999999999",), BODY, "of 26 digits")):
    malformed(f"content-length {name}", "8.1.1", head(*[(LENGTH, v) for v in values]) +
              data(1, octets, end=True), out=octets)
    malformed(f"content-length {name}, with trailers", "8.1.1",
              head(*[(LENGTH, v) for v in values]) + data(1, octets) +
              headers(1, field(b"a", b"b"), end=True), out=octets)
malformed("content-length and no content", "8.1.1",
          headers(1, STATUS_200 + field(LENGTH, b"5"), end=True))
malformed("content-length passed in the second frame", "8.1.1", head((LENGTH, b"6")) +
          data(1, BODY) + data(1, BODY), out=BODY * 2)
malformed("content-length not reached, by an empty END_STREAM", "8.1.1", head((LENGTH, b"6")) +
          data(1, BODY) + data(1, end=True), out=BODY)
malformed("padding does not count as content", "8.1.1", head((LENGTH, b"10")) +
          data(1, BODY, end=True, pad=4), out=BODY)
TABLE.ok("content-length that is right", "8.1.1", head((LENGTH, b"5")) + END, BODY)
TABLE.ok("content-length twice the same", "8.1.1", head((LENGTH, b"5"), (LENGTH, b"5")) + END, BODY)
TABLE.ok("content-length with leading zeros", "8.1.1", head((LENGTH, b"0005")) + END, BODY)
TABLE.ok("content-length of zero", "8.1.1", headers(1, STATUS_200 + field(LENGTH, b"0"), end=True))
TABLE.ok("content-length of zero and an empty DATA", "8.1.1", head((LENGTH, b"0")) +
         data(1, end=True))

# Responses without content.
for code in (b"204", b"304"):
    NO_CONTENT = status(code)
    TABLE.ok(f"{code.decode()} and its END_STREAM", "8.1", headers(1, NO_CONTENT, end=True))
    TABLE.ok(f"{code.decode()} and an empty DATA", "8.1", headers(1, NO_CONTENT) + data(1, end=True))
    malformed(f"{code.decode()} with content", "8.1.1", headers(1, NO_CONTENT) + END)
TABLE.ok("304 with the content-length of what it stands for", "8.1.1",
         headers(1, status(b"304") + field(LENGTH, b"5"), end=True))
TABLE.ok("HEAD with content-length", "8.1.1",
         headers(1, STATUS_200 + field(LENGTH, b"5"), end=True),
         b"HTTP/2 200 \r\ncontent-length: 5\r\n\r\n", options=("-I",))
malformed("HEAD with content", "8.1.1", headers(1, STATUS_200 + field(LENGTH, b"5")) + END,
          options=("-I",), out=b"HTTP/2 200 \r\ncontent-length: 5\r\n\r\n")

# The order of a message.
malformed("DATA before HEADERS", "8.1", END)
malformed("empty DATA before HEADERS", "8.1", data(1))
malformed("DATA after a 1xx", "8.1", headers(1, status(b"103")) + END)
malformed("1xx with END_STREAM", "8.1", headers(1, status(b"100"), end=True))
malformed("103 with END_STREAM", "8.1", headers(1, status(b"103"), end=True))
malformed("1xx after the response", "8.1", HEAD + headers(1, status(b"103")) + END)
malformed("a second response", "8.1", HEAD + HEAD + END)
malformed("a second response with END_STREAM", "8.1", HEAD + headers(1, end=True))
malformed("trailers without END_STREAM", "8.1", HEAD + data(1, BODY) +
          headers(1, field(b"a", b"b")), out=BODY)
malformed("DATA after trailers without END_STREAM", "8.1", HEAD + data(1, BODY) +
          headers(1, field(b"a", b"b")) + END, out=BODY * 2)
TABLE.connection("DATA after trailers", "8.1", HEAD + data(1, BODY) +
                 headers(1, field(b"a", b"b"), end=True) + data(1, b"x"), wire.STREAM_CLOSED,
                 urls=2, out=BODY)
malformed("a malformed response spares the other streams", "8.1.1",
          headers(1, status(b"abc")) + response(3, BODY), urls=2, out=BODY)
for code in (b"100", b"102", b"103", b"199"):
    TABLE.ok(f"{code.decode()} and then the response", "8.1",
             headers(1, status(code) + field(b"link", b"</a>")) + HEAD + END, BODY)
TABLE.ok("several 1xx", "8.1", headers(1, status(b"103")) * 5 + headers(1, status(b"100")) +
         HEAD + END, BODY)
TABLE.ok("1xx with content-length", "8.1", headers(1, status(b"103") + field(LENGTH, b"9")) +
         HEAD + END, BODY)
TABLE.ok("trailers", "8.1", HEAD + data(1, BODY) + headers(1, field(b"a", b"b"), end=True), BODY)
TABLE.ok("trailers without content", "8.1", HEAD + headers(1, field(b"a", b"b"), end=True))
TABLE.ok("trailers with content-length", "8.1", HEAD + data(1, BODY) +
         headers(1, field(b"a", b"b") + field(LENGTH, b"77"), end=True), BODY)
TABLE.ok("empty trailers", "8.1", HEAD + data(1, BODY) + headers(1, b"", end=True), BODY)
for code in (b"200", b"299", b"301", b"400", b"404", b"418", b"500", b"599"):
    TABLE.ok(f"status {code.decode()}", "8.3.2", headers(1, status(code)) + END, BODY)
TABLE.add("-f and a status of 500", "8.3.2", response(1, b"", code=b"500"), 22, options=("-f",),
          goaway=NOTHING, reset=NOTHING)
TABLE.add("an unfinished response that is then reset", "8.1", HEAD + data(1, BODY) +
          rst_stream(1, 0), STREAM, out=BODY)
