#!/bin/sh
# Opens report pages in headless Chromium and checks what only a browser can tell: check.mjs says what.
#
#   tests/browser/check.sh REPORT.html…
#
# CHROMIUM      the browser (default: chromium on the PATH)
# MOST_BYTES    how large a page may be (default: 150000)
# SCREENSHOTS   a folder for pictures of each page (default: none are taken)
#
# The two npm packages go into a cache folder, by the lock file beside this script; nothing is written into the tree.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ $# -gt 0 ] || { echo "usage: $0 REPORT.html…" >&2; exit 64; }

for tool in node npm "${CHROMIUM:-chromium}"; do
    command -v "$tool" >/dev/null || { echo "$0: $tool is not installed" >&2; exit 69; }
done

lock=$(cksum < "$here/package-lock.json" | cut -d ' ' -f 1)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/runner-dev/browser-$lock"
if [ ! -e "$cache/complete" ]; then
    mkdir -p "$cache"
    cp "$here/package.json" "$here/package-lock.json" "$cache"
    npm ci --prefix "$cache" --ignore-scripts --no-audit --no-fund --loglevel=error
    touch "$cache/complete"
fi

CHROMIUM=$(command -v "${CHROMIUM:-chromium}") MODULES="$cache" exec node "$here/check.mjs" "$@"
