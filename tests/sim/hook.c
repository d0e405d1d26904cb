/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/hook.h"

#include "runtime/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hook_actor {
    struct hook *hook;
    struct ln_socket *listener;
    struct hook_line {
        struct ln_socket *socket; /* NULL: none */
        size_t count;
        char bytes[HOOK_BYTES_MAX];
    } lines[HOOK_SOCKETS_MAX];
};

static struct hook_line *
line_of(struct hook_actor *actor, const struct ln_socket *socket)
{
    for (unsigned i = 0; i < HOOK_SOCKETS_MAX; i++) {
        if (actor->lines[i].socket == socket) {
            return &actor->lines[i];
        }
    }
    return NULL;
}

/* What stands behind `name` up to `end`. */
static void
member(const char *text, const char *name, char end, char *out, size_t out_max)
{
    const char *at = strstr(text, name);
    ASSERT(at != NULL);
    at += strlen(name);
    size_t count = strcspn(at, (char[]){end, '\0'});
    ASSERT(count < out_max);
    memcpy(out, at, count);
    out[count] = '\0';
}

static void
answer(struct hook *hook, struct hook_line *line)
{
    char text[256];
    unsigned status = hook->status_once != 0 ? hook->status_once : hook->status;
    hook->status_once = 0;
    if (hook->kills != NULL) {
        ln_kill(ln_whereis(hook->kills), LN_EXIT_KILLED);
        hook->kills = NULL;
    }
    if (status == 0) {
        return;
    }
    int count = snprintf(text, sizeof text, "HTTP/1.1 %u x\r\nContent-Length: 0\r\n", status);
    if (hook->retry_after_s > 0) {
        count += snprintf(text + count, sizeof text - (size_t)count, "Retry-After: %u\r\n",
                          hook->retry_after_s);
    }
    count += snprintf(text + count, sizeof text - (size_t)count, "\r\n");
    ln_socket_send(line->socket, text, (size_t)count);
    if (hook->hangs_up) {
        ln_socket_close(&line->socket, false);
    }
}

/* Web Push says nothing that can be read here. */
static void
note(struct hook_asked *asked, const char *body)
{
    char number[16];
    if (strstr(body, "\"attempt\":") != NULL) {
        member(body, "\"id\":\"", '"', asked->id, sizeof asked->id);
        member(body, "\"reason\":\"", '"', asked->reason, sizeof asked->reason);
        member(body, "\"attempt\":", ',', number, sizeof number);
        asked->attempt = (unsigned)strtoul(number, NULL, 10);
        member(body, "\"ttlS\":", ',', number, sizeof number);
        asked->ttl_s = (unsigned)strtoul(number, NULL, 10);
    }
}

/* A request that is all there. */
static void
take(struct hook *hook, struct hook_line *line)
{
    const char *body = strstr(line->bytes, "\r\n\r\n");
    char length[16];
    if (body == NULL) {
        return;
    }
    member(line->bytes, "Content-Length: ", '\r', length, sizeof length);
    if ((size_t)(line->bytes + line->count - body - 4) < strtoul(length, NULL, 10)) {
        return;
    }
    ASSERT(hook->count < HOOK_ASKED_MAX);
    struct hook_asked *asked = &hook->asked[hook->count++];
    note(asked, body);
    asked->at_ns = ln_now_ns();
    line->count = 0;
    answer(hook, line);
}

static void
hook_data(struct hook_actor *actor, const struct ln_socket_event *event)
{
    struct hook_line *line = line_of(actor, event->socket);
    ASSERT(line != NULL && line->count + event->bytes < HOOK_BYTES_MAX);
    memcpy(line->bytes + line->count, event->data, event->bytes);
    line->count += event->bytes;
    line->bytes[line->count] = '\0';
    take(actor->hook, line);
}

static int
hook_init(void *state, const void *argument)
{
    struct hook_actor *actor = state;
    struct io_address address;
    actor->hook = *(struct hook *const *)argument;
    int error = io_address_parse(HOOK_ADDRESS, &address);
    return error == 0 ? ln_socket_listen(&address, &actor->listener, NULL) : error;
}

static void
hook_handle(void *state, struct ln_msg **msg)
{
    struct hook_actor *actor = state;
    if ((*msg)->tag == LN_TAG_ACCEPT) {
        struct hook_line *line = line_of(actor, NULL);
        ASSERT(line != NULL);
        line->count = 0;
        line->socket = ln_socket_attach(ln_socket_event(*msg)->descriptor);
    } else if ((*msg)->tag == LN_TAG_DATA) {
        hook_data(actor, ln_socket_event(*msg));
    } else if ((*msg)->tag == LN_TAG_CLOSED) {
        struct hook_line *line = line_of(actor, ln_socket_event(*msg)->socket);
        ASSERT(line != NULL);
        ln_socket_close(&line->socket, true);
    }
}

static const struct ln_behaviour hook_behaviour = {.name = "hook",
                                                   .state_bytes = sizeof(struct hook_actor),
                                                   .init = hook_init,
                                                   .handle = hook_handle};

struct ln_child
hook_child(struct hook *hook)
{
    static struct hook *argument; /* one world at a time */
    argument = hook;
    return (struct ln_child){.id = "hook",
                             .behaviour = &hook_behaviour,
                             .argument = &argument,
                             .bytes = sizeof(struct hook *)};
}
