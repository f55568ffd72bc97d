#!/usr/bin/env python3
"""weft's options against what curl does with the same words, and servers that fail at first:
test_weft_options.py PATH-OF-WEFT PATH-OF-WEFT-SERVE"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

import peers
from cases import FolderCase, needs
from server import Server

WEFT = SERVE = None
TIMEOUT = 120
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Two: a\r\nX-Two: \"b\"\r\nContent-Length: 2\r\n\r\nok"


def run(program, *options, data=None, env=None):
    return subprocess.run([program, *options], input=data, capture_output=True, timeout=TIMEOUT,
                          check=False, env={**os.environ, **(env or {})})


def weft(*options, **more):
    return run(WEFT, *options, **more)


def curl(*options, **more):
    return run(shutil.which("curl"), "-s", "-S", *options, **more)


def status(code, *fields, body=b""):
    lines = [f"HTTP/1.1 {code} Text", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


class Request:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.line, self.body = lines[0], body
        self.fields = {name.lower(): value.strip() for name, value in
                       (line.split(":", 1) for line in lines[1:])}


class Recorder(peers.Listener):
    """HTTP/1.1: keeps the requests; the n-th is answered with answers[n], the last one for good.
    None: the connection is closed instead."""

    def __init__(self, *answers):
        self.requests, self.answers = [], answers or (OK,)
        super().__init__("http")

    def serve(self, connection):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
            head, data = data.split(b"\r\n\r\n", 1)
            if b"100-continue" in head.lower():
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            request, data = self.read_body(connection, head, data)
            self.requests.append(request)
            answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
            if answer is None:
                return
            connection.sendall(answer)

    @staticmethod
    def read_body(connection, head, data):
        request = Request(head, b"")

        def need(length):
            nonlocal data
            while len(data) < length:
                more = connection.recv(1 << 20)
                if not more:
                    raise EOFError
                data += more

        if request.fields.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while True:
                while b"\r\n" not in data:
                    need(len(data) + 1)
                size, data = data.split(b"\r\n", 1)
                size = int(size, 16)
                need(size + 2)
                body, data = body + data[:size], data[size + 2:]
                if size == 0:
                    break
            request.body = body
        else:
            length = int(request.fields.get("content-length", 0))
            need(length)
            request.body, data = data[:length], data[length:]
        return request, data


class Case(FolderCase):
    def start(self, *answers):
        return super().start(Recorder(*answers))

    def write(self, name, octets):
        with open(self.path(name), "wb") as file:
            file.write(octets)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def expect_failure(self, result, code, *words):
        err = result.stderr.decode()
        self.assertEqual(result.returncode, code, err)
        for word in (f"weft: ({code}) ", *words):
            self.assertIn(word, err)


@needs("curl")
class LikeCurl(Case):
    """The same words make the same request."""

    FIELDS = ("content-type", "accept", "authorization", "content-length", "transfer-encoding",
              "user-agent", "x-a")

    def compare(self, *options, path="/p", data=None):
        server = self.start()
        options = [word.replace("FOLDER", self.folder) for word in options]
        for program in (weft, curl):
            result = program("-A", "me", *options, server.url + path, data=data)
            self.assertEqual(result.returncode, 0, result.stderr)
        ours, theirs = server.requests
        self.assertEqual(ours.line, theirs.line)
        self.assertEqual(ours.body, theirs.body)
        for name in self.FIELDS:
            self.assertEqual(ours.fields.get(name), theirs.fields.get(name), name)
        return ours

    def test_data(self):
        self.write("f", b"a b\r\nc&\n")
        for words in (["-d", "a=b", "--data-raw", "@x"], ["-d", "@FOLDER/f"],
                      ["--data-binary", "@FOLDER/f", "-d", "x"],
                      ["--data-urlencode", "a b+c&d~/\xe9"], ["--data-urlencode", "=a b=c"],
                      ["--data-urlencode", "n=a b=c", "--data-urlencode", "x@FOLDER/f",
                       "--data-urlencode", "@FOLDER/f", "-d", "e=f"],
                      ["-X", "PATCH", "-d", "x"]):
            with self.subTest(words=words):
                self.compare(*words)

    def test_data_from_stdin(self):
        self.compare("--data-binary", "@-", data=b"a\nb")

    def test_json(self):
        self.compare("--json", '{"a":1}', "--json", "2")
        self.compare("--json", "1", "-H", "Content-Type: application/x")

    def test_get_puts_data_in_the_query(self):
        for words, path in ((["-G", "-d", "a=b", "--data-urlencode", "q=x y"], "/p?z=1#frag"),
                            (["-G", "-d", "a=b"], ""), (["-G"], "/p"), (["-G", "-d", ""], "/p")):
            with self.subTest(words=words):
                self.compare(*words, path=path)

    def test_head_with_data_in_the_query(self):
        server = self.start(status(200))
        for program in (weft, curl):
            self.assertEqual(program("-IG", "-d", "a=b", server.url).returncode, 0)
        self.assertEqual([request.line for request in server.requests],
                         ["HEAD /?a=b HTTP/1.1"] * 2)

    def test_basic_authorization(self):
        for user in ("me:pass", "me:pa:ss", ":", "me:", "\xe9:x"):
            with self.subTest(user=user):
                self.compare("-u", user)
        self.compare("-u", "me:pass", "-H", "Authorization: Other")

    def test_upload(self):
        self.write("f 1", b"octets" * 50000)
        for path in ("/p", "/d/", "/d/?q", "", "/p?q/"):
            with self.subTest(path=path):
                self.compare("-T", "FOLDER/f 1", path=path)
        self.compare("-X", "POST", "-T", "FOLDER/f 1", "-H", "Content-Type: x/y")
        self.compare("-T", "-", data=b"piped" * 50000)
        self.compare("-T", ".", data=b"")

    def test_the_nth_upload_belongs_to_the_nth_url(self):
        paths = [self.write("a", b"1"), self.write("b", b"2")]
        for program in (weft, curl):
            seen = []
            for words in (["-T", paths[0], "-T", paths[1]], ["-T", "", "-T", paths[1]],
                          ["-T", paths[0]]):
                server = self.start()
                result = program(*words, server.url + "/1", server.url + "/2")
                self.assertEqual((result.returncode, result.stdout), (0, b"okok"), result.stderr)
                seen.append({(request.line.split()[0], request.line.split()[1], request.body)
                             for request in server.requests})
            self.assertEqual(seen, [{("PUT", "/1", b"1"), ("PUT", "/2", b"2")},
                                    {("GET", "/1", b""), ("PUT", "/2", b"2")},
                                    {("PUT", "/1", b"1"), ("GET", "/2", b"")}])

    def test_an_upload_that_cannot_be_read_is_26(self):
        server = self.start()
        for program in (weft, curl):
            for path in ("/nonexistent/f", self.folder):
                if program is curl and path == self.folder:
                    continue
                result = program("-T", path, server.url)
                self.assertEqual(result.returncode, 26, result.stderr)
        result = weft("-T", "/nonexistent/f", "-T", "", server.url, server.url)
        self.expect_failure(result, 26, "/nonexistent/f", "No such file")
        self.assertEqual(result.stdout, b"ok")

    def test_uploads_beside_other_bodies_are_2(self):
        for words in (["-T", "f", "-d", "x"], ["-T", "f", "-I"]):
            for program in (weft, curl):
                self.assertEqual(program(*words, "http://localhost/").returncode, 2)
        self.assertEqual(weft("-T", "-", "-T", ".", "http://a/", "http://b/").returncode, 2)

    def test_write_out(self):
        server = self.start()
        names = ("http_code", "response_code", "http_version", "size_download", "size_upload",
                 "num_connects", "num_headers", "remote_ip", "remote_port", "url", "urlnum",
                 "url_effective", "method", "content_type", "scheme", "ssl_verify_result",
                 "num_redirects", "exitcode", "errormsg", "filename_effective", "time_appconnect",
                 "time_redirect")
        text = "|".join(f"{name} %{{{name}}}" for name in names) + "%header{x-two}\\n%%%{onerror}no"
        for words in ([], ["-d", "abc"], ["-G", "-d", "abc"], ["-o", self.path("f")]):
            with self.subTest(words=words):
                ours, theirs = (program("-w", text, *words, server.url + "/p").stdout.decode()
                                for program in (weft, curl))
                self.assertEqual(ours, theirs)

    def test_write_out_in_json(self):
        server = self.start()
        ours, theirs = (json.loads(program("-o", "/dev/null", "-w", "%{json}", server.url + "/p").stdout)
                        for program in (weft, curl))
        both = set(ours) & set(theirs)
        self.assertGreater(len(both), 25)
        for name in both:
            if not name.startswith(("time_", "speed_", "size_header")):
                self.assertEqual(ours[name], theirs[name], name)
            else:
                self.assertEqual(type(ours[name]), type(theirs[name]), name)
        ours, theirs = (json.loads(program("-o", "/dev/null", "-w", "%{header_json}",
                                           server.url).stdout) for program in (weft, curl))
        self.assertEqual(ours, theirs)

    def test_a_large_body_is_63(self):
        server = self.start(status(200, body=b"0123456789"))
        for program in (weft, curl):
            self.assertEqual(program("--max-filesize", "9", server.url).returncode, 63)
            result = program("--max-filesize", "10", server.url)
            self.assertEqual((result.returncode, result.stdout), (0, b"0123456789"))

    def test_a_status_that_passes_is_tried_again(self):
        for code in (408, 429, 500, 502, 503, 504, 501, 404):
            # curl's shortest delay is long: one status is enough to compare with it.
            for program in (weft, curl) if code == 503 else (weft,):
                with self.subTest(code=code, program=program):
                    delay = "0.01" if program is weft else "1"
                    server = self.start(status(code), status(code), OK)
                    result = program("--retry", "2", "--retry-delay", delay, "-o", self.path("f"),
                                     "-w", "%{http_code}", server.url)
                    again = code not in (501, 404)
                    self.assertEqual(result.stdout, b"200" if again else str(code).encode())
                    self.assertEqual(len(server.requests), 3 if again else 1)

    def test_connections_go_elsewhere(self):
        server = self.start()
        port = server.port
        for words, url in ((["--resolve", f"a.test:{port}:127.0.0.1"], f"http://a.test:{port}/"),
                           (["--connect-to", f"b.test:80:127.0.0.1:{port}"], "http://b.test/"),
                           (["--connect-to", f"::127.0.0.1:{port}"], "http://c.test:99/")):
            for program in (weft, curl):
                with self.subTest(words=words, program=program):
                    result = program("-w", "%{remote_ip} %{remote_port}", *words, url)
                    self.assertEqual(result.stdout.decode(), f"ok127.0.0.1 {port}", result.stderr)
        hosts = [request.fields["host"] for request in server.requests]
        self.assertEqual(hosts, [host for host in (f"a.test:{port}", "b.test", "c.test:99")
                                 for _ in (weft, curl)])

    def test_connections_go_to_unix_sockets(self):
        server = self.start()
        name = f"weft-test-{os.getpid()}-{server.port}"
        for option, address in (("--unix-socket", self.path("s")),
                                ("--abstract-unix-socket", name)):
            bound = address if option == "--unix-socket" else "\0" + address
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(bound)
                listener.listen()

                def accept(listener=listener):
                    for _ in (weft, curl):
                        with listener.accept()[0] as connection:
                            server.serve(connection)
                thread = threading.Thread(target=accept, daemon=True)
                thread.start()
                for program in (weft, curl):
                    result = program(option, address, "http://d.test/p")
                    self.assertEqual(result.stdout, b"ok", result.stderr)
                thread.join(TIMEOUT)
        self.assertEqual([request.fields["host"] for request in server.requests], ["d.test"] * 4)

    def same(self, *options, answers=(OK,), paths=("/a",)):
        """Both programs' exit status and output are the same; returned."""
        results = []
        for program in (curl, weft):
            server = self.start(*answers)
            result = program(*options, *(server.url + path for path in paths))
            results.append((result.returncode, result.stdout.replace(server.url.encode(), b"URL")))
        self.assertEqual(*results)
        return results[0]

    def test_answers_that_are_wrong_have_curls_statuses(self):
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for expected, answer in ((52, None), (8, b"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n"),
                                 (8, b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
                                 (1, b"hello\r\n\r\n"), (56, chunked + b"zz\r\n")):
            with self.subTest(answer=answer):
                self.assertEqual(self.same(answers=(answer,)), (expected, b""))

    def test_bodies_of_several_urls_are_the_same(self):
        self.same(paths=("/a", "/b", "/c"))
        self.same("-f", paths=("/a", "/b"), answers=(status(404, body=b"nope"),))
        self.same("-o", self.path("o"), paths=("/a", "/b"))
        self.same("-s", "-o", self.path("o"), "-w", "%{http_code} %{exitcode}\\n", paths=("/a",))

    def test_what_a_header_option_removes_or_empties(self):
        server = self.start()
        result = weft("-H", "Accept:", "-H", "X-Empty;", "-H", "X-A: b", server.url)
        self.assertEqual(result.returncode, 0, result.stderr)
        fields = server.requests[0].fields
        self.assertNotIn("accept", fields)
        self.assertEqual(fields["x-a"], "b")

    def test_bad_values_are_2(self):
        for words in (["--retry", "x"], ["--retry-max-time", "x"], ["--max-filesize", "1q"],
                      ["--connect-timeout", "x"], ["--tls-max", "9"]):
            for program in (weft, curl):
                with self.subTest(words=words, program=program):
                    self.assertEqual(program(*words, "http://localhost/").returncode, 2)
            self.assertIn(f"'{words[1]}'", weft(*words, "http://localhost/").stderr.decode())


class Uploads(Case):
    def setUp(self):
        super().setUp()
        server = Server(SERVE, "--quiet")
        self.addCleanup(server.stop)
        self.url = server.url

    def test_files_and_stdin_are_echoed_over_http2(self):
        paths = [self.write(str(n), os.urandom(n * 300000)) for n in range(4)]
        piped = os.urandom(5000000)
        words = [word for path in (*paths, "-") for word in ("-T", path)]
        result = weft("-k", "-w", "%{size_upload} ", *words, *[self.url + "/echo"] * 5, "-o",
                      "/dev/null", data=piped)
        self.assertEqual(result.returncode, 0, result.stderr)
        parts = b"".join(self.read(str(n)) + b"%d " % (n * 300000) for n in (1, 2, 3))
        self.assertEqual(result.stdout, b"0 " + parts + piped + b"5000000 ")

    def test_stdin_is_sent_as_it_comes(self):
        with subprocess.Popen([WEFT, "-k", "-T", "-", self.url + "/echo"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, bufsize=0) as process:
            for piece in (b"first", b"second"):
                process.stdin.write(piece)
                self.assertEqual(process.stdout.read(len(piece)), piece)
            process.stdin.close()
            self.assertEqual((process.stdout.read(), process.wait(TIMEOUT)), (b"", 0))

    def test_stdin_may_be_slower_than_the_stall_time(self):
        server = self.start()
        with subprocess.Popen([WEFT, "-y", "0.2", "-T", "-", server.url], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, bufsize=0) as process:
            for _ in range(3):
                process.stdin.write(b"x")
                time.sleep(0.5)
            process.stdin.close()
            self.assertEqual((process.stdout.read(), process.wait(TIMEOUT)), (b"ok", 0))
        self.assertEqual(server.requests[0].body, b"xxx")

    def test_a_long_stream_stays_in_bounded_memory(self):
        if peers.is_sanitized(WEFT):
            self.skipTest("a sanitizer takes memory of its own")
        with subprocess.Popen(["head", "-c", str(256 << 20), "/dev/zero"],
                              stdout=subprocess.PIPE) as source, \
                subprocess.Popen([WEFT, "-k", "-T", "-", "-o", self.path("f"), self.url + "/echo"],
                                 stdin=source.stdout) as process:
            _, code, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(code)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(os.path.getsize(self.path("f")), 256 << 20)
        self.assertLess(usage.ru_maxrss, 64 * 1024)

    def test_a_file_is_sent_again_and_a_pipe_is_not(self):
        words = ("--retry", "1", "--retry-delay", "0.01", "-w", "%{http_code}")
        server = self.start(status(503), OK)
        result = weft(*words, "-T", self.write("f", b"again"), server.url)
        self.assertEqual(result.stdout, b"ok200", result.stderr)
        self.assertEqual([request.body for request in server.requests], [b"again"] * 2)
        server = self.start(status(503), OK)
        result = weft(*words, "-T", "-", server.url, data=b"once")
        self.assertEqual(result.stdout, b"503", result.stderr)
        self.assertEqual([request.body for request in server.requests], [b"once"])

    def test_an_early_answer_ends_the_upload(self):
        def act(connection):
            connection.recv(1000)
            connection.sendall(status(413, "Connection: close", body=b"no"))
            while connection.recv(65536):
                pass
        server = peers.PlainServer(act)
        self.addCleanup(server.stop)
        result = weft("-m", "20", "-w", "%{http_code}", "-T", "-", server.url, data=bytes(50000000))
        self.assertTrue(result.stdout.endswith(b"no413"), (result.stdout, result.stderr))

    def test_a_body_that_is_expected_waits_for_the_server(self):
        """A server that never says 100 gets the body when --expect100-timeout is over."""
        times = []

        def act(connection):
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            start = time.monotonic()
            while not data.endswith(b"body"):
                data += connection.recv(65536)
            times.append(time.monotonic() - start)
            connection.sendall(OK)
        server = peers.PlainServer(act)
        self.addCleanup(server.stop)
        words = ("-H", "Expect: 100-continue", "-T", self.write("f", b"body"), server.url)
        self.assertEqual(weft("--expect100-timeout", "2", *words).stdout, b"ok")
        self.assertEqual(weft("--expect100-timeout", "0.01", *words).stdout, b"ok")
        self.assertGreater(times[0], 1.5)
        self.assertLess(times[1], 1.5)


class Verbose(Case):
    def test_heads_of_http1_are_shown_as_curl_shows_them(self):
        server = self.start()
        result = weft("-v", "--max-time", "20", server.url + "/a", "-o", self.path("a"))
        err = result.stderr.decode()
        self.assertEqual(result.returncode, 0, err)
        for line in ("* connected to 127.0.0.1", "> GET /a HTTP/1.1\n", "> host: ", "> \n",
                     "< HTTP/1.1 200 OK\n", "< X-Two: a\n", "< \n"):
            self.assertIn(line, err)

    def test_another_request_on_a_connection_is_told(self):
        server = self.start(status(503), OK)
        result = weft("-v", "--retry", "1", "--retry-delay", "1", server.url + "/a")
        err = result.stderr.decode()
        self.assertEqual((result.returncode, result.stdout), (0, b"ok"), err)
        self.assertIn("* another request on the connection to " + server.url, err)
        self.assertEqual(err.count("> GET /a HTTP/1.1\n"), 2)
        self.assertEqual(err.count("* connected to"), 1)


class Retries(Case):
    def test_bodies_of_given_up_tries_are_not_printed(self):
        server = self.start(status(503, body=b"busy"), status(503, body=b"busy"), OK)
        result = weft("-i", "--retry", "5", "--retry-delay", "0.01", "-w", " %{num_retries}",
                      server.url)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(result.stdout.startswith(b"HTTP/1.1 200 "), result.stdout)
        self.assertTrue(result.stdout.endswith(b"\r\n\r\nok 2"), result.stdout)
        self.assertEqual(len(result.stderr.splitlines()), 2)
        self.assertIn(b"status 503; trying again in 10 ms, 4 left", result.stderr)

    def test_the_last_try_is_printed_as_it_is(self):
        server = self.start(status(503, body=b"busy"))
        result = weft("-s", "--retry", "2", "--retry-delay", "0.01", server.url)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"busy", b""))
        self.assertEqual(len(server.requests), 3)
        result = weft("-f", "--retry", "2", "--retry-delay", "0.01", server.url)
        self.expect_failure(result, 22, "503")

    def test_retry_after_is_waited_for(self):
        server = self.start(status(429, "Retry-After: 1"), OK)
        start = time.monotonic()
        result = weft("--retry", "1", "--retry-delay", "0.01", server.url)
        self.assertEqual(result.stdout, b"ok", result.stderr)
        self.assertGreaterEqual(time.monotonic() - start, 1)

    def test_there_is_no_retry_after_retry_max_time(self):
        server = self.start(status(503, "Retry-After: 3"), OK)
        result = weft("-w", "%{http_code}", "--retry", "9", "--retry-max-time", "2", server.url)
        self.assertEqual(result.stdout, b"503", result.stderr)
        self.assertEqual(len(server.requests), 1)

    def test_a_time_out_is_tried_again(self):
        answers = iter((60, 60, 0))

        def act(connection):
            connection.recv(65536)
            time.sleep(next(answers))
            connection.sendall(OK)
        server = peers.PlainServer(act)
        self.addCleanup(server.stop)
        result = weft("-m", "1.5", "--retry", "2", "--retry-delay", "0.01", server.url)
        self.assertEqual((result.returncode, result.stdout), (0, b"ok"), result.stderr)
        self.assertEqual(server.accepted, 3)

    def test_a_refused_connection_is_tried_again_when_asked_for(self):
        url = f"http://127.0.0.1:{peers.free_port()}/"
        words = ("--retry", "3", "--retry-delay", "0.01")
        result = weft(*words, url)
        self.expect_failure(result, 7)
        self.assertNotIn(b"trying again", result.stderr)
        result = weft(*words, "--retry-connrefused", url)
        self.expect_failure(result, 7)
        self.assertEqual(result.stderr.count(b"trying again"), 3)

    def test_all_errors_are_tried_again_when_asked_for(self):
        words = ("--retry", "1", "--retry-delay", "0.01", "-d", "x")
        result = weft(*words, self.start(None, OK).url)
        self.assertNotEqual(result.returncode, 0)
        result = weft(*words, "--retry-all-errors", self.start(None, OK).url)
        self.assertEqual((result.returncode, result.stdout), (0, b"ok"), result.stderr)

    def test_a_file_begins_anew(self):
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcde"
        server = self.start(cut, OK)
        words = ("-m", "1", "--retry", "1", "--retry-delay", "0.01")
        result = weft(*words, "-o", self.path("f"), "-D", self.path("h"), server.url)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.read("f"), b"ok")
        self.assertEqual(self.read("h").count(b"HTTP/1.1"), 1)
        self.assertIn(b"content-length: 2\r\n", self.read("h"))

    def test_what_is_on_stdout_is_not_tried_again(self):
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcde"
        server = self.start(cut, OK)
        result = weft("-m", "1", "--retry", "1", "--retry-delay", "0.01", server.url)
        self.expect_failure(result, 28, "5 octets")
        self.assertEqual(result.stdout, b"abcde")

    def test_the_others_go_on_while_one_waits(self):
        server, failing = self.start(), self.start(status(503), status(200, body=b"late"))
        result = weft("--retry", "1", "--retry-delay", "0.5", failing.url, server.url, server.url)
        self.assertEqual((result.returncode, result.stdout), (0, b"lateokok"), result.stderr)

    def test_an_interrupt_ends_the_waiting(self):
        server = self.start(status(503))
        with subprocess.Popen([WEFT, "--retry", "1", "--retry-delay", "600", server.url],
                              stderr=subprocess.PIPE) as process:
            process.stderr.readline()
            process.terminate()
            self.assertEqual(process.wait(TIMEOUT), 128 + 15)


