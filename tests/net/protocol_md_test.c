/* SPDX-License-Identifier: Apache-2.0 */
/* The frames printed in docs/protocol.md are frames. */
#include "net/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/spec.h"

enum {
    LINE_BYTES_MAX = 2048,
};

/* A command must be decoded, except where the page shows what is refused. */
static bool
is_refused_on_purpose(const char *json)
{
    return strstr(json, "nubmer") != NULL;
}

static void
expect_command(const char *json, struct arena *arena)
{
    struct protocol_decoder decoder = {.form = PROTOCOL_JSON, .arena = arena};
    struct protocol_error error;
    Linnet__V1__ClientFrame *frame;
    int rc = protocol_decode_client(&decoder, json, strlen(json), &frame, &error);
    if (is_refused_on_purpose(json)) {
        assert_string_equal(error.text, "unknown field \"nubmer\"");
    } else if (rc < 0) {
        fail_msg("%s: %s", json, error.text);
    }
}

/* An event must be printed just as a node writes it. */
static void
expect_event(const char *json, struct arena *arena)
{
    struct protocol_decoder decoder = {.form = PROTOCOL_JSON, .arena = arena};
    struct protocol_error error;
    Linnet__V1__ServerFrame *frame;
    if (protocol_decode_server(&decoder, json, strlen(json), &frame, &error) < 0) {
        fail_msg("%s: %s", json, error.text);
    }
    char again[LINE_BYTES_MAX];
    size_t bytes;
    assert_int_equal(protocol_encode(PROTOCOL_JSON, &frame->base, again, sizeof(again) - 1, &bytes),
                     0);
    again[bytes] = '\0';
    assert_string_equal(again, json);
}

static void
prints_frames(void **state)
{
    (void)state;
    FILE *page = fopen(PROTOCOL_MD, "r");
    assert_non_null(page);
    unsigned commands = 0;
    unsigned events = 0;
    char line[LINE_BYTES_MAX];
    while (fgets(line, sizeof(line), page) != NULL) {
        struct arena arena;
        arena_init(&arena, NULL, 0, 1 << 20);
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "> {", 3) == 0) {
            expect_command(line + 2, &arena);
            commands++;
        } else if (strncmp(line, "< {", 3) == 0) {
            expect_event(line + 2, &arena);
            events++;
        }
        arena_fini(&arena);
    }
    assert_int_equal(fclose(page), 0);
    assert_true(commands >= 10 && events >= 10);
}

/* Every code stands in the page's table, with its number. */
static void
lists_the_codes(void **state)
{
    (void)state;
    FILE *page = fopen(PROTOCOL_MD, "r");
    assert_non_null(page);
    static char text[128 << 10];
    size_t bytes = fread(text, 1, sizeof(text) - 1, page);
    assert_true(bytes > 0 && bytes < sizeof(text) - 1);
    text[bytes] = '\0';
    assert_int_equal(fclose(page), 0);
    const ProtobufCEnumDescriptor *codes = &linnet__v1__error__code__descriptor;
    for (unsigned i = 0; i < codes->n_values; i++) {
        char row[100];
        snprintf(row, sizeof(row), "| `%s` | %d |", codes->values[i].name, codes->values[i].value);
        if (strstr(text, row) == NULL) {
            fail_msg("no row \"%s\"", row);
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("every frame in docs/protocol.md is one, and events are printed as written",
             prints_frames),
        SPEC("every error code is listed there with its number", lists_the_codes),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
