#!/usr/bin/env bash
# The report in headless Chromium: the page of a real run of the main example, and the pages of the report's fixtures.
# Called by `make browser`, which says where cargo builds.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=()
command -v "${CHROMIUM:-chromium}" >/dev/null || missing+=(chromium)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
    as_root=$([ "$(id -u)" = 0 ] || echo sudo)
    if ! command -v apt-get >/dev/null || ! command -v "${as_root:-sh}" >/dev/null; then
        echo "$0: install ${missing[*]} first; they can be installed here only with apt-get, as root or by sudo" >&2
        exit 69
    fi
    echo "installing ${missing[*]} from the system's packages" >&2
    $as_root apt-get update -qq
    $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
cargo run --quiet -- run pipelines/bronx-taxi.yaml --target embedded \
    --state-dir "$pages/state" --report-dir "$pages/run" >/dev/null
REPORT_PAGES=$pages cargo test --quiet --lib pages_for_the_browser -- --ignored >/dev/null
tests/browser/check.sh "$pages/run/report.html" "$pages"/{bronx,failed,hostile,empty}.html
MOST_BYTES=250000 tests/browser/check.sh "$pages/large.html"
