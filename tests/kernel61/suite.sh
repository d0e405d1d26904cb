#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# suite.sh - inside the virtual machine, of the release build: what meets a kernel. The fast tests of the real driver
# and of the runtime on it, then the black-box suite with its stock clients. The rest runs in the simulator or
# computes: no kernel makes a difference to it, and emulation takes its time.
#
#     tests/kernel61/suite.sh          with 100 dirty disconnects instead of 1,000, and of the black-box suite only what
#                                      meets the kernel in a way of its own: connections that come, go, stall, are
#                                      reset and run out of descriptors, files, kills and power cuts, connections
#                                      outwards, the shell; of what people do a chat and the way in
#     tests/kernel61/suite.sh whole    nothing left out
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export LINNET_SLOWNESS=10
kept='^blackbox_(login|chat|echo|closing|flow|crowd|durability|dirty|reap|webhook|shell)$|^powercut_short$'
if [[ ${1:-} == whole ]]; then
    kept=.
else
    export LINNET_CUTS=100
fi

suite() {
    ctest --test-dir build/release -j"$(nproc)" --output-on-failure --no-tests=error "$@"
}

failed=0
suite -L '^fast$' -R '^(runtime_(process|node|socket|threads)|address_|posix_|worker_|uring_)' || failed=1
suite -L '^blackbox$' -R "$kept" || failed=1
echo "kernel61: $(build/release/tools/linnetd --version) on Linux $(uname -r), $SECONDS s"
exit $failed
