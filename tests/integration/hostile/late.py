"""What TLS itself may say after the handshake: RFC 9113 section 9.2, RFC 8446 section 4.6 and RFC
5246 section 7.4.1.1. Most of it is made by hand, see records.py."""

import ssl
import tempfile

import records
from case import HEAD, PARTIAL, RECEIVE, TIMEOUT, TLS, Table
from records import (ALERT, APPLICATION_DATA, CERTIFICATE_REQUEST_MESSAGE, HANDSHAKE, HELLO_REQUEST,
                     handshake, key_update, ticket)
from wire import data, response

TABLE = Table()
BODY = b"hello"
LOST = (TLS, RECEIVE, PARTIAL)
ANSWER = data(1, BODY, end=True)


def by_hand(version):
    def change(context):
        context.minimum_version = context.maximum_version = version
        context.num_tickets = 0
        if version == ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        context.key_log_file = tempfile.NamedTemporaryFile(prefix="weft-hostile-")
        context.keylog_filename = context.key_log_file.name
    return change


def add(name, section, middle, exits, version=ssl.TLSVersion.TLSv1_3, **more):
    """Half of a response, then what @middle(peer) does, then the other half."""
    def script(peer):
        peer.make_records()
        peer.send(HEAD, data(1, BODY))
        middle(peer)
        peer.send(ANSWER)
    out = more.pop("out", BODY * 2)
    if exits == 0:
        TABLE.ok(name, section, script, out, tls=True, context=by_hand(version), **more)
    else:
        TABLE.add(name, section, script, exits, out=out, tls=True, context=by_hand(version),
                  **more)


def add_12(name, section, middle, exits, **more):
    add(f"TLS 1.2: {name}", section, middle, exits, version=ssl.TLSVersion.TLSv1_2, **more)


def say(kind, octets, count=1):
    return lambda peer: [peer.send_record(kind, octets) for _ in range(count)]


def update(count, requested, body=b""):
    """KeyUpdate, and DATA under the new keys each time."""
    def middle(peer):
        for _ in range(count):
            peer.send_record(HANDSHAKE, key_update(requested))
            peer.records.next_keys()
            if body:
                peer.send(data(1, body))
    return middle


def without_end(kind, octets, changes_keys=False):
    """Until the client has had enough, in writes of many records."""
    def middle(peer):
        while not peer.ended:
            piece = b""
            for _ in range(500):
                piece += peer.records.seal(kind, octets)
                if changes_keys:
                    peer.records.next_keys()
            peer._write_raw(piece)  # pylint: disable=protected-access
    return middle


def in_two_records(peer):
    message = key_update(False)
    peer.send_record(HANDSHAKE, message[:4])
    peer.send_record(HANDSHAKE, message[4:])
    peer.records.next_keys()


def silent(octets):
    return lambda peer: peer._write_raw(octets)  # pylint: disable=protected-access


# KeyUpdate.
add("records of our own making are taken", "RFC 8446 5.2", lambda peer: None, 0)
for requested in (False, True):
    asks = "that asks for ours" if requested else "that asks for nothing"
    add(f"KeyUpdate {asks}", "RFC 8446 4.6.3", update(1, requested), 0)
    add(f"fifty KeyUpdates {asks}", "RFC 8446 4.6.3", update(50, requested), 0)
    add(f"KeyUpdate {asks} between many DATA frames", "RFC 8446 4.6.3", lambda peer, r=requested: (
        update(100, r, BODY)(peer)), 0, out=BODY * 102)
    add(f"KeyUpdate {asks}, without end", "10.5",
        without_end(HANDSHAKE, key_update(requested), changes_keys=True), LOST)
# Legal, but for that KeyUpdate ends its record, and more than wolfSSL takes.
add("KeyUpdate in two records", "RFC 8446 5.1", in_two_records, (0, *LOST))
add("KeyUpdate that asks for what there is not", "RFC 8446 4.6.3",
    say(HANDSHAKE, handshake(records.KEY_UPDATE, b"\2")), LOST)
add("KeyUpdate without content", "RFC 8446 4.6.3", say(HANDSHAKE, handshake(records.KEY_UPDATE)),
    LOST)
add("KeyUpdate and a ticket in one record", "RFC 8446 5.1",
    say(HANDSHAKE, key_update(False) + ticket()), LOST)
add("DATA under the old keys after KeyUpdate", "RFC 8446 4.6.3",
    say(HANDSHAKE, key_update(False)), LOST)

# Tickets.
add("a session ticket in mid-body", "RFC 8446 4.6.1", say(HANDSHAKE, ticket()), 0)
add("twenty session tickets", "RFC 8446 4.6.1", say(HANDSHAKE, ticket(), 20), 0)
add("a large session ticket in pieces", "RFC 8446 4.6.1", lambda peer: [
    peer.send_record(HANDSHAKE, ticket(octets=b"t" * 20000)[i:i + 5000])
    for i in range(0, 20100, 5000)], (0, *LOST))
