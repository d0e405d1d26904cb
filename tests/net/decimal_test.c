/* SPDX-License-Identifier: Apache-2.0 */
#include "net/decimal.h"

#include <errno.h>
#include <string.h>

#include "tests/spec.h"

struct verdict {
    const char *text;
    int rc;
    uint64_t value;
};

static void
judges_texts(void **state)
{
    (void)state;
    static const struct verdict verdicts[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"0.0", 0, 0},
        {"0e99999999999999999999", 0, 0},
        {"7", 0, 7},
        {"9007199254740991", 0, 9007199254740991},
        {"9007199254740993", 0, 9007199254740993},
        {"9999999999999999999", 0, 9999999999999999999U},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"18446744073709551620", -ERANGE, 0},
        {"99999999999999999999999", -ERANGE, 0},
        {"1e3", 0, 1000},
        {"1E+3", 0, 1000},
        {"1.5e1", 0, 15},
        {"150.0e-1", 0, 15},
        {"1000e-3", 0, 1},
        {"100.000", 0, 100},
        {"0.00012e5", 0, 12},
        {"10.20e1", 0, 102},
        {"1844674407370955161.5e1", 0, UINT64_MAX},
        {"1e19", 0, 10000000000000000000U},
        {"1e20", -ERANGE, 0},
        {"2e19", -ERANGE, 0},
        {"1e999999999999999999999", -ERANGE, 0},
        {"1e-999999999999999999999", -EINVAL, 0},
        {"1.5", -EINVAL, 0},
        {"15e-1", -EINVAL, 0},
        {"0.1", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"-1e0", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"-", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {"01", -EINVAL, 0},
        {"00", -EINVAL, 0},
        {".5", -EINVAL, 0},
        {"1.", -EINVAL, 0},
        {"1e", -EINVAL, 0},
        {"1e+", -EINVAL, 0},
        {"1e1.0", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1_000", -EINVAL, 0},
        {"NaN", -EINVAL, 0},
        {"Infinity", -EINVAL, 0},
        {"\xD9\xA1", -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
        const struct verdict *verdict = &verdicts[i];
        uint64_t value = 0;
        int rc = decimal_parse(verdict->text, strlen(verdict->text), &value);
        if (rc != verdict->rc || value != verdict->value) {
            fail_msg("\"%s\": %d, %llu", verdict->text, rc, (unsigned long long)value);
        }
    }
}

static void
writes_digits(void **state)
{
    (void)state;
    char text[DECIMAL_BYTES_MAX + 1] = "";
    assert_int_equal(decimal_write(0, text), 1);
    assert_string_equal(text, "0");
    assert_int_equal(decimal_write(UINT64_MAX, text), DECIMAL_BYTES_MAX);
    assert_string_equal(text, "18446744073709551615");
    uint64_t power = 1;
    for (size_t digits = 1; digits <= 20; digits++, power *= 10) {
        uint64_t again = 0;
        assert_int_equal(decimal_write(power, text), digits);
        assert_int_equal(decimal_parse(text, digits, &again), 0);
        assert_true(again == power);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("whole numbers up to 2^64 - 1 are read exactly however JSON writes them, others "
             "refused",
             judges_texts),
        SPEC("numbers are written as their digits", writes_digits),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
