"""Runs servers and clients, and reads what they cost."""
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace

from workloads import MIB, WORKLOADS, is_bulk, units

LIMIT_S = 60
SIZES = (10, 1024, MIB, 128 * MIB)


def on_core(core):
    return None if core is None else (lambda: os.sched_setaffinity(0, {core}))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One server program on loopback; everything it writes lives in a temporary directory."""

    def __init__(self, kind, folder, core):
        self.kind, self.core, self.processes, self.urls = kind, core, [], {}
        self.counts_file = None
        self.dir = tempfile.mkdtemp(prefix="weft-bench-")
        os.chmod(self.dir, 0o755)
        self.cert, self.key = self.dir + "/cert.pem", self.dir + "/key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.key, "-out", self.cert,
             "-days", "2", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            check=True, stderr=subprocess.DEVNULL)
        try:
            getattr(self, "start_" + kind.replace("-", "_"))(folder)
        except BaseException:
            self.stop()
            raise

    def start(self, argv, **more):
        process = subprocess.Popen(argv, preexec_fn=on_core(self.core),
                                   stderr=subprocess.DEVNULL, **more)
        self.processes.append(process)
        return process

    def start_null(self, folder):
        program = os.path.join(folder, "null_server")
        if not os.access(program, os.X_OK):
            raise SystemExit(f"{program} is missing: configure with -DWEFT_BENCH=ON and build")
        kinds = [(size, tls, "") for size in SIZES for tls in ("", ",tls")]
        kinds += [(10, tls, what) for what in (",date", ",hang") for tls in ("", ",tls")]
        self.counts_file = self.dir + "/counts"
        process = self.start(
            [program, "--counts", self.counts_file, "--cert", self.cert, "--key", self.key] +
            [f"{size}{tls}{what}" for size, tls, what in kinds],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for size, tls, what in kinds:
            port = int(process.stdout.readline())
            self.urls[size, bool(tls), what[1:]] = f"http{'s' if tls else ''}://127.0.0.1:{port}/"

    def start_weft_serve(self, folder):
        for tls in (False, True):
            port = free_port()
            argv = [os.path.join(folder, "weft-serve"), "--quiet", "--port", str(port)]
            argv += ["--cert", self.cert, "--key", self.key] if tls else ["--cleartext"]
            self.start(argv, stdout=subprocess.DEVNULL)
            for size in SIZES:
                self.urls[size, tls, ""] = f"http{'s' if tls else ''}://127.0.0.1:{port}/bytes/{size}"
            self.wait(port)

    def files(self):
        www = self.dir + "/www"
        os.mkdir(www)
        for size in SIZES:
            with open(f"{www}/{size}", "wb") as f:
                f.truncate(size)
        return www

    def start_nghttpd(self, _folder):
        www = self.files()
        for tls in (False, True):
            port = free_port()
            tail = [str(port), self.key, self.cert] if tls else ["--no-tls", str(port)]
            self.start(["nghttpd", "-a", "127.0.0.1", "-d", www, "-n1", "-m", "4096", "-w28",
                        "-W28"] + tail, stdout=subprocess.DEVNULL)
            for size in SIZES:
                self.urls[size, tls, ""] = f"http{'s' if tls else ''}://127.0.0.1:{port}/{size}"
            self.wait(port)

    def start_h2o(self, _folder):
        www, ports = self.files(), (free_port(), free_port())
        with open(self.dir + "/h2o.conf", "w") as f:
            f.write(f"""num-threads: 1
http2-max-concurrent-requests-per-connection: 1024
limit-request-body: 1073741824
access-log: /dev/null
error-log: {self.dir}/errors
hosts:
  default:
    listen: {{host: 127.0.0.1, port: {ports[0]}}}
    listen:
      host: 127.0.0.1
      port: {ports[1]}
      ssl: {{certificate-file: {self.cert}, key-file: {self.key}, minimum-version: TLSv1.2}}
    paths: {{/: {{file.dir: {www}}}}}
