"""The programs that are measured, and how each is asked for the same work."""
import os
import shutil
from collections import namedtuple

# argv(job): the command line. slow: by how much fewer requests it is given, since all that counts
# is the cost of each.
Peer = namedtuple("Peer", "name argv slow can_vary can_list env")


def h2load(job):
    argv = ["h2load", "-t", "1", "-n", str(job.requests), "-c", str(job.connections), "-m",
            str(job.in_flight)]
    if job.upload_file:
        argv += ["-d", job.upload_file]
    return argv + (["-i", job.url_file] if job.url_file else [job.url])


def weft_load(program):
    def argv(job):
        line = [program, "-k", "-n", str(job.requests), "-c", str(job.connections), "-m",
                str(job.in_flight)]
        if job.upload_file:
            line += ["-d", job.upload_file]
        if job.varied:
            line += ["--unique-field", "x-request-id"]
        return line + (["-i", job.url_file] if job.url_file else [job.url])
    return argv


def driver(program):
    def argv(job):
        return [program, job.url, str(job.requests), str(job.in_flight), str(job.connections),
                job.upload_file or ""]
    return argv


DRIVERS = (("nghttp2", 1.0), ("curl", 0.1), ("go", 0.1))


def absent(found, wanted):
    """Names of the drivers that were wanted and were not built, for want of a library or of go."""
    names = wanted.split(",") if wanted else [name for name, _ in DRIVERS]
    return [name for name, _ in DRIVERS if name in names and name not in [p.name for p in found]]


def find(folder, wanted):
    """h2load first: the others are compared with it."""
    found = []

    def add(name, program, argv, slow=1.0, can_vary=False, can_list=False, env=None):
        if os.access(program, os.X_OK):
            found.append(Peer(name, argv, slow, can_vary, can_list, env or {}))

    add("h2load", shutil.which("h2load") or "", h2load, can_list=True)
    mine = os.path.join(folder, "weft-load")
    add("weft-load", mine, weft_load(mine), can_vary=True, can_list=True)
    for name, slow in DRIVERS:
        program = os.path.join(folder, "bench_peer_" + name)
        add(name, program, driver(program), slow, env={"GOMAXPROCS": "1"} if name == "go" else {})
    if wanted:
        names = wanted.split(",")
        found = [p for p in found if p.name in names or p.name == "h2load"]
    if not found or found[0].name != "h2load":
        raise SystemExit("h2load is not installed: there is nothing to compare with")
    return found
