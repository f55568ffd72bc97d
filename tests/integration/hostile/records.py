"""TLS records of a server's own making, after a handshake that Python's ssl module made: for the
messages that no library sends. The keys come from the key log, AES-GCM from the library that ssl
itself uses."""

import ctypes
import ctypes.util
import hashlib
import hmac
import struct

ALERT, HANDSHAKE, APPLICATION_DATA = 21, 22, 23
HELLO_REQUEST, NEW_SESSION_TICKET, CERTIFICATE_REQUEST, FINISHED, KEY_UPDATE = 0, 4, 13, 20, 24

_crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
_crypto.EVP_CIPHER_CTX_new.restype = ctypes.c_void_p
_crypto.EVP_aes_128_gcm.restype = _crypto.EVP_aes_256_gcm.restype = ctypes.c_void_p


def aes_gcm(key, nonce, more, octets):
    """RFC 5116 section 5.1."""
    make = _crypto.EVP_aes_128_gcm if len(key) == 16 else _crypto.EVP_aes_256_gcm
    context, count = ctypes.c_void_p(_crypto.EVP_CIPHER_CTX_new()), ctypes.c_int()
    out, tag = ctypes.create_string_buffer(len(octets) + 1), ctypes.create_string_buffer(16)
    done = _crypto.EVP_EncryptInit_ex(context, ctypes.c_void_p(make()), None, key, nonce)
    done &= _crypto.EVP_EncryptUpdate(context, None, ctypes.byref(count), more, len(more))
    done &= _crypto.EVP_EncryptUpdate(context, out, ctypes.byref(count), octets, len(octets))
    done &= _crypto.EVP_EncryptFinal_ex(context, None, ctypes.byref(count))
    done &= _crypto.EVP_CIPHER_CTX_ctrl(context, 0x10, 16, tag)  # EVP_CTRL_GCM_GET_TAG
    _crypto.EVP_CIPHER_CTX_free(context)
    if done != 1:
        raise ValueError("AES-GCM failed")
    return out.raw[:len(octets)] + tag.raw


def expand_label(secret, label, length, name):
    """RFC 8446 section 7.1, with an empty context."""
    label = b"tls13 " + label
    info = struct.pack(">HB", length, len(label)) + label + b"\0"
    return hmac.new(secret, info + b"\1", name).digest()[:length]


def prf(secret, label, seed, length, name):
    """RFC 5246 section 5."""
    out, seed = b"", label + seed
    at = seed
    while len(out) < length:
        at = hmac.new(secret, at, name).digest()
        out += hmac.new(secret, at + seed, name).digest()
    return out[:length]


def handshake(kind, payload=b""):
    return bytes([kind]) + struct.pack(">I", len(payload))[1:] + payload


def key_update(requested):
    return handshake(KEY_UPDATE, b"\1" if requested else b"\0")


def ticket(nonce=b"12345678", octets=b"t" * 64):
    """NewSessionTicket, RFC 8446 section 4.6.1."""
    return handshake(NEW_SESSION_TICKET, struct.pack(">IIB", 7200, 99, len(nonce)) + nonce +
                     struct.pack(">H", len(octets)) + octets + b"\0\0")


# RFC 8446 section 4.3.2, with signature_algorithms.
CERTIFICATE_REQUEST_MESSAGE = handshake(
    CERTIFICATE_REQUEST, b"\4ctxt" + struct.pack(">HHHHH", 8, 13, 4, 2, 0x0403))


class Records:
    """Seals what the server sends from here on: ssl's own state of sending is not used any more."""

    def __init__(self, version, cipher, secrets, server_random, sent):
        """@sent: records that ssl has sent under the present keys."""
        self.is_13, self.sent = version == "TLSv1.3", sent
        self.hash = hashlib.sha384 if "256_GCM" in cipher or "256-GCM" in cipher else hashlib.sha256
        self.key_length = 32 if self.hash == hashlib.sha384 else 16
        if self.is_13:
            self._use(secrets["SERVER_TRAFFIC_SECRET_0"][1])
            return
        client_random, master = secrets["CLIENT_RANDOM"]
        block = prf(master, b"key expansion", server_random + client_random,
                    2 * self.key_length + 8, self.hash)
        self.key, self.iv = block[self.key_length:2 * self.key_length], block[-4:]

    def _use(self, secret):
        self.secret = secret
        self.key = expand_label(secret, b"key", self.key_length, self.hash)
        self.iv = expand_label(secret, b"iv", 12, self.hash)

    def next_keys(self):
        """After KeyUpdate, RFC 8446 section 7.2."""
        self._use(expand_label(self.secret, b"traffic upd", self.hash().digest_size, self.hash))
        self.sent = 0

    def seal(self, kind, octets, padding=0):
        number, self.sent = struct.pack(">Q", self.sent), self.sent + 1
        if self.is_13:
            inner = octets + (bytes([kind]) if kind is not None else b"") + bytes(padding)
            header = struct.pack(">BHH", APPLICATION_DATA, 0x0303, len(inner) + 16)
            nonce = bytes(a ^ b for a, b in zip(self.iv, bytes(4) + number))
            return header + aes_gcm(self.key, nonce, header, inner)
        more = number + struct.pack(">BHH", kind, 0x0303, len(octets))
        header = struct.pack(">BHH", kind, 0x0303, len(octets) + 24)
        return header + number + aes_gcm(self.key, self.iv + number, more, octets)
