"""The rows that are loaded: made-up trips between 43 zones, from a fixed seed, as parquet, as JSON lines and as CSV."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

SEED = 7
TRIPS = """
SELECT (3 + 6 * (hash(i, {seed}) % 43))::BIGINT AS PULocationID,
  (3 + 6 * (hash(i, {seed}, 1) % 43))::BIGINT AS DOLocationID,
  (1 + hash(i, {seed}, 2) % 3000)::DOUBLE / 100 AS trip_distance,
  (250 + hash(i, {seed}, 3) % 12000)::DOUBLE / 100 AS fare_amount,
  TIMESTAMP '2022-03-01' + INTERVAL (i) SECOND AS tpep_pickup_datetime,
  TIMESTAMP '2022-03-01' + INTERVAL (i + 60 + hash(i, {seed}, 4) % 3000) SECOND AS tpep_dropoff_datetime
FROM range({rows}) AS trips(i)"""
TEXTS = """SELECT * REPLACE (strftime(tpep_pickup_datetime, '%Y-%m-%dT%H:%M:%S') AS tpep_pickup_datetime,
  strftime(tpep_dropoff_datetime, '%Y-%m-%dT%H:%M:%S') AS tpep_dropoff_datetime) FROM ({trips})"""


@dataclass
class Files:
    rows: int
    parquet: Path
    json: Path
    csv: Path


def make(folder: Path, rows: int, seed: int = SEED) -> Files:
    files = Files(rows, *(folder / f"zones-{rows}-{seed}.{kind}" for kind in ("parquet", "json", "csv")))
    if files.csv.exists():
        return files
    duckdb.execute("SET threads = 1; SET preserve_insertion_order = true")
    trips = TRIPS.format(rows=rows, seed=seed)
    duckdb.execute(f"COPY ({trips}) TO '{files.parquet}' (FORMAT parquet, COMPRESSION snappy)")
    texts = TEXTS.replace("{trips}", trips)
    duckdb.execute(f"COPY ({texts}) TO '{files.json}' (FORMAT json)")
    new = files.csv.with_suffix(".new")
    duckdb.execute(f"COPY ({texts}) TO '{new}' (FORMAT csv, HEADER)")
    new.rename(files.csv)
    return files
