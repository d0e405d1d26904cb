#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# machine_init.sh - the first process of the virtual machine: mounts the disk and runs linnetd on it. See machine.py.
# shellcheck shell=dash
bb=/bin/busybox

give_up() {
    echo "machine: $*"
    $bb poweroff -f
}

$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
while read -r module; do
    $bb insmod "/modules/$module.ko" || give_up "cannot load $module"
done </modules/order
$bb mount -t ext4 /dev/vda /disk || give_up "the disk can't be mounted"
$bb ip link set lo up
$bb ip link set eth0 up
$bb ip address add 10.0.2.15/24 dev eth0
# shellcheck disable=SC3045 # busybox has it
ulimit -n 4096
# shellcheck disable=SC2046 # the flags are words
/bin/linnetd --data /disk/data --listen 10.0.2.15:4222 $($bb cat /flags) 2>&1
give_up "linnetd ended with $?"
