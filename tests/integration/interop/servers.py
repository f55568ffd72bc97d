"""Other people's servers with one content: files of their own, and what a backend makes.

Each is (name, scheme, start(site) -> peers.Process), and listens with the same certificate."""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import peers

HERE = os.path.dirname(os.path.abspath(__file__))
MADE = ("/echo", "/store", "/chunked", "/trailers", "/none", "/hints", "/slow")
EARLY_LIMIT = 1000


class Site:
    """The folder with the files, the certificate, and the port of the backend."""

    def __init__(self, folder, certificate):
        self.folder, self.certificate = folder, certificate
        self.root = os.path.join(folder, "root")
        self.backend = None

    def scratch(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


def node(site, mode):
    port = peers.free_port()
    return peers.Process(
        [peers.find("node"), os.path.join(HERE, "backend.js"), mode, str(port), site.root,
         *(site.certificate if mode != "h1" else ())], port, "http" if mode == "h1" else "https")


def backend_port(site):
    return int(site.backend.url.rsplit(":", 1)[1])


def nginx(site, http2, tls=True, log="off", port=None):
    port, own = port or peers.free_port(), site.scratch(f"nginx-{http2}-{tls}")
    secure = (f"ssl_certificate {site.certificate[0]}; ssl_certificate_key {site.certificate[1]};"
              if tls else "")
    listen = " ".join(("ssl",) * tls + ("http2",) * http2)
    made = "\n".join(f"location = {path} {{ proxy_pass http://127.0.0.1:{backend_port(site)}; }}"
                     for path in MADE) if site.backend else ""
    config = site.write(os.path.join(own, "nginx.conf"), f"""
daemon off; pid {own}/nginx.pid; error_log {own}/nginx.err; worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log {log}; keepalive_requests 1000000;
    client_body_temp_path {own}/t1; proxy_temp_path {own}/t2; fastcgi_temp_path {own}/t3;
    uwsgi_temp_path {own}/t4; scgi_temp_path {own}/t5;
    client_max_body_size 200m; proxy_http_version 1.1; proxy_set_header Connection "";
    server {{
        listen 127.0.0.1:{port} {listen};
        {secure}
        root {site.root};
        location = /early {{ client_max_body_size {EARLY_LIMIT}; proxy_pass http://127.0.0.1:9; }}
        {made}
    }}
}}
""")
    return peers.Process([peers.find("nginx"), "-p", own, "-c", config, "-e", f"{own}/nginx.err"],
                         port, "https" if tls else "http")


def apache(site, http2):
    port, own = peers.free_port(), site.scratch(f"apache-{http2}")
    modules = "/usr/lib/apache2/modules"
    wanted = ("mpm_event", "authz_core", "ssl", "proxy", "proxy_http", "http2", "dir")
    loads = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in wanted)
    made = "\n".join(f"ProxyPass {path} http://127.0.0.1:{backend_port(site)}{path}"
                     for path in MADE)
    config = site.write(os.path.join(own, "apache.conf"), f"""
{loads}
ServerRoot {own}
ServerName localhost
PidFile {own}/pid
ErrorLog {own}/error.log
Mutex file:{own}
Listen 127.0.0.1:{port}
Protocols {"h2 http/1.1" if http2 else "http/1.1"}
H2EarlyHints on
SSLEngine on
SSLCertificateFile {site.certificate[0]}
SSLCertificateKeyFile {site.certificate[1]}
DocumentRoot {site.root}
<Directory {site.root}>
    Require all granted
</Directory>
<Location /early>
    LimitRequestBody {EARLY_LIMIT}
    ProxyPass http://127.0.0.1:{backend_port(site)}/early
</Location>
{made}
""")
    return peers.Process([peers.find("apache2"), "-D", "FOREGROUND", "-f", config], port, "https")


