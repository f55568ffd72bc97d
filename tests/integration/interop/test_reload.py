#!/usr/bin/env python3
"""A server that is reloaded and restarted while requests run: test_reload.py LOAD

With retries not one request fails. Without them each that fails says whether the server may have
processed it, and the server's access log says whether that is true."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import peers
import servers
from test_interop import make_site

LOAD = None
TIMEOUT = 120
RUN_MS = 3000
THREADS = 16
UNTOUCHED = ("not sent", "not processed")


class Run:
    """What the load program said."""

    def __init__(self, text):
        total = re.search(r"^requests (\d+) failed (\d+)$", text, re.MULTILINE)
        self.text, self.count, self.failed = text, int(total.group(1)), int(total.group(2))
        self.failures = [(int(number), effect, line) for line, number, effect in re.findall(
            r"^(failed (\d+) \S+ \[([a-z ]+)\].*)$", text, re.MULTILINE)]


@unittest.skipUnless(peers.find("nginx") and peers.find("openssl"), "nginx is not installed")
class Reload(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="weft-reload-")
        self.addCleanup(shutil.rmtree, folder, True)
        self.site = make_site(folder, big=1)
        self.log = os.path.join(folder, "access.log")
        self.server = None
        self.addCleanup(lambda: self.server and self.server.stop())

    def start(self, http2):
        port = self.server and int(self.server.url.rsplit(":", 1)[1])
        self.server = servers.nginx(self.site, http2, log=self.log, port=port)

    def restart(self, http2, number):
        self.server.process.send_signal(number)
        self.server.process.wait(TIMEOUT)
        self.start(http2)

    def run_load(self, tries, disturb):
        """Runs the load, and disturb() at three times in the middle of it."""
        problems = []

        def disturb_some():
            try:
                for _ in range(3):
                    time.sleep(RUN_MS / 5000)  # a schedule, not a race: requests run throughout
                    disturb()
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                problems.append(repr(error))
        command = [LOAD, self.server.url + "/small", str(RUN_MS), str(THREADS), str(tries)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            thread = threading.Thread(target=disturb_some)
            thread.start()
            out, _ = process.communicate(timeout=TIMEOUT)
            thread.join()
        self.assertEqual(problems, [])
        run = Run(out)
        self.assertGreater(run.count, 100)
        return run

    def served(self):
        """Number of the request: how often the server's log has it."""
        found = {}
        with open(self.log, encoding="utf-8") as file:
            for line in file:
                number = int(re.search(r"\?n=(\d+) ", line).group(1))
                found[number] = found.get(number, 0) + 1
        return found

    def check_truth(self, run):
        found = self.served()
        for number, effect, line in run.failures:
            if effect in UNTOUCHED:
                self.assertNotIn(number, found, line)
        return found

    def reload(self):
        self.server.process.send_signal(signal.SIGHUP)

    def test_no_request_fails_when_the_server_is_reloaded(self):
        for http2 in (True, False):
            with self.subTest(http2=http2):
                self.start(http2)
                run = self.run_load(4, self.reload)
                self.assertEqual(run.failed, 0, run.text)
                self.server.stop()
                self.server = None

    def test_no_request_fails_when_the_server_is_restarted(self):
        for http2 in (True, False):
            with self.subTest(http2=http2):
                self.start(http2)
                run = self.run_load(4, lambda h=http2: self.restart(h, signal.SIGQUIT))
                self.assertEqual(run.failed, 0, run.text)
                self.server.stop()
                self.server = None

    def test_without_retries_each_failure_tells_the_truth(self):
        for http2 in (True, False):
            with self.subTest(http2=http2):
                self.start(http2)
                run = self.run_load(1, lambda h=http2: self.restart(h, signal.SIGQUIT))
                found = self.check_truth(run)
                self.assertGreater(run.failed, 0)  # the server was away: else nothing was tested
                failed = {number for number, _, _ in run.failures}
                for number in range(run.count):
                    if number not in failed:
                        self.assertEqual(found.get(number), 1, f"request {number}")
                self.server.stop()
                self.server = None
                os.unlink(self.log)

    def test_a_killed_server_makes_no_liar_of_us(self):
        for http2 in (True, False):
            with self.subTest(http2=http2):
                self.start(http2)
                self.check_truth(self.run_load(1, lambda h=http2: self.restart(h, signal.SIGTERM)))
                self.server.stop()
                self.server = None
                os.unlink(self.log)


if __name__ == "__main__":
    LOAD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