""" + ("user: root\n" if os.geteuid() == 0 else ""))
        self.start(["h2o", "-c", self.dir + "/h2o.conf"], stdout=subprocess.DEVNULL)
        for tls, port in zip((False, True), ports):
            for size in SIZES:
                self.urls[size, tls, ""] = f"http{'s' if tls else ''}://127.0.0.1:{port}/{size}"
            self.wait(port)

    def wait(self, port):
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                return
            except OSError:
                time.sleep(0.02)
        raise SystemExit(f"{self.kind} did not start")

    def url(self, size, tls, what=""):
        return self.urls.get((size, tls, what)) or self.urls[size, tls, ""]

    def counts(self):
        """Responses and octets of uploads that the server has seen; None where it does not say."""
        if not self.counts_file:
            return None
        with open(self.counts_file, "rb") as f:
            return struct.unpack("=QQ", f.read(16))

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Rig:
    """A server, a place for the client, and the files that jobs need."""

    def __init__(self, server, core):
        self.server, self.core = server, core

    def job(self, w, tls, requests, in_flight=None, connections=None, start_up=False):
        url = self.server.url(10 if start_up else w.body, tls, "date" if w.dates else "")
        job = SimpleNamespace(url=url, requests=requests, in_flight=in_flight or w.in_flight,
                              connections=connections or w.connections, varied=w.varied,
                              url_file="", upload_file="", upload=0)
        if w.upload and not start_up:
            job.upload, job.upload_file = w.upload, f"{self.server.dir}/upload-{w.upload}"
            if not os.path.exists(job.upload_file):
                with open(job.upload_file, "wb") as f:
                    f.truncate(w.upload)
        if w.paths > 1:
            job.url_file = f"{self.server.dir}/urls-{w.paths}-{int(tls)}"
            with open(job.url_file, "w") as f:
                f.writelines(f"{url}?{i * 7919 % 100000}/item/{i}\n" for i in range(w.paths))
        return job

    def run(self, peer, job):
        """One run of one client: its CPU in seconds, or None if it did not do what was asked."""
        before, began = self.server.counts(), time.monotonic()
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(peer.argv(job), stdout=out, stderr=subprocess.DEVNULL,
                                       env={**os.environ, **peer.env},
                                       preexec_fn=on_core(self.core))
            signal.signal(signal.SIGALRM, lambda *_: process.kill())
            signal.alarm(LIMIT_S)
            _, status, usage = os.wait4(process.pid, 0)
            signal.alarm(0)
            process.returncode = status
            wall = time.monotonic() - began
            out.seek(0)
            text = out.read().decode(errors="replace")
        after = self.server.counts()
        if status != 0 or not is_complete(text, job, before, after):
            return None
        result = SimpleNamespace(cpu=usage.ru_utime + usage.ru_stime, wall=wall, p50=None, p99=None,
                                 switches=usage.ru_nvcsw + usage.ru_nivcsw)
        found = re.search(r"p50us=([\d.]+) p99us=([\d.]+)", text)
        if found:
            result.p50, result.p99 = float(found[1]), float(found[2])
        return result

    def h2load_latency(self, job):
        """h2load tells each latency only into a log, whose cost must not be in its CPU."""
        log = self.server.dir + "/latencies"
        if os.path.exists(log):
            os.unlink(log)
        argv = ["h2load", "-t", "1", "-n", str(job.requests), "-c", str(job.connections), "-m",
                str(job.in_flight), f"--log-file={log}"]
        subprocess.run(argv + (["-i", job.url_file] if job.url_file else [job.url]),
                       stdout=subprocess.DEVNULL, preexec_fn=on_core(self.core), check=False)
        with open(log) as f:
            times = sorted(int(line.split("\t")[2]) for line in f)
        return times[len(times) // 2], times[len(times) * 99 // 100]


def is_complete(text, job, before, after):
    found = re.search(r"(\d+) succeeded", text)
    if found and int(found[1]) != job.requests:
        return False
    if before is None:
        return bool(found) or "REPORT ok=%d " % job.requests in text
    return (after[0] - before[0] == job.requests and
            after[1] - before[1] == job.requests * job.upload)


def one(rig, peer, w, tls, scale):
    """The cost of a unit of work, or None: a run less a run of one request per connection."""
    requests = w.requests
    if not is_bulk(w):
        requests = max(2 * w.in_flight * w.connections, int(requests * scale * peer.slow))
    start = rig.run(peer, rig.job(w, tls, w.connections, in_flight=1, start_up=True))
    job = rig.job(w, tls, requests)
    full = rig.run(peer, job)
    if start is None or full is None:
        return None
    count = units(w, requests if is_bulk(w) else requests - w.connections)
    cost = {"cpu": max(full.cpu - start.cpu, 0) / count, "p50": full.p50, "p99": full.p99,
            "rate": count / max(full.wall - start.wall, full.wall / 5),
            "switches": full.switches / requests, "start": start.cpu}
    if peer.name == "h2load" and not is_bulk(w):
        job.requests = max(2 * w.in_flight * w.connections, requests // 5)
        cost["p50"], cost["p99"] = rig.h2load_latency(job)
    return cost


def everything(rig, found, workloads, options):
    results = {}
    for transport in options.transports.split(","):
        for name, w in workloads.items():
            able = [p for p in found if (p.can_list or w.paths == 1)]
            rows = {p.name: [] for p in able}
            for rep in range(options.reps):
                turn = rep % len(able)
                for peer in able[turn:] + able[:turn]:
                    rows[peer.name].append(one(rig, peer, w, transport == "tls", options.scale))
            results.setdefault(name, {})[transport] = rows
            print(f"{name} {transport} done", file=sys.stderr, flush=True)
    return results


def resident_kib(pid):
    """None when the process has ended. Pages of files (code, libraries) come and go with others'
    needs and are no request's."""
    with open(f"/proc/{pid}/status") as f:
        found = re.search(r"RssAnon:\s+(\d+)", f.read())
    return int(found[1]) if found else None


