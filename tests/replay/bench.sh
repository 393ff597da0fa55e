#!/bin/sh
# How fast posternctl replay reads a week of ten million lines, compared with counting them (wc -l).
set -eu
work=$(mktemp -d "${TMPDIR:-/tmp}/postern-replay-XXXXXX")
trap 'rm -rf "$work"' EXIT
: > "$work/postern.conf"

seconds() {
    start=$(date +%s.%N)
    "$@" > /dev/null
    end=$(date +%s.%N)
    echo "$start $end" | awk '{ printf "%.3f", $2 - $1 }'
}

"$WEEK" "${1:-1970000}" "$work/outages" > "$work/week.log"
lines=$(wc -l < "$work/week.log") # into the page cache, for both
counting=$(seconds wc -l "$work/week.log")
reading=$(seconds "$POSTERNCTL" -c "$work/postern.conf" --json replay --log "$work/week.log")
echo "$lines $counting $reading" | awk '{
    printf "%d lines in %.2f s: %.0f lines/s\n", $1, $3, $1 / $3
    printf "%.1f times as long as counting them (%.3f s)\n", $3 / $2, $2 }'
