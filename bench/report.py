"""Tables and a chart of what was measured."""
import datetime
import os
import pathlib
import platform
import re
import subprocess

from measure import median
from workloads import WORKLOADS, is_bulk

TRANSPORTS = {"cleartext": "cleartext", "tls": "TLS 1.3 AES-128-GCM"}
COLOURS = {"h2load": "#8a8f98", "weft-load": "#c2410c", "nghttp2": "#4f7cac", "curl": "#7a9e7e",
           "go": "#9b7fb0"}


def ratios(rows, name, key="cpu"):
    """Of each repetition, to h2load in the same repetition."""
    return sorted(mine[key] / base[key] for mine, base in zip(rows[name], rows["h2load"])
                  if mine and base and mine[key] and base[key])


def spread(values):
    """The interquartile range."""
    return values[-1 - len(values) // 4] - values[len(values) // 4]


def cell(values, digits=2):
    return "failed" if not values else f"{median(values):.{digits}f} ± {spread(values) / 2:.{digits}f}"


def cost(w, rows, name):
    value = median([r["cpu"] for r in rows[name] if r])
    if value is None:
        return "failed"
    return f"{value:.3f} s/GiB" if is_bulk(w) else f"{value * 1e6:.2f} µs"


def latency(rows, name, key):
    value = median([r[key] for r in rows[name] if r])
    return "" if value is None else f"{value:,.0f}"


def main_table(results):
    lines = ["| workload | transport | weft-load / h2load | target | weft-load | h2load |",
             "|---|---|---|---|---|---|"]
    for name, of in results.items():
        w = WORKLOADS[name]
        for number, transport in enumerate(TRANSPORTS):
            rows = of.get(transport)
            if not rows or "weft-load" not in rows:
                continue
            values, target = ratios(rows, "weft-load"), w.targets[number]
            shown = cell(values)
            if values and target and median(values) <= target:
                shown = f"**{shown}**"
            lines.append(f"| {w.what} | {transport} | {shown} | {'' if target is None else target} | "
                         f"{cost(w, rows, 'weft-load')} | {cost(w, rows, 'h2load')} |")
    return lines


def peers_table(results):
    names = []
    for of in results.values():
        for rows in of.values():
            names += [n for n in rows if n not in names and n != "h2load"]
    if names == ["weft-load"]:
        return []
    lines = ["", "Every client, CPU as a ratio to h2load's:", "",
             "| workload | transport | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for name, of in results.items():
        for transport, rows in of.items():
            shown = [f"{median(ratios(rows, n)):.2f}" if n in rows and ratios(rows, n) else ""
                     for n in names]
            lines.append(f"| {name} | {transport} | " + " | ".join(shown) + " |")
    return lines


def latency_table(results):
    lines = ["", "Latency of small requests, microseconds:", "",
             "| workload | transport | weft-load p50 | h2load p50 | ratio | weft-load p99 | h2load p99 |",
             "|---|---|---|---|---|---|---|"]
    for name, of in results.items():
        if is_bulk(WORKLOADS[name]):
            continue
        for transport, rows in of.items():
            if "weft-load" not in rows:
                continue
            lines.append(
                f"| {name} | {transport} | {latency(rows, 'weft-load', 'p50')} | "
                f"{latency(rows, 'h2load', 'p50')} | {cell(ratios(rows, 'weft-load', 'p50'))} | "
                f"{latency(rows, 'weft-load', 'p99')} | {latency(rows, 'h2load', 'p99')} |")
    return lines if len(lines) > 4 else []


def version(argv):
    try:
        out = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
        return out.splitlines()[0].strip() if out else ""
    except OSError:
        return ""


def caption(options):
    pinned = "scheduler's choice of cores" if options.unpinned else "client on core 0, server on core 1"
    return (f"Server {options.server}, {pinned}, {options.reps} interleaved repetitions, "
            f"{datetime.date.today()}, {os.cpu_count()} cores, Linux {'.'.join(platform.release().split('.')[:2])}, "
            f"{version(['h2load', '--version'])}. Median ± half the interquartile range; "
            "bold where the target is met.")


def absence(options):
    """Who is not in the table of every client, though it might have been."""
    if not options.absent:
        return []
    return ["", f"Not measured, since not there: {', '.join(options.absent)} (bench/README.md)."]


def tables(results, options):
    every = peers_table(results)
    return "\n".join([caption(options), ""] + main_table(results) + every +
                     (absence(options) if every else []) +
                     latency_table(results))


def bar(x, y, width, colour, text):
    return (f'<rect x="{x}" y="{y}" width="{width:.1f}" height="12" fill="{colour}"/>'
            f'<text x="{x + width + 4:.1f}" y="{y + 10}" font-size="10">{text}</text>')


def chart(results):
    """Bars of ratios to h2load, cut at 2.5 for the clients that need twenty times as much."""
    body, y, left, unit, most = [], 40, 190, 170, 2.5
    for name, of in results.items():
        for transport, rows in of.items():
            top = y
            for peer in rows:
                values = ratios(rows, peer)
                if not values:
                    continue
                value = median(values)
                text = f"{value:.2f}" + (" →" if value > most else "")
                body.append(bar(left, y, min(value, most) * unit, COLOURS.get(peer, "#000"), text))
                y += 14
            body.append(f'<text x="{left - 8}" y="{(top + y) / 2 + 2}" font-size="11" '
                        f'text-anchor="end">{name} {transport}</text>')
            y += 8
    legend = "".join(f'<rect x="{left + i * 90}" y="12" width="10" height="10" fill="{c}"/>'
                     f'<text x="{left + i * 90 + 14}" y="21" font-size="11">{n}</text>'
                     for i, (n, c) in enumerate(COLOURS.items())
                     if any(n in rows for of in results.values() for rows in of.values()))
    line = f'<line x1="{left + unit}" y1="30" x2="{left + unit}" y2="{y}" stroke="#bbb"/>'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + most * unit + 70:.0f}" '
            f'height="{y + 10}" font-family="sans-serif"><rect width="100%" height="100%" '
            f'fill="#fff"/>{line}{legend}{"".join(body)}</svg>\n')


def put_between(path, mark, text):
    begin, end = f"<!-- bench {mark} -->", f"<!-- end of bench {mark} -->"
    page = path.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    if not pattern.search(page):
        raise SystemExit(f"{path} has no place for '{mark}'")
    page = pattern.sub(lambda _: f"{begin}\n{text}\n{end}", page)
    path.write_text(page, encoding="utf-8")


def write(root, options, text, results):
    docs = pathlib.Path(root) / "docs"
    if options.nghttpd:
        put_between(pathlib.Path(root) / "bench/README.md", "nghttpd", text)
    elif options.memory or options.instructions:
        put_between(docs / "PERFORMANCE.md", "memory" if options.memory else "instructions", text)
    else:
        mark = options.place or options.server + (" unpinned" if options.unpinned else "")
        put_between(docs / "PERFORMANCE.md", mark, text)
        if mark == "null":
            (docs / "performance.svg").write_text(chart(results), encoding="utf-8")