def settled_kib(peer, job):
    """Resident memory of its own once it no longer grows; the requests are never answered. None:
    it ended nevertheless."""
    process = subprocess.Popen(peer.argv(job), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    seen, same = 0, 0
    for _ in range(200):
        time.sleep(0.1)
        now = resident_kib(process.pid)
        if now is None:
            seen = None
            break
        same = same + 1 if now == seen else 0
        seen = now
        if same == 10:
            break
    process.kill()
    process.wait()
    return seen


def memory(rig, found):
    """Memory of 1,000 requests in flight on a connection, and of 1,000 connections with one each."""
    w, results = WORKLOADS["A100"], {}
    lines = ["| client | KiB per request in flight, cleartext | TLS | KiB per connection, cleartext | TLS |",
             "|---|---|---|---|---|"]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    for peer in found:
        per = {}
        for tls in (False, True):
            kib = []
            for in_flight, connections in ((1, 1), (1000, 1), (1, 1000)):
                job = rig.job(w, tls, in_flight * connections, in_flight, connections)
                job.url = rig.server.url(10, tls, "hang")
                kib.append(settled_kib(peer, job))
            for what, many in (("request", kib[1]), ("connection", kib[2])):
                per[what, tls] = None if None in (kib[0], many) else (many - kib[0]) / 999
        results[peer.name] = {f"{k[0]} {'tls' if k[1] else 'cleartext'}": v for k, v in per.items()}
        shown = ["failed" if v is None else f"{v:.{digits}f}"
                 for what, digits in (("request", 2), ("connection", 1))
                 for v in (per[what, False], per[what, True])]
        lines.append(f"| {peer.name} | " + " | ".join(shown) + " |")
    return "\n".join(lines), results


def callgrind(rig, peer, job):
    file = rig.server.dir + "/callgrind"
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + file] +
                         peer.argv(job), capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", run.stderr)
    return int(found[1]) if found and run.returncode == 0 else None


def instructions(rig, found):
    """User-space instructions of the whole process for each request, start and report subtracted."""
    w, results = WORKLOADS["A100"], {}
    lines = ["| client | instructions per request, cleartext | TLS |", "|---|---|---|"]
    for peer in found:
        per = []
        for tls in (False, True):
            few, many = (callgrind(rig, peer, rig.job(w, tls, n)) for n in (2000, 12000))
            per.append(None if few is None or many is None else (many - few) / 10000)
        results[peer.name] = per
        lines.append(f"| {peer.name} | " + " | ".join("failed" if v is None else f"{v:,.0f}"
                                                    for v in per) + " |")
    return "\n".join(lines), results


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None
