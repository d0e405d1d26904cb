#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# setup.sh - names the Debian packages that are missing for a tier of work and installs only those.
#
#     tools/setup.sh run         to build and run the node
#     tools/setup.sh test        the same, and to run the tests
#     tools/setup.sh ci          the same, and for sanitizers, fuzzers, formatter and linters
#     tools/setup.sh aarch64     what cross-builds the runtime for AArch64 and runs its tests in qemu-user
#     tools/setup.sh kernel61    only what boots Debian's 6.1 kernel in a virtual machine
#     tools/setup.sh bench       what `make bench` and `make bench-runtime` need: as run, and Erlang to compare with
#
# When nothing is missing it takes milliseconds, needs no root and prints nothing. Exits 1 with the list where it
# cannot install: not Debian, neither root nor sudo, or apt-get failed.
# Lists of packages are strings that are meant to be split into words:
# shellcheck disable=SC2086
set -eu

run_packages="cmake ninja-build gcc libc6-dev pkg-config libck-dev liburing-dev liblmdb-dev libsodium-dev
    libxxhash-dev libinih-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libyajl-dev libssl-dev"
# python3-websockets belongs to Debian's own interpreter, /usr/bin/python3, whatever python3 stands first in PATH.
test_packages="g++ mandoc libcmocka-dev openssl python3 python3-websockets coturn"
ci_packages="clang lld libclang-rt-dev llvm clang-format clang-tidy cppcheck valgrind"
# Python for the script that compares; Debian's Erlang without its graphical tools.
bench_packages="python3 erlang-base"
aarch64_packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static liburing-dev:arm64
    liblmdb-dev:arm64 libcmocka-dev:arm64"
kernel61_packages="qemu-system-x86 busybox-static cpio"

say() {
    printf 'setup: %s\n' "$*" >&2
}

packages_of() {
    case $1 in
    run) echo "$run_packages" ;;
    bench) echo "$run_packages $bench_packages" ;;
    test) echo "$run_packages $test_packages $(node_packages)" ;;
    ci) echo "$run_packages $test_packages $(node_packages) $ci_packages" ;;
    aarch64) echo "$run_packages $test_packages $aarch64_packages" ;;
    kernel61) echo "$kernel61_packages" ;;
    *)
        say "no tier named '$1': run, test, ci, aarch64, kernel61 or bench"
        return 2
        ;;
    esac
}

# Node may come from elsewhere than Debian; its package would then only stand in the way.
node_packages() {
    command -v node >/dev/null 2>&1 || echo nodejs
    command -v npm >/dev/null 2>&1 || echo npm
}

# Those of the arguments that are not installed, one a line. A name without an architecture means this machine's.
missing_of() {
    native=$(dpkg --print-architecture)
    installed=$(dpkg-query -W -f='${Package}:${Architecture}=${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        name=${package%:*}
        case $package in *:*) architecture=${package#*:} ;; *) architecture=$native ;; esac
        case "
$installed
" in
        *"
$name:$architecture=installed
"* | *"
$name:all=installed
"*) ;;
        *) echo "$package" ;;
        esac
    done
}

install() {
    as_root=
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            say "installing them needs root, and there is no sudo here. As root:"
            say "    apt-get install --no-install-recommends $*"
            return 1
        fi
        as_root=sudo
    fi
    # Another apt-get may be at work on a fresh machine: wait for it instead of failing.
    options="-q -y -o DPkg::Lock::Timeout=300"
    case " $* $(dpkg --print-foreign-architectures | tr '\n' ' ')" in
    *" arm64 "*) ;;
    *:arm64*) $as_root dpkg --add-architecture arm64 ;;
    esac
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get $options update >&2 &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get $options install --no-install-recommends "$@" >&2
}

main() {
    if [ $# -ne 1 ]; then
        say "usage: tools/setup.sh run|test|ci|aarch64|kernel61|bench"
        exit 2
    fi
    wanted=$(packages_of "$1")
    if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
        say "this is not Debian, so nothing was installed. What Debian calls these packages is needed:"
        say "    "$wanted
        say "with all of them in place, build without this script: cmake --preset release && ninja -C build/release"
        exit 1
    fi
    missing=$(missing_of $wanted)
    if [ -n "$missing" ]; then
        say "missing packages:" $missing
        if ! install $missing; then
            say "could not install:" $missing
            exit 1
        fi
    fi
    if [ "$1" = aarch64 ]; then
        unpack_foreign build/aarch64-packages libck-dev:arm64
    fi
    if [ "$1" = test ] || [ "$1" = ci ]; then
        install_node_modules tests/blackbox
    fi
}

# A package that can't be installed beside the same one of this machine's architecture is unpacked in a folder instead.
unpack_foreign() {
    folder=$1 package=$2
    if [ -e "$folder/$package" ]; then
        return 0
    fi
    say "unpacking $package in $folder"
    mkdir -p "$folder"
    (cd "$folder" && apt-get -q download "$package" >&2 && dpkg -x ./*.deb . && rm ./*.deb && touch "$package") || {
        say "could not unpack $package"
        exit 1
    }
}

# The black-box tests' own npm packages, exactly as their lock file says, and again only when that file changed.
install_node_modules() {
    folder=$1
    if [ ! -f "$folder/package-lock.json" ] ||
        cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json"; then
        return 0
    fi
    say "installing the npm packages of $folder"
    (cd "$folder" && npm ci --no-audit --no-fund --silent >&2) || {
        say "npm ci failed in $folder"
        exit 1
    }
    cp "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json"
}

cd "$(dirname "$0")/.."
main "$@"
