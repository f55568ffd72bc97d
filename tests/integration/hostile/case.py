"""What a hostile test is: a server's script, and what the program and its frames must then be."""

from dataclasses import dataclass, field
from typing import Any, Callable

import wire

# Exit statuses of weft.
OK, NOT_HTTP2, URL, TLS, TIMEOUT, HTTP2, PARTIAL = 0, 1, 3, 35, 28, 16, 18
SEND, RECEIVE, CERTIFICATE, FIELDS, STREAM = 55, 56, 60, 100, 92
# Of HTTP/1.1: no answer at all, and one that is not valid: no HTTP, a wrong head, a wrong body.
EMPTY_REPLY, INVALID = 52, (1, 8, RECEIVE)

NOTHING = object()  # no such frame may come
ANY = None


@dataclass
class Case:
    name: str                 # a sentence
    section: str              # of RFC 9113, or another document with its name
    script: Callable          # script(peer)
    exits: tuple              # statuses that are right
    out: bytes = b""          # stdout: all of it on success, else it is a beginning of this
    goaway: Any = ANY         # error code, or NOTHING but NO_ERROR
    reset: Any = ANY          # of stream @stream: error code, or NOTHING
    stream: int = 1
    text: str = ""            # is part of the sentence on stderr
    options: tuple = ()       # for the program
    urls: int = 1
    begin: tuple = ()         # the server's SETTINGS
    at: str = "request"       # where the script takes over: socket, accept, preface, request
    tls: Any = ANY            # True, False, or both
    idle: float = 2.0         # seconds in which nobody had anything to do, at most
    max_time: float = None    # -m; a case without one ends by itself
    check: Callable = None    # check(result, peers) returns what is wrong, or nothing
    program: str = "weft"
    lines: int = 1            # sentences on stderr of a failure
    alpn: tuple = ("h2",)
    context: Callable = None  # context(ssl_context) changes the server's TLS
    certificate: str = "good"
    data: bytes = None        # stdin
    http1: bool = False       # http:// is not asked to be HTTP/2


@dataclass
class Table:
    cases: list = field(default_factory=list)

    def add(self, name, section, script, exits, **more):
        if isinstance(exits, int):
            exits = (exits,)
        if isinstance(script, bytes):
            script = send(script)
        self.cases.append(Case(name, section, script, exits, **more))

    def ok(self, name, section, script, out=b"", **more):
        """Must succeed with exactly @out, and nothing was complained about."""
        more.setdefault("goaway", NOTHING)
        more.setdefault("reset", NOTHING)
        self.add(name, section, script, OK, out=out, **more)

    def connection(self, name, section, script, code, **more):
        """A connection error."""
        self.add(name, section, script, more.pop("exits", HTTP2), goaway=code, **more)

    def stream(self, name, section, script, code, **more):
        """A stream error: the connection goes on."""
        more.setdefault("goaway", NOTHING)
        self.add(name, section, script, more.pop("exits", HTTP2), reset=code, **more)


def send(*octets):
    return lambda peer: peer.send(*octets)


HEAD = wire.headers(1)
