"""Other people's servers, and servers of our own that misbehave, for tests of the programs.

Each is started on a port of its own on loopback, waited for, and ended by its process id."""

import os
import select
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time

READY_TIMEOUT = 20

# Frame types and flags of RFC 9113 section 6.
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STATUS_200 = b"\x88"  # RFC 7541 appendix A, index 8


def is_sanitized(program):
    """Whether the binary was built with a sanitizer, which takes memory and time of its own."""
    with open(program, "rb") as file:
        octets = file.read()
    return b"__asan_init" in octets or b"__tsan_init" in octets


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(folder, name="localhost", alt="DNS:localhost,IP:127.0.0.1"):
    """(certificate, key), PEM, self-signed."""
    cert, key = os.path.join(folder, f"{name}.crt"), os.path.join(folder, f"{name}.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={alt}",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    return cert, key


class Process:
    """A server program; url is where it listens."""

    def __init__(self, command, port, scheme):
        self.url = f"{scheme}://localhost:{port}"
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + READY_TIMEOUT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.stop()
                    raise RuntimeError(f"{command[0]} does not listen") from None
                time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(READY_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def find(tool):
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/local/sbin")


def nghttpd(root, certificate=None):
    port = free_port()
    command = [find("nghttpd"), "-d", root, "--address=127.0.0.1"]
    if certificate:
        return Process([*command, str(port), certificate[1], certificate[0]], port, "https")
    return Process([*command, "--no-tls", str(port)], port, "http")


def nginx(root, certificate, folder, http2=True, tls=True):
    port = free_port()
    config = os.path.join(folder, "nginx.conf")
    listen = f"127.0.0.1:{port}{' ssl' if tls else ''}{' http2' if tls and http2 else ''}"
    keys = f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};" if tls else ""
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"""
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    types {{ text/html html shtml; }}
    server {{
        listen {listen};
        {keys}
        root {root};
        location /ssi/ {{ ssi on; }}
    }}
}}
""")
    return Process([find("nginx"), "-p", folder, "-c", config, "-e", f"{folder}/nginx.err"], port,
                   "https" if tls else "http")


def httpd(root, certificate, folder, tls=True):
    """Apache httpd, which speaks HTTP/1.1 unless mod_http2 is asked for."""
    port = free_port()
    config = os.path.join(folder, "httpd.conf")
    modules = "/usr/lib/apache2/modules"
    names = ["mpm_event", "authz_core", "dir", "mime", "include", *(["ssl"] if tls else [])]
    load = "".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n" for name in names)
    keys = (f"SSLEngine on\nSSLCertificateFile {certificate[0]}\n"
            f"SSLCertificateKeyFile {certificate[1]}\n") if tls else ""
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"""
{load}
ServerName localhost
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/httpd.pid
ErrorLog {folder}/httpd.err
Listen 127.0.0.1:{port}
User nobody
Group nogroup
DocumentRoot {root}
DirectoryIndex index.html
TypesConfig /dev/null
AddType text/html .html .shtml
AddOutputFilter INCLUDES .shtml
<Directory {root}>
    Options +Includes
    Require all granted
</Directory>
{keys}
""")
    return Process([find("apache2"), "-X", "-f", config], port, "https" if tls else "http")


def h2o(root, certificate, folder):
    port = free_port()
    config = os.path.join(folder, "h2o.yaml")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"""
listen:
  host: 127.0.0.1
  port: {port}
  ssl:
    certificate-file: {certificate[0]}
    key-file: {certificate[1]}
hosts:
  default:
    paths:
      /:
        file.dir: {root}
num-threads: 1
""")
    return Process([find("h2o"), "-c", config], port, "https")


class Listener:
    """Accepts connections on a thread; each is served by serve(connection) on another."""

    def __init__(self, scheme):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"{scheme}://localhost:{self.socket.getsockname()[1]}"
        self.port = self.socket.getsockname()[1]
        self.accepted = 0
        self.stopped = False
        self.connections = []
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while not self.stopped:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self.serve(connection)
        except (OSError, ssl.SSLError, EOFError):
            pass
        finally:
            connection.close()

    def serve(self, connection):
        raise NotImplementedError

    def stop(self):
        self.stopped = True
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.connections:
            connection.close()
        self.thread.join(5)


class CountingProxy(Listener):
    """Passes octets on to a server, and counts connections."""

    def __init__(self, target_port, scheme="https"):
        self.target_port = target_port
        super().__init__(scheme)

    def serve(self, connection):
        with socket.create_connection(("127.0.0.1", self.target_port)) as target:
            ends = {connection: target, target: connection}
            while True:
                readable, _, _ = select.select(list(ends), [], [], 60)
                for end in readable:
                    octets = end.recv(65536)
                    if not octets:
                        return
                    ends[end].sendall(octets)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def header(name, value):
    """A literal without indexing, RFC 7541 section 6.2.2; both shorter than 127 octets."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


class ScriptedServer(Listener):
    """Speaks HTTP/2 up to a request's HEADERS, then does what answer(connection, stream) says."""

    def __init__(self, answer, certificate=None, alpn="h2"):
        self.answer = answer
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
            self.context.set_alpn_protocols([alpn])
        super().__init__("https" if certificate else "http")

    @staticmethod
    def read(connection, length):
        octets = b""
        while len(octets) < length:
            more = connection.recv(length - len(octets))
            if not more:
                raise EOFError
            octets += more
        return octets

    def serve(self, connection):
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True)
            self.connections.append(connection)
        if self.read(connection, len(PREFACE)) != PREFACE:
            return
        connection.sendall(frame(SETTINGS, 0, 0))
        while True:
            head = self.read(connection, 9)
            self.read(connection, int.from_bytes(head[:3], "big"))
            if head[3] == SETTINGS and not head[4] & 1:
                connection.sendall(frame(SETTINGS, 1, 0))
            if head[3] == HEADERS:
                self.answer(connection, int.from_bytes(head[5:], "big"))
                # An end without TLS's close_notify, and without a reset that would take the
                # octets on their way with it.
                connection.shutdown(socket.SHUT_WR)
                while socket.socket.recv(connection, 65536):
                    pass
                return


class PlainServer(Listener):
    """Hands each connection to act(connection) as it is."""

    def __init__(self, act, scheme="http"):
        self.act = act
        super().__init__(scheme)

    def serve(self, connection):
        self.act(connection)
