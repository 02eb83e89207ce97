"""The pipelines by which runner loads the trips: declared, and by the user's own Cypher."""

import os
from pathlib import Path

BATCH = int(os.environ.get("BATCH", 5_000))
PASSWORD = "runner-dev-password"
DECLARED = """\
    nodes:
      - { name: pickup, label: LABEL, keys: { name: { column: PULocationID, type: integer } } }
      - { name: dropoff, label: LABEL, keys: { name: { column: DOLocationID, type: integer } } }
    relationships:
      - type: TRIP_LABEL
        from: pickup
        to: dropoff
        mode: create
        properties:
          distance: { column: trip_distance, type: float }
          fare: { column: fare_amount, type: float }
          pickup_dt: { column: tpep_pickup_datetime, type: datetime }
          dropoff_dt: { column: tpep_dropoff_datetime, type: datetime }
"""
# The seed's statement, whose last clause is a MERGE.
EVENT = """\
MERGE (p:LABEL {name: toInteger(event.PULocationID)})
MERGE (d:LABEL {name: toInteger(event.DOLocationID)})
VERB (p)-[:TRIP_LABEL {distance: toFloat(event.trip_distance), fare: toFloat(event.fare_amount),
                       pickup_dt: datetime(event.tpep_pickup_datetime),
                       dropoff_dt: datetime(event.tpep_dropoff_datetime)}]->(d)
"""


def event(label: str, verb: str) -> str:
    return EVENT.replace("LABEL", label).replace("VERB", verb)


def raw(verb: str) -> str:
    lines = EVENT.replace("VERB", verb).splitlines()
    return "\n".join(["    cypher: |", *(f"      {line}" for line in lines)]) + "\n"


MAPPINGS = {"declared": DECLARED, "create": raw("CREATE"), "merge": raw("MERGE")}


def pipeline(name: str, mapping: str, kafka: str, bolt: str, partitions: int, parquet: Path | None) -> str:
    columns = "[PULocationID, DOLocationID, trip_distance, fare_amount, tpep_pickup_datetime, tpep_dropoff_datetime]"
    source = f"  source: {{ parquet: {parquet}, select: {columns} }}\n" if parquet else ""
    key = ", key: PULocationID" if parquet else ""
    return f"""\
apiVersion: runner.dev/v1alpha1
kind: Pipeline
metadata: {{ name: {name.lower()} }}
spec:
  infrastructure:
    external:
      kafka: {{ bootstrap: "{kafka}" }}
      neo4j: {{ uri: "bolt://{bolt}", passwordFrom: {{ env: NEO4J_PASSWORD }} }}
{source}  topic: {{ name: {name}, partitions: {partitions}{key} }}
  stream: {{ batchRows: {BATCH} }}
  mapping:
{mapping.replace("LABEL", name)}"""
