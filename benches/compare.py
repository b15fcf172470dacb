#!/usr/bin/env python3
"""Holds this crate against a Python program that works as the system before it did.

    cargo build --release --benches && benches/compare.py 100000000 [pairs [folder]] [-- more words]
    benches/compare.py chart cost.svg [folder]

Both get the same data, already in memory, and run one after the other (A B A B), each in a process
of its own. What counts is the median of the ratios of the pairs: it moves little with the load of
the machine. Words after `--` go to the bench as they are (`--workers 1`, `--compression fast`).
"""

import glob
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile

# The old algorithm, from its description: JSON with an indent of 2 into a temporary file, that file
# and the metadata into a ZIP at the default level; a restore reads the ZIP's entry and parses it.
ORIGINAL = r"""
import datetime, json, os, sys, time, zipfile

def create(data, folder):
    temporary = os.path.join(folder, "temp_data.json")
    metadata = {
        "created_at": datetime.datetime.now().isoformat(),
        "backup_version": "1.0",
        "records_count": {name: len(section) for name, section in data.items()},
    }
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False, indent=2)
    archive = os.path.join(folder, "original.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zip:
        zip.write(temporary, "data.json")
        zip.writestr("metadata.json", json.dumps(metadata, ensure_ascii=False, indent=2))
    os.remove(temporary)
    return archive

def restore(archive):
    with zipfile.ZipFile(archive) as zip:
        with zip.open("metadata.json") as file:
            json.load(file)
        with zip.open("data.json") as file:
            return json.loads(file.read().decode("utf-8"))

def kilobytes(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))

task, folder, source, runs = sys.argv[1:5]
with open(source, encoding="utf-8") as file:
    data = json.load(file)
if task == "restore":
    archive = create(data, folder)
    del data
seconds, cpu, extra = [], [], 0
for _ in range(int(runs)):
    try:
        open("/proc/self/clear_refs", "w").write("5")
    except OSError:
        pass
    resident, wall, used = kilobytes("VmRSS:"), time.perf_counter(), time.process_time()
    if task == "create":
        archive = create(data, folder)
    else:
        restored = restore(archive)
    seconds.append(time.perf_counter() - wall)
    cpu.append(time.process_time() - used)
    extra = max(extra, kilobytes("VmHWM:") - resident)
    restored = None
middle = len(seconds) // 2
print(json.dumps({
    "seconds": sorted(seconds)[middle], "cpu": sorted(cpu)[middle], "extra_kb": extra,
    "archive": os.path.getsize(archive),
}))
"""


def bench():
    """The newest build of the bench."""
    here = os.path.dirname(os.path.abspath(__file__))
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(here, "..", "target"))
    found = glob.glob(os.path.join(target, "release", "deps", "backup-*"))
    found = [path for path in found if os.access(path, os.X_OK) and not path.endswith(".d")]
    if not found:
        sys.exit("first: cargo build --release --benches")
    return max(found, key=os.path.getmtime)


def ours(program, task, size, runs, folder, more):
    words = [program, "measure", task, "--size", str(size), "--runs", str(runs)]
    done = subprocess.run(
        words + ["--folder", folder] + more,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("{")]
    return json.loads(lines[-1])


def original(task, source, runs, folder):
    with tempfile.TemporaryDirectory(dir=folder) as place:
        words = [sys.executable, "-c", ORIGINAL, task, place, source, str(runs)]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def compare(task, theirs, pairs, one, other):
    rows = [(one(theirs), other(task)) for _ in range(pairs)]
    ratio = lambda name: statistics.median(a[name] / b[name] for a, b in rows if b[name])
    middle = lambda side, name: statistics.median(row[side][name] for row in rows)
    print(
        f"| {task} | {middle(0, 'seconds'):.4f} | {middle(1, 'seconds'):.4f}"
        f" | **{ratio('seconds'):.2f}** | {ratio('cpu') if rows[0][1]['cpu'] else 0:.2f}"
        f" | {rows[0][1]['archive'] / rows[0][0]['archive']:.3f}"
        f" | {max(row[0]['extra_kb'] for row in rows)} | {max(row[1]['extra_kb'] for row in rows)} |",
        flush=True,
    )


SIZES = [50_000, 500_000, 5_000_000, 50_000_000, 1_000_000_000]
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 400, 70, 30, 50


def chart(picture, folder):
    """Draws what a create costs, by the size of its data; both axes are logarithmic."""
    rows = []
    for size in SIZES:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            source, runs = os.path.join(place, "data.json"), max(1, min(25, 10_000_000 // size))
            words = [bench(), "measure", "data", "--size", str(size), "--folder", source]
            subprocess.run(words, check=True)
            theirs = original("create", source, runs, place)["seconds"]
            mine = ours(bench(), "create", size, runs, place, [])["seconds"]
        rows.append((size, theirs, mine))
        print(f"{size} bytes: original {theirs:.4f} s, ours {mine:.4f} s", flush=True)
    with open(picture, "w", encoding="utf-8") as file:
        file.write(drawn(rows))


def drawn(rows):
    right, low = WIDTH - 150, HEIGHT - BOTTOM
    across = lambda size: LEFT + (right - LEFT) * (math.log10(size) - 4.5) / 4.75
    down = lambda seconds: low - (low - TOP) * (math.log10(seconds) + 3) / 5
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for power, name in zip(range(-3, 3), ["1 ms", "10 ms", "0.1 s", "1 s", "10 s", "100 s"]):
        y = down(10**power)
        lines.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>')
    for size, name in zip(SIZES, ["50 KB", "500 KB", "5 MB", "50 MB", "1 GB"]):
        lines.append(f'<path d="M{across(size):.1f} {TOP}V{low}" stroke="#eee"/>')
        lines.append(f'<text x="{across(size):.1f}" y="{low + 20}" text-anchor="middle">{name}</text>')
    for column, name, colour in [(1, "Python", "#b33"), (2, "teloxide-backup", "#26a")]:
        points = [(across(row[0]), down(row[column])) for row in rows]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
        x, y = points[-1]
        lines.append(f'<text x="{x + 10:.1f}" y="{y + 4:.1f}" fill="{colour}">{name}</text>')
    return "\n".join(lines + ["</svg>", ""])


def main():
    words, more = sys.argv[1:], []
    if words[:1] == ["chart"]:
        return chart(words[1], words[2] if len(words) > 2 else tempfile.gettempdir())
    if "--" in words:
        at = words.index("--")
        words, more = words[:at], words[at + 1:]
    size = int(words[0])
    pairs = int(words[1]) if len(words) > 1 else 3
    folder = words[2] if len(words) > 2 else tempfile.gettempdir()
    runs = max(1, min(25, 10_000_000 // size))
    program = bench()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        source = os.path.join(place, "data.json")
        subprocess.run([program, "measure", "data", "--size", str(size), "--folder", source], check=True)
        load = os.getloadavg()[0]
        print(f"{os.path.getsize(source)} bytes, {pairs} pairs, {runs} runs each, {folder}, load {load:.1f}")
        print("| what | original s | ours s | times faster | CPU | archive | original +KB | ours +KB |")
        print("|---|---|---|---|---|---|---|---|")
        theirs = lambda task: original(task, source, runs, place)
        mine = lambda task: ours(program, task, size, runs, place, more)
        compare("create", "create", pairs, theirs, mine)
        compare("restore", "restore", pairs, theirs, mine)
        compare("verify", "restore", pairs, theirs, mine)
        print(f"load at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
