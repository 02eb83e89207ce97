"""Loads the same rows into a real Neo4j by runner and by others, one after the other, and prints one table.

Usage: external.py RUNNER CACHE [ROWS]. `make bench` calls it; the servers are the test bed's own, in a folder of their own.
What is measured: rows a second of the load, and the CPU time of the server's process (utime + stime) a row, which a busy
machine moves less. runner's rate is that of its stream stage: parquet, filter, topic, graph, with checkpoints.
"""

import datetime
import json
import os
import pathlib
import random
import resource
import subprocess
import sys
import time

import neo4j
import pyarrow
import pyarrow.csv
import pyarrow.parquet

runner, cache = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
rows = int(sys.argv[3]) if len(sys.argv) > 3 else 200_000
home = pathlib.Path(__file__).resolve().parent.parent
folder = cache / "external"
folder.mkdir(parents=True, exist_ok=True)
PASSWORD = "runner-dev-password"
ONE_BY_ONE = 3_000

FILE = """\
apiVersion: runner.dev/v1alpha1
kind: Pipeline
metadata: {{ name: {name} }}
spec:
  infrastructure:
    external:
      kafka: {{ bootstrap: "{kafka}" }}
      neo4j: {{ uri: "bolt://{bolt}", passwordFrom: {{ env: NEO4J_PASSWORD }} }}
  source: {{ parquet: trips.parquet }}
  topic: {{ name: {name}, partitions: 2, key: a }}
  stream: {{ batchRows: 5000 }}
  mapping:
{mapping}
"""
DECLARED = """\
    nodes:
      - { name: p, label: LABEL, keys: { name: { column: a } } }
      - { name: d, label: LABEL, keys: { name: { column: b } } }
    relationships:
      - type: TRIP
        from: p
        to: d
        mode: create
        properties: { n: {}, distance: {}, fare: {}, pickup: { type: datetime }, dropoff: { type: datetime } }
"""
PROPERTIES = (
    "{n: event.n, distance: event.distance, fare: event.fare, "
    "pickup: datetime(event.pickup), dropoff: datetime(event.dropoff)}"
)
RAW = f"""\
    cypher: |
      MERGE (p:LABEL {{name: event.a}})
      MERGE (d:LABEL {{name: event.b}})
      VERB (p)-[:TRIP {PROPERTIES}]->(d)
"""
EVENT = (
    f"MERGE (p:LABEL {{name: toInteger(event.a)}}) MERGE (d:LABEL {{name: toInteger(event.b)}}) "
    f"CREATE (p)-[:TRIP {PROPERTIES}]->(d)"
)


def data():
    random.seed(7)
    begin = datetime.datetime(2022, 3, 1)
    times = lambda late: [begin + datetime.timedelta(seconds=n + late) for n in range(rows)]
    table = pyarrow.table({
        "n": list(range(rows)),
        "a": [random.randrange(43) for _ in range(rows)],
        "b": [random.randrange(43) for _ in range(rows)],
        "distance": [random.random() * 20 for _ in range(rows)],
        "fare": [round(random.random() * 60, 2) for _ in range(rows)],
        "pickup": pyarrow.array(times(0), pyarrow.timestamp("us")),
        "dropoff": pyarrow.array(times(600), pyarrow.timestamp("us")),
    })
    pyarrow.parquet.write_table(table, folder / "trips.parquet")
    texts = [table["pickup"], table["dropoff"]]
    texts = [pyarrow.compute.strftime(column, format="%Y-%m-%dT%H:%M:%S") for column in texts]
    flat = table.set_column(5, "pickup", texts[0]).set_column(6, "dropoff", texts[1])
    (folder / "neo4j" / "import").mkdir(exist_ok=True)
    pyarrow.csv.write_csv(flat, folder / "neo4j" / "import" / "trips.csv")
    return flat.to_pylist()


def server(*arguments):
    answer = subprocess.run([home / "tests/testbed/server", *arguments], check=True, capture_output=True, text=True)
    return dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)


