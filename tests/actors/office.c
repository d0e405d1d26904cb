/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/actors/office.h"

#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

enum { SEED = 2 };

struct world world;
struct desk desk;

bool
says(const char *text)
{
    return strstr(desk.document, text) != NULL;
}

unsigned
times(const char *text)
{
    unsigned count = 0;
    for (const char *at = desk.document; (at = strstr(at, text)) != NULL; at += strlen(text)) {
        count++;
    }
    return count;
}

uint64_t
number(const char *name)
{
    char member[64];
    (void)snprintf(member, sizeof member, "\"%s\":", name);
    const char *at = strstr(desk.document, member);
    assert_non_null(at);
    return strtoull(at + strlen(member), NULL, 10);
}

void
is_json(void)
{
    char why[128];
    yajl_val tree = yajl_tree_parse(desk.document, why, sizeof why);
    assert_non_null(tree);
    yajl_tree_free(tree);
}

void
failed_with(enum shell_status status, const char *sentence)
{
    char document[512];
    (void)snprintf(document, sizeof document, "{\"error\":\"%s\"}", sentence);
    assert_string_equal(desk.document, document);
    assert_int_equal(desk.status, status);
}

int
office_open_with(struct ln_child guest)
{
    world_open_with(&world, SEED, guest);
    desk_open(&desk, &world);
    return 0;
}

int
office_open(void **state)
{
    (void)state;
    return office_open_with((struct ln_child){.behaviour = NULL});
}

int
office_close(void **state)
{
    (void)state;
    desk_close(&desk);
    world_close(&world);
    return 0;
}
