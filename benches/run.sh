#!/bin/sh
# Scan, load and validate beside DuckDB, pyarrow and the bare engine. PROFILE chooses another profile than release.
set -eu
cd "$(dirname "$0")/.."
cache=${RUNNER_DEV_CACHE:?where downloads and generated files are kept}/bench
profile=${PROFILE:-release}
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$cache"
if [ ! -x "$cache/venv/bin/python" ]; then python3 -m venv "$cache/venv"; fi
"$cache/venv/bin/python" -c 'import duckdb, pyarrow' 2>/dev/null || "$cache/venv/bin/pip" install --quiet duckdb==1.5.4 pyarrow==26.0.1
"$cache/venv/bin/python" benches/data.py "$cache"
executable() {
    cargo bench --quiet --profile "$profile" --no-run --bench "$1" --message-format json |
        "$cache/venv/bin/python" -c 'import json, sys
for line in sys.stdin:
    found = json.loads(line)
    if found.get("executable") and found["target"]["name"] == sys.argv[1]: print(found["executable"])' "$1"
}
scan=$(executable scan)
load=$(executable load)
"$cache/venv/bin/python" -c 'import neo4j' 2>/dev/null || "$cache/venv/bin/pip" install --quiet neo4j==6.4.1
external=$(executable external)
# Last: whatever builds a benchmark builds the program, too, and not as it is published.
if [ "$profile" = release ]; then make --silent release; else cargo build --quiet --profile "$profile"; fi
"$cache/venv/bin/python" benches/external/measure.py "$target/$profile/runner" "$external" "$cache" "${ROWS:-1000000}" "${ROUNDS:-3}"
exec "$cache/venv/bin/python" benches/run.py "$target/$profile/runner" "$scan" "$load" "$cache" pipelines/data/taxi_zone_lookup.csv ${ROUNDS:+"$ROUNDS"}
