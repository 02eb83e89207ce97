"""Loads trips without runner. `rivals.py csv|unwind|single BOLT LABEL CSV ROWS BATCH` prints rows, seconds and its CPU seconds."""

import csv
import sys
import time
from itertools import islice

import neo4j
from mappings import PASSWORD, event

case, bolt, label, file, rows, batch = sys.argv[1:]
rows, batch = int(rows), int(batch)


def load_csv(session: neo4j.Session, _):
    text = f"LOAD CSV WITH HEADERS FROM 'file://{file}' AS event CALL (event) {{ {event(label, 'CREATE')} }}"
    session.run(f"{text} IN TRANSACTIONS OF {batch} ROWS").consume()


def unwind(session: neo4j.Session, events: list):
    text = f"UNWIND $events AS event {event(label, 'CREATE')}"
    for at in range(0, rows, batch):
        part = events[at : at + batch]
        session.execute_write(lambda transaction: transaction.run(text, events=part).consume())


def single(session: neo4j.Session, events: list):
    """As the seed's sink does: its own statement, a transaction a row."""
    text = f"WITH $event AS event {event(label, 'MERGE')}"
    for one in events:
        session.execute_write(lambda transaction: transaction.run(text, event=one).consume())


work = {"csv": load_csv, "unwind": unwind, "single": single}[case]
if case == "csv":
    events = []
else:
    with open(file, newline="") as lines:
        events = list(islice(csv.DictReader(lines), rows))
with neo4j.GraphDatabase.driver(f"bolt://{bolt}", auth=("neo4j", PASSWORD)) as driver, driver.session() as session:
    session.run(f"CREATE CONSTRAINT FOR (n:{label}) REQUIRE n.name IS UNIQUE").consume()
    begun, used = time.perf_counter(), time.process_time()
    work(session, events)
    print(rows, time.perf_counter() - begun, time.process_time() - used)
