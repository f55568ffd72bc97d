#!/usr/bin/env python3
"""Who client and server are, against nginx and openssl s_server:
test_tls.py PATH-OF-WEFT PATH-OF-TLS-CLIENT CERTIFICATES [can-resume] [can-log]"""

import os
import shutil
import subprocess
import sys
import time
import unittest

import peers
from cases import FolderCase, needs

WEFT = CLIENT = CERTS = None
CAN = set()
TIMEOUT = 60
ZERO_PIN = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="


def run(program, *options, env=None):
    result = subprocess.run([program, *options], capture_output=True, text=True, timeout=TIMEOUT,
                            env={**os.environ, **(env or {})}, check=False)
    return result.returncode, result.stdout, result.stderr


def cert(name):
    return os.path.join(CERTS, name)


class Case(FolderCase):
    def weft(self, url, *options, env=None):
        """(exit status, status of the response, errors)"""
        status, out, err = run(WEFT, "--cacert", cert("root.pem"), "-m", "10", "-o", "/dev/null",
                               "-w", "%{http_code}", *options, url, env=env)
        return status, out, err


@needs("nginx")
class Nginx(Case):
    def nginx(self, *lines, protocols="TLSv1.2 TLSv1.3", port=None):
        port = port or peers.free_port()
        config = os.path.join(self.folder, "nginx.conf")
        temporary = "".join(f"{name}_temp_path {self.folder}/{name};" for name in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"""
daemon off; master_process off; pid {self.folder}/pid; error_log {self.folder}/err;
events {{ worker_connections 64; }}
http {{
    access_log off; {temporary}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {cert("good.pem")}; ssl_certificate_key {cert("good.key")};
        ssl_protocols {protocols};
        ssl_session_cache shared:weft:1m;
        {' '.join(lines)}
        location / {{
            add_header x-reused "$ssl_session_reused" always;
            add_header x-name "$ssl_server_name" always;
            add_header x-protocol "$ssl_protocol" always;
            add_header x-client "$ssl_client_s_dn" always;
            return 204;
        }}
    }}
}}
""")
        self.server = self.start(
            peers.Process([peers.find("nginx"), "-p", self.folder, "-c", config, "-e",
                                  f"{self.folder}/err"], port, "https"))
        return f"https://127.0.0.1:{port}/"

    def client(self, url, count, version="1.3", sessions=8, *more):
        status, out, err = run(CLIENT, url, cert("root.pem"), str(count), version, str(sessions),
                               *more)
        self.assertEqual(status, 0, out + err)
        return out.splitlines()

    def test_a_client_certificate_is_shown_to_whom_asks_for_it(self):
        url = self.nginx(f"ssl_client_certificate {cert('client_root.pem')};",
                         "ssl_verify_client on;")
        both = ("--cert", cert("client.pem"), "--key", cert("client.key"))
        for version in ((), ("--tls-max", "1.2")):
            with self.subTest(version=version):
                self.assertEqual(self.weft(url, *both, *version)[:2], (0, "204"))
                self.assertEqual(
                    self.weft(url, "-E", cert("client.both.pem"), *version)[:2], (0, "204"))
                # nginx says what is wrong in HTTP.
                self.assertEqual(self.weft(url, *version)[:2], (0, "400"))
                expired = ("--cert", cert("client_expired.pem"), "--key",
                           cert("client_expired.key"))
                self.assertEqual(self.weft(url, *expired, *version)[:2], (0, "400"))

    def test_what_is_wrong_with_a_certificate_is_told_before_anything_is_sent(self):
        status, _, err = self.weft("https://localhost:1/", "--cert", "/nonexistent/me")
        self.assertEqual(status, 58, err)
        self.assertIn("/nonexistent/me", err)
        status, _, err = self.weft("https://localhost:1/", "--cert", cert("client.pem"), "--key",
                                   cert("good.key"))
        self.assertEqual(status, 58, err)
        self.assertIn("does not belong", err)

    def test_over_a_unix_socket_the_server_is_the_one_of_the_url(self):
        path = os.path.join(self.folder, "socket")
        self.nginx(f"listen unix:{path} ssl http2;")
        for version in ((), ("--tls-max", "1.2")):
            with self.subTest(version=version):
                def weft(url, *options):
                    return run(WEFT, "-i", "-m", "10", "--unix-socket", path, *version, "--cacert",
                               cert("root.pem"), *options, url)

                status, head, err = weft("https://good.test/")
                self.assertEqual(status, 0, err)
                self.assertIn("x-name: good.test", head)
                # Nobody is believed for sitting at the socket.
                status, head, err = weft("https://other.test/")
                self.assertEqual((status, head), (60, ""))
                self.assertIn("not for other.test", err)
                self.assertIn("x-name: other.test", weft("https://other.test/", "-k")[1])
                status, _, err = weft("https://good.test/", "--cacert", cert("other_root.pem"))
                self.assertEqual(status, 60, err)

    def test_pins_hold(self):
        url = self.nginx()
        with open(cert("good.pin"), encoding="ascii") as file:
            pin = file.read()
        for insecure in ((), ("-k",)):
            with self.subTest(insecure=insecure):
                self.assertEqual(self.weft(url, "--pinnedpubkey", pin, *insecure)[:2], (0, "204"))
                several = f"{ZERO_PIN};{pin}"
                self.assertEqual(
                    self.weft(url, "--pinnedpubkey", several, *insecure)[:2], (0, "204"))
                status, _, err = self.weft(url, "--pinnedpubkey", ZERO_PIN, *insecure)
                self.assertEqual(status, 90, err)
                self.assertIn("pinned", err)

    def test_versions_and_suites_are_those_that_are_asked_for(self):
        url = self.nginx(protocols="TLSv1.2")
        self.assertEqual(self.weft(url)[:2], (0, "204"))
        status, _, err = self.weft(url, "--tlsv1.3")
        self.assertEqual(status, 35, err)
        suite = "ECDHE-ECDSA-AES256-GCM-SHA384"
        status, out, err = self.weft(url, "--ciphers", suite, "-v")
        self.assertEqual((status, out), (0, "204"), err)
        self.assertRegex(err, "TLSv1.2 .*AES_?256.GCM.SHA384")

    def test_authorities_come_from_a_directory_too(self):
        url = self.nginx()
        folder = os.path.join(self.folder, "authorities")
        os.mkdir(folder)
        shutil.copy(cert("root.pem"), folder)
        status, out, err = run(WEFT, "--capath", folder, "-w", "%{http_code}", url)
        self.assertEqual((status, out), (0, "204"), err)
        shutil.copy(cert("other_root.pem"), os.path.join(folder, "root.pem"))
        self.assertEqual(run(WEFT, "--capath", folder, url)[0], 60)

    def test_sessions_are_resumed(self):
        url = self.nginx("keepalive_requests 1;")
        for version in ("1.2", "1.3"):
            with self.subTest(version=version):
                lines = self.client(url, 5, version)
                reused = [line.split()[1] for line in lines[:-1]]
                self.assertEqual(lines[0].split()[-1], f"x-protocol=TLSv{version}")
                expected = "x-reused=r" if "can-resume" in CAN else "x-reused=."
                self.assertEqual(reused, ["x-reused=."] + 4 * [expected], lines)
                self.assertIn("resumed=" + ("4" if "can-resume" in CAN else "0"), lines[-1])

    def test_a_server_that_came_back_with_another_version_is_talked_to(self):
        url = self.nginx("keepalive_requests 1;", protocols="TLSv1.3")
        port = int(url.rstrip("/").rsplit(":", 1)[1])
        with subprocess.Popen([CLIENT, url, cert("root.pem"), "3", "1.3", "8"], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env={**os.environ, "TLS_CLIENT_STEPS": "1"}) as client:
            def step():
                client.stdin.write("\n")
                client.stdin.flush()
                return client.stdout.readline()

            self.assertIn("x-protocol=TLSv1.3", step())
            for protocols in ("TLSv1.2", "TLSv1.3"):
                self.server.stop()
                self.nginx("keepalive_requests 1;", protocols=protocols, port=port)
                self.assertIn(f"x-protocol={protocols}", step())
            client.stdin.close()
            self.assertIn("handshakes=3", client.stdout.read())

    def test_sessions_are_not_resumed_where_none_are_kept(self):
        url = self.nginx("keepalive_requests 1;")
        lines = self.client(url, 3, "1.3", 0)
        self.assertEqual([line.split()[1] for line in lines[:-1]], 3 * ["x-reused=."])

    def test_the_server_sees_the_name_that_is_asked_for(self):
        url = self.nginx()
        self.assertIn("x-name=good.test", self.client(url, 1, "1.3", 8, "good.test")[0])
        status, out, _ = run(CLIENT, url, cert("root.pem"), "1", "1.3", "8", "bad.test")
        self.assertEqual(status, 1)
        self.assertIn("WEFT_ERR_CERTIFICATE_HOST", out)


