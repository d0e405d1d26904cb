# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# lib.sh - what the tiers share. A tier sources it first: strict mode, the repository as the current directory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=$(nproc)
# Many tests wait more than they compute; not the long ones.
tests_at_once=$((2 * jobs))
# What is a sample of something larger is so many times smaller on a slow machine (.ci/run).
sample=${LINNET_SAMPLE:-1}

# Ends the tier as one that has nothing to do, saying why.
skip() {
    echo "skipped: $*"
    exit 77
}

# configure PRESET: CMake's own talk only when it fails.
configure() {
    local log=build/configure-$1.log
    mkdir -p build
    if ! cmake --preset "$1" >"$log" 2>&1; then
        cat "$log"
        return 1
    fi
}

# build PRESET [TARGET...]
build() {
    configure "$1"
    ninja -C "build/$1" -j"$jobs" --quiet "${@:2}"
}

# run_tests PRESET LABEL [CTEST-ARGUMENT...]: an empty set is a failure. Sanitizers of clang 14 need the fixed addresses
# that setarch gives: with as many random bits as newer kernels use, their shadow memory collides with the program's.
run_tests() {
    local at_once=$tests_at_once
    [[ $2 != long ]] || at_once=$jobs
    setarch --addr-no-randomize ctest --test-dir "build/$1" -L "^($2)\$" -j"$at_once" --output-on-failure \
        --no-tests=error "${@:3}"
}

# part N: for ctest's -I, every Nth test, from another one on for each commit.
part() {
    echo "$(($(git rev-list --count HEAD 2>/dev/null || echo 0) % $1 + 1)),,$1"
}

# How many tests carry this label: count_tests PRESET LABEL.
count_tests() {
    ctest --test-dir "build/$1" -N -L "^($2)\$" | sed -n 's/^Total Tests: //p'
}

# Our C files, one a line; none that is generated.
c_files() {
    local folder
    for folder in runtime net store actors tools bench tests; do
        [[ -d $folder ]] && find "$folder" -name "$1" -not -path '*/node_modules/*'
    done | sort
}