def haproxy(site, http2):
    port, own = peers.free_port(), site.scratch(f"haproxy-{http2}")
    both = site.write(os.path.join(own, "both.pem"), "".join(
        open(path, encoding="ascii").read() for path in site.certificate))
    config = site.write(os.path.join(own, "haproxy.cfg"), f"""
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend front
    bind 127.0.0.1:{port} ssl crt {both} alpn {"h2,http/1.1" if http2 else "http/1.1"}
    http-request return status 413 content-type text/plain string "too much" if {{ path /early }}
    default_backend back
backend back
    server node 127.0.0.1:{backend_port(site)}
""")
    return peers.Process([peers.find("haproxy"), "-W", "-db", "-f", config], port, "https")


def h2o(site):
    port, own = peers.free_port(), site.scratch("h2o")
    made = "\n".join(f"""      {path}:
        proxy.reverse.url: http://127.0.0.1:{backend_port(site)}{path}""" for path in MADE)
    config = site.write(os.path.join(own, "h2o.yaml"), f"""
listen:
  host: 127.0.0.1
  port: {port}
  ssl:
    certificate-file: {site.certificate[0]}
    key-file: {site.certificate[1]}
limit-request-body: 4194304
hosts:
  default:
    paths:
{made}
      /:
        file.dir: {site.root}
num-threads: 1
""")
    return peers.Process([peers.find("h2o"), "-c", config], port, "https")


def caddy(site, http2):
    port, own = peers.free_port(), site.scratch(f"caddy-{http2}")
    made = "\n".join(f"    reverse_proxy {path} 127.0.0.1:{backend_port(site)}" for path in MADE)
    config = site.write(os.path.join(own, "Caddyfile"), f"""
{{
    admin unix/{own}/admin.sock
    auto_https off
    storage file_system {own}
    servers {{
        protocols {"h1 h2" if http2 else "h1"}
    }}
}}
https://localhost:{port} {{
    bind 127.0.0.1
    tls {site.certificate[0]} {site.certificate[1]}
{made}
    respond /early "too much" 413
    root * {site.root}
    file_server
}}
""")
    os.environ.setdefault("XDG_CONFIG_HOME", own)
    process = peers.Process(
        [peers.find("caddy"), "run", "--adapter", "caddyfile", "--config", config], port, "https")
    process.config, process.admin = config, f"unix/{own}/admin.sock"
    # Over HTTP/1.1 it may stop reading a request when its response begins, and ends both as if they
    # were whole; any client, curl too, then gets a part of its echo on a busy machine.
    process.reads_on = http2
    return process


def signalled(number):
    return lambda server: server.process.send_signal(number)


def caddy_reload(server):
    subprocess.run([peers.find("caddy"), "reload", "--force", "--adapter", "caddyfile", "--config",
                    server.config, "--address", server.admin], check=True, capture_output=True)


# (column of the table, program, protocol, start, reload or None)
SERVERS = (
    ("nginx h2", "nginx", "h2", lambda site: nginx(site, True), signalled(signal.SIGHUP)),
    ("nginx h1", "nginx", "http/1.1", lambda site: nginx(site, False), signalled(signal.SIGHUP)),
    ("Apache h2", "apache2", "h2", lambda site: apache(site, True), signalled(signal.SIGUSR1)),
    ("Apache h1", "apache2", "http/1.1", lambda site: apache(site, False),
     signalled(signal.SIGUSR1)),
    ("HAProxy h2", "haproxy", "h2", lambda site: haproxy(site, True), signalled(signal.SIGUSR2)),
    ("HAProxy h1", "haproxy", "http/1.1", lambda site: haproxy(site, False),
     signalled(signal.SIGUSR2)),
    ("h2o h2", "h2o", "h2", h2o, None),
    ("Caddy h2", "caddy", "h2", lambda site: caddy(site, True), caddy_reload),
    ("Caddy h1", "caddy", "http/1.1", lambda site: caddy(site, False), caddy_reload),
    ("Node h2", "node", "h2", lambda site: node(site, "h2"), None),
    ("Node h1", "node", "http/1.1", lambda site: node(site, "h1s"), None),
)