@needs("openssl")
class SServer(Case):
    def s_server(self, *options):
        port = peers.free_port()
        self.start(peers.Process(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", cert("good.pem"),
             "-key", cert("good.key"), "-alpn", "h2", "-quiet", *options], port, "https"))
        return f"https://127.0.0.1:{port}/"

    def test_a_server_that_refuses_the_client_has_a_status_of_its_own(self):
        url = self.s_server("-Verify", "1", "-verify_return_error", "-CAfile",
                            cert("client_root.pem"))
        status, _, err = self.weft(url)
        self.assertEqual(status, 58, err)
        self.assertIn("wants a client certificate", err)
        for name in ("client_expired", "client_untrusted"):
            for version in ((), ("--tls-max", "1.2")):
                with self.subTest(name=name, version=version):
                    status, _, err = self.weft(url, "--cert", cert(f"{name}.pem"), "--key",
                                               cert(f"{name}.key"), *version)
                    self.assertEqual(status, 58, err)
                    self.assertIn("refuses the client certificate", err)

    @unittest.skipUnless("can-log" in sys.argv, "this wolfSSL logs no keys")
    def test_the_key_log_is_what_the_server_would_write(self):
        theirs, ours = os.path.join(self.folder, "theirs"), os.path.join(self.folder, "ours")
        url = self.s_server("-keylogfile", theirs)
        # s_server does not speak HTTP: only the handshake matters.
        self.weft(url, "-m", "1", env={"SSLKEYLOGFILE": ours})

        def lines(path):
            with open(path, encoding="ascii") as file:
                return {line.strip() for line in file if not line.startswith("#")}

        end = time.monotonic() + 10
        while time.monotonic() < end and len(lines(theirs)) < 4:
            time.sleep(0.05)
        labels = {line.split()[0] for line in lines(ours)}
        self.assertLessEqual({"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                              "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}, labels)
        self.assertLessEqual(lines(ours), lines(theirs))


if __name__ == "__main__":
    WEFT, CLIENT, CERTS = sys.argv[1:4]
    CAN.update(sys.argv[4:])
    unittest.main(argv=sys.argv[:1], verbosity=2)
