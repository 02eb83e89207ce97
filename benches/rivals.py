"""The same work by others: `rivals.py duckdb|pyarrow bronx|all FILE ZONES THREADS` prints the seconds."""

import json
import sys
import time

engine, case, file, zones, threads = sys.argv[1:]
TRIP = ["PULocationID", "DOLocationID", "trip_distance", "fare_amount", "tpep_pickup_datetime", "tpep_dropoff_datetime"]


def duck() -> None:
    import duckdb

    bronx = f"IN (SELECT LocationID FROM '{zones}' WHERE Borough = 'Bronx')"
    query = f"SELECT * FROM '{file}'" if case == "all" else (
        f"SELECT {', '.join(TRIP)} FROM '{file}' WHERE trip_distance > 0.1 AND fare_amount > 2.5"
        f" AND PULocationID {bronx} AND DOLocationID {bronx}")
    begun = time.perf_counter()
    duckdb.execute(f"SET threads = {threads}")
    duckdb.execute(f"COPY ({query}) TO '/dev/null' (FORMAT json)")
    print(time.perf_counter() - begun)


def arrow() -> None:
    import pyarrow
    import pyarrow.compute as pc
    import pyarrow.csv
    import pyarrow.dataset

    pyarrow.set_cpu_count(int(threads))
    begun = time.perf_counter()
    table = pyarrow.csv.read_csv(zones)
    bronx = table.filter(pc.equal(table["Borough"], "Bronx"))["LocationID"].combine_chunks()
    field = pc.field
    wanted = ((field("trip_distance") > 0.1) & (field("fare_amount") > 2.5)
              & field("PULocationID").isin(bronx) & field("DOLocationID").isin(bronx))
    rows = pyarrow.dataset.dataset(file).to_table(columns=TRIP, filter=wanted, use_threads=threads != "1")
    for row in rows.to_pylist():
        json.dumps(row, default=str)
    print(time.perf_counter() - begun)


duck() if engine == "duckdb" else arrow()
