"""Measures loads into a real Neo4j by runner and by others, and prints one table. `measure.py RUNNER EXTERNAL FOLDER [ROWS [ROUNDS]]`

The servers are the test bed's own, started here and ended with this process. The candidates of a round take turns on the same two
servers, each with a label, a relationship type and a topic of its own; the first round only warms the server up. A figure is the
median of the rounds, a ratio the median over the rounds' own. What is measured, and how, is told in docs/benchmarks.md."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import neo4j
import trips
from mappings import MAPPINGS, PASSWORD, pipeline

HERE = Path(__file__).resolve().parent
SERVER = HERE.parent.parent / "tests" / "testbed" / "server"
WARM_ROWS = 200_000
# How many rows those load whose names begin so: they are slow, and as flat over these as over more.
FEWER_ROWS = {"(c)": 200_000, "(e)": 200_000}
SINGLE_ROWS = 3_000
BATCH = "5000"
ENVIRONMENT = {**os.environ, "NEO4J_PASSWORD": PASSWORD}
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    rate: float
    server: float = 0.0
    client: float = 0.0
    broker: float = 0.0
    peak: float = 0.0
    flat: float = 0.0


class Server:
    """A server of the test bed. It ends when its standard input does, so with this process whatever ends it."""

    def __init__(self, kind: str, *options: str):
        command = [SERVER, "run", kind, "new", *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.facts = {}
        while (line := self.process.stdout.readline()) != "ready\n":
            assert line, f"{kind} did not start"
            self.facts.update([line.strip().split("=", 1)] if "=" in line else [])

    def __enter__(self) -> dict:
        return self.facts

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def cpu(pid: str) -> float:
    """The CPU time of a process so far, user and system, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def confine(pid: int, cores: set):
    """Has all threads of a process run on these cores; those that it makes later will, too."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def memory(pid: int) -> float:
    """The most memory that a process has had so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


class Growth:
    """How a relationship type grows: looked at every 50 ms, which costs the server a look at its counts."""

    def __init__(self, driver: neo4j.Driver, kind: str):
        self.points, self.ended = [], threading.Event()
        self.thread = threading.Thread(target=self.look, args=(driver, f"MATCH ()-[r:{kind}]->() RETURN count(r)"))
        self.thread.start()

    def look(self, driver: neo4j.Driver, statement: str):
        with driver.session() as session:
            while not self.ended.wait(0.05):
                self.points.append((time.monotonic(), session.run(statement).single()[0]))

    def flatness(self, rows: int) -> float:
        """The rate of the last fifth over that of the first; a beginning at the first rows seen."""
        self.ended.set()
        self.thread.join()
        seen = [point for point in self.points if point[1] > 0]
        if len(seen) < 10:
            return float("nan")
        at = lambda share: min(seen, key=lambda point: abs(point[1] - seen[0][1] - share * (rows - seen[0][1])))
        (a, first), (b, fifth), (c, fourth), (d, last) = at(0), at(0.2), at(0.8), at(1)
        return (last - fourth) / max(d - c, 0.05) / ((fifth - first) / max(b - a, 0.05))


