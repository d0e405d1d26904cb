/* SPDX-License-Identifier: Apache-2.0 */
/* The client without memory: a conversation is held again and again, and each time another of its
 * calls for memory is refused. */
#include "net/client.h"

#include <stdio.h>
#include <string.h>

#include "tests/net/fake_node.h"
#include "tests/spec.h"

/* How many of the client's calls for memory are still granted; then one is not. */
static int grants_left = -1;

static bool
is_granted(void)
{
    if (!talk_in_client || grants_left < 0) {
        return true;
    }
    return grants_left-- > 0;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *pointer, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *pointer, size_t bytes);

void *
__wrap_malloc(size_t bytes)
{
    return is_granted() ? __real_malloc(bytes) : NULL;
}

void *
__wrap_calloc(size_t count, size_t bytes)
{
    return is_granted() ? __real_calloc(count, bytes) : NULL;
}

void *
__wrap_realloc(void *pointer, size_t bytes)
{
    return is_granted() ? __real_realloc(pointer, bytes) : NULL;
}

/* Forgets what was told, and says whether it was this, or began with it. */
static bool
was_told(struct talk *talk, const char *text)
{
    bool told = false;
    for (; talk->told_first < talk->told_end; talk->told_first++) {
        told = told || strncmp(talk->told[talk->told_first], text, strlen(text)) == 0;
    }
    talk->told_first = talk->told_end = 0;
    return told;
}

/* Until the client is ready; a connection that was given up is followed by another. */
static void
gets_ready(struct talk *talk)
{
    while (client_state(&talk->client) != CLIENT_READY) {
        if (client_state(&talk->client) != CLIENT_LOGGING_IN) {
            alice_connects(talk);
            continue;
        }
        node_says(talk, "{\"welcome\":{\"userId\":1,\"device\":3,\"nextCommand\":1}}");
    }
    was_told(talk, "");
}

static void
bob_is_heard(struct talk *talk, unsigned inbox_number)
{
    char line[64];
    snprintf(line, sizeof(line), "message %u ", inbox_number);
    do {
        gets_ready(talk);
        bob_writes(talk, inbox_number, inbox_number);
    } while (!was_told(talk, line));
}

/* Forgets what the node heard, and says whether this was among it. */
static bool
was_heard(struct talk *talk, const char *json)
{
    bool heard = false;
    for (; talk->heard_first < talk->heard_end; talk->heard_first++) {
        heard = heard || strcmp(talk->heard[talk->heard_first], json) == 0;
    }
    talk->heard_first = talk->heard_end = 0;
    return heard;
}

static void
alice_is_heard(struct talk *talk, const char *json)
{
    while (!was_heard(talk, json)) {
        gets_ready(talk);
        /* Any event is an occasion to write what found no memory before. */
        node_says(talk, "{\"pong\":{}}");
        was_told(talk, "");
    }
}

static void
bears_want_of_memory_once(struct talk *talk)
{
    talk->login.token_in_frame = true;
    gets_ready(talk);
    assert_int_equal(alice_writes(talk, 2, "one"), 1);
    alice_is_heard(talk, COMMAND("1", "one"));
    bob_is_heard(talk, 5);
    node_sends(talk, FRAME_PING, "", 0);
    bob_is_heard(talk, 6);
    assert_int_equal(client_unanswered(&talk->client), 1);
    was_heard(talk, "");
}

static void
bears_want_of_memory(void **state)
{
    (void)state;
    int calls = 0;
    do {
        assert_true(calls < 10000);
        struct talk talk;
        talk_init(&talk, calls % 2 == 0 ? PROTOCOL_BINARY : PROTOCOL_JSON);
        talk.piece_bytes = calls % 4 < 2 ? 0 : 7;
        grants_left = calls / 4;
        bears_want_of_memory_once(&talk);
        talk_fini(&talk);
        calls++;
        /* Less than nothing: the call came, and was not granted. */
    } while (grants_left < 0 || calls % 4 != 0);
    grants_left = -1;
    assert_true(calls > 40);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("without memory a call says so or the connection ends, and nothing is lost",
             bears_want_of_memory),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
