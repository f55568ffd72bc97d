#!/usr/bin/env python3
"""Plays hostile and odd servers to weft and weft-load:
test_hostile.py PATH-OF-WEFT PATH-OF-WEFT-LOAD [-v] [WORD...]

Each case is an exit status, an output, frames in reply, and bounds of time and memory; most are
played in cleartext and over TLS. Words select the cases whose names have one of them.

The machine may be slow. What is bounded closely is the time in which neither the program nor the
script had anything to do: where it adds up, the program waits for what never comes."""

import multiprocessing
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import floods
import frames
import hpack
import http1
import late
import legal
import loads
import messages
import mixtures
import odd
import peers
import settings
import streams
import tls
import transport
from case import NOTHING, OK, TIMEOUT
from peer import Gone, Peer

TABLES = (frames, settings, streams, hpack, messages, floods, transport, odd, mixtures,
          tls, late, loads, http1)
MEMORY_LIMIT_KIB = 64 * 1024
WORKERS = 8
SLOWER_WITH_SANITIZER = 4
KILLED_AFTER = 60  # seconds more than -m, and -m is a promise
REPORT = re.compile(r"^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, "
                    r"(\d+) failed, (\d+) errored, (\d+) timeout$", re.MULTILINE)


class Server:
    """Listens on a port of its own and plays the case's script to each connection."""

    def __init__(self, case, over_tls, certificates):
        self.case, self.context, self.peers = case, None, []
        self.problems, self.notes = [], []
        self.busy = {}
        if over_tls and case.at != "socket":
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificates[case.certificate])
            if case.alpn:
                self.context.set_alpn_protocols(list(case.alpn))
            if case.context:
                case.context(self.context)
        self.listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if over_tls else "http"
        self.url = f"{scheme}://localhost:{self.listener.getsockname()[1]}"
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, connection):
        thread = threading.get_native_id()
        try:
            with connection:
                self.busy[thread] = 0
                peer = Peer(connection, self.context)
                self.peers.append(peer)
                self._play(peer)
                peer.drain()
        except (Gone, OSError) as error:
            self.notes.append(repr(error))  # the client's end tells whether that is right
        except Exception as error:  # pylint: disable=broad-except
            self.problems.append(f"the script failed: {error!r}")
        finally:
            self.busy[thread] = busy_seconds("thread-self")

    def _play(self, peer):
        if self.case.at in ("preface", "request"):
            peer.start(*self.case.begin)
        if self.case.at == "request":
            peer.requests(self.case.urls)
        self.case.script(peer)

    def busy_or_paused(self):
        """Seconds in which the scripts had something to do, or waited because they say so."""
        now = sum(max(known, busy_seconds(f"self/task/{thread}"))
                  for thread, known in list(self.busy.items()))
        return now + sum(peer.paused for peer in self.peers)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(2)


class Result:
    def __init__(self, status, out, err, seconds, watcher):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds
        self.memory_kib, self.busy = watcher.memory_kib, sum(watcher.busy.values())
        self.idle, self.notes = 0.0, ""


def busy_seconds(which):
    """How long a thread has run, and waited for a processor to run on."""
    try:
        with open(f"/proc/{which}/schedstat", encoding="ascii") as file:
            ran, waited, _ = file.read().split()
            return (int(ran) + int(waited)) / 1e9
    except (OSError, ValueError):
        return 0.0


