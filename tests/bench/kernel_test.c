/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/kernel.h"

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
    assert_int_equal(kernel.available_bytes, UINT64_C(23793216) * 1024);
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
nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "TcpExt:", "TcpExt: ListenOverflows\n",
        "TcpExt: ListenOverflows\nTcpExt:", "TcpExt: Other\nTcpExt: 5\n"};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct kernel kernel = {.slab_bytes = 1, .available_bytes = 1, .queue_overflows = 1};
        kernel_take_meminfo(texts[i], &kernel);
        kernel_take_netstat(texts[i], &kernel);
        assert_int_equal(kernel.slab_bytes, 0);
        assert_int_equal(kernel.available_bytes, 0);
        assert_int_equal(kernel.queue_overflows, 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the kernel's own memory is read from its lines", memory),
        SPEC("a counter is found below its name", overflows),
        SPEC("what a text does not tell is 0", nothing),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
