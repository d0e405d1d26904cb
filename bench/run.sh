#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh - every scenario, one after the other, against a node of its own on an empty data directory; then the parts alone.
#
#     bench/run.sh [--json]            SECONDS_EACH=10 WARMUP=2 USERS=15000 BUILD=build/release DATA=FOLDER
#
# What each figure means is in docs/benchmark.md. The exit code is 1 where a promise was broken, else 3 where a scenario
# could not run, else 2 where one missed what was wanted. DATA is made, and removed at the end: by default below BUILD, so put
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

broken= failed= missed=
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

note() {
    case $1 in
    0) ;;
    1) broken=1 ;;
    2) missed=2 ;;
    *) failed=3 ;;
    esac
}

# What the node's users do.
bench() {
    local scenario=$1 code=0
    shift
    "$build/bench/linnet-bench" "$scenario" --url "ws://$address/chat" --data "$data/node" "${json[@]}" "$@" || code=$?
    note "$code"
}

# The number before "round trips a second", or behind "per_second", of what stands in a file.
trips_of() {
    sed -nE 's/.*"per_second":([0-9]+).*/\1/p; s/^([0-9]+) round trips a second.*/\1/p' "$1" | head -1
}

ninja -C "$build" --quiet linnetd linnet-bench echo_bare bench_store_table bench_store_log bench_store_steps >&2
trap cleanup EXIT
node_start

span=(--seconds "$seconds" --warmup "$warmup")
full=(--pairs 100 --window 16 --bytes 128 "${span[@]}")

# First: memory that a node has used before and keeps would hide what the connections take.
title "$users silent connections"
bench idle --users "$users" --seconds "$seconds"
title "100 pairs, as fast as it goes"
bench chat "${full[@]}"
title "the same in JSON"
bench chat "${full[@]}" --form json
title "two clients, message by message"
bench chat --pairs 1 --window 1 "${span[@]}"
title "200 users, 2,000 messages a second"
bench chat --rate 2000 "${span[@]}"
title "the highest rate that keeps its objective"
bench capacity --pairs 50 --seconds 2 --warmup 1
title "groups of 50"
bench group --users 200 --members 50 "${span[@]}"
title "inboxes of absent users"
bench offline --users 500 --depth 100
title "stored for users who stay away"
bench away --users 500 "${span[@]}"
title "all connections are cut"
bench storm --users 200 --storms 1 "${span[@]}"
title "a day, 8,640 times as fast"
bench mixed --users 200 --compress 8640 "${span[@]}"
title "does anything grow?"
bench soak --users 200 --compress 8640 --sample 1 "${span[@]}"
title "frames, there and back"
code=0
"$build/bench/linnet-bench" echo --url "ws://$address/echo" --data "$data/node" "${json[@]}" "${span[@]}" |
    tee "$data/echo" || code=$?
note "$code"
title "the kernel and a ring alone"
"$build/bench/echo_bare" --seconds "$seconds" "${json[@]}" | tee "$data/echo_bare"
title "what a node adds to a ring: the share of its round trips that is left"
awk -v ours="$(trips_of "$data/echo")" -v bare="$(trips_of "$data/echo_bare")" -v json="${#json[@]}" 'BEGIN {
    ratio = bare > 0 ? ours / bare : 0
    printf json ? "{\"benchmark\":\"echo_ratio\",\"ratio\":%.3f}\n" : "echo / echo_bare: %.3f\n", ratio }'
title "the store's table, its log, and the steps of messages"
"$build/bench/bench_store_table"
mkdir -p "$data/log" "$data/steps"
"$build/bench/bench_store_log" "$data/log"
"$build/bench/bench_store_steps" "$data/steps"
exit "${broken:-${failed:-${missed:-0}}}"
