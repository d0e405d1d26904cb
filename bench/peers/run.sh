#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh - the same load on a node and on messengers of others, side by side.
#
#     bench/peers/run.sh [--seconds N] [--rounds N]
#
#     BUILD=build/release PORT=5600 PAIRS=100 WINDOW=16 CONNECTIONS=5000 SETTLE=90
#
# Debian's packages of them are installed if they are missing, and no service is started by that. In each round (3) each
# row is played once by each, one after the other; the table has the medians. Each row has servers of its own, on a port
# of its own, whose files lie in a scratch directory below BUILD (put it on the disk that is to be measured) and which are
# ended afterwards. What the rows mean is in docs/benchmark.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=10
build=${BUILD:-build/release}
port=${PORT:-5600}
pairs=${PAIRS:-100}
window=${WINDOW:-16}
connections=${CONNECTIONS:-5000}
settle=${SETTLE:-90}
rounds=3
while (($# > 0)); do
    case $1 in
    --seconds) seconds=${2:?} ;;
    --rounds) rounds=${2:?} ;;
    *)
        sed -n '5,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
    esac
    shift 2
done

mkdir -p "$build"
scratch=$(mktemp -d --tmpdir="$build")
scratch=$(realpath "$scratch")
policy=/usr/sbin/policy-rc.d
policy_ours=
lists_fresh=
server_pid=
as_root=
((EUID == 0)) || as_root=sudo

server_stop() {
    if [[ -n $server_pid ]]; then
        kill "$server_pid" 2>/dev/null || true
        wait "$server_pid" 2>/dev/null || true
        server_pid=
    fi
}

cleanup() {
    server_stop
    [[ -z $policy_ours ]] || $as_root rm -f "$policy"
    rm -rf "$scratch"
}
trap cleanup EXIT

# Debian's maintainer scripts ask policy-rc.d whether to start a service: 101 is no.
install_package() {
    local package=$1
    if dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then
        return
    fi
    if [[ ! -e $policy ]]; then
        policy_ours=yes
        printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
        $as_root chmod +x "$policy"
    fi
    if [[ -z $lists_fresh ]]; then
        $as_root apt-get -qq update >&2
        lists_fresh=yes
    fi
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "$package" >&2
    if [[ -n $policy_ours ]]; then
        $as_root rm -f "$policy"
        policy_ours=
    fi
}

# Runs a server in the background, in an empty directory of its own, and waits until it listens.
server_start() {
    rm -rf "$scratch/server"
    mkdir -p "$scratch/server"
    "$@" >"$scratch/log" 2>&1 </dev/null &
    server_pid=$!
    for ((tries = 0; tries < 300; tries++)); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            return
        fi
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.1
    done
    echo "peers: $1 does not listen:" >&2
    tail -5 "$scratch/log" >&2
    exit 1
}

# What was wanted and missed (exit code 2 of linnet-bench) is a result like others.
row() {
    local code=0
    printf '%s\t%s\t' "$1" "$2" >>"$scratch/rows"
    shift 2
    "$@" >>"$scratch/rows" || code=$?
    ((code == 0 || code == 2)) || exit "$code"
}

# ------------------------------------------------------------------------------------------------------- contestants

linnetd_start() {
    server_start "$build/tools/linnetd" --data "$scratch/server/data" --listen "127.0.0.1:$port"
}

linnetd_drive() {
    local name=$1 scenario=$2
    shift 2
    linnetd_start
    row linnetd "$name" "$build/bench/linnet-bench" "$scenario" --url "ws://127.0.0.1:$port/chat" \
        --data "$scratch/server/data" --json "$@"
    server_stop
}

mosquitto_start() {
    cat >"$scratch/mosquitto.conf" <<END
listener $port 127.0.0.1
allow_anonymous true
persistence true
persistence_location $scratch/server/
set_tcp_nodelay true
max_inflight_messages 0
END
    # As root it would become another user, who may not write here.
    ((EUID != 0)) || echo "user root" >>"$scratch/mosquitto.conf"
    server_start "$(PATH=$PATH:/usr/sbin command -v mosquitto)" -c "$scratch/mosquitto.conf"
}

# One process of Erlang's, without the scripts that Debian's package has for its service; it makes its users itself.
ejabberd_start() {
    cat >"$scratch/ejabberd.yml" <<END
hosts: [localhost]
loglevel: warning
auth_method: internal
auth_password_format: plain
listen:
  - {port: $port, ip: "127.0.0.1", module: ejabberd_c2s, access: all}
modules:
  mod_offline: {}
END
    export EJABBERD_CONFIG_PATH=$scratch/ejabberd.yml EJABBERD_LOG_PATH=$scratch/ejabberd.log
    local make_users="{ok, _} = application:ensure_all_started(ejabberd),
        Name = fun(I) -> <<\"u\", (integer_to_binary(I))/binary>> end,
        [ok = ejabberd_auth:try_register(Name(I), <<\"localhost\">>, <<\"peer\">>) || I <- lists:seq(0, $users - 1)],
        ok = file:write_file(\"$scratch/server/users\", <<>>)."
    server_start env HOME="$scratch/server" erl -noinput +P 1000000 -pa /usr/lib/*/ejabberd-*/ebin \
        -mnesia dir "\"$scratch/server/mnesia\"" -s ejabberd -eval "$make_users"
    until [[ -e $scratch/server/users ]]; do
        kill -0 "$server_pid"
        sleep 0.1
    done
}

# What peer_client drives.
peer_drive() {
    local peer=$1 dialect=$2 name=$3
    shift 3
    "${peer}_start"
    row "$peer" "$name" "$build/bench/peer_client" "$dialect" --address "127.0.0.1:$port" --pid "$server_pid" "$@"
    server_stop
}

# -------------------------------------------------------------------------------------------------------------- rows

ulimit -n "$(ulimit -Hn)"
install_package mosquitto
install_package ejabberd
ninja -C "$build" --quiet linnetd linnet-bench peer_client >&2

users=$((connections > 2 * pairs ? connections : 2 * pairs))
span=(--seconds "$seconds" --warmup 2)
full=(--pairs "$pairs" --window "$window" "${span[@]}")
single=(--pairs 1 --window 1 "${span[@]}")
silent=(--settle "$settle")
for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    linnetd_drive full chat --no-read "${full[@]}"
    peer_drive mosquitto mqtt full "${full[@]}"
    peer_drive ejabberd xmpp full "${full[@]}"
    linnetd_drive single chat --no-read "${single[@]}"
    peer_drive mosquitto mqtt single "${single[@]}"
    peer_drive ejabberd xmpp single "${single[@]}"
    linnetd_drive silent idle --users "$connections" --seconds 1 --heartbeat 0 "${silent[@]}"
    peer_drive mosquitto mqtt silent --silent --pairs "$((connections / 2))" "${silent[@]}"
    peer_drive ejabberd xmpp silent --silent --pairs "$((connections / 2))" "${silent[@]}"
done
bench/peers/table.py "$scratch/rows"
