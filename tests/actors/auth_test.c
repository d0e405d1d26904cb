/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/auth.h"

#include "runtime/io/sim.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

static struct io_driver *driver;

static int
open_chance(void **state)
{
    (void)state;
    if (sim_open(&(struct sim_options){.seed = 1}, &driver) != 0) {
        return -1;
    }
    return auth_open(io_of(driver, 0));
}

static int
close_chance(void **state)
{
    (void)state;
    io_driver_close(driver);
    return 0;
}

static struct auth_token
token_new(uint64_t user, uint16_t device)
{
    struct auth_token token = {.user = user, .device = device};
    io_random(io_of(driver, 0), token.secret, sizeof token.secret);
    return token;
}

static void
round_trip(void **state)
{
    (void)state;
    const uint64_t users[] = {1, 255, 256, UINT64_C(1) << 52, UINT64_MAX};
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        struct auth_token token = token_new(users[i], (uint16_t)(i * 13107 + 1));
        struct auth_token read = {0};
        char text[AUTH_TOKEN_TEXT_BYTES];
        auth_token_print(&token, text);
        assert_int_equal(auth_token_parse(text, strlen(text), &read), 0);
        assert_int_equal(read.user, token.user);
        assert_int_equal(read.device, token.device);
        assert_memory_equal(read.secret, token.secret, sizeof token.secret);
    }
}

static void
tampered(void **state)
{
    (void)state;
    struct auth_token token = token_new(7, 1);
    struct auth_token read = {.user = 99};
    char text[AUTH_TOKEN_TEXT_BYTES + 1];
    auth_token_print(&token, text);
    size_t bytes = strlen(text);
    for (size_t cut = 0; cut < bytes; cut++) {
        assert_int_equal(auth_token_parse(text, cut, &read), -EINVAL);
    }
    char longer[AUTH_TOKEN_TEXT_BYTES + 2];
    memcpy(longer, text, bytes);
    memcpy(longer + bytes, "A", 2);
    assert_int_equal(auth_token_parse(longer, bytes + 1, &read), -EINVAL);
    text[0] = 'z'; /* another version */
    assert_int_equal(auth_token_parse(text, bytes, &read), -EINVAL);
    text[0] = '+'; /* not of the alphabet */
    assert_int_equal(auth_token_parse(text, bytes, &read), -EINVAL);
    assert_int_equal(read.user, 99);
}

static void
nobody(void **state)
{
    (void)state;
    struct auth_token read;
    char text[AUTH_TOKEN_TEXT_BYTES];
    struct auth_token no_user = token_new(0, 1);
    auth_token_print(&no_user, text);
    assert_int_equal(auth_token_parse(text, strlen(text), &read), -EINVAL);
    struct auth_token no_device = token_new(1, 0);
    auth_token_print(&no_device, text);
    assert_int_equal(auth_token_parse(text, strlen(text), &read), -EINVAL);
}

static struct auth_job
job_of(const char *password)
{
    return (struct auth_job){.password = password,
                             .password_bytes = strlen(password),
                             .cost = {.operations = 1, .memory_bytes = 8192}};
}

static void
passwords(void **state)
{
    (void)state;
    struct auth_job job = job_of("correct horse");
    auth_hash_job(&job);
    assert_int_equal(job.error, 0);
    assert_null(strstr(job.hash, "correct"));
    auth_verify_job(&job);
    assert_int_equal(job.error, 0);
    struct auth_job wrong = job_of("correct horsf");
    memcpy(wrong.hash, job.hash, sizeof wrong.hash);
    auth_verify_job(&wrong);
    assert_int_equal(wrong.error, -EACCES);
}

static void
no_password(void **state)
{
    (void)state;
    struct auth_job job = job_of("");
    auth_verify_job(&job);
    assert_int_equal(job.error, -EACCES);
}

static void
too_dear(void **state)
{
    (void)state;
    struct auth_job job = job_of("x");
    job.cost.memory_bytes = 1; /* below what Argon2id can do */
    auth_hash_job(&job);
    assert_int_equal(job.error, -ENOMEM);
}

/* People type what they see, or nearly. */
static void
codes(void **state)
{
    (void)state;
    static const unsigned char chance_bytes[AUTH_CODE_CHANCE_BYTES] = {0x01, 0x04, 0x00, 0x00,
                                                                       0xf8};
    char code[AUTH_CODE_TEXT_BYTES];
    unsigned char hash[AUTH_HASH_BYTES];
    unsigned char typed[AUTH_HASH_BYTES];
    auth_code_print(chance_bytes, code);
    assert_string_equal(code, "1010-000Z");
    assert_int_equal(auth_code_hash(7, code, hash), 0);
    static const char *const alike[] = {"1010000Z", "loIO 000z", "-L0i0-000Z-"};
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++) {
        assert_int_equal(auth_code_hash(7, alike[i], typed), 0);
        assert_memory_equal(typed, hash, sizeof hash);
    }
    assert_int_equal(auth_code_hash(8, code, typed), 0); /* another user's */
    assert_memory_not_equal(typed, hash, sizeof hash);
    static const char *const none[] = {"", "1010-000", "1010-000ZZ", "1010-000U", "1010_000Z"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(auth_code_hash(7, none[i], typed), -EINVAL);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a token read back is the token printed", round_trip),
        SPEC("a token cut, lengthened or altered is refused", tampered),
        SPEC("a token without user or device is refused", nobody),
        SPEC("a password is known by its hash, another is not", passwords),
        SPEC("who has no password is refused like a wrong one", no_password),
        SPEC("a code is the same however it is typed, and another user's is another", codes),
        SPEC("a hash that can't be computed is an error, not a match", too_dear),
    };
    return cmocka_run_group_tests(specs, open_chance, close_chance);
}
