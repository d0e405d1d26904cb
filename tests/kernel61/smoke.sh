#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# smoke.sh - a node's whole life, small enough for an emulated machine: it starts, takes users, answers the shell,
# stops when it is told to, and finds its users again.
#
#     tests/kernel61/smoke.sh build/release
set -euo pipefail

tools=$(cd "$1/tools" && pwd)
data=$(mktemp -d)
node=
trap '[[ -z $node ]] || kill -KILL "$node"; rm -rf "$data"' EXIT

# Where the listener is appears in the log once the node is ready. An emulated machine is slow.
start() {
    "$tools/linnetd" --data "$data/store" --listen 127.0.0.1:0 >"$data/log" 2>&1 &
    node=$!
    local tenths
    for ((tenths = 0; tenths < 1200; tenths++)); do
        grep -q 'listening on' "$data/log" && return
        kill -0 "$node" || break
        sleep 0.1
    done
    cat "$data/log"
    return 1
}

stop() {
    kill -TERM "$node"
    wait "$node"
    node=
}

ask() {
    "$tools/linnet" --data "$data/store" "$@"
}

start
ask status >/dev/null
echo 'a long enough password' | ask user add alice --password-stdin
stop
start
ask inspect alice >/dev/null
ask tree >/dev/null
stop
echo "smoke: a node lives on $(uname -r)"
