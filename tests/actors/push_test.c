/* SPDX-License-Identifier: Apache-2.0 */
/* What a push actor decides with: retries, the table of devices. */
#include "actors/push_origin.h"
#include "actors/push_retry.h"
#include "actors/push_table.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdlib.h>

/* -------------------------------------------------------------------------------------- retries */

static void
judges_services(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum push_verdict verdict;
    } rows[] = {
        {200, PUSH_ACCEPTED},     {201, PUSH_ACCEPTED},  {202, PUSH_ACCEPTED},
        {404, PUSH_GONE},         {410, PUSH_GONE},      {301, PUSH_REFUSED},
        {400, PUSH_REFUSED},      {401, PUSH_REFUSED},   {403, PUSH_REFUSED},
        {413, PUSH_REFUSED},      {408, PUSH_AGAIN},     {429, PUSH_AGAIN},
        {500, PUSH_AGAIN},        {503, PUSH_AGAIN},     {599, PUSH_AGAIN},
        {-ETIMEDOUT, PUSH_AGAIN}, {-EPROTO, PUSH_AGAIN}, {-ECONNREFUSED, PUSH_AGAIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(push_verdict_of(STORE_WAKE_WEBPUSH, rows[i].status), rows[i].verdict);
    }
}

static void
judges_the_webhook(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum push_verdict verdict;
    } rows[] = {
        {200, PUSH_ACCEPTED}, {204, PUSH_ACCEPTED}, {410, PUSH_GONE},      {400, PUSH_REFUSED},
        {413, PUSH_REFUSED},  {422, PUSH_REFUSED},  {401, PUSH_AGAIN},     {404, PUSH_AGAIN},
        {302, PUSH_AGAIN},    {500, PUSH_AGAIN},    {-EPROTO, PUSH_AGAIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(push_verdict_of(STORE_WAKE_WEBHOOK, rows[i].status), rows[i].verdict);
    }
}

static void
pauses_grow(void **state)
{
    (void)state;
    static const uint64_t expected[] = {0, 100, 200, 400, 800, 1000, 1000};
    for (unsigned attempt = 1; attempt < 7; attempt++) {
        assert_int_equal(push_pause_ms(attempt, 100, 1000, 0), expected[attempt]);
        uint64_t least = push_pause_ms(attempt, 100, 1000, UINT32_MAX);
        assert_in_range(least, expected[attempt] / 2, expected[attempt] / 2 + 1);
    }
    assert_int_equal(push_pause_ms(0, 100, 1000, 0), 100);
    assert_int_equal(push_pause_ms(1000, 5000, 3600000, 0), 3600000);
    assert_int_equal(push_pause_ms(31, UINT64_C(1) << 40, 7, 0), 7);
}

static void
blames_servers(void **state)
{
    (void)state;
    static const int of_server[] = {201, 429, 503, -ETIMEDOUT, -ECONNREFUSED, -EPROTO, -ENOENT};
    static const int of_order[] = {-EBUSY, -EACCES, -EINVAL, -EOPNOTSUPP, -ENOBUFS, -ENOMEM};
    for (size_t i = 0; i < sizeof of_server / sizeof of_server[0]; i++) {
        assert_true(push_is_of_server(of_server[i]));
    }
    for (size_t i = 0; i < sizeof of_order / sizeof of_order[0]; i++) {
        assert_false(push_is_of_server(of_order[i]));
    }
}

static void
counts_incidents(void **state)
{
    (void)state;
    struct push_origin origin = {.busy = 0};
    for (int i = 0; i < 16; i++) {
        assert_int_equal(push_origin_bad(&origin, 1000), 1);
        push_origin_pause(&origin, 1000, 1);
    }
    assert_int_equal(push_origin_bad(&origin, 1000 + 999999), 1);
    assert_int_equal(push_origin_bad(&origin, 1000 + 1000000), 2);
    push_origin_good(&origin);
    assert_int_equal(push_origin_bad(&origin, 1000), 1);
}

static void
limits_are_of_devices_first(void **state)
{
    (void)state;
    struct push_origin origin = {.busy = 0};
    for (int round = 0; round < 2; round++) {
        assert_false(push_origin_limits(&origin));
        assert_false(push_origin_limits(&origin));
        assert_true(push_origin_limits(&origin));
        assert_true(push_origin_limits(&origin));
        push_origin_good(&origin);
    }
}

/* ---------------------------------------------------------------------------------------- table */

static void
finds_devices(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    struct push_table table;
    push_table_init(&table, MANY);
    for (uint64_t user = 1; user <= MANY / 2; user++) {
        assert_non_null(push_table_add(&table, user, 1, false));
        assert_non_null(push_table_add(&table, user, 2, false));
    }
    assert_null(push_table_add(&table, MANY, 1, false)); /* it is full */
    for (uint64_t user = 1; user <= MANY / 2; user++) {
        struct push_wake *wake = push_table_find(&table, user, 2, false);
        assert_true(wake != NULL && wake->user == user && wake->device == 2);
        assert_null(push_table_find(&table, user, 3, false));
        assert_null(push_table_find(&table, user, 2, true)); /* a test is another */
        push_table_remove(&table, &wake);
        assert_null(wake);
        assert_null(push_table_find(&table, user, 2, false));
        assert_non_null(push_table_find(&table, user, 1, false));
    }
    assert_int_equal(table.count, MANY / 2);
    push_table_fini(&table);
}

static void
serves_in_time(void **state)
{
    (void)state;
    enum { MANY = 500 };
    struct push_table table;
    push_table_init(&table, MANY);
    assert_int_equal(push_table_next_ns(&table), UINT64_MAX);
    assert_null(push_table_due(&table, UINT64_MAX));
    uint64_t chance = 7;
    for (uint64_t user = 1; user <= MANY; user++) {
        struct push_wake *wake = push_table_add(&table, user, 1, false);
        chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
        push_table_wait(&table, wake, 1 + (chance >> 33) % 10000);
    }
    for (uint64_t user = 3; user <= MANY; user += 3) { /* out of the middle */
        struct push_wake *wake = push_table_find(&table, user, 1, false);
        push_table_remove(&table, &wake);
    }
    uint64_t before = 0;
    uint32_t left = table.count;
    while (left > 0) {
        uint64_t next = push_table_next_ns(&table);
        assert_true(next >= before && next != UINT64_MAX);
        assert_null(push_table_due(&table, next - 1));
        struct push_wake *wake = push_table_due(&table, next);
        assert_true(wake != NULL && wake->at_ns == next && wake->heap_at == 0);
        before = next;
        left--;
    }
    push_table_fini(&table);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a push service's answers mean what RFC 8030 says", judges_services),
        SPEC("of the webhook only 410 says that somebody has gone", judges_the_webhook),
        SPEC("pauses double up to a limit, less a part that is left to chance", pauses_grow),
        SPEC("an order that can't be sent says nothing about its server", blames_servers),
        SPEC("what fails together counts once against its server", counts_incidents),
        SPEC("a server that says 429 means one device, until several in a row have heard it",
             limits_are_of_devices_first),
        SPEC("devices are found in a table that has a limit", finds_devices),
        SPEC("those whose time has come are served in its order", serves_in_time),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
