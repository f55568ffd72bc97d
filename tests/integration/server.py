"""Starts weft-serve on a port of its own, waits until it is ready, ends it by its process id."""

import select
import signal
import subprocess
import tempfile

READY_TIMEOUT = 20
END_TIMEOUT = 20


class Server:
    """url: where it listens. stop() returns its exit status; what it said is then in errors."""

    def __init__(self, program, *options):
        self.stderr = tempfile.TemporaryFile("w+")
        self.errors = None
        self.process = subprocess.Popen(
            [program, "--port", "0", *options],
            stdout=subprocess.PIPE, stderr=self.stderr, text=True)
        self.url = self._wait_until_ready()
        self.port = int(self.url.rsplit(":", 1)[1])

    def _wait_until_ready(self):
        readable, _, _ = select.select([self.process.stdout], [], [], READY_TIMEOUT)
        line = self.process.stdout.readline() if readable else ""
        if not line.startswith("listening on "):
            self.stop()
            raise RuntimeError(f"no ready line but {line!r}; stderr: {self.errors}")
        return line.split()[-1]

    def is_alive(self):
        return self.process.poll() is None

    def stop(self):
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "did not end on SIGTERM"
        self.stderr.seek(0)
        self.errors = self.stderr.read()
        self.stderr.close()
        self.process.stdout.close()
        return status
