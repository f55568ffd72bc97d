#!/usr/bin/env python3
"""weft-serve against curl, nghttp and h2load: test_serve.py PATH-OF-WEFT-SERVE"""

import hashlib
import os
import random
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from server import Server

SKIPPED = 77
TIMEOUT = 60
PROGRAM = None


def pattern(length):
    alphabet = b"abcdefghijklmnopqrstuvwxyz"
    return (alphabet * (length // 26 + 1))[:length]


def run(*command, **more):
    return subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False, **more)


def needs(tool):
    return unittest.skipUnless(shutil.which(tool), f"{tool} is not installed")


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)


def frames(octets):
    """(type, flags, stream, payload) of each."""
    while octets:
        length = int.from_bytes(octets[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", octets[3:9])
        yield kind, flags, stream, octets[9:9 + length]
        octets = octets[9 + length:]


def goaways(received):
    """(last stream identifier, error code) of each GOAWAY."""
    return [struct.unpack(">II", payload[:8]) for kind, _, _, payload in received if kind == 7]


class Answer:
    """What curl got: its exit status, the last header section's status, all header lines, the body."""

    def __init__(self, result, head):
        self.exit = result.returncode
        self.body = result.stdout
        self.errors = result.stderr.decode()
        self.head = head
        statuses = re.findall(r"^HTTP/2 (\d+)", head, re.M)
        self.statuses = [int(s) for s in statuses]
        self.status = self.statuses[-1] if statuses else None

    def field(self, name):
        match = re.search(rf"^{name}: (.*?)\r?$", self.head, re.M | re.I)
        return match.group(1) if match else None


class Paths:
    """Every path, over whichever transport the subclass has."""

    options = []
    curl_options = []

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        os.makedirs(f"{cls.folder.name}/root/sub")
        with open(f"{cls.folder.name}/root/sub/a file", "wb") as file:
            file.write(pattern(200000))
        with open(f"{cls.folder.name}/secret", "wb") as file:
            file.write(b"secret")
        os.symlink("../secret", f"{cls.folder.name}/root/link")
        cls.cert = f"{cls.folder.name}/cert.pem"
        options = [o.replace("CERT", cls.cert) for o in cls.options]
        cls.server = Server(PROGRAM, "--root", f"{cls.folder.name}/root", *options)

    @classmethod
    def tearDownClass(cls):
        status = cls.server.stop()
        cls.folder.cleanup()
        assert status == 0, f"weft-serve ended with {status}: {cls.server.errors}"
        assert re.search(r"\d+ connections, \d+ requests", cls.server.errors), cls.server.errors

    def tearDown(self):
        self.assertTrue(self.server.is_alive(), "weft-serve is gone")

    def fetch(self, path, *options, data=None):
        with tempfile.NamedTemporaryFile("r") as head:
            more = [o.replace("CERT", self.cert) for o in self.curl_options]
            result = run("curl", "-sS", "-m", "30", "-D", head.name, *more, *options,
                         self.server.url + path, input=data)
            return Answer(result, head.read())

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT)

    def talk(self, octets):
        """Sends octets, and returns all that comes until the server closes."""
        with self.connect() as client:
            client.sendall(octets)
            received = b""
            while True:
                part = client.recv(65536)
                if not part:
                    return received
                received += part

    def test_root_is_a_short_text(self):
        answer = self.fetch("/")
        self.assertEqual((answer.exit, answer.status), (0, 200))
        self.assertEqual(answer.field("content-type"), "text/plain")
        self.assertEqual(int(answer.field("content-length")), len(answer.body))
        self.assertRegex(answer.field("date"), r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")

    def test_bytes_are_the_pattern_at_any_length(self):
        for length in 0, 1, 27, 16384, 262079, 262080, 262081, 5000003:
            answer = self.fetch(f"/bytes/{length}")
            self.assertEqual((answer.exit, answer.status), (0, 200), answer.errors)
            self.assertEqual(int(answer.field("content-length")), length)
            self.assertTrue(answer.body == pattern(length), f"{length} octets differ")

    def test_bytes_without_a_number_are_not_found(self):
        for path in "/bytes", "/bytes/", "/bytes/x", "/bytes/1x", "/bytes/-1", "/bytes/1/2", \
                "/bytes/99999999999999999999999":
            self.assertEqual(self.fetch(path).status, 404, path)

    def test_a_query_changes_nothing(self):
        self.assertEqual(self.fetch("/bytes/5?a=/7").body, b"abcde")

    def test_head_has_the_length_and_no_body(self):
        for path, length in ("/bytes/1000", "1000"), ("/bytes/900000", "900000"), ("/drip/9/1", "9"):
            answer = self.fetch(path, "-I")
            self.assertEqual((answer.exit, answer.status), (0, 200), path)
            self.assertEqual(answer.field("content-length"), length)
        for path in "/delay/1", "/trailers", "/files/sub/a%20file", "/reset", "/goaway/after":
            answer = self.fetch(path, "-I")
            self.assertEqual((answer.exit, answer.status), (0, 200), path)

    def test_delay_waits(self):
        start = time.monotonic()
        answer = self.fetch("/delay/300")
        self.assertEqual((answer.exit, answer.body), (0, b"waited\n"))
        self.assertGreaterEqual(time.monotonic() - start, 0.3)

    @needs("nghttp")
    def test_delays_on_one_connection_do_not_add_up(self):
        start = time.monotonic()
        result = run("nghttp", "-m", "20", self.server.url + "/delay/1500")
        self.assertEqual(result.stdout, 20 * b"waited\n")
        self.assertLess(time.monotonic() - start, 15)

    def test_status_is_the_one_asked_for(self):
        for status in 200, 201, 204, 301, 304, 404, 418, 500, 599:
            answer = self.fetch(f"/status/{status}")
            self.assertEqual((answer.exit, answer.status), (0, status))
        for path in "/status/199", "/status/600", "/status/", "/status/abc":
            self.assertEqual(self.fetch(path).status, 400, path)

    def test_echo_returns_the_body_and_its_type(self):
        for length in 0, 1, 100000, 3000000:
            answer = self.fetch("/echo", "-X", "POST", "--data-binary", "@-", "-H",
                                "content-type: x/y", data=pattern(length))
            self.assertEqual((answer.exit, answer.status), (0, 200), answer.errors)
            self.assertEqual(answer.field("content-type"), "x/y")
            self.assertTrue(answer.body == pattern(length), f"{length} octets differ")

    def test_upload_tells_length_and_digest(self):
        for length in 0, 1, 3000000:
            answer = self.fetch("/upload", "-X", "PUT", "--data-binary", "@-", data=pattern(length))
            digest = hashlib.sha256(pattern(length)).hexdigest()
            self.assertEqual(answer.body.decode(), f"{length} {digest}\n", answer.errors)

    def test_headers_returns_the_fields(self):
        answer = self.fetch("/headers", "-H", "x-one: two words", "-H", "X-Long: " + "z" * 20000)
        lines = answer.body.decode().splitlines()
        self.assertEqual(answer.exit, 0)
        self.assertIn(":method: GET", lines)
        self.assertIn(":path: /headers", lines)
        self.assertIn("x-one: two words", lines)
        self.assertIn("x-long: " + "z" * 20000, lines)

    def test_reset_breaks_off(self):
        for path in "/reset", "/reset/8":
            answer = self.fetch(path)
            self.assertEqual(answer.exit, 92, answer.errors)

    @needs("nghttp")
    def test_reset_comes_in_mid_body(self):
        for path, code in ("/reset", "INTERNAL_ERROR"), ("/reset/11", "ENHANCE_YOUR_CALM"), \
                ("/reset/7", "REFUSED_STREAM"):
            text = run("nghttp", "-nv", self.server.url + path).stdout.decode()
            self.assertRegex(text, r"(?s):status: 200.*recv DATA frame <length=500, flags=0x00,.*"
                             rf"recv RST_STREAM frame <[^>]*>\s*\(error_code={code}\(")

    def test_cut_ends_the_connection_in_mid_body(self):
        answer = self.fetch("/cut")
        self.assertIn(answer.exit, (18, 55, 56, 92), answer.errors)
        self.assertEqual(answer.body, pattern(500))

    def test_drip_gives_octet_by_octet(self):
        start = time.monotonic()
        answer = self.fetch("/drip/30/10")
        self.assertEqual((answer.exit, answer.body), (0, pattern(30)))
        self.assertGreaterEqual(time.monotonic() - start, 0.29)
        self.assertEqual(self.fetch("/drip/100/0").body, pattern(100))
        self.assertEqual(self.fetch("/drip/0/0").body, b"")

    def test_trailers_come_last(self):
        answer = self.fetch("/trailers")
        self.assertEqual((answer.exit, answer.body), (0, b"trailers follow\n"))
        self.assertEqual(answer.field("x-trailer"), "this came last")

    def test_informational_comes_first(self):
        for _ in range(2):
            answer = self.fetch("/informational")
            self.assertEqual((answer.exit, answer.statuses), (0, [103, 200]))
            self.assertIn("rel=preload", answer.field("link"))

    def test_early_answers_what_has_no_body(self):
        answer = self.fetch("/early")
        self.assertEqual((answer.exit, answer.status, answer.body), (0, 200, b"enough\n"))

    @needs("nghttp")
    def test_early_answers_before_the_upload_is_over(self):
        with tempfile.NamedTemporaryFile() as body:
            body.write(pattern(8000000))
            body.flush()
            text = run("nghttp", "-nv", "-d", body.name, self.server.url + "/early").stdout.decode()
        # RFC 9113 section 8.1: the whole response, then RST_STREAM with NO_ERROR.
        self.assertRegex(text, r"(?s):status: 200.*recv DATA frame <length=7, flags=0x01,.*"
                         r"recv RST_STREAM frame <[^>]*>\s*\(error_code=NO_ERROR\(")

    def test_unknown_paths_are_not_found(self):
        for path in "/nothing", "/bytesx/1", "/files/none", "/goaway/never", "/%2e":
            answer = self.fetch(path)
            self.assertEqual((answer.exit, answer.status), (0, 404), path)

    def test_wrong_methods_are_told_the_right_ones(self):
        answer = self.fetch("/bytes/1", "-X", "DELETE")
        self.assertEqual((answer.status, answer.field("allow")), (405, "GET, HEAD"))
        answer = self.fetch("/echo")
        self.assertEqual((answer.status, answer.field("allow")), (405, "POST, PUT, PATCH"))

    def test_files_are_served(self):
        answer = self.fetch("/files/sub/a%20file")
        self.assertEqual((answer.exit, answer.status), (0, 200))
        self.assertTrue(answer.body == pattern(200000))

    def test_files_outside_the_root_are_not_found(self):
        for path in "/files/../secret", "/files/sub/../../secret", "/files/%2e%2e/secret", \
                "/files/..%2fsecret", "/files//etc/passwd", "/files/link", "/files/sub", "/files/", \
                "/files/sub/a%20file%00", "/files/%zz", "/files/sub/a%20file/":
            answer = self.fetch(path, "--path-as-is")
            self.assertEqual((answer.exit, answer.status), (0, 404), path)

    @needs("nghttp")
    def test_goaway_does_not_cover_the_request(self):
        text = run("nghttp", "-nv", self.server.url + "/goaway").stdout.decode()
        stream = int(re.search(r"send HEADERS frame .*stream_id=(\d+)>", text).group(1))
        self.assertRegex(text, r"recv GOAWAY frame")
        self.assertIn(f"last_stream_id={stream - 2}, error_code=NO_ERROR", text)
        self.assertNotIn(":status", text)

    def test_goaway_after_answers_first(self):
        block = b"\x82\x86\x04\x0d/goaway/after\x01\x01x"
        answer = list(frames(self.talk(PREFACE + frame(1, 5, 1, block) + frame(4, 1, 0))))
        kinds = [kind for kind, _, _, _ in answer]
        self.assertLess(kinds.index(0), kinds.index(7))
        self.assertEqual(goaways(answer), [(1, 0)])

    def test_data_on_stream_0_ends_in_goaway(self):
        # RFC 9113 section 6.1: a connection error PROTOCOL_ERROR.
        answer = list(frames(self.talk(PREFACE + frame(0, 0, 0, b"x"))))
        self.assertEqual(goaways(answer), [(0, 1)])

    def test_requests_above_a_goaway_stay_unanswered(self):
        # GET, http, then literals without indexing: :path /goaway, :authority x.
        block = b"\x82\x86\x04\x07/goaway\x01\x01x"
        requests = b"".join(frame(1, 5, stream, block) for stream in (1, 3, 5))
        answer = list(frames(self.talk(PREFACE + requests + frame(0, 0, 0, b"x"))))
        # The connection error comes with a GOAWAY of its own, whose identifier is not higher, and
        # drops the first one unless that was written already.
        self.assertIn(goaways(answer), ([(0, 1)], [(0, 0), (0, 1)]))
        self.assertNotIn(1, [kind for kind, _, _, _ in answer])

    @needs("nghttp")
    def test_many_requests_share_a_connection(self):
        result = run("nghttp", "-m", "20", self.server.url + "/bytes/30000",
                     self.server.url + "/bytes/7")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(len(result.stdout), 20 * 30007)

    def load(self, path, *options):
        text = run("h2load", *options, self.server.url + path).stdout.decode()
        self.assertRegex(text, r"requests: (\d+) total, \1 started, \1 done, \1 succeeded, 0 failed",
                         text)

    @needs("h2load")
    def test_load_of_small_requests(self):
        self.load("/", "-n", "10000", "-c", "2", "-m", "50")

    @needs("h2load")
    def test_load_of_bodies(self):
        self.load("/bytes/100000", "-n", "500", "-c", "4", "-m", "10")

    @needs("h2load")
    def test_load_of_delays(self):
        self.load("/delay/5", "-n", "2000", "-c", "2", "-m", "100")

    @needs("h2load")
    def test_load_of_uploads(self):
        with tempfile.NamedTemporaryFile() as body:
            body.write(pattern(20000))
            body.flush()
            self.load("/echo", "-n", "2000", "-c", "2", "-m", "20", "-d", body.name)


class Cleartext(Paths, unittest.TestCase):
    options = ["--cleartext"]
    curl_options = ["--http2-prior-knowledge"]

    def test_http_1_is_refused(self):
        answer = self.talk(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n" + b" " * 64)
        self.assertNotIn(b"HTTP/1.1", answer)

    def test_random_frames_do_no_harm(self):
        seed = random.randrange(1 << 32)
        dice = random.Random(seed)
        block = b"\x82\x86\x04\x08/bytes/9\x01\x01x"
        for _ in range(150):
            octets = PREFACE
            for _ in range(dice.randrange(40)):
                payload = dice.choice((block, dice.randbytes(dice.randrange(60)), b"\0\0\0\5"))
                octets += frame(dice.randrange(11), dice.choice((0, 1, 4, 5, 0x2d, 255)),
                                dice.choice((0, 1, 1, 3, 5, 7, 0x7fffffff)), payload)
            with socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT) as client:
                try:
                    client.sendall(octets[:dice.randrange(len(octets)) + 1])
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass
                except OSError:
                    pass  # the server has closed before it had read all
            self.assertTrue(self.server.is_alive(), f"seed {seed}")
        self.assertEqual(self.fetch("/bytes/1").body, b"a")

    def test_a_client_that_does_not_read_is_not_read_from(self):
        # Requests that are cancelled at once leave their answers in the output. What is sent here
        # is more than the kernel keeps on its own.
        block = b"\x82\x86\x04\x09/bytes/99\x01\x01x"
        sent = 0
        stream = 1
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            client.connect(("127.0.0.1", self.server.port))
            client.settimeout(1)
            client.sendall(PREFACE + frame(4, 1, 0))
            with self.assertRaises(TimeoutError):
                while sent < 40_000_000:
                    octets = b""
                    for _ in range(1000):
                        octets += frame(1, 5, stream, block)
                        octets += frame(3, 0, stream, b"\0\0\0\x08")
                        stream += 2
                    client.sendall(octets)
                    sent += len(octets)


class Tls(Paths, unittest.TestCase):
    options = ["--write-cert", "CERT"]
    curl_options = ["--http2", "--cacert", "CERT"]

    def connect(self):
        """Without close_notify at the end, reading fails."""
        context = ssl.create_default_context(cafile=self.cert)
        context.set_alpn_protocols(["h2"])
        return context.wrap_socket(super().connect(), server_hostname="localhost",
                                   suppress_ragged_eofs=False)

    def test_certificate_is_for_localhost_too(self):
        for host in "localhost", "[::1]":
            answer = Answer(run("curl", "-sS", "-m", "30", "--http2", "--cacert", self.cert,
                                "--connect-to", f"::127.0.0.1:{self.server.port}",
                                f"https://{host}:{self.server.port}/bytes/3"), "")
            self.assertEqual((answer.exit, answer.body), (0, b"abc"), answer.errors)

    def test_certificate_is_for_no_other_host(self):
        result = run("curl", "-sS", "-m", "30", "--cacert", self.cert, "--connect-to",
                     f"::127.0.0.1:{self.server.port}", f"https://example.com:{self.server.port}/")
        self.assertEqual(result.returncode, 60)

    def test_clients_without_h2_are_refused(self):
        for options in ["--http1.1"], ["--no-alpn"]:
            result = run("curl", "-sS", "-m", "30", *options, "--cacert", self.cert,
                         self.server.url + "/")
            self.assertNotEqual(result.returncode, 0, options)
            self.assertEqual(result.stdout, b"")

    def test_cleartext_is_refused(self):
        with socket.create_connection(("127.0.0.1", self.server.port), TIMEOUT) as client:
            client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            while client.recv(65536):
                pass


class CommandLine(unittest.TestCase):
    def assert_refused(self, *options, status=2):
        result = run(PROGRAM, *options)
        self.assertEqual(result.returncode, status, options)
        self.assertEqual(result.stdout, b"")
        self.assertRegex(result.stderr.decode(), r"^weft-serve: [^\n]+\n$")

    def test_wrong_options_are_one_sentence(self):
        self.assert_refused("--nonsense")
        self.assert_refused("extra")
        self.assert_refused("--port")
        self.assert_refused("--port", "65536")
        self.assert_refused("--port=")
        self.assert_refused("--threads", "0")
        self.assert_refused("--quiet=1")
        self.assert_refused("--cert", "only")
        self.assert_refused("--cleartext", "--write-cert", "x")

    def test_what_cannot_be_had_is_one_sentence(self):
        self.assert_refused("--address", "nowhere", "--cleartext", status=1)
        self.assert_refused("--root", "/does/not/exist", status=1)
        self.assert_refused("--cert", "/does/not/exist", "--key", "/does/not/exist", status=1)
        self.assert_refused("--port", "0", "--write-cert", "/does/not/exist", status=1)

    def test_a_port_in_use_is_one_sentence(self):
        server = Server(PROGRAM, "--cleartext")
        self.assert_refused("--cleartext", "--port", str(server.port), status=1)
        self.assertEqual(server.stop(), 0)

    def test_help_and_version(self):
        self.assertIn(b"usage: weft-serve", run(PROGRAM, "--help").stdout)
        self.assertRegex(run(PROGRAM, "--version").stdout, rb"^weft-serve \d+\.\d+\.\d+\n$")

    def test_quiet_ends_without_a_word(self):
        server = Server(PROGRAM, "--cleartext", "--quiet")
        self.assertEqual((server.stop(), server.errors), (0, ""))

    def test_verbose_shows_frames(self):
        server = Server(PROGRAM, "--cleartext", "-v")
        run("curl", "-s", "-m", "30", "--http2-prior-knowledge", server.url + "/bytes/3")
        self.assertEqual(server.stop(), 0)
        for word in "SETTINGS", "HEADERS", "DATA", ":path: /bytes/3":
            self.assertIn(word, server.errors)

    @needs("openssl")
    def test_own_certificate_is_used(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                "/CN=other", "-addext", "subjectAltName=DNS:other.test", "-keyout", key, "-out", cert)
            server = Server(PROGRAM, "--cert", cert, "--key", key)
            result = run("curl", "-sS", "-m", "30", "--cacert", cert, "--connect-to",
                         f"::127.0.0.1:{server.port}", f"https://other.test:{server.port}/bytes/2")
            self.assertEqual((server.stop(), result.stdout), (0, b"ab"), result.stderr)

    @needs("h2load")
    def test_threads_share_the_port(self):
        server = Server(PROGRAM, "--cleartext", "--threads", "4")
        text = run("h2load", "-n", "20000", "-c", "16", "-m", "20", server.url + "/").stdout.decode()
        self.assertIn("20000 succeeded, 0 failed", text)
        self.assertEqual(server.stop(), 0)
        self.assertIn("16 connections, 20000 requests", server.errors)

    def test_ipv6_has_brackets(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("no IPv6 here")
        server = Server(PROGRAM, "--cleartext", "--address", "::1")
        self.assertRegex(server.url, r"^http://\[::1\]:\d+$")
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    if not shutil.which("curl") or b"HTTP2" not in run("curl", "--version").stdout:
        print("skipped: curl with HTTP/2 is not installed")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