class Heads(Case):
    def setUp(self):
        super().setUp()
        self.server = Server(SERVE, "--quiet")
        self.addCleanup(self.server.stop)
        self.url = self.server.url

    def test_heads_go_to_a_file_in_argument_order(self):
        result = weft("-k", "-D", self.path("h"), self.url + "/delay/300",
                      self.url + "/status/404", self.url + "/bytes/3")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn(b"HTTP/2", result.stdout)
        self.assertEqual(re.findall(rb"HTTP/2 (\d+) ", self.read("h")), [b"200", b"404", b"200"])
        self.assertTrue(self.read("h").endswith(b"\r\n\r\n"))

    def test_heads_go_to_stdout_before_their_bodies(self):
        result = weft("-k", "-D", "-", self.url + "/bytes/3", self.url + "/bytes/4", "-o",
                      self.path("a"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.read("a"), b"abc")
        self.assertRegex(result.stdout, rb"(?s)\AHTTP/2 200 .*\r\n\r\nHTTP/2 200 .*\r\n\r\nabcd\Z")

    def test_a_file_for_heads_that_cannot_be_written_is_23(self):
        self.expect_failure(weft("-k", "-D", "/nonexistent/h", self.url), 23, "/nonexistent/h")
        self.expect_failure(weft("-k", "-D", "/dev/full", self.url + "/bytes/3"), 23, "/dev/full")

    def test_max_filesize_holds_for_bodies_of_unknown_length(self):
        def act(connection):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100)
        server = peers.PlainServer(act)
        self.addCleanup(server.stop)
        self.expect_failure(weft("--max-filesize", "99", server.url), 63, "99 octets")
        self.assertEqual(weft("--max-filesize", "100", server.url).stdout, b"x" * 100)
        self.assertEqual(weft("-k", "-I", "--max-filesize", "1", self.url + "/bytes/5").returncode, 0)

    def test_times_follow_each_other(self):
        names = ("namelookup", "connect", "appconnect", "pretransfer", "starttransfer", "total")
        text = " ".join(f"%{{time_{name}}}" for name in names)
        out = weft("-k", "-o", "/dev/null", "-w", text, self.url + "/delay/20").stdout.split()
        times = [float(word) for word in out]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[1], 0)
        self.assertGreaterEqual(times[4], 0.02)

    def test_ssl_verify_result_tells_what_was_verified(self):
        cert = self.path("cert")
        server = Server(SERVE, "--quiet", "--write-cert", cert)
        self.addCleanup(server.stop)
        url = f"https://localhost:{server.port}/bytes/1"
        for words, code in ((["--cacert", cert], b"0"), (["-k"], b"1"), ([], b"1")):
            out = weft(*words, "-o", "/dev/null", "-w", "%{ssl_verify_result}", url).stdout
            self.assertEqual(out, code, words)

    def test_text_goes_to_stderr_when_asked_for(self):
        result = weft("-k", "-w", "a%{stderr}b\\n%{stdout}c", self.url + "/bytes/1")
        self.assertEqual((result.stdout, result.stderr), (b"aac", b"b\n"))


if __name__ == "__main__":
    WEFT, SERVE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    socket.setdefaulttimeout(TIMEOUT)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
