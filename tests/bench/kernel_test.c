/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/kernel.h"

#include "bench/machine.h"
#include "tests/spec.h"

static void
memory(void **state)
{
    (void)state;
    struct kernel kernel = {0};
    kernel_take_meminfo("MemTotal:       24684056 kB\nMemFree:        20806096 kB\n"
                        "MemAvailable:   23793216 kB\nSwapCached:            0 kB\n"
                        "Slab:             132600 kB\nSReclaimable:      99000 kB\n",
                        &kernel);
    assert_int_equal(kernel.slab_bytes, UINT64_C(132600) * 1024);
    assert_int_equal(kernel.memory_bytes, UINT64_C(24684056) * 1024);
    assert_int_equal(kernel.available_bytes, UINT64_C(23793216) * 1024);
}

static void
disks(void **state)
{
    (void)state;
    static const char mounts[] = "21 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
                                 "22 21 0:21 / /proc rw,relatime shared:3 - proc proc rw\n"
                                 "23 21 259:3 / /srv rw - xfs /dev/nvme0n1p3 rw\n"
                                 "24 21 0:40 / /srv/fast rw - tmpfs tmpfs rw\n";
    static const struct {
        const char *path, *disk, *device;
    } wanted[] = {
        {"/opt/node", "ext4 on /dev/vda1", "254:1"},
        {"/srv", "xfs on /dev/nvme0n1p3", "259:3"},
        {"/srv/faster", "xfs on /dev/nvme0n1p3", "259:3"},
        {"/srv/fast/data", "tmpfs on tmpfs", "0:40"},
    };
    char disk[MACHINE_TEXT_BYTES];
    char device[MACHINE_DEVICE_BYTES];
    for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        machine_take_mounts(mounts, wanted[i].path, disk, device);
        assert_string_equal(disk, wanted[i].disk);
        assert_string_equal(device, wanted[i].device);
    }
    machine_take_mounts("nonsense\n", "/srv", disk, device);
    assert_string_equal(disk, "");
}

static void
overflows(void **state)
{
    (void)state;
    struct kernel kernel = {0};
    kernel_take_netstat("TcpExt: SyncookiesSent ListenOverflows ListenDrops\n"
                        "TcpExt: 5 77 78\n"
                        "IpExt: InNoRoutes\nIpExt: 3\n",
                        &kernel);
    assert_int_equal(kernel.queue_overflows, 77);
}

static void
segments(void **state)
{
    (void)state;
    struct kernel kernel = {0};
    kernel_take_netstat("TcpExt: ListenOverflows TCPOrigDataSent\nTcpExt: 77 600\n", &kernel);
    kernel_take_snmp("Ip: Forwarding OutSegs\nIp: 1 5\n"
                     "Tcp: RtoMax MaxConn InSegs OutSegs\nTcp: 120000 -1 830 831\n",
                     &kernel);
    assert_int_equal(kernel.segments, 831);
    assert_int_equal(kernel.segments_with_data, 600);
}

static void
nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "TcpExt:", "TcpExt: ListenOverflows\n",
        "TcpExt: ListenOverflows\nTcpExt:", "TcpExt: Other\nTcpExt: 5\n"};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct kernel kernel = {
            .slab_bytes = 1, .available_bytes = 1, .queue_overflows = 1, .segments = 1};
        kernel_take_meminfo(texts[i], &kernel);
        kernel_take_netstat(texts[i], &kernel);
        kernel_take_snmp(texts[i], &kernel);
        assert_int_equal(kernel.slab_bytes, 0);
        assert_int_equal(kernel.available_bytes, 0);
        assert_int_equal(kernel.queue_overflows, 0);
        assert_int_equal(kernel.segments, 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a path lies on the disk of the mount that covers most of it", disks),
        SPEC("the kernel's own memory is read from its lines", memory),
        SPEC("a counter is found below its name", overflows),
        SPEC("segments are those of TCP, with data or without", segments),
        SPEC("what a text does not tell is 0", nothing),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
