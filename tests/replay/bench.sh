#!/bin/sh
# How fast posternctl replay reads a week of ten million lines, compared with counting them (wc -l):
# of one server, and of four with a file each.
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

# measure FILE...
measure() {
    lines=$(cat "$@" | wc -l) # into the page cache, for both
    counting=$(seconds wc -l "$@")
    reading=$(seconds "$POSTERNCTL" -c "$work/postern.conf" --json replay --log "$@")
    echo "$lines $counting $reading $#" | awk '{
        printf "%d lines of %d server%s in %.2f s: %.0f lines/s\n", $1, $4, $4 == 1 ? "" : "s", $3,
            $1 / $3
        printf "%.1f times as long as counting them (%.3f s)\n", $3 / $2, $2 }'
}

"$WEEK" "${1:-1970000}" "$work/outages" > "$work/week.log"
measure "$work/week.log"
rm "$work/week.log"
"$WEEK" "${1:-1970000}" "$work/outages" 4 | awk -v work="$work" '{ print > (work "/" $2 ".log") }'
measure "$work"/mx?.log
