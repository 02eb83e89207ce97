#!/bin/sh
# Prints the functions that `validate` of the main example runs, by a program that was not stripped: the linker puts them side by side
# (`make release`), so that a start reads few pages of the program. Takes valgrind, and some 10 s.
set -eu
cd "$(dirname "$0")/.."
trace=$(mktemp)
trap 'rm -f "$trace"' EXIT
valgrind --quiet --tool=callgrind --demangle=no --callgrind-out-file="$trace" "$1" validate pipelines/bronx-taxi.yaml >&2
functions=$(sed -n 's/^c\{0,1\}fn=([0-9]*) \([_a-zA-Z].*\)/\1/p' "$trace" | sort -u)
# A program without names would be laid out by chance.
case $functions in *runner*) echo "$functions" ;; *) echo "$1 does not tell its functions' names" >&2; exit 1 ;; esac
