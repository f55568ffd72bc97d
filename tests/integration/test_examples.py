#!/usr/bin/env python3
"""The programs in examples/, against weft-serve:
test_examples.py PATH-OF-WEFT-SERVE FOLDER-OF-EXAMPLES"""

import concurrent.futures
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import peers
from server import Server

SERVE = EXAMPLES = None
TIMEOUT = 60


class Case(unittest.TestCase):
    program = None

    def setUp(self):
        self.path = os.path.join(EXAMPLES, self.program)
        if not os.path.exists(self.path):
            self.skipTest("it was not built, for lack of its library")
        self.folder = tempfile.mkdtemp(prefix="weft-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.certificate = os.path.join(self.folder, "cert.pem")
        self.server = None
        self.serve()
        self.refused = f"https://127.0.0.1:{peers.free_port()}/"

    def serve(self, *options):
        """In place of the server there was, if any."""
        if self.server is not None:
            self.stop_server()
        self.server = Server(SERVE, "--write-cert", self.certificate, *options)
        self.addCleanup(self.stop_server)

    def stop_server(self):
        if self.server.errors is None:
            self.server.stop()

    def url(self, path):
        return self.server.url + path


class EventLoop(Case):
    program = "event_loop"

    def run_it(self, *urls):
        result = subprocess.run([self.path, "--cacert", self.certificate, *urls],
                                capture_output=True, text=True, timeout=TIMEOUT, check=False)
        return result.returncode, result.stdout, result.stderr

    def test_all_are_fetched_and_the_last_is_streamed(self):
        urls = [self.url(f"/bytes/{n}") for n in (0, 10, 100000, 3 << 20)]
        status, out, err = self.run_it(*urls)
        self.assertEqual((status, err), (0, ""), out)
        lines = out.splitlines()
        for url, octets in zip(urls[:3], (0, 10, 100000)):
            self.assertIn(f"{url}: 200, {octets} octets", lines)
        streamed = re.search(rf"{re.escape(urls[3])}: 200, {3 << 20} octets in (\d+) pieces", out)
        self.assertIsNotNone(streamed, out)
        self.assertGreaterEqual(int(streamed[1]), 3 << 6)  # of 16 KiB at most
        self.assertEqual(lines[-1], "0 of 4 failed")

    def test_requests_are_under_way_together(self):
        begin = time.monotonic()
        status, out, err = self.run_it(*[self.url("/delay/1000")] * 20)
        self.assertEqual((status, err), (0, ""), out)
        self.assertLess(time.monotonic() - begin, 15)

    def test_errors_come_the_same_way(self):
        status, out, err = self.run_it("no url", self.url("/status/404"), self.refused,
                                       self.url("/bytes/5"), self.url("/cut"))
        self.assertEqual((status, err), (1, ""), out)
        self.assertRegex(out, r"no url: .*\(WEFT_ERR_INVALID_URL, not sent\)")
        self.assertRegex(out, r"/status/404: 404, ")
        self.assertRegex(out, r"\(WEFT_ERR_CONNECT_REFUSED, not sent\)")
        self.assertIn("/bytes/5: 200, 5 octets", out)
        self.assertRegex(out, r"/cut: .*, processed\)")
        self.assertEqual(out.splitlines()[-1], "4 of 5 failed")

    def test_an_interrupt_ends_what_is_open(self):
        self.serve("--verbose")
        with subprocess.Popen(
                [self.path, "--cacert", self.certificate, self.url("/bytes/7"),
                 self.url("/delay/60000"), self.url("/delay/60001")],
                stdout=subprocess.PIPE, text=True) as process:
            try:
                # The program watches for signals before it submits anything.
                self._await_request()
                process.send_signal(signal.SIGINT)
                out, _ = process.communicate(timeout=TIMEOUT)
            except BaseException:
                process.kill()
                raise
        self.assertEqual(process.returncode, 1)
        self.assertEqual(out.count("WEFT_ERR_CANCELLED"), 2, out)
        self.assertIn("/bytes/7: 200, 7 octets", out)

    def _await_request(self):
        """Until the server has seen all three."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            # Not read(): the server writes where the shared file offset is.
            if os.pread(self.server.stderr.fileno(), 1 << 20, 0).count(b" < HEADERS ") >= 3:
                return
            time.sleep(0.02)
        self.fail("the server saw no requests")


class FanOut(Case):
    program = "fan_out"

    def start(self, *urls):
        process = subprocess.Popen([self.path, "--cacert", self.certificate, "0", *urls],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, process)
        readable, _, _ = select.select([process.stdout], [], [], TIMEOUT)
        line = process.stdout.readline() if readable else ""
        self.assertRegex(line, r"^listening on http://127\.0\.0\.1:\d+\n$")
        self.front = line.split()[-1] + "/"
        return process

    def stop(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        status = process.wait(TIMEOUT)
        process.stdout.close()
        return status

    def get(self):
        """(status, text)"""
        try:
            with urllib.request.urlopen(self.front, timeout=TIMEOUT) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def test_three_answers_are_joined(self):
        urls = [self.url("/bytes/3"), self.url("/status/503"), self.url("/bytes/30")]
        process = self.start(*urls)
        status, text = self.get()
        self.assertEqual(status, 200)
        self.assertTrue(text.startswith(f"== {urls[0]}: 200, 3 octets\nabc\n== {urls[1]}: 503, "),
                        text)
        self.assertTrue(text.endswith(f"== {urls[2]}: 200, 30 octets\n"
                                      "abcdefghijklmnopqrstuvwxyzabcd\n"), text)
        self.assertEqual(self.stop(process), 0)

    def test_one_that_fails_or_is_slow_does_not_hold_up_the_others(self):
        self.start(self.url("/bytes/3"), self.refused, self.url("/delay/60000"))
        begin = time.monotonic()
        status, text = self.get()
        self.assertLess(time.monotonic() - begin, 15)
        self.assertEqual(status, 207)
        self.assertIn(": 200, 3 octets\nabc\n", text)
        self.assertIn(f"== {self.refused}: WEFT_ERR_CONNECT_REFUSED, not sent: ", text)
        self.assertIn("/delay/60000: WEFT_ERR_DEADLINE, maybe processed: ", text)

    def test_no_answer_is_a_bad_gateway(self):
        self.start(*[self.refused] * 3)
        status, text = self.get()
        self.assertEqual(status, 502)
        self.assertEqual(text.count("WEFT_ERR_CONNECT_REFUSED"), 3)

    def test_many_at_once_share_the_connections(self):
        process = self.start(*[self.url(f"/bytes/{n}") for n in (10, 20, 30)])
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: self.get(), range(200)))
        self.assertEqual({status for status, _ in answers}, {200})
        self.assertEqual(len({text for _, text in answers}), 1)
        self.assertEqual(self.stop(process), 0)
        self.stop_server()
        self.assertRegex(self.server.errors, r"weft-serve: [1-8] connections, 600 requests, 0 ")

    def test_a_bad_url_is_told_at_once(self):
        result = subprocess.run([self.path, "0", "no url", self.refused, self.refused],
                                capture_output=True, text=True, timeout=TIMEOUT, check=False)
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("no url: ", result.stderr)


if __name__ == "__main__":
    SERVE, EXAMPLES = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1], verbosity=2)
