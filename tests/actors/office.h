/* SPDX-License-Identifier: Apache-2.0 */
/* office.h - the words of tests that ask at the shell: each plays on a node under sim of its own,
 * with one operator's desk.
 *
 *     static void adds_a_user(void **state)
 *     {
 *         desk_ask(&desk, "user", "add", "alice");
 *         assert_true(says("\"name\":\"alice\""));
 *         desk_ask(&desk, "user", "add", "alice");
 *         failed_with(SHELL_FAILED, "there is a user 'alice' already");
 *     }
 *     ... specs[] = { DOOR("a user is added", adds_a_user), ...
 */
#pragma once

#include "tests/actors/desk.h"

extern struct world world;
extern struct desk desk;

/* The last answer's document has this in it. */
bool says(const char *text);
/* How often it has. */
unsigned times(const char *text);
/* The number that it has first under this name. */
uint64_t number(const char *name);
/* It is a JSON document. */
void is_json(void);
/* The last answer was this error, and nothing else. */
void failed_with(enum shell_status status, const char *sentence);

int office_open(void **state);
int office_close(void **state);
/* For an opening of one's own: with a guest beside the node's tree. 0. */
int office_open_with(struct ln_child guest);

/* A case at the door of an office that is opened so; and of a plain one. */
#define DOOR_TO(title, function, open)                  \
    {                                                   \
        (title), (function), (open), office_close, NULL \
    }
#define DOOR(title, function) DOOR_TO(title, function, office_open)