class Bench:
    def __init__(self, runner: str, external: str, folder: Path, bolt: dict, kafka: dict):
        self.runner, self.external, self.folder = runner, external, folder
        self.bolt, self.pid, self.kafka = bolt["bolt"], bolt["pid"], kafka["plaintext"]
        self.broker = kafka["pid"]
        self.driver = neo4j.GraphDatabase.driver(f"bolt://{self.bolt}", auth=("neo4j", PASSWORD), notifications_min_severity="OFF")
        self.files, self.round = None, 0

    def use(self, rows: int):
        """Makes the files that are loaded."""
        self.files = trips.make(self.folder, rows)

    def produce(self, case: str, topic: str, partitions: int) -> Figures:
        return self.say([self.external, "produce", case, self.kafka, topic, str(partitions), self.files.json])

    def say(self, command: list, rows: int | None = None) -> Figures:
        """Runs a program that prints rows, seconds and CPU seconds."""
        line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        moved, seconds, used = (float(word) for word in line.split())
        assert rows is None or moved == rows, line
        return Figures(moved / seconds, client=used / moved * 1e6)

    def run(self, name: str, mapping: str, partitions: int, source: bool) -> Figures:
        """runner itself, its stream stage only: when it begins and ends, it says so."""
        rows = self.files.rows
        with tempfile.TemporaryDirectory() as desk:
            file = Path(desk) / "pipeline.yaml"
            parquet = self.files.parquet if source else None
            file.write_text(pipeline(name, MAPPINGS[mapping], self.kafka, self.bolt, partitions, parquet))
            command = [self.runner, "run", file, "--state-dir", f"{desk}/state", "--report-dir", f"{desk}/report", "--output", "json"]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
            used, moments = {}, {}
            for line in process.stdout:
                event = json.loads(line)
                if event.get("stage") == "stream" and event["event"] in ("stageStarted", "stageFinished"):
                    moments[event["event"]] = [cpu(pid) for pid in (self.pid, process.pid, self.broker)]
                    peak = memory(process.pid)
                    used = event
            complaint = process.stderr.read()
            assert process.wait() == 0, complaint
        spent = zip(moments["stageStarted"], moments["stageFinished"])
        server, client, broker = ((then - before) / rows * 1e6 for before, then in spent)
        return Figures(rows / used["seconds"], server, client, broker, peak)

    def load(self, name: str, mapping: str, partitions: int) -> Figures:
        """A load by runner from a topic that is full already, and whose pipeline has no source therefore."""
        self.produce("runner", name, partitions)
        return self.watched(name, self.files.rows, lambda: self.run(name, mapping, partitions, source=False))

    def watched(self, label: str, rows: int, work) -> Figures:
        growth, before = Growth(self.driver, f"TRIP_{label}"), cpu(self.pid)
        try:
            figures = work()
            figures.server = figures.server or (cpu(self.pid) - before) / rows * 1e6
        finally:
            figures_flat = growth.flatness(rows)
        figures.flat = figures_flat
        records, _, _ = self.driver.execute_query(f"MATCH ()-[r:TRIP_{label}]->() RETURN count(r)")
        assert records[0][0] == rows, (label, records, rows)
        return figures

    def rival(self, case: str, label: str, rows: int) -> Figures:
        """LOAD CSV and the Python driver, in a process of their own."""
        command = [sys.executable, HERE / "rivals.py", case, self.bolt, label, self.files.csv, str(rows), BATCH]
        return self.watched(label, rows, lambda: self.say(command, rows))

    def ceiling(self, label: str, connections: int) -> Figures:
        self.driver.execute_query(f"CREATE CONSTRAINT FOR (n:{label}) REQUIRE n.name IS UNIQUE")
        command = [self.external, "bolt", self.bolt, PASSWORD, label, BATCH, str(connections), self.files.json]
        return self.watched(label, self.files.rows, lambda: self.say(command, self.files.rows))

    @contextmanager
    def apart(self):
        """The server on one half of the cores and everything else on the other, as if it were another machine."""
        cores = sorted(os.sched_getaffinity(0))
        half = len(cores) // 2
        confine(self.pid, set(cores[:half] or cores))
        for pid in (self.broker, os.getpid()):
            confine(pid, set(cores[half:]))
        try:
            yield
        finally:
            for pid in (self.pid, self.broker, os.getpid()):
                confine(pid, set(cores))

    def whole(self, label: str) -> Figures:
        work = lambda: self.run(label, "declared", 2, source=True)
        return self.watched(label, self.files.rows, work)


def apart(work):
    """The same work, with the server apart."""
    def apart_from_the_server(bench: Bench, label: str) -> Figures:
        with bench.apart():
            return work(bench, label)
    return apart_from_the_server


def load(mapping: str, partitions: int):
    return lambda bench, label: bench.load(label, mapping, partitions)


def ceiling(connections: int):
    return lambda bench, label: bench.ceiling(label, connections)


def rival(case: str, rows: int | None = None):
    return lambda bench, label: bench.rival(case, label, rows or bench.files.rows)


CANDIDATES = {
    "(a) runner, declared, 1 partition": load("declared", 1),
    "(a) runner, declared, 2 partitions": load("declared", 2),
    "(g) Bolt by hand, pipelined, 1 connection": ceiling(1),
    "(g) Bolt by hand, pipelined, 2 connections": ceiling(2),
    "(A) as (a), 1 partition, server apart": apart(load("declared", 1)),
    "(A) as (a), 2 partitions, server apart": apart(load("declared", 2)),
    "(G) as (g), 1 connection, server apart": apart(ceiling(1)),
    "(G) as (g), 2 connections, server apart": apart(ceiling(2)),
    "(b) runner, raw CREATE, 2 partitions": load("create", 2),
    "(c) runner, the seed's MERGE, 2 partitions": load("merge", 2),
    "(d) LOAD CSV, 5,000 a transaction": rival("csv"),
    "(e) Python driver, UNWIND of 5,000": rival("unwind"),
    "(f) Python driver, a transaction a row": rival("single", SINGLE_ROWS),
    "    runner, declared, from parquet on": Bench.whole,
}
PRODUCERS = {"runner": "produce: runner", "bare": "produce: bare loop, no headers", "headers": "produce: bare loop, runner's headers"}