def server_cpu(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def by_runner(name, mapping, kafka, bolt):
    mapping = mapping.replace("LABEL", name.capitalize()).replace("TRIP", f"TRIP_{name.upper()}").rstrip()
    (folder / f"{name}.yaml").write_text(FILE.format(name=name, mapping=mapping, kafka=kafka, bolt=bolt))
    report = folder / "report" / name
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [runner, "run", f"{name}.yaml", "--state-dir", folder / "state", "--report-dir", report, "--fresh", "--yes"],
        cwd=folder, check=True, capture_output=True, env={**os.environ, "NEO4J_PASSWORD": PASSWORD},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    stages = json.loads((report / "report.json").read_text())["stages"]
    return rows, next(stage["seconds"] for stage in stages if stage["name"] == "stream"), client


def timed(count, work):
    begun, cpu = time.monotonic(), time.process_time()
    work()
    return count, time.monotonic() - begun, time.process_time() - cpu


def main():
    for kind in ("neo4j", "kafka"):
        subprocess.run([home / "tests/testbed/server", "down", folder / kind], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", folder / kind], check=True)
    bolt = server("up", "neo4j-5.26", str(folder / "neo4j"), "heap=1g")
    try:
        kafka = server("up", "kafka-4.1", str(folder / "kafka"))
        measure(kafka["plaintext"], bolt["bolt"], bolt["pid"], data())
    finally:
        for kind in ("kafka", "neo4j"):
            subprocess.run([home / "tests/testbed/server", "down", folder / kind], capture_output=True, check=False)


def measure(kafka, bolt, pid, events):
    driver = neo4j.GraphDatabase.driver(f"bolt://{bolt}", auth=("neo4j", PASSWORD))
    session = driver.session()
    pid = int((folder / "neo4j" / "pid").read_text())

    def statement(label, text):
        text = text.replace("LABEL", label).replace("TRIP", f"TRIP_{label.upper()}")
        session.run(f"CREATE CONSTRAINT IF NOT EXISTS FOR (n:{label}) REQUIRE n.name IS UNIQUE").consume()
        return text

    def load_csv():
        load = "LOAD CSV WITH HEADERS FROM 'file:///trips.csv' AS event CALL (event) {{ {} }} IN TRANSACTIONS OF 5000 ROWS"
        session.run(load.format(statement("Csv", EVENT.replace("event.distance", "toFloat(event.distance)")))).consume()

    def python_unwind():
        text = f"UNWIND $events AS event {statement('Python', EVENT)}"
        for at in range(0, rows, 5_000):
            session.execute_write(lambda tx, at=at: tx.run(text, events=events[at:at + 5_000]).consume())

    def one_by_one():
        text = statement("Seed", EVENT.replace("CREATE", "MERGE"))
        for event in events[:ONE_BY_ONE]:
            session.execute_write(lambda tx, event=event: tx.run(text, event=event).consume())

    candidates = {
        "warm": lambda: by_runner("warm", DECLARED, kafka, bolt),
        "(a) runner, declared": lambda: by_runner("declared", DECLARED, kafka, bolt),
        "(b) runner, raw CREATE": lambda: by_runner("create", RAW.replace("VERB", "CREATE"), kafka, bolt),
        "(c) runner, raw MERGE": lambda: by_runner("merge", RAW.replace("VERB", "MERGE"), kafka, bolt),
        "(d) LOAD CSV, 5,000 a transaction": lambda: timed(rows, load_csv),
        "(e) Python driver, UNWIND 5,000": lambda: timed(rows, python_unwind),
        "(f) Python driver, a transaction a row": lambda: timed(ONE_BY_ONE, one_by_one),
        "(a) runner, declared, again": lambda: by_runner("again", DECLARED, kafka, bolt),
    }
    print(f"{rows} rows; load average {os.getloadavg()[0]:.1f}")
    print(f"{'':40}{'rows/s':>10}{'server us/row':>15}{'client us/row':>15}")
    for name, work in candidates.items():
        before = server_cpu(pid)
        count, seconds, client = work()
        cpu = server_cpu(pid) - before
        figures = (count / seconds, cpu / count * 1e6, client / count * 1e6)
        print(f"{name:40}{figures[0]:>10,.0f}{figures[1]:>15.1f}{figures[2]:>15.1f}", flush=True)


main()