add("session tickets without end", "10.5", without_end(HANDSHAKE, ticket()), LOST)
add("a session ticket that is cut short", "RFC 8446 4.6.1",
    say(HANDSHAKE, handshake(records.NEW_SESSION_TICKET, b"\0\0")), LOST)

# What may not come any more.
add("a late CertificateRequest", "9.2.3", say(HANDSHAKE, CERTIFICATE_REQUEST_MESSAGE), LOST)
for name, kind in (("ClientHello", 1), ("ServerHello", 2), ("EncryptedExtensions", 8),
                   ("Certificate", 11), ("CertificateVerify", 15), ("Finished", 20),
                   ("HelloRequest", 0), ("an unknown message", 99)):
    add(f"{name} after the handshake", "RFC 8446 4.6", say(HANDSHAKE, handshake(kind, bytes(32))),
        LOST)
add("a handshake message of 2^24-1 octets", "RFC 8446 4.6", say(
    HANDSHAKE, b"\4\xff\xff\xff" + bytes(12000)), LOST + (TIMEOUT,), max_time=3)
add("a handshake message that never ends", "10.5", without_end(
    HANDSHAKE, b"\4\xff\xff\xff" + bytes(12000)), LOST)
add("an empty handshake record", "RFC 8446 5.1", say(HANDSHAKE, b""), LOST)

# Records that are no messages.
add("a record padded with zeros", "RFC 8446 5.4", lambda peer: peer.send_record(
    APPLICATION_DATA, data(1), 1000), 0)
add("empty records", "RFC 8446 5.4", say(APPLICATION_DATA, b"", 20), 0)
add("empty records without end", "10.5", without_end(APPLICATION_DATA, b""), LOST)
add("a record without a type", "RFC 8446 5.4", lambda peer: peer.send_record(
    None, b"", 100), LOST)
for name, kind in (("ChangeCipherSpec", 20), ("a heartbeat", 24), ("an unknown type", 99)):
    add(f"{name} under encryption", "RFC 8446 5", say(kind, b"\1"), LOST)
add("ChangeCipherSpec in cleartext after the handshake", "RFC 8446 5",
    silent(b"\x14\3\3\0\1\1"), LOST)
add("an alert in cleartext after the handshake", "RFC 8446 6",
    silent(b"\x15\3\3\0\2\2\x28"), LOST)
add("user_canceled and no more", "RFC 8446 6.1", say(ALERT, b"\1\x5a"), (0, *LOST))
add("a warning that is unknown", "RFC 8446 6.2", say(ALERT, b"\1\x63"), (0, *LOST))
add("a fatal alert in mid-body", "RFC 8446 6.2", say(ALERT, b"\2\x50"), LOST)
add("an alert of one octet", "RFC 8446 6", say(ALERT, b"\2"), LOST)
add("warnings without end", "10.5", without_end(ALERT, b"\1\x5a"), LOST)
add("an empty alert", "RFC 8446 5.1", say(ALERT, b""), LOST)

# TLS 1.2: a HelloRequest asks for renegotiation.
HELLO = handshake(HELLO_REQUEST)
add_12("records of our own making are taken", "RFC 5246 6.2", lambda peer: None, 0)
add_12("HelloRequest in mid-body", "9.2.1", say(HANDSHAKE, HELLO), LOST)
add_12("HelloRequest without end", "9.2.1", without_end(HANDSHAKE, HELLO), LOST)
add_12("ServerHello in mid-body", "9.2.1", say(HANDSHAKE, handshake(2, bytes(38))), LOST)
add_12("ClientHello in mid-body", "9.2.1", say(HANDSHAKE, handshake(1, bytes(38))), LOST)
add_12("CertificateRequest in mid-body", "9.2.1",
       say(HANDSHAKE, handshake(13, b"\1\1\0\2\4\3\0\0")), LOST)
add_12("a session ticket in mid-body", "9.2.1", say(HANDSHAKE, handshake(4, bytes(20))), LOST)
add_12("Finished in mid-body", "9.2.1", say(HANDSHAKE, handshake(20, bytes(12))), LOST)
add_12("ChangeCipherSpec in mid-body", "9.2.1", say(20, b"\1"), LOST)
add_12("empty records", "RFC 5246 6.2", say(APPLICATION_DATA, b"", 20), 0)
add_12("empty records without end", "10.5", without_end(APPLICATION_DATA, b""), LOST)
add_12("a warning that is unknown", "RFC 5246 7.2", say(ALERT, b"\1\x63"), (0, *LOST))
add_12("warnings without end", "10.5", without_end(ALERT, b"\1\x5a"), LOST)
add_12("a fatal alert in mid-body", "RFC 5246 7.2", say(ALERT, b"\2\x50"), LOST)
