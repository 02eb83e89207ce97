"""Measures runner beside others and prints one table. `run.py RUNNER SCAN LOAD FOLDER ZONES [ROUNDS]`

The candidates of a comparison take turns, so that a busy machine slows them alike; each figure is the median of its rounds, each
ratio the median over its own rounds. A process is measured by what it says of itself, without its start."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

runner, scan, load, folder, zones, *rest = sys.argv[1:]
ROUNDS = int(rest[0]) if rest else 5
HERE = os.path.dirname(os.path.abspath(__file__))
PIPELINE = os.path.join(HERE, "..", "pipelines", "bronx-taxi.yaml")


def said(*command: str) -> list[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def row(what: str, figure: str, aim: str = "", ratio: str = "") -> None:
    print(f"{what:58} {figure:>24} {ratio:>16} {aim:>9}", flush=True)


def scans(case: str, file: str, threads: str, others: list[str], rounds: int) -> None:
    ours, theirs = [], {other: [] for other in others}
    for _ in range(rounds):
        ours.append(float(said(scan, case, file, zones, threads)[0]))
        for other in others:
            rival = said(sys.executable, os.path.join(HERE, "rivals.py"), other, case, file, zones, threads)
            theirs[other].append(float(rival[0]))
    row(f"scan {case}, {threads} thread(s): runner", f"{statistics.median(ours):.2f} s")
    for other, times in theirs.items():
        ratios = [our / their for our, their in zip(ours, times)]
        row(f"  {other}", f"{statistics.median(times):.2f} s", "<= 1.5", f"{statistics.median(ratios):.2f}x")


def memory() -> None:
    """The scan's peak for a file and for one of four times as many rows."""
    for case in ("bronx", "all"):
        once, four = (int(said(scan, case, f"{folder}/{name}", zones, "1")[3]) for name in ("trips.parquet", "trips-x4.parquet"))
        row(f"scan {case}: peak memory, file and 4x file", f"{once / 1024:.0f} and {four / 1024:.0f} MiB", "", f"{four / once:.2f}x")


def loads(rows: str, rounds: int) -> None:
    seconds = {"bare": [], "topic": []}
    for _ in range(rounds):
        for case, times in seconds.items():
            line = subprocess.run([load, rows, case], check=True, capture_output=True, text=True).stdout
            times.append(int(rows) / float(line.split(" rows/s")[0].split()[-1]))
            peak = line.strip().split("peak ")[-1]
        row(f"  a round: {rows} relationships, messages to store", f"{int(rows) / seconds['topic'][-1]:,.0f} rows/s", "", peak)
    ratios = [topic / bare for topic, bare in zip(seconds["topic"], seconds["bare"])]
    median = statistics.median(seconds["bare"])
    row(f"load {rows} relationships over the bare engine", f"{median:.1f} s bare", "<= 1.5", f"{statistics.median(ratios):.2f}x")


def commands(rounds: int) -> None:
    def timed(*command: str) -> tuple[float, int]:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, command
        return time.perf_counter() - begun, usage.ru_maxrss

    validate = [timed(runner, "validate", PIPELINE) for _ in range(rounds * 4)]
    row("validate bronx-taxi", f"{statistics.median(s for s, _ in validate) * 1000:.0f} ms", "< 50 ms")
    row("  peak memory", f"{statistics.median(m for _, m in validate) / 1024:.0f} MiB", "< 40")
    runs = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as state:
            runs.append(timed(runner, "run", PIPELINE, "--target", "embedded", "--state-dir", state, "--report-dir", f"{state}/report"))
    row("run bronx-taxi", f"{statistics.median(s for s, _ in runs) * 1000:.0f} ms", "< 1 s")
    row("  peak memory", f"{statistics.median(m for _, m in runs) / 1024:.0f} MiB")


commands(ROUNDS)
row("size of the program", f"{os.path.getsize(runner) / 1e6:.0f} MB", "< 90 MB")
file = f"{folder}/trips.parquet"
scans("bronx", file, "1", ["duckdb", "pyarrow"], ROUNDS)
scans("bronx", file, "2", ["duckdb", "pyarrow"], ROUNDS)
scans("all", file, "1", ["duckdb"], max(ROUNDS // 2, 1))
memory()
loads("1000000", max(ROUNDS // 2, 1))
