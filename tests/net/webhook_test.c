/* SPDX-License-Identifier: Apache-2.0 */
#include "net/webhook.h"

#include "tests/spec.h"

#include <errno.h>
#include <string.h>

static const struct webhook_wake wake = {
    .user = 12,
    .device = 3,
    .number = 900000000000018,
    .time_ms = 1780000007000,
    .attempt = 2,
    .ttl_s = 604800,
    .app = "fcm:abc",
    .app_bytes = 7,
};

static void
says_whom_to_wake(void **state)
{
    (void)state;
    char body[512];
    size_t count = 0;
    static const char expected[] =
        "{\"type\":\"wake\",\"reason\":\"message\",\"id\":\"12-3-900000000000018\","
        "\"userId\":\"12\",\"device\":3,\"attempt\":2,\"timeMs\":\"1780000007000\","
        "\"ttlS\":604800,\"app\":\"ZmNtOmFiYw==\"}";
    assert_int_equal(webhook_write(&wake, body, sizeof body, &count), 0);
    assert_int_equal(count, sizeof expected - 1);
    assert_memory_equal(body, expected, count);
    for (size_t room = 0; room < sizeof expected; room++) {
        assert_int_equal(webhook_write(&wake, body, room, &count), -ENOBUFS);
    }
    struct webhook_wake test = wake;
    test.test = true;
    assert_int_equal(webhook_write(&test, body, sizeof body, &count), 0);
    assert_memory_equal(body, "{\"type\":\"test\"", 14);
}

static void
says_that_it_rings(void **state)
{
    (void)state;
    char body[512];
    size_t count = 0;
    static const char expected[] =
        "{\"type\":\"wake\",\"reason\":\"call\",\"id\":\"12-3-900000000000018-call\",";
    struct webhook_wake call = wake;
    call.call = true;
    assert_int_equal(webhook_write(&call, body, sizeof body, &count), 0);
    assert_memory_equal(body, expected, sizeof expected - 1);
}

static void
names_a_wake(void **state)
{
    (void)state;
    char first[WEBHOOK_KEY_BYTES];
    char second[WEBHOOK_KEY_BYTES];
    struct webhook_wake again = wake;
    again.attempt = 9;
    again.time_ms++;
    webhook_key(&wake, first);
    webhook_key(&again, second);
    assert_string_equal(first, second);
    again.call = true; /* what comes of a call may have its number */
    webhook_key(&again, second);
    assert_string_not_equal(first, second);
    again = wake;
    again.number++;
    webhook_key(&again, second);
    assert_string_not_equal(first, second);
}

/* printf '1780000007.{"a":1}' | openssl dgst -sha256 -hmac secret */
static void
signs(void **state)
{
    (void)state;
    char value[WEBHOOK_SIGNATURE_BYTES];
    assert_int_equal(webhook_sign("secret", 6, 1780000007, "{\"a\":1}", 7, value), 0);
    assert_string_equal(
        value, "t=1780000007,v1=93a3649a098a0c0abbfc1fe3eba307b963646ffcfbb43d1147e6a408aa25c583");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the body names the device, and brings what its client gave", says_whom_to_wake),
        SPEC("the body says that somebody calls", says_that_it_rings),
        SPEC("all attempts of a wake have one key, the next wake has another", names_a_wake),
        SPEC("a signature is HMAC-SHA256 over time and body", signs),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
