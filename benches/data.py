"""Makes the files that are measured: 3.6 million trips in the TLC's 19 columns and 4 row groups, and one of four times as many rows.

Made up, from a fixed seed: zones uniform among 263, so that about 2.7 % of the rows pass the Bronx filter."""

import sys
from pathlib import Path

import duckdb

ROWS = 3_600_000
TRIPS = """
SELECT 1 + (i * 7919 % 2)::BIGINT AS VendorID,
  TIMESTAMP '2022-03-01' + INTERVAL (i * 31 // 42) SECOND AS tpep_pickup_datetime,
  TIMESTAMP '2022-03-01' + INTERVAL (i * 31 // 42 + 60 + hash(i) % 3000) SECOND AS tpep_dropoff_datetime,
  (1 + hash(i, 1) % 6)::DOUBLE AS passenger_count,
  (hash(i, 2) % 3000)::DOUBLE / 100 AS trip_distance,
  (1 + hash(i, 3) % 2)::DOUBLE AS RatecodeID,
  CASE WHEN hash(i, 4) % 50 = 0 THEN 'Y' ELSE 'N' END AS store_and_fwd_flag,
  (1 + hash(i, 5) % 263)::BIGINT AS PULocationID,
  (1 + hash(i, 6) % 263)::BIGINT AS DOLocationID,
  (1 + hash(i, 7) % 4)::BIGINT AS payment_type,
  (hash(i, 8) % 12000)::DOUBLE / 100 AS fare_amount,
  (hash(i, 9) % 3)::DOUBLE / 2 AS extra, 0.5 AS mta_tax,
  (hash(i, 10) % 900)::DOUBLE / 100 AS tip_amount, 0.0::DOUBLE AS tolls_amount, 0.3::DOUBLE AS improvement_surcharge,
  (hash(i, 11) % 13000)::DOUBLE / 100 AS total_amount, 2.5::DOUBLE AS congestion_surcharge, 0.0::DOUBLE AS airport_fee
FROM range({rows}) AS trips(i)"""


def make(file: Path, rows: int) -> None:
    if file.exists():
        return
    new = file.with_suffix(".new")
    duckdb.execute("SET threads = 1; SET preserve_insertion_order = true")
    duckdb.execute(f"COPY ({TRIPS.format(rows=rows)}) TO '{new}' (FORMAT parquet, ROW_GROUP_SIZE 901120, COMPRESSION snappy)")
    new.rename(file)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    make(folder / "trips.parquet", ROWS)
    make(folder / "trips-x4.parquet", 4 * ROWS)
    make(folder / "trips-1m.parquet", 1_000_000)
