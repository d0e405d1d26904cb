/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/actors/desk.h"

#include "actors/shell.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM_BYTES = SHELL_ANSWER_BYTES_MAX + 1024,
    CONNECT_MS = 1000,
    ANSWER_MS = 60000,
    NO_STATUS = 99,
};

static void
connected(void *context, struct sim_peer *peer, int error)
{
    struct desk *desk = context;
    (void)peer;
    desk->connected = error == 0;
    desk->closed = error != 0;
}

static void
received(void *context, struct sim_peer *peer, const unsigned char *bytes, size_t count)
{
    struct desk *desk = context;
    (void)peer;
    assert_true(count <= ROOM_BYTES - desk->bytes);
    memcpy(desk->received + desk->bytes, bytes, count);
    desk->bytes += count;
}

static void
closed(void *context, struct sim_peer *peer, bool reset)
{
    struct desk *desk = context;
    (void)peer;
    (void)reset;
    desk->closed = true;
}

static const struct sim_peer_events events = {
    .connected = connected, .received = received, .closed = closed};

void
desk_open(struct desk *desk, struct world *world)
{
    *desk = (struct desk){.world = world, .received = malloc(ROOM_BYTES)};
    assert_non_null(desk->received);
}

void
desk_connect(struct desk *desk)
{
    if (desk->peer != NULL && !desk->closed) {
        return;
    }
    sim_peer_free(desk->peer);
    char path[IO_ADDRESS_TEXT_MAX];
    struct io_address address;
    (void)snprintf(path, sizeof path, "unix:%s/%s", desk->world->settings.data, SHELL_SOCKET_NAME);
    assert_int_equal(io_address_parse(path, &address), 0);
    desk->connected = false;
    desk->closed = false;
    desk->bytes = 0;
    desk->peer = sim_peer_connect(desk->world->driver, &address, &events, desk);
    for (unsigned ms = 0; ms < CONNECT_MS && !desk->connected && !desk->closed; ms++) {
        world_run(desk->world, 1);
    }
}

void
desk_close(struct desk *desk)
{
    sim_peer_free(desk->peer);
    free(desk->received);
    *desk = (struct desk){0};
}

void
desk_send(struct desk *desk, const void *bytes, size_t count)
{
    sim_peer_send(desk->peer, bytes, count);
}

static bool
answer_take(struct desk *desk)
{
    const char *words[SHELL_ANSWER_WORDS];
    unsigned count = 0;
    size_t bytes = 0;
    int error = shell_wire_whole(desk->received, desk->bytes, ROOM_BYTES, &bytes);
    if (error == -EAGAIN) {
        return false;
    }
    assert_int_equal(error, 0);
    assert_int_equal(bytes, desk->bytes);
    assert_int_equal(shell_wire_words(desk->received, bytes, words, SHELL_ANSWER_WORDS, &count), 0);
    assert_int_equal(count, SHELL_ANSWER_WORDS);
    assert_string_equal(words[SHELL_ANSWER_VERSION], SHELL_VERSION);
    desk->status = (unsigned)strtoul(words[SHELL_ANSWER_STATUS], NULL, 10);
    desk->next = words[SHELL_ANSWER_NEXT];
    desk->document = words[SHELL_ANSWER_DOCUMENT];
    desk->bytes = 0;
    return true;
}

bool
desk_wait(struct desk *desk, uint64_t ms)
{
    desk->status = NO_STATUS;
    uint64_t until_ns = sim_now_ns(desk->world->driver) + ms * 1000000;
    while (!answer_take(desk)) {
        if (desk->closed || sim_now_ns(desk->world->driver) >= until_ns) {
            return false;
        }
        world_run(desk->world, 1);
    }
    return true;
}

void
desk_ask_list(struct desk *desk, const char *const *words, unsigned count)
{
    const char **whole = calloc(count + 1, sizeof *whole);
    assert_non_null(whole);
    whole[0] = SHELL_VERSION;
    memcpy(whole + 1, words, count * sizeof *whole);
    size_t bytes = shell_wire_bytes(whole, count + 1);
    char *request = malloc(bytes);
    assert_non_null(request);
    shell_wire_write(whole, count + 1, request);
    desk_connect(desk);
    desk_send(desk, request, bytes);
    free(request);
    free(whole);
    assert_true(desk_wait(desk, ANSWER_MS));
}