class Watcher:
    """Looks at a program every few milliseconds until it ends: the peak of its memory (of the
    program alone: what wait4() tells begins with the memory of this test), and how busy it was."""

    def __init__(self, process):
        self.process, self.memory_kib, self.busy = process, 0, {}

    def look(self):
        base = f"/proc/{self.process.pid}"
        try:
            with open(f"{base}/status", encoding="ascii") as file:
                peak = next((int(line.split()[1]) for line in file if line.startswith("VmHWM")), 0)
            threads = os.listdir(f"{base}/task")
        except OSError:
            return
        self.memory_kib = max(self.memory_kib, peak)
        for thread in threads:
            busy = busy_seconds(f"{self.process.pid}/task/{thread}")
            self.busy[thread] = max(busy, self.busy.get(thread, 0))

    def wait(self, limit):
        end = time.monotonic() + limit
        descriptor = os.pidfd_open(self.process.pid)
        try:
            while not select.select([descriptor], [], [], 0.02)[0]:
                self.look()
                if time.monotonic() > end:
                    self.process.kill()
        finally:
            os.close(descriptor)
        self.process.wait()


def run(command, given, limit):
    start = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with subprocess.Popen(command, stdin=subprocess.PIPE if given else subprocess.DEVNULL,
                              stdout=out, stderr=err) as process:
            watcher = Watcher(process)
            if given:
                try:
                    process.stdin.write(given)
                    process.stdin.close()
                except OSError:
                    pass
            watcher.wait(limit)
        seconds = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        return Result(process.returncode, out.read(), err.read().decode(errors="replace"), seconds,
                      watcher)


def check_frames(case, server):
    peer = server.peers[0] if server.peers else None
    if peer is None:
        needed = isinstance(case.goaway, (int, tuple)) or isinstance(case.reset, int)
        return "no connection was made" if needed else None
    goaways, resets = peer.goaways(), peer.resets(case.stream)
    if case.goaway is NOTHING and any(goaways):
        return f"GOAWAY {goaways}, and none with an error was right"
    if isinstance(case.goaway, int) and goaways[-1:] != [case.goaway]:
        return f"GOAWAY {goaways}, not {case.goaway}"
    if isinstance(case.goaway, tuple) and not set(goaways) & set(case.goaway):
        return f"GOAWAY {goaways}, not one of {case.goaway}"
    if case.reset is NOTHING and resets:
        return f"RST_STREAM {resets}, and none was right"
    if isinstance(case.reset, int) and resets != [case.reset]:
        return f"RST_STREAM {resets}, not {case.reset}"
    return None


def check_output(case, result):
    if case.program != "weft":
        return check_report(result)
    if OK in case.exits and result.status == OK:
        return None if result.out == case.out else f"stdout is {result.out[:80]!r}"
    if not case.out.startswith(result.out):
        return f"stdout is {result.out[:80]!r}"
    lines = result.err.splitlines()
    if len(lines) != case.lines or not lines[0].startswith(f"weft: ({result.status}) "):
        return f"stderr is not {case.lines} sentence(s) with the status"
    return None if case.text in result.err else f"stderr does not say {case.text!r}"


def check_report(result):
    found = REPORT.search(result.out.decode())
    if not found:
        return "there is no report"
    total, started, done, succeeded, failed, errored, timeout = map(int, found.groups())
    if total != 20 or not started <= total or done != succeeded + failed:
        return f"the counts do not add up: {found.group(0)}"
    if not failed >= errored >= timeout or (result.status == OK) != (succeeded == total):
        return f"status {result.status} and the counts disagree: {found.group(0)}"
    return None


