#!/usr/bin/env bash
# The report in headless Chromium: the page of a real run of the main example, and the pages of the report's fixtures.
# Called by `make browser`, which says where cargo builds.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v "${CHROMIUM:-chromium}" >/dev/null; then
    echo "installing chromium from the system's packages" >&2
    as_root=$([ "$(id -u)" = 0 ] || echo sudo)
    $as_root apt-get update -qq
    $as_root apt-get install -y -qq --no-install-recommends chromium >/dev/null
fi

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
cargo run --quiet -- run pipelines/bronx-taxi.yaml --target embedded \
    --state-dir "$pages/state" --report-dir "$pages/run" >/dev/null 2>&1
REPORT_PAGES=$pages cargo test --quiet --lib pages_for_the_browser -- --ignored >/dev/null
tests/browser/check.sh "$pages/run/report.html" "$pages"/{bronx,failed,hostile,empty}.html
MOST_BYTES=250000 tests/browser/check.sh "$pages/large.html"
