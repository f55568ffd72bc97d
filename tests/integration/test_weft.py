#!/usr/bin/env python3
"""weft against weft-serve, nghttpd, nginx, h2o and servers that misbehave:
test_weft.py PATH-OF-WEFT PATH-OF-WEFT-SERVE"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import peers
from cases import FolderCase, needs
from server import Server

WEFT = SERVE = None
TIMEOUT = 120
MIB = 1 << 20


class Result:
    def __init__(self, process, out, err, seconds):
        self.status, self.out, self.err, self.seconds = process.returncode, out, err, seconds


def weft(*options, data=None, cwd=None):
    start = time.monotonic()
    with subprocess.Popen([WEFT, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, cwd=cwd) as process:
        try:
            out, err = process.communicate(data, TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Result(process, out, err.decode(), time.monotonic() - start)


run_weft = weft


class Case(FolderCase):
    def expect_failure(self, result, status, *words):
        """One sentence with the status, and nothing else on stderr."""
        self.assertEqual(result.status, status, result.err)
        self.assertEqual(len(result.err.splitlines()), 1, result.err)
        self.assertTrue(result.err.startswith(f"weft: ({status}) "), result.err)
        self.assertNotRegex(result.err, r"(https?://\S+): \1: ")
        for word in words:
            self.assertIn(word, result.err)


class AgainstOurServer(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(SERVE, "--quiet")
        cls.url = cls.server.url

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def fetch(self, path, *options, status=0, **more):
        result = weft("-k", *options, self.url + path, **more)
        self.assertEqual(result.status, status, result.err)
        return result

    def test_a_body_goes_to_stdout(self):
        result = self.fetch("/bytes/1000000")
        self.assertEqual(len(result.out), 1000000)
        self.assertEqual(result.err, "")

    def test_a_posted_body_is_echoed(self):
        data = os.urandom(3 * MIB)
        result = self.fetch("/echo", "--data-binary", "@-", data=data)
        self.assertEqual(result.out, data)

    def test_header_options_add_replace_and_remove(self):
        out = self.fetch("/headers", "-H", "X-Weft: seen", "-H", "Accept:", "-A", "me/1").out.decode()
        self.assertIn("x-weft: seen", out)
        self.assertIn("user-agent: me/1", out)
        self.assertNotIn("accept:", out)

    def test_include_shows_informational_responses_first(self):
        out = self.fetch("/informational", "-i").out.decode()
        self.assertRegex(out, r"\AHTTP/2 103 \r\nlink: [^\r]+\r\n\r\nHTTP/2 200 \r\n")

    def test_include_prints_the_head_first(self):
        out = self.fetch("/bytes/5", "-i").out
        head, body = out.split(b"\r\n\r\n", 1)
        self.assertTrue(head.startswith(b"HTTP/2 200 \r\n"), out)
        self.assertEqual(len(body), 5)

    def test_head_prints_the_head_alone(self):
        out = self.fetch("/bytes/5", "-I").out
        self.assertTrue(out.startswith(b"HTTP/2 200 \r\n"), out)
        self.assertTrue(out.endswith(b"\r\n\r\n"), out)

    def test_bodies_come_in_argument_order(self):
        url = self.url
        result = weft("-k", url + "/delay/300", url + "/bytes/3", url + "/delay/100", url + "/bytes/4")
        single = [weft("-k", url + path).out for path in ("/delay/300", "/bytes/3", "/delay/100",
                                                            "/bytes/4")]
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(result.out, b"".join(single))

    def test_a_hundred_urls_use_one_connection(self):
        proxy = self.start(peers.CountingProxy(self.server.port))
        result = weft("-k", *[f"{proxy.url}/bytes/{n}" for n in range(100)])
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(len(result.out), sum(range(100)))
        self.assertEqual(proxy.accepted, 1)

    def test_more_urls_than_may_be_in_flight(self):
        result = weft("-k", *[f"{self.url}/bytes/{n}" for n in range(700)])
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(len(result.out), sum(range(700)))

    def test_files_and_stdout_side_by_side(self):
        url = self.url
        result = weft("-k", "-o", self.path("a"), "-O", url + "/bytes/10", url + "/bytes/20",
                      url + "/bytes/30", cwd=self.folder)
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(os.path.getsize(self.path("a")), 10)
        self.assertEqual(os.path.getsize(self.path("20")), 20)
        self.assertEqual(len(result.out), 30)

    def test_write_out_follows_each_body(self):
        url = self.url
        result = weft("-k", "-w", "<%{http_code} %{size_download} %{urlnum}>", url + "/bytes/3",
                      url + "/status/404", url + "/bytes/2")
        parts = result.out.split(b"<")
        self.assertEqual(parts[0], b"abc")
        self.assertTrue(parts[1].startswith(b"200 3 0>"), result.out)
        self.assertTrue(parts[2].startswith(b"404 "), result.out)
        self.assertEqual(parts[3], b"200 2 2>")

    def test_verbose_prints_each_frame(self):
        result = self.fetch("/bytes/10", "-v")
        lines = result.err.splitlines()
        self.assertTrue(all(line[:2] in ("> ", "< ", "* ") for line in lines), result.err)
        for mark, kind in ((">", "SETTINGS"), (">", "HEADERS"), ("<", "SETTINGS"), ("<", "HEADERS"),
                           ("<", "DATA")):
            self.assertTrue(any(line[0] == mark and kind in line for line in lines),
                            f"{mark} {kind}: {result.err}")

    def test_fail_turns_a_status_into_22(self):
        self.expect_failure(self.fetch("/status/404", "-f", status=22), 22, "404")
        self.assertEqual(self.fetch("/status/404", "-f", status=22).out, b"")
        self.fetch("/status/404")

    def test_the_certificate_can_be_trusted_by_file(self):
        cert = self.path("cert.pem")
        server = self.start(Server(SERVE, "--quiet", "--write-cert", cert))
        result = weft("--cacert", cert, f"https://localhost:{server.port}/bytes/3")
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(result.out, b"abc")

    def test_an_untrusted_certificate_is_60(self):
        self.expect_failure(weft(self.url + "/"), 60, self.url)

    def test_a_reset_stream_is_92(self):
        self.expect_failure(self.fetch("/reset", status=92), 92)

    def test_a_goaway_that_leaves_the_request_out_is_16(self):
        self.expect_failure(self.fetch("/goaway", status=16), 16)

    def test_a_cut_connection_is_18(self):
        self.expect_failure(self.fetch("/cut", status=18), 18)

    def test_a_file_that_broke_off_stays_and_is_told(self):
        result = self.fetch("/cut", "-o", self.path("part"), status=18)
        self.assertIn(f"{os.path.getsize(self.path('part'))} octets had been written to", result.err)

    def test_a_request_without_an_answer_leaves_an_old_file_alone(self):
        with open(self.path("old"), "w", encoding="ascii") as file:
            file.write("old")
        port = peers.free_port()
        self.assertEqual(weft("-o", self.path("old"), f"https://127.0.0.1:{port}/").status, 7)
        with open(self.path("old"), encoding="ascii") as file:
            self.assertEqual(file.read(), "old")

    def test_a_deadline_is_28_and_in_time(self):
        result = self.fetch("/delay/20000", "-m", "0.5", status=28)
        self.expect_failure(result, 28)
        self.assertLess(result.seconds, 15)

    def test_a_server_that_says_nothing_more_is_28(self):
        result = self.fetch("/delay/20000", "-y", "0.5", status=28)
        self.expect_failure(result, 28, "--speed-time")
        self.assertLess(result.seconds, 15)

    def test_a_failure_leaves_the_others_unharmed(self):
        url = self.url
        dead = f"https://127.0.0.1:{peers.free_port()}/"
        result = weft("-k", url + "/bytes/100", dead, url + "/reset", "nonsense", url + "/bytes/50",
                      "-o", self.path("a"), "-o", self.path("b"), "-o", self.path("c"), "-o",
                      self.path("d"))
        self.assertEqual(result.status, 7, result.err)
        self.assertEqual(len(result.err.splitlines()), 3, result.err)
        self.assertEqual(os.path.getsize(self.path("a")), 100)
        self.assertEqual(len(result.out), 50)

    def test_a_closed_stdout_is_23(self):
        with subprocess.Popen([WEFT, "-k", self.url + "/bytes/10000000", self.url + "/bytes/5",
                               "-o-", "-o-", self.url + "/bytes/7", "-o", self.path("f")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.read(1000)
            process.stdout.close()
            err = process.stderr.read().decode()
            self.assertEqual(process.wait(TIMEOUT), 23, err)
        self.assertIn("(23)", err)
        self.assertEqual(os.path.getsize(self.path("f")), 7)

    def test_a_full_disk_is_23(self):
        self.expect_failure(self.fetch("/bytes/1000", "-o", "/dev/full", status=23), 23, "No space")

    def test_two_urls_do_not_share_a_file(self):
        result = weft("-k", "-o", self.path("a"), "-o", self.path("a"), self.url + "/bytes/5",
                      self.url + "/bytes/6")
        self.expect_failure(result, 23, "output of another URL")
        self.assertEqual(os.path.getsize(self.path("a")), 5)

    def test_an_interrupt_is_130(self):
        with subprocess.Popen([WEFT, "-k", "-v", self.url + "/delay/60000"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              text=True) as process:
            # Wait until the request is on its way.
            for line in process.stderr:
                if line.startswith("> ") and "HEADERS" in line:
                    break
            process.send_signal(signal.SIGINT)
            err = process.stderr.read()
            self.assertEqual(process.wait(TIMEOUT), 130, err)
        self.assertIn("interrupted", err)

    def test_ten_large_files_stay_in_bounded_memory(self):
        self._ten_large(*[word for n in range(10) for word in ("-o", self.path(f"f{n}"))])
        digest = hashlib.sha256()
        with open(self.path("f9"), "rb") as file:
            for piece in iter(lambda: file.read(MIB), b""):
                digest.update(piece)
        expected = hashlib.sha256((b"abcdefghijklmnopqrstuvwxyz" * (100 * MIB // 26 + 1))[:100 * MIB])
        self.assertEqual(digest.digest(), expected.digest())

    def test_ten_large_bodies_to_stdout_stay_in_bounded_memory(self):
        self.assertEqual(self._ten_large(), 10 * 100 * MIB)

    def _ten_large(self, *outputs):
        if peers.is_sanitized(WEFT):
            self.skipTest("a sanitizer takes memory of its own")
        with subprocess.Popen([WEFT, "-k", *outputs, *[self.url + f"/bytes/{100 * MIB}"] * 10],
                              stdout=subprocess.PIPE) as process:
            count = 0
            for piece in iter(lambda: process.stdout.read(MIB), b""):
                count += len(piece)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        self.assertLess(usage.ru_maxrss, 64 * 1024)
        return count


class BadInput(Case):
    def test_an_unknown_option_is_2_and_named(self):
        result = weft("--frobnicate", "https://localhost/")
        self.assertEqual((result.status, result.err), (2, "weft: unknown option --frobnicate\n"))

    def test_no_url_is_2(self):
        self.assertEqual(weft().status, 2)

    def test_a_malformed_url_is_3(self):
        for url in ("nonsense", "https://", "https://host:99999/", "ftp://host/", "https:///x",
                    "https://a b/", "http://[::1/"):
            with self.subTest(url=url):
                self.expect_failure(weft(url), 3)

    def test_an_unknown_host_is_6(self):
        # Resolvers answer for this domain themselves, RFC 7686.
        self.expect_failure(weft("-m", "10", "https://nothing.onion/"), 6, "nothing.onion")

    def test_a_refused_connection_is_7(self):
        result = weft(f"https://127.0.0.1:{peers.free_port()}/")
        self.expect_failure(result, 7)
        self.assertLess(result.seconds, 30)

    def test_a_header_that_must_not_be_sent_is_43(self):
        self.expect_failure(weft("-H", "bad name: x", "https://localhost/"), 43)

    def test_a_missing_ca_file_is_77(self):
        self.expect_failure(weft("--cacert", "/nonexistent/ca", "https://localhost/"), 77)

    def test_a_server_that_never_answers_is_28(self):
        server = self.start(peers.PlainServer(lambda connection: connection.recv(1 << 20) and
                                              connection.recv(1 << 20) and time.sleep(60)))
        for url in (server.url, server.url.replace("http:", "https:")):
            with self.subTest(url=url):
                result = weft("-m", "1", url)
                self.expect_failure(result, 28)
                self.assertLess(result.seconds, 30)

    def test_a_handshake_that_never_ends_is_28(self):
        server = self.start(peers.PlainServer(lambda connection: time.sleep(60)))
        result = weft("--connect-timeout", "1", server.url.replace("http:", "https:"))
        self.expect_failure(result, 28)
        self.assertLess(result.seconds, 9)

    def test_a_server_that_is_no_tls_server_is_35(self):
        server = self.start(peers.PlainServer(lambda connection: connection.sendall(b"220 hello\r\n")
                                              or connection.recv(1000)))
        self.expect_failure(weft("-k", server.url.replace("http:", "https:")), 35,
                            "does not speak TLS on this port", "http://")

    def speaking(self, octets):
        return self.start(peers.PlainServer(
            lambda connection: connection.sendall(octets) or connection.recv(1000)))

    def test_an_http2_server_asked_in_http1_is_1_and_told_what_to_type(self):
        server = self.speaking(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        self.expect_failure(weft(server.url), 1, "speaks HTTP/2", "(--http2-prior-knowledge)")

    def test_a_tls_server_asked_in_cleartext_is_1_and_told_what_to_type(self):
        server = self.speaking(bytes([21, 3, 3, 0, 2, 2, 40]))
        self.expect_failure(weft(server.url), 1, "speaks TLS", "https://")
        self.expect_failure(weft("--http2-prior-knowledge", server.url), 1, "speaks TLS", "https://")

    def test_an_http1_answer_in_cleartext_is_no_http2(self):
        server = self.start(peers.PlainServer(
            lambda connection: connection.recv(1000) and
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")))
        self.expect_failure(weft("--http2-prior-knowledge", server.url), 1, "speaks HTTP/1",
                            "(leave --http2-prior-knowledge out)")

    def test_a_connection_that_ends_at_once_fails(self):
        server = self.start(peers.PlainServer(lambda connection: None))
        result = weft("-m", "10", server.url)
        self.assertNotIn(result.status, (0, 28), result.err)
        self.assertEqual(len(result.err.splitlines()), 1, result.err)


@needs("openssl")
class BadServers(Case):
    def setUp(self):
        super().setUp()
        self.certificate = peers.make_certificate(self.folder)

    def scripted(self, answer, tls=True, **more):
        return self.start(peers.ScriptedServer(answer, self.certificate if tls else None, **more))

    def test_a_wrong_host_name_is_60(self):
        certificate = peers.make_certificate(self.folder, "other.test", "DNS:other.test")
        server = self.start(peers.ScriptedServer(lambda *_: None, certificate))
        self.expect_failure(weft("--cacert", certificate[0], server.url), 60, "localhost")

    def test_a_body_cut_short_is_never_a_success(self):
        """With and without a content-length, over TLS and in cleartext."""
        for length in (b"", peers.header(b"content-length", b"1000")):
            for tls in (True, False):
                with self.subTest(length=length, tls=tls):
                    def answer(connection, stream, length=length):
                        connection.sendall(
                            peers.frame(peers.HEADERS, peers.END_HEADERS, stream,
                                        peers.STATUS_200 + length) +
                            peers.frame(peers.DATA, 0, stream, b"x" * 500))
                    result = weft("-k", "--http2-prior-knowledge", self.scripted(answer, tls).url)
                    self.expect_failure(result, 18)
                    self.assertEqual(result.out, b"x" * 500)

    def test_a_body_unlike_its_content_length_fails(self):
        for octets in (b"x" * 9, b"x" * 11):
            with self.subTest(octets=octets):
                def answer(connection, stream, octets=octets):
                    connection.sendall(
                        peers.frame(peers.HEADERS, peers.END_HEADERS, stream, peers.STATUS_200 +
                                    peers.header(b"content-length", b"10")) +
                        peers.frame(peers.DATA, peers.END_STREAM, stream, octets))
                    connection.recv(1000)
                self.expect_failure(weft("-k", "-m", "5", self.scripted(answer).url), 16)

    def test_a_malformed_frame_is_16(self):
        def answer(connection, stream):
            connection.sendall(peers.frame(peers.PING, 0, 0, b"short"))
            connection.recv(1000)
        self.expect_failure(weft("-k", "-m", "5", self.scripted(answer).url), 16)

    def test_a_cut_before_the_answer_is_56(self):
        self.expect_failure(weft("-k", "-m", "5", self.scripted(lambda *_: None).url), 56)

    def test_a_body_that_stops_is_28(self):
        def answer(connection, stream):
            connection.sendall(peers.frame(peers.HEADERS, peers.END_HEADERS, stream,
                                           peers.STATUS_200) +
                               peers.frame(peers.DATA, 0, stream, b"begun"))
            time.sleep(60)
        result = weft("-k", "-m", "1", self.scripted(answer).url)
        self.expect_failure(result, 28, "5 octets")
        self.assertLess(result.seconds, 30)


@needs("openssl")
class AgainstOthers(Case):
    LARGE = 100 * MIB

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="weft-root-")
        # Whoever nginx or h2o runs as must get in.
        os.chmod(cls.root, 0o755)
        digest = hashlib.sha256()
        with open(os.path.join(cls.root, "large"), "wb") as file:
            for _ in range(100):
                piece = os.urandom(MIB)
                digest.update(piece)
                file.write(piece)
        cls.digest = digest.hexdigest()
        with open(os.path.join(cls.root, "index.html"), "wb") as file:
            file.write(b"<p>hello</p>\n")
        os.mkdir(os.path.join(cls.root, "ssi"))
        with open(os.path.join(cls.root, "ssi", "page.shtml"), "wb") as file:
            file.write(b'<b><!--#include virtual="/index.html" --></b>\n')

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    def check(self, server, *options, version=None):
        self.start(server)

        def weft(*more, **rest):
            return run_weft(*options, *more, **rest)
        if version:
            result = weft("-k", "-i", server.url + "/")
            self.assertTrue(result.out.startswith(b"HTTP/%s 200 " % version.encode()), result.out)
        result = weft("-k", server.url + "/")
        self.assertEqual((result.status, result.out), (0, b"<p>hello</p>\n"), result.err)
        result = weft("-k", "-o", self.path("large"), server.url + "/large")
        self.assertEqual(result.status, 0, result.err)
        digest = hashlib.sha256()
        with open(self.path("large"), "rb") as file:
            for piece in iter(lambda: file.read(MIB), b""):
                digest.update(piece)
        self.assertEqual(digest.hexdigest(), self.digest)
        result = weft("-k", *[server.url + "/index.html"] * 100)
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(result.out, b"<p>hello</p>\n" * 100)
        result = weft("-k", "-w", "%{http_code}", server.url + "/missing")
        self.assertEqual(result.status, 0, result.err)
        self.assertTrue(result.out.endswith(b"404"), result.out)

    @needs("nghttpd")
    def test_nghttpd(self):
        self.check(peers.nghttpd(self.root, peers.make_certificate(self.folder)))

    @needs("nghttpd")
    def test_nghttpd_in_cleartext(self):
        self.check(peers.nghttpd(self.root), "--http2-prior-knowledge")

    def nginx(self, **more):
        return peers.nginx(self.root, peers.make_certificate(self.folder), self.folder, **more)

    def httpd(self, **more):
        return peers.httpd(self.root, peers.make_certificate(self.folder), self.folder, **more)

    @needs("nginx")
    def test_nginx(self):
        self.check(self.nginx(), version="2")

    @needs("nginx")
    def test_nginx_with_http1_alone(self):
        server = self.nginx(http2=False)
        self.check(server, version="1.1")
        self.check_http1(server)

    @needs("nginx")
    def test_nginx_in_cleartext(self):
        server = self.nginx(tls=False)
        self.check(server, version="1.1")
        self.check_http1(server)

    @needs("nginx")
    def test_nginx_asked_for_http1(self):
        self.check(self.nginx(), "--http1.1", version="1.1")

    @needs("apache2")
    def test_httpd(self):
        server = self.httpd()
        self.check(server, version="1.1")
        self.check_http1(server)

    @needs("apache2")
    def test_httpd_in_cleartext(self):
        server = self.httpd(tls=False)
        self.check(server, version="1.1")
        self.check_http1(server)

    def check_http1(self, server):
        """HEAD, 304, chunks, a large upload, and one connection for requests in turn."""
        result = weft("-k", "-I", server.url + "/large")
        self.assertEqual(result.status, 0, result.err)
        self.assertIn(b"content-length: %d\r\n" % self.LARGE, result.out)
        result = weft("-k", "-i", "-H", "If-None-Match: *",
                      server.url + "/index.html")
        self.assertEqual(result.status, 0, result.err)
        self.assertTrue(result.out.startswith(b"HTTP/1.1 304 "), result.out)
        # Both send an answer of unknown length in chunks.
        result = weft("-k", "-i", server.url + "/ssi/page.shtml")
        self.assertEqual(result.status, 0, result.err)
        self.assertNotIn(b"content-length", result.out)
        self.assertTrue(result.out.endswith(b"\r\n\r\n<b><p>hello</p>\n</b>\n"), result.out)
        # nginx refuses it, early or late; httpd reads it and sends the file.
        result = weft("-k", "-w", "%{http_code}", "-o", "/dev/null", "--data-binary", "@-",
                      server.url + "/index.html", data=bytes(8 * MIB))
        self.assertEqual(result.status, 0, result.err)
        self.assertIn(result.out, (b"200", b"405", b"413"))
        port = int(server.url.rsplit(":", 1)[1])
        proxy = self.start(peers.CountingProxy(port, server.url.split(":", 1)[0]))
        result = weft("-k", *[proxy.url + "/index.html"] * 50)
        self.assertEqual(result.out, b"<p>hello</p>\n" * 50)
        self.assertLessEqual(proxy.accepted, 8)

    @needs("h2o")
    def test_h2o(self):
        self.check(peers.h2o(self.root, peers.make_certificate(self.folder), self.folder))


if __name__ == "__main__":
    WEFT, SERVE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    socket.setdefaulttimeout(TIMEOUT)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
