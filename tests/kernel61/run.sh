#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh - runs a command under Debian 12's kernel, 6.1, the oldest that Linnet supports, and returns its exit code.
#
#     tests/kernel61/run.sh                      of build/release what meets a kernel (suite.sh)
#     tests/kernel61/run.sh uname -r             any command, in the current directory
#     tests/kernel61/run.sh --minutes 5 CMD...   ended after five minutes of the host's time (30 when not given)
#     tests/kernel61/run.sh --accel tcg CMD...   without hardware virtualization even where there is some
#
# Where Debian has no 6.1 kernel it says so and ends with 77.
#
# The virtual machine sees the host's files as they are, read-only over 9p, below a layer in its memory that takes all
# it writes: so what was built on the host runs without being copied, and nothing it does is left behind. It has no
# network but its own loopback. The kernel comes from Debian's package, unpacked under build/kernel61, never installed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/build/kernel61
memory_mib=4096
minutes=30
accel=auto

# In the order in which they need each other.
modules=(virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci netfs fscache 9pnet 9pnet_virtio 9p
    overlay)

die() {
    echo "kernel61: $*" >&2
    exit 1
}

# Downloads the newest 6.1 kernel of Debian 12 and keeps its image and the few modules that the machine needs.
fetch_kernel() {
    [[ -f $cache/vmlinuz ]] && return
    local package
    package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-6\.1\..*\)/\1/p')
    if [[ -z $package ]]; then
        [[ $(id -u) == 0 ]] && apt-get -qq update
        package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-6\.1\..*\)/\1/p')
    fi
    if [[ -z $package ]]; then
        echo "kernel61: no 6.1 kernel among this system's packages: only Debian 12 has it" >&2
        exit 77
    fi
    rm -rf "$cache/package"
    mkdir -p "$cache/package" "$cache/modules"
    echo "kernel61: unpacking $package" >&2
    # As root, apt drops to a user of its own that may not write here; it says so and goes on.
    (cd "$cache/package" && apt-get -qq download "$package" 2>/dev/null) || die "cannot download $package"
    dpkg-deb -x "$cache"/package/*.deb "$cache/package"
    local module
    for module in "${modules[@]}"; do
        find "$cache/package" -name "$module.ko" -exec cp {} "$cache/modules/" \;
        [[ -f $cache/modules/$module.ko ]] || die "$package has no module $module"
    done
    cp "$cache"/package/boot/vmlinuz-* "$cache/vmlinuz"
    rm -rf "$cache/package"
}

# An initial file system of busybox, the modules, init and the command.
make_initramfs() {
    local tree=$scratch/initramfs
    mkdir -p "$tree"/{bin,modules,dev,proc,sys,host,layer,machine}
    cp /bin/busybox "$tree/bin/busybox"
    cp "$cache"/modules/*.ko "$tree/modules/"
    printf '%s\n' "${modules[@]}" >"$tree/modules/order"
    install -m 755 "$here/init.sh" "$tree/init"
    {
        echo "cd $(printf %q "$PWD")"
        echo "export PATH=$(printf %q "$PATH") HOME=$(printf %q "${HOME:-/}") LANG=C.UTF-8 TERM=dumb"
        printf '%q ' "$@"
        echo
    } >"$tree/command"
    (cd "$tree" && find . | cpio --quiet -o -H newc) >"$scratch/initramfs.cpio"
}

# Hardware virtualization where it works; elsewhere QEMU translates, many times slower.
choose_accel() {
    [[ $accel != auto ]] && return
    accel=tcg
    if [[ -w /dev/kvm ]] && grep -qwE 'svm|vmx' /proc/cpuinfo; then
        accel=kvm
    fi
}

main() {
    while [[ ${1:-} == --* ]]; do
        case $1 in
        --minutes) minutes=${2:?} ;;
        --accel) accel=${2:?} ;;
        *) die "unknown option $1" ;;
        esac
        shift 2
    done
    if [[ $# == 0 ]]; then
        set -- "$here/suite.sh"
    fi
    "$root/tools/setup.sh" kernel61
    fetch_kernel
    choose_accel
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    make_initramfs "$@"

    local cpu=max
    [[ $accel == tcg ]] || cpu=host
    [[ $accel == tcg ]] && accel=tcg,thread=multi
    # The second serial line carries nothing but the exit code.
    local ended=0
    timeout --foreground $((minutes * 60)) qemu-system-x86_64 \
        -accel "$accel" -cpu "$cpu" -smp "$(nproc)" -m "$memory_mib" \
        -nodefaults -no-user-config -no-reboot -display none \
        -kernel "$cache/vmlinuz" -initrd "$scratch/initramfs.cpio" \
        -append "console=ttyS0 loglevel=1 panic=-1 mitigations=off no_timer_check" \
        -serial stdio -serial "file:$scratch/code" \
        -fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap \
        -device virtio-9p-pci,fsdev=host,mount_tag=host </dev/null || ended=$?
    [[ $ended != 124 ]] || die "the command did not end within $minutes minutes"
    [[ $ended == 0 ]] || die "the virtual machine failed with $ended"
    local code
    code=$(tr -dc 0-9 <"$scratch/code")
    [[ -n $code ]] || die "the virtual machine ended without telling the command's exit code"
    exit "$code"
}

main "$@"