def one_round(bench: Bench, rows: int, only: tuple) -> dict:
    """Each candidate in turn; `only` says how the names of those begin that are wanted, where not all are."""
    bench.use(rows)
    bench.round += 1
    found = {}
    for case, name in PRODUCERS.items():
        if not only or name.startswith(only):
            found[name] = bench.produce(case, f"Produce{case}{bench.round}", 3)
    # The server gets faster for minutes: who comes first in one round comes last in the next.
    candidates = list(enumerate(CANDIDATES.items()))
    for place, (name, work) in candidates if bench.round % 2 else candidates[::-1]:
        if not only or name.startswith(only):
            bench.use(min(rows, FEWER_ROWS.get(name[:3], rows)))
            found[name] = work(bench, f"L{place}R{bench.round}")
    return found


def table(rounds: list, rows: int):
    print(f"{rows:,} rows, {len(rounds)} round(s), load average {os.getloadavg()[0]:.1f}")
    print(f"{'':44}{'rows/s':>10}{'server':>9}{'client':>9}{'broker':>9}{'peak':>9}{'last/first':>12}")
    print(f"{'':44}{'':>10}{'us/row':>9}{'us/row':>9}{'us/row':>9}{'MiB':>9}{'fifth':>12}")
    middle = lambda values: statistics.median(values)
    names = [name for name in (*PRODUCERS.values(), *CANDIDATES) if name in rounds[0]]
    for name in names:
        all_of = lambda field: middle(getattr(one[name], field) for one in rounds)
        spent = "".join(f"{all_of(who):9.1f}" if all_of(who) else f"{'':9}" for who in ("server", "client", "broker"))
        flat = f"{all_of('flat'):12.2f}" if all_of("flat") else ""
        print(f"{name:44}{all_of('rate'):10,.0f}{spent}{all_of('peak') or float('nan'):9.0f}{flat}")
    print()
    for one, other, aim in AIMS:
        ours, theirs = ([name for name in names if name.startswith(prefix)] for prefix in (one, other))
        if ours and theirs:
            best = lambda found, names: max(found[name].rate for name in names)
            ratios = [best(found, ours) / best(found, theirs) for found in rounds]
            print(f"{one} / {other:44}{middle(ratios):8.2f}x   aim {aim}")


AIMS = [
    ("(a)", "(g)", ">= 0.8"),
    ("(a) runner, declared, 1", "(g) Bolt by hand, pipelined, 1", ">= 0.8"),
    ("(A)", "(G)", ">= 0.8"),
    ("(A) as (a), 1", "(G) as (g), 1", ">= 0.8"),
    ("(a)", "(d)", ">= 1.5"),
    ("(a)", "(f)", ">= 75"),
    ("(c)", "(f)", ">= 20"),
    ("produce: runner", "produce: bare loop, no headers", ">= 0.9"),
    ("produce: runner", "produce: bare loop, runner's headers", ">= 0.9"),
]


def main():
    runner, external, folder, *rest = sys.argv[1:]
    rows = int(rest[0]) if rest else WARM_ROWS
    count = int(rest[1]) if len(rest) > 1 else 3
    only = tuple(filter(None, os.environ.get("ONLY", "").split("|")))
    with Server("neo4j-5.26", "heap=1g", "pagecache=1g") as bolt, Server("kafka-4.1") as kafka:
        bench = Bench(runner, external, Path(folder), bolt, kafka)
        one_round(bench, min(rows, WARM_ROWS), only)
        rounds = []
        for _ in range(count):
            rounds.append(one_round(bench, rows, only))
            table(rounds[-1:], rows) if os.environ.get("EACH") else None
        bench.driver.close()
    table(rounds, rows)
    print("(c) and (e) load at most 200,000 rows, (f) loads 3,000")


if __name__ == "__main__":
    main()
