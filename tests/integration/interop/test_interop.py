#!/usr/bin/env python3
"""One program, one API, other people's servers: test_interop.py CLIENT LOAD [-o TABLE.md] [WORD...]

Each cell of the table is an answer: yes, a failure of ours, or "server cannot", which is said only
where curl, asked the same, gets no more than we do. Words select servers or rows."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import peers
import servers

TIMEOUT = 240
BIG = 100 << 20
SMALL = b"hello from a file\n"
UPLOAD = 300000
EARLY_UPLOAD = 8 << 20
CANNOT = "server cannot"
RELOAD_MS = 2500


def pattern(length):
    unit = bytearray((at * 31 + at // 251) & 255 for at in range(min(length, 256 * 251)))
    return bytes((unit * (length // len(unit) + 1))[:length])


class Answer:
    """What the client program said."""

    def __init__(self, process):
        lines = process.stderr.decode().splitlines()
        self.body, self.status, self.lines = process.stdout, process.returncode, lines

    def one(self, word):
        return next((line[len(word) + 1:] for line in self.lines if line.startswith(word + " ")), "")

    def has(self, line):
        return line in self.lines


class Against:
    """The questions, asked of one server."""

    def __init__(self, programs, server, protocol, folder):
        self.programs, self.server, self.protocol, self.folder = programs, server, protocol, folder
        self.url = server.url
        self.echo = "/echo" if getattr(server, "reads_on", True) else "/store"

    def ask(self, method, path, *more):
        done = subprocess.run([self.programs["client"], method, self.url + path, *more],
                              capture_output=True, timeout=TIMEOUT, check=False)
        answer = Answer(done)
        if answer.one("protocol") not in ("", self.protocol):
            raise AssertionError(f"{answer.one('protocol')} and not {self.protocol}")
        return answer

    def curl(self, path, *options):
        version = "--http2" if self.protocol == "h2" else "--http1.1"
        return subprocess.run(["curl", "-skiv", version, *options, self.url + path],
                              capture_output=True, timeout=TIMEOUT, check=False)

    def expect(self, answer, status, body=None):
        if answer.one("status") != str(status):
            return f"status {answer.one('status') or answer.one('text')!r}, not {status}"
        if not answer.one("end").startswith("WEFT_OK"):
            return answer.one("text")
        if body is not None and answer.body != body:
            return f"{len(answer.body)} octets that are not the {len(body)} expected"
        return None

    def get(self):
        return self.expect(self.ask("GET", "/small"), 200, SMALL)

    def get_big(self):
        answer = self.ask("GET", "/big")
        with open(os.path.join(self.folder, "root", "big"), "rb") as file:
            right = hashlib.sha256(file.read()).digest()
        wrong = self.expect(answer, 200)
        return wrong or (None if hashlib.sha256(answer.body).digest() == right
                         else f"{len(answer.body)} octets with another SHA-256")

    def post(self):
        return self.expect(self.ask("POST", self.echo, "body", str(UPLOAD)), 200, pattern(UPLOAD))

    def post_streamed(self):
        return self.expect(self.ask("POST", self.echo, "stream", str(UPLOAD)), 200, pattern(UPLOAD))

    def post_expect(self):
        return self.expect(self.ask("POST", self.echo, "body", str(UPLOAD), "expect"), 200,
                           pattern(UPLOAD))

    def chunked(self):
        return self.expect(self.ask("GET", "/chunked"), 200,
                           b"".join(b"piece %d\n" % i for i in range(100)))

    def trailers(self):
        answer = self.ask("GET", "/trailers", "te")
        wrong = self.expect(answer, 200, b"a body and then a trailer\n")
        if wrong or answer.has("trailer x-sum: 42"):
            return wrong
        theirs = self.curl("/trailers", "-H", "TE: trailers")
        return "no trailer" if b"x-sum: 42" in theirs.stdout else CANNOT

    def head(self):
        answer = self.ask("HEAD", "/small")
        return self.expect(answer, 200, b"") or (
            None if answer.has(f"field content-length: {len(SMALL)}") else "no content-length")

    def none(self):
        return self.expect(self.ask("GET", "/none"), 204, b"")

    def missing(self):
        return self.expect(self.ask("GET", "/missing"), 404)

    def hints(self):
        answer = self.ask("GET", "/hints")
        wrong = self.expect(answer, 200, b"after the hints\n")
        if not wrong and answer.has("informational 103"):
            return None
        theirs = self.curl("/hints")
        if theirs.returncode == 0 and re.search(rb"HTTP/[0-9.]+ 103", theirs.stdout):
            return wrong or "no 103"
        return CANNOT

    def slow(self):
        return self.expect(self.ask("GET", "/slow"), 200, b"5\n4\n3\n2\n1\n")

    def early(self):
        wrong = self.expect(self.ask("POST", "/early", "stream", str(EARLY_UPLOAD)), 413)
        if not wrong:
            return None
        theirs = self.curl("/early", "-X", "POST", "-T", os.path.join(self.folder, "root", "big"))
        return wrong if theirs.returncode == 0 else CANNOT


# (row of the table, method of Against)
ROWS = (
    ("GET", Against.get),
    ("GET of 100 MiB", Against.get_big),
    ("POST, echoed", Against.post),
    ("POST of unknown length, echoed", Against.post_streamed),
    ("POST with Expect: 100-continue", Against.post_expect),
    ("response of unknown length", Against.chunked),
    ("trailers", Against.trailers),
    ("HEAD", Against.head),
    ("204", Against.none),
    ("404", Against.missing),
    ("103", Against.hints),
    ("slow body", Against.slow),
    ("response before the upload's end", Against.early),
)
RELOAD = "graceful reload under load"


def reload_under_load(programs, server, reload):
    """Reloads three times while requests run: not one may fail."""
    command = [programs["load"], server.url + "/small", str(RELOAD_MS), "8", "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        problems = []

        def reload_some():
            try:
                for _ in range(3):
                    time.sleep(RELOAD_MS / 5000)  # a schedule, not a race: requests run throughout
                    reload(server)
            except (OSError, subprocess.SubprocessError) as error:
                problems.append(f"the reload failed: {error!r}")
        thread = threading.Thread(target=reload_some)
        thread.start()
        out, _ = process.communicate(timeout=TIMEOUT)
        thread.join()
    total = re.search(r"^requests (\d+) failed (\d+)$", out, re.MULTILINE)
    if problems:
        return problems[0]
    if not total or int(total.group(1)) < 20:
        return f"hardly any requests: {out[-200:]!r}"
    return None if total.group(2) == "0" else out.splitlines()[0]


def make_site(folder, big=BIG):
    site = servers.Site(folder, peers.make_certificate(folder))
    os.mkdir(site.root)
    with open(os.path.join(site.root, "small"), "wb") as file:
        file.write(SMALL)
    with open(os.path.join(site.root, "big"), "wb") as file:
        for at in range(big >> 20):
            file.write(hashlib.sha256(b"%d" % at).digest() * (1 << 15))
    for path in (folder, site.root):
        os.chmod(path, 0o755)  # some servers read as another user
    for path in (*site.certificate, os.path.join(site.root, "small"),
                 os.path.join(site.root, "big")):
        os.chmod(path, 0o644)
    return site


def ask_all(programs, site, column, words):
    name, _, protocol, start, reload = column
    server, answers = start(site), {}
    try:
        against = Against(programs, server, protocol, site.folder)
        for row, question in ROWS:
            if not words or any(word in f"{name}: {row}" for word in words):
                try:
                    answers[row] = question(against)
                except (AssertionError, OSError, subprocess.SubprocessError) as error:
                    answers[row] = f"{error}"
        if not words or any(word in f"{name}: {RELOAD}" for word in words):
            answers[RELOAD] = reload_under_load(programs, server, reload) if reload else CANNOT
    finally:
        server.stop()
    return answers


def version_of(program):
    flags = {"caddy": "version", "node": "--version"}
    done = subprocess.run([peers.find(program), flags.get(program, "-v")], capture_output=True,
                          text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found.group(0) if found else "?"


def table(results):
    names = list(results)
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for row in [row for row, _ in ROWS] + [RELOAD]:
        cells = [results[name].get(row, "not asked") or "yes" for name in names]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_document(path, results):
    tools = {column[1] for column in servers.SERVERS if column[0] in results}
    versions = ", ".join(f"{tool} {version_of(tool)}" for tool in sorted(tools))
    with open(path, encoding="utf-8") as file:
        text = file.read()
    made = f"<!-- table -->\n{versions}\n\n{table(results)}\n<!-- end of table -->"
    text = re.sub(r"<!-- table -->.*<!-- end of table -->", lambda _: made, text, flags=re.DOTALL)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    arguments = sys.argv[1:]
    document = None
    if "-o" in arguments:
        at = arguments.index("-o")
        document = arguments[at + 1]
        del arguments[at:at + 2]
    programs = {"client": os.path.abspath(arguments[0]), "load": os.path.abspath(arguments[1])}
    words = arguments[2:]
    if not all(peers.find(tool) for tool in ("node", "openssl", "curl")):
        print("node, openssl or curl is not installed: skipped")
        return 77
    folder = tempfile.mkdtemp(prefix="weft-interop-")
    results, bad = {}, 0
    try:
        site = make_site(folder)
        site.backend = servers.node(site, "h1")
        try:
            for column in servers.SERVERS:
                if words and not any(word in f"{column[0]}: {row}" for word in words
                                     for row in [row for row, _ in ROWS] + [RELOAD]):
                    continue
                if not peers.find(column[1]):
                    print(f"{column[1]} is not installed: left out")
                    continue
                results[column[0]] = ask_all(programs, site, column, words)
                for row, wrong in results[column[0]].items():
                    print(f"{column[0]}: {row}: {wrong or 'yes'}")
                    bad += wrong is not None and wrong != CANNOT
        finally:
            site.backend.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if document:
        write_document(document, results)
    asked = sum(len(answers) for answers in results.values())
    print(f"{len(results)} servers, {asked} questions, {bad} failed")
    return 1 if bad or not asked else 0


if __name__ == "__main__":
    sys.exit(main())