class Suite:
    def __init__(self, programs, folder):
        self.programs = programs
        self.certificates = tls.make_certificates(folder)
        self.is_sanitized = any(peers.is_sanitized(program) for program in programs.values())
        self.slow = SLOWER_WITH_SANITIZER if self.is_sanitized else 1

    def max_time(self, case):
        """A case that must end by itself ends far from its deadline, however slow the machine."""
        return case.max_time or 30 * self.slow

    def command(self, case, url):
        urls = [f"{url}/{i}" for i in range(case.urls)]
        if case.program == "weft-load":
            return [self.programs["weft-load"], "-k", "-n", "20", *case.options, url]
        trust = () if "--cacert" in case.options else ("-k",)
        options = [self.certificates["ca"][0] if o == "CA" else o for o in case.options]
        h2 = () if case.http1 else ("--http2-prior-knowledge",)
        return [self.programs["weft"], *trust, *h2, "-m", str(self.max_time(case)), *options, *urls]

    def play(self, case, over_tls):
        server = Server(case, over_tls, self.certificates)
        command = self.command(case, server.url)
        ours = busy_seconds("thread-self")
        result = run(command, case.data, self.max_time(case) + KILLED_AFTER)
        ours = busy_seconds("thread-self") - ours
        result.idle = max(0.0, result.seconds - result.busy - server.busy_or_paused() - ours)
        server.stop()
        wrong = self.judge(case, server, result)
        result.notes = "; ".join(server.notes)
        return wrong, result

    def check_time(self, case, result):
        if case.program == "weft" and TIMEOUT not in case.exits:
            late, idle = self.max_time(case) / 2, case.idle
        else:
            late, idle = self.max_time(case) + KILLED_AFTER / 2, self.max_time(case) + case.idle
        if result.seconds > late:
            return f"took {result.seconds:.1f} s"
        return f"was idle for {result.idle:.1f} s" if result.idle > idle else None

    def judge(self, case, server, result):
        wrong = list(server.problems)
        if result.status not in case.exits:
            wrong.append(f"exit status {result.status}, not {case.exits}")
        wrong.append(check_frames(case, server))
        wrong += [legal.check(peer.frames) for peer in server.peers]
        wrong.append(check_output(case, result))
        wrong.append(self.check_time(case, result))
        if not self.is_sanitized and result.memory_kib > MEMORY_LIMIT_KIB:
            wrong.append(f"took {result.memory_kib} KiB")
        if case.check:
            wrong.append(case.check(result, server.peers))
        return [problem for problem in wrong if problem]


def plan(words):
    for module in TABLES:
        for case in module.TABLE.cases:
            if words and not any(word in f"{module.__name__}: {case.name}" for word in words):
                continue
            for over_tls in (False, True):
                if case.tls in (None, over_tls):
                    yield module.__name__, case, over_tls


SUITE, JOBS = None, []


def play(job):
    """In a process of its own, so that scripts do not wait for each other."""
    _, case, over_tls = JOBS[job]
    return SUITE.play(case, over_tls)


def tell(job, wrong, result):
    group, case, over_tls = JOBS[job]
    print(f"{'FAILED' if wrong else 'ok'} {group}: {case.name} ({case.section}, "
          f"{'TLS' if over_tls else 'cleartext'}) {result.seconds:.2f} s, idle {result.idle:.2f} s, "
          f"{result.memory_kib} KiB: {'; '.join(wrong)}")
    print(f"       {result.err.strip()[:400]} {result.notes}", flush=True)


def main():
    global SUITE  # pylint: disable=global-statement
    arguments = [argument for argument in sys.argv[1:] if argument != "-v"]
    verbose = "-v" in sys.argv
    programs = {"weft": os.path.abspath(arguments[0]), "weft-load": os.path.abspath(arguments[1])}
    if not peers.find("openssl"):
        print("openssl is not installed: skipped")
        return 77
    folder = tempfile.mkdtemp(prefix="weft-hostile-")
    start, bad = time.monotonic(), 0
    try:
        SUITE = Suite(programs, folder)
        JOBS.extend(plan(arguments[2:]))
        with multiprocessing.get_context("fork").Pool(WORKERS) as pool:
            for job, (wrong, result) in enumerate(pool.imap(play, range(len(JOBS)))):
                bad += bool(wrong)
                if wrong or verbose:
                    tell(job, wrong, result)
    finally:
        shutil.rmtree(folder)
    names = {(group, case.name) for group, case, _ in JOBS}
    print(f"{len(names)} cases, {len(JOBS)} runs, {bad} failed, {time.monotonic() - start:.1f} s")
    return 1 if bad or not JOBS else 0


if __name__ == "__main__":
    sys.exit(main())
