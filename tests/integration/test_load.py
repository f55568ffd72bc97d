#!/usr/bin/env python3
"""weft-load against weft-serve, nghttpd and nothing at all:
test_load.py PATH-OF-WEFT-LOAD PATH-OF-WEFT-SERVE"""

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import peers
from cases import FolderCase, needs
from server import Server

LOAD = SERVE = None
TIMEOUT = 120


class Result:
    """Exit status, both outputs, and the numbers of the report."""

    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds
        found = re.search(r"^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, "
                          r"(\d+) failed, (\d+) errored, (\d+) timeout$", out, re.MULTILINE)
        names = ("total", "started", "done", "succeeded", "failed", "errored", "timeout")
        self.requests = dict(zip(names, map(int, found.groups()))) if found else None


def load(*options):
    start = time.monotonic()
    result = subprocess.run([LOAD, *options], capture_output=True, timeout=TIMEOUT, check=False,
                            text=True)
    return Result(result.returncode, result.stdout, result.stderr, time.monotonic() - start)


class Case(unittest.TestCase):
    def expect_all(self, result, count):
        self.assertEqual(result.status, 0, result.out + result.err)
        self.assertEqual(result.requests, {
            "total": count, "started": count, "done": count, "succeeded": count, "failed": 0,
            "errored": 0, "timeout": 0})
        self.assertIn(f"status codes: {count} 2xx, 0 3xx, 0 4xx, 0 5xx\n", result.out)
        self.assertRegex(result.out, rf"(?m)^REPORT ok={count} err=0 rps=[\d.]+ p50us=[\d.]+ "
                                     r"p99us=[\d.]+$")


