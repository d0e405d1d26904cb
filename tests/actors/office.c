/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/actors/office.h"

#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SEED = 2 };

struct world world;
struct desk desk;

bool
says(const char *text)
{
    return strstr(desk.document, text) != NULL;
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
