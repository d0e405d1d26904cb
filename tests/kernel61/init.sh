#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# init.sh - the first process of the virtual machine: mounts the host's files under a layer in memory, runs the command
# inside, tells its exit code on the second serial line and switches the machine off. See run.sh.
bb=/bin/busybox
machine=/machine

give_up() {
    echo "kernel61: $*"
    $bb poweroff -f
}

$bb mount -t proc proc /proc
$bb mount -t sysfs sys /sys
$bb mount -t devtmpfs dev /dev
while read -r module; do
    $bb insmod /modules/$module.ko || give_up "cannot load $module"
done </modules/order

$bb mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=524288,cache=loose host /host || give_up "no host files"
$bb mount -t tmpfs -o size=75% layer /layer
$bb mkdir /layer/upper /layer/work
$bb mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work root $machine || give_up "no overlay"
$bb mount -t proc proc $machine/proc
$bb mount -t sysfs sys $machine/sys
$bb mount -t devtmpfs dev $machine/dev
$bb mkdir -p $machine/dev/pts $machine/dev/shm
$bb mount -t devpts devpts $machine/dev/pts
$bb mount -t tmpfs shm $machine/dev/shm
$bb mount -t tmpfs run $machine/run
$bb ip link set lo up
$bb hostname kernel61
# The host's limits would do; the kernel's own defaults for a first process are lower.
ulimit -n 65536

# The host's terminal or log gets plain lines, without a carriage return before each line's end.
$bb stty -F /dev/ttyS0 -onlcr
$bb cp /command $machine/run/command
$bb chroot $machine /bin/bash /run/command </dev/null 2>&1
echo $? >/dev/ttyS1
$bb poweroff -f