class AgainstOurServer(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(SERVE, "--quiet")
        cls.url = cls.server.url

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_every_request_is_answered_once(self):
        self.expect_all(load("-k", "-n", "20000", "-c", "4", "-m", "100", self.url + "/bytes/10"),
                        20000)

    def test_several_threads(self):
        self.expect_all(load("-k", "-n", "10001", "-c", "4", "-m", "50", "-t", "2",
                             self.url + "/bytes/10"), 10001)

    def test_connections_are_as_many_as_asked_for(self):
        proxy = peers.CountingProxy(self.server.port)
        self.addCleanup(proxy.stop)
        # Long enough that a busy machine has dialled all of them before the last answer.
        self.expect_all(load("-k", "-n", "10000", "-c", "6", "-m", "10", "-t", "2",
                             proxy.url + "/bytes/10"), 10000)
        self.assertEqual(proxy.accepted, 6)

    def test_statuses_are_counted_and_failures_are_told(self):
        result = load("-k", "-n", "30", "-m", "3", self.url + "/bytes/1", self.url + "/status/404",
                      self.url + "/status/503")
        self.assertEqual(result.status, 1, result.err)
        self.assertIn("status codes: 10 2xx, 0 3xx, 10 4xx, 10 5xx\n", result.out)
        self.assertEqual(result.requests["failed"], 20)
        self.assertEqual(result.requests["errored"], 0)

    def test_errors_are_counted_and_named(self):
        result = load("-k", "-n", "20", "-m", "2", self.url + "/reset")
        self.assertEqual(result.status, 1, result.err)
        self.assertEqual(result.requests["errored"], 20)
        self.assertRegex(result.out, r"(?m)^error: 20 times: .")

    def test_a_slow_answer_is_a_timeout(self):
        result = load("-k", "-n", "4", "-m", "4", "-T", "500ms", self.url + "/delay/20000")
        self.assertEqual(result.status, 1, result.err)
        self.assertEqual(result.requests["timeout"], 4)
        self.assertLess(result.seconds, 15)

    def test_a_body_is_posted(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x" * 100000)
            file.flush()
            result = load("-k", "-n", "100", "-m", "10", "-d", file.name, self.url + "/echo")
        self.expect_all(result, 100)
        self.assertIn("(10000000) data", result.out)

    def test_a_large_body_is_posted_whole(self):
        size = (5 << 20) + 12345
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(size)
            result = load("-k", "-v", "-n", "4", "-m", "4", "-T", "60s", "-d", file.name,
                          self.url + "/upload")
        self.expect_all(result, 4)
        self.assertEqual(result.err.count(f"[content-length: {size}]"), 4)
        # The answer is the number of octets that came, and their hash.
        self.assertIn(f"({4 * (len(str(size)) + 66)}) data", result.out)

    def test_a_unique_field_differs_in_each_request(self):
        result = load("-k", "-v", "-n", "50", "-m", "5", "--unique-field", "x-number",
                      self.url + "/bytes/10")
        self.expect_all(result, 50)
        self.assertEqual(len(set(re.findall(r"\[x-number: [^]]*\]", result.err))), 50)

    def test_a_duration_ends_in_time(self):
        result = load("-k", "-D", "1", "--warm-up-time", "500ms", "-c", "2", "-m", "10",
                      self.url + "/bytes/10")
        self.assertEqual(result.status, 0, result.out + result.err)
        self.assertGreater(result.requests["done"], 100)
        self.assertEqual(result.requests["failed"], 0)
        # A busy machine may be late, but not early, and not for ever.
        self.assertLess(result.seconds, 15)
        self.assertGreater(result.seconds, 1.4)
        self.assertRegex(result.out, r"finished in ([1-9]\.\d|9\d\d\.\d\dms)")

    def test_progress_comes_in_tenths_when_nobody_watches(self):
        result = load("-k", "-n", "1000", "-m", "10", self.url + "/bytes/10")
        self.assertEqual(result.err, "".join(f"progress: {n}0% done\n" for n in range(1, 11)))

    def test_progress_is_one_line_on_a_terminal(self):
        main, other = pty.openpty()
        with subprocess.Popen([LOAD, "-k", "-D", "1", self.url + "/bytes/10"],
                              stdout=subprocess.PIPE, stderr=other, text=True) as process:
            os.close(other)
            out, _ = process.communicate(timeout=TIMEOUT)
            seen = os.read(main, 100000).decode()
            os.close(main)
        self.assertEqual(process.returncode, 0, out)
        self.assertGreater(seen.count("\r"), 3)
        self.assertIn("req/s", seen)
        self.assertNotIn("progress:", seen)

    def test_an_interrupt_reports_what_was_done(self):
        with subprocess.Popen([LOAD, "-k", "-D", "60", "-v", self.url + "/bytes/10"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            for line in process.stderr:
                if line.startswith("< ") and "DATA" in line:
                    break
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=TIMEOUT)
        self.assertEqual(process.returncode, 130, out)
        self.assertRegex(out, r"(?m)^requests: \d+ total, ")


class BadInput(Case):
    def test_a_wrong_command_line_is_2(self):
        for options in ((), ("-n", "0", "https://a/"), ("-n", "1", "-c", "2", "https://a/"),
                        ("--frobnicate", "https://a/"), ("-c", "1", "-t", "2", "https://a/")):
            with self.subTest(options=options):
                result = load(*options)
                self.assertEqual(result.status, 2)
                self.assertEqual(len(result.err.splitlines()), 1, result.err)
                self.assertTrue(result.err.startswith("weft-load: "), result.err)

    def test_a_refused_connection_fails_every_request(self):
        result = load("-n", "50", "-m", "10", f"https://127.0.0.1:{peers.free_port()}/")
        self.assertEqual(result.status, 1, result.err)
        self.assertEqual(result.requests["total"], 50)
        self.assertEqual(result.requests["failed"], 50)
        self.assertEqual(result.requests["errored"], 50)
        self.assertLess(result.seconds, TIMEOUT / 2)

    def test_a_hopeless_run_gives_up(self):
        result = load("-n", "1000000", "-m", "10", f"https://127.0.0.1:{peers.free_port()}/")
        self.assertEqual(result.status, 1, result.err)
        self.assertEqual(result.requests["failed"], 1000000)
        self.assertIn("gave up", result.err)
        self.assertLess(result.seconds, TIMEOUT / 2)

    def test_a_malformed_url_fails(self):
        result = load("-n", "3", "nonsense")
        self.assertEqual(result.status, 1, result.err)
        self.assertEqual(result.requests["errored"], 3)

    def test_a_server_that_never_answers_ends_in_time(self):
        server = peers.PlainServer(lambda connection: time.sleep(60))
        self.addCleanup(server.stop)
        result = load("-n", "5", "-m", "5", "-T", "1", server.url)
        self.assertEqual(result.status, 1, result.err)
        self.assertEqual(result.requests["timeout"], 5)
        self.assertLess(result.seconds, 30)


class Http1(Case):
    """weft-serve has no HTTP/1.1."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def serve(self, connections):
        """Answers begin when so many connections have sent a request."""
        gate = threading.Barrier(connections)

        def act(connection):
            data = b""
            waited = False
            while True:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
                # One request at a time: nothing follows what was not answered.
                if not data.endswith(b"\r\n\r\n"):
                    continue
                self.together = max(self.together, data.count(b"\r\n\r\n"))
                if not waited:
                    gate.wait(TIMEOUT)
                    waited = True
                self.requests += 1
                data = b""
                connection.sendall(self.ANSWER)
        self.requests = self.together = 0
        server = peers.PlainServer(act)
        self.addCleanup(server.stop)
        return server

    def test_connections_are_as_many_as_asked_for(self):
        for option in ("--h1", "--http1.1"):
            server = self.serve(4)
            self.expect_all(load(option, "-n", "400", "-c", "4", "-t", "2", server.url), 400)
            self.assertEqual((server.accepted, self.together), (4, 1))

    def test_a_connection_that_ends_is_told_and_counted_once(self):
        server = peers.PlainServer(lambda connection: connection.recv(65536))
        self.addCleanup(server.stop)
        result = load("--h1", "-n", "5", server.url)
        self.assertEqual(result.requests["errored"], 5, result.out)
        self.assertEqual(server.accepted, 5)

    @needs("nginx")
    @needs("openssl")
    def test_nginx(self):
        folder = tempfile.mkdtemp(prefix="weft-test-")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        with open(os.path.join(folder, "index.html"), "wb") as file:
            file.write(b"0123456789")
        server = peers.nginx(folder, peers.make_certificate(folder), folder, http2=False)
        self.addCleanup(server.stop)
        self.expect_all(load("-k", "--h1", "-n", "2000", "-c", "8", server.url + "/index.html"), 2000)
        # Without --h1 ALPN decides.
        self.expect_all(load("-k", "-n", "300", "-m", "5", server.url + "/index.html"), 300)


@needs("nghttpd")
class AgainstNghttpd(FolderCase, Case):
    def setUp(self):
        super().setUp()
        with open(os.path.join(self.folder, "index.html"), "wb") as file:
            file.write(b"0123456789")

    def check(self, server):
        self.start(server)
        count = 5000 if peers.is_sanitized(LOAD) else 100000
        self.expect_all(load("-k", "-n", str(count), "-c", "1", "-m", "100", server.url + "/"), count)

    def test_cleartext(self):
        self.check(peers.nghttpd(self.folder))

    @needs("openssl")
    def test_tls(self):
        self.check(peers.nghttpd(self.folder, peers.make_certificate(self.folder)))


if __name__ == "__main__":
    LOAD, SERVE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
