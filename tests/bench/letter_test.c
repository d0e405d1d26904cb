/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/letter.h"

#include "tests/spec.h"

#include <string.h>

static const struct letter sample = {
    .run = 0x4d1f00aa, .line = 12, .sequence = 17, .at_ns = 1000000};
static char text[LETTER_BYTES_MAX + 1];

static void
comes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {LETTER_BYTES_MIN, 128, 1000, LETTER_BYTES_MAX};
    static const struct letter letters[] = {
        {.run = 0, .line = 0, .sequence = 1, .at_ns = 0},
        {.run = UINT32_MAX,
         .line = 0xffffff,
         .sequence = ((uint64_t)1 << 40) - 1,
         .at_ns = ((uint64_t)1 << 48) - 1},
    };
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const struct letter *letter = &letters[i % 2];
        struct letter read;
        letter_write(letter, text, sizes[i]);
        assert_int_equal(strlen(text), sizes[i]);
        assert_int_equal(letter_read(text, sizes[i], letter->run, &read), LETTER_OK);
        assert_int_equal(read.run, letter->run);
        assert_int_equal(read.line, letter->line);
        assert_int_equal(read.sequence, letter->sequence);
        assert_int_equal(read.at_ns, letter->at_ns);
    }
}

static void
looks_as_told(void **state)
{
    (void)state;
    letter_write(&sample, text, 128);
    text[41] = '\0';
    assert_string_equal(text, "@4d1f00aa>00000c#0000000011+0000000f4240=");
}

static void
of_another_run(void **state)
{
    (void)state;
    struct letter read;
    letter_write(&sample, text, 128);
    assert_int_equal(letter_read(text, 128, sample.run + 1, &read), LETTER_FOREIGN);
    assert_int_equal(letter_read("hi bob", 6, sample.run, &read), LETTER_FOREIGN);
    memset(text, 'x', 128);
    assert_int_equal(letter_read(text, 128, sample.run, &read), LETTER_FOREIGN);
}

static void
every_byte_counts(void **state)
{
    (void)state;
    enum { BYTES = 200 };
    letter_write(&sample, text, BYTES);
    for (size_t i = 0; i < BYTES; i++) {
        struct letter read;
        text[i] ^= 1;
        assert_int_not_equal(letter_read(text, BYTES, sample.run, &read), LETTER_OK);
        text[i] ^= 1;
    }
}

static void
its_length_counts(void **state)
{
    (void)state;
    struct letter read;
    letter_write(&sample, text, 200);
    assert_int_equal(letter_read(text, 199, sample.run, &read), LETTER_DAMAGED);
    assert_int_equal(letter_read(text, LETTER_BYTES_MIN - 1, sample.run, &read), LETTER_FOREIGN);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what a letter says is read from it again, at every length", comes_back),
        SPEC("a letter looks as its header tells", looks_as_told),
        SPEC("letters of other runs, and of others, are foreign", of_another_run),
        SPEC("a change to any of its bytes is seen", every_byte_counts),
        SPEC("a letter that was cut is damaged", its_length_counts),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
