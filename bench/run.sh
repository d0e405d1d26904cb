#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh - the benchmarks, one after the other, against a node of its own on an empty data directory.
#
#     bench/run.sh [--json]            SECONDS_EACH=10 WARMUP=2 USERS=15000 BUILD=build/release DATA=FOLDER
#
# What each figure means is in docs/benchmark.md. DATA is made, and removed at the end: by default below BUILD, so put
# it on the disk that is to be measured. With --json a line for each; progress goes to standard error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${SECONDS_EACH:-10}
warmup=${WARMUP:-2}
users=${USERS:-15000}
build=${BUILD:-build/release}
data=${DATA:-$build/bench-data}
json=()
case ${1:-} in
'') ;;
--json) json=(--json) ;;
*)
    sed -n '5,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac

worst=0
node_pid=
cleanup() {
    if [[ -n $node_pid ]]; then
        kill -KILL "$node_pid" 2>/dev/null || true
        wait "$node_pid" 2>/dev/null || true
    fi
    rm -rf "$data"
}

# Starts the node and sets `address`.
node_start() {
    local line
    mkdir -p "$data"
    coproc NODE { exec "$build/tools/linnetd" --data "$data/node" --listen 127.0.0.1:0 --echo; }
    node_pid=$NODE_PID
    while read -r line <&"${NODE[0]}"; do
        case $line in
        'listening on '*)
            address=${line#listening on }
            return
            ;;
        esac
    done
    echo "bench: the node did not start" >&2
    exit 1
}

title() {
    ((${#json[@]})) || printf '\n=== %s\n' "$1"
}

bench() {
    local scenario=$1 path=$2
    shift 2
    "$build/bench/linnet-bench" "$scenario" --url "ws://$address$path" --data "$data/node" --seconds "$seconds" \
        "${json[@]}" "$@" || worst=$?
}

ninja -C "$build" --quiet linnetd linnet-bench echo_bare bench_store_table bench_store_log >&2
trap cleanup EXIT
node_start

# First: memory that a node has used before and keeps would hide what the connections take.
title "$users silent connections"
bench idle /chat --users "$users"
title "100 pairs, as fast as it goes"
bench chat /chat --warmup "$warmup" --pairs 100 --window 16 --bytes 128
title "the same in JSON"
bench chat /chat --warmup "$warmup" --pairs 100 --window 16 --bytes 128 --form json
title "two clients, message by message"
bench chat /chat --warmup "$warmup" --pairs 1 --window 1
title "200 users, 2,000 messages a second"
bench chat /chat --warmup "$warmup" --rate 2000
title "frames, there and back"
bench echo /echo --warmup "$warmup"
title "the kernel and a ring alone"
"$build/bench/echo_bare" --seconds "$seconds" "${json[@]}"
title "the store's table, and its log"
"$build/bench/bench_store_table"
mkdir -p "$data/log"
"$build/bench/bench_store_log" "$data/log"
exit "$worst"
