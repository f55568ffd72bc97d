"""What is measured, and the targets that it is held to."""
from collections import namedtuple

MIB = 1 << 20
GIB = 1 << 30

# body: octets of each response. upload: octets of each request. paths: how many different ones.
# varied: another field in each request (weft-load only: h2load cannot). dates: another date in each
# response. targets: the highest ratio to h2load, cleartext and TLS.
Workload = namedtuple("Workload", "what body requests in_flight connections upload paths varied dates targets")


def workload(what, body, requests, in_flight, connections=1, upload=0, paths=1, varied=False,
             dates=False, targets=(None, None)):
    return Workload(what, body, requests, in_flight, connections, upload, paths, varied, dates,
                    targets)


WORKLOADS = {
    "A100": workload("10-byte GET, 1 connection, 100 in flight", 10, 200000, 100,
                     targets=(0.30, 0.35)),
    "B": workload("10-byte GET, 10 connections, 100 in flight each", 10, 300000, 100, 10,
                  targets=(0.30, 0.35)),
    "K100": workload("1 KiB GET, 1 connection, 100 in flight", 1024, 200000, 100,
                     targets=(0.35, 0.50)),
    "A10": workload("10-byte GET, 10 in flight", 10, 100000, 10, targets=(0.60, 0.65)),
    "A1": workload("10-byte GET, 1 in flight", 10, 20000, 1, targets=(1.1, 1.0)),
    "P100": workload("1,000 paths, a field that differs, a `date` that changes, 100 in flight",
                     10, 100000, 100, paths=1000, varied=True, dates=True,
                     targets=(0.50, 0.55)),
    "Q100": workload("the same without the field, as h2load does it", 10, 100000, 100, paths=1000,
                     dates=True),
    "C": workload("128 MiB download", 128 * MIB, 4, 1, targets=(0.65, 0.90)),
    "D": workload("1 MiB downloads, 100 at a time", MIB, 300, 100, targets=(0.70, 0.95)),
    "E": workload("100 MiB upload", 10, 3, 1, upload=100 * MIB, targets=(0.35, 0.75)),
    "nghttpd": workload("-n 100000 -c 1 -m 100", 10, 100000, 100),
}


def select(options):
    names = options.workloads.split(",") if options.workloads else [
        n for n in WORKLOADS if n != "nghttpd"]
    unknown = [n for n in names if n not in WORKLOADS]
    if unknown:
        raise SystemExit("no such workload: " + ", ".join(unknown))
    return {n: WORKLOADS[n] for n in names}


def units(w, requests):
    """How many units of work: GiB in bulk, requests otherwise."""
    octets = max(w.body, w.upload)
    return requests * octets / GIB if is_bulk(w) else requests


def is_bulk(w):
    return max(w.body, w.upload) >= MIB
