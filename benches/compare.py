#!/usr/bin/env python3
"""Holds this crate against a Python program that works as the system before it did.

    cargo build --release --benches && benches/compare.py 100000000 [pairs [folder]] [-- more words]

Both get the same data, already in memory, and run one after the other (A B A B), each in a process
of its own. What counts is the median of the ratios of the pairs: it moves little with the load of
the machine. Words after `--` go to the bench as they are (`--workers 1`, `--compression fast`).
"""

import glob
import json
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


def main():
    words, more = sys.argv[1:], []
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
