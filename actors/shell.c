/* SPDX-License-Identifier: Apache-2.0 */
/* Two behaviours: the listener, linked to its connections and trapping exits, so that it counts
 * them and they end with it; and the connection, a process that reads top to bottom. */
#include "actors/shell.h"

#include "actors/listener.h"
#include "actors/shell_priv.h"
#include "actors/tag.h"
#include "net/utf8.h"
#include "runtime/bounds.h"
#include "runtime/check.h"
#include "runtime/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --------------------------------------------------------------------------------- a connection */

struct client {
    struct messenger *messenger;
    struct ln_socket *socket;
    char *request; /* SHELL_REQUEST_BYTES_MAX; bytes of it are filled */
    size_t bytes;
    char *answer; /* SHELL_ANSWER_BYTES_MAX: the document */
    const char **words;
    struct ln_trace *trace; /* NULL: none runs */
};

struct client_start {
    struct messenger *messenger;
    io_socket descriptor;
};

static int
client_init(void *state, const void *argument)
{
    struct client *client = state;
    const struct client_start *start = argument;
    client->messenger = start->messenger;
    client->socket = ln_socket_attach(start->descriptor);
    return 0;
}

/* What the tool gets. */
static void
client_answer(struct client *client, const struct shell_call *call)
{
    char status[4];
    const char *words[SHELL_ANSWER_WORDS] = {
        [SHELL_ANSWER_VERSION] = SHELL_VERSION,
        [SHELL_ANSWER_STATUS] = status,
        [SHELL_ANSWER_NEXT] = call->next,
        [SHELL_ANSWER_DOCUMENT] = call->out->data,
    };
    (void)snprintf(status, sizeof status, "%u", (unsigned)call->status % 100);
    size_t bytes = shell_wire_bytes(words, SHELL_ANSWER_WORDS);
    char *whole = ln_alloc(bytes);
    shell_wire_write(words, SHELL_ANSWER_WORDS, whole);
    ln_socket_send(client->socket, whole, bytes);
    ln_free(whole);
}

/* The first word that is not UTF-8, which no document could repeat; 0: all are. */
static unsigned
word_broken(const char *const *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!utf8_valid((const unsigned char *)words[i], strlen(words[i]))) {
            return i + 1;
        }
    }
    return 0;
}

/* Does the request of these words, or says why it can't be done. */
static void
client_serve(struct client *client, unsigned count, int error)
{
    struct ln_text document;
    ln_text_init(&document, client->answer, SHELL_ANSWER_BYTES_MAX);
    struct shell_call call = {
        .messenger = client->messenger,
        .words = client->words + 1,
        .count = count > 0 ? count - 1 : 0,
        .out = &document,
        .trace = &client->trace,
    };
    messenger_count(&client->messenger->counters.shell_requests);
    if (error < 0 || count == 0) {
        shell_fail(&call, SHELL_USAGE, "%s",
                   error == -EMSGSIZE || error == -E2BIG ? "the request is too long"
                                                         : "this is no request of the shell's");
    } else if (strcmp(client->words[0], SHELL_VERSION) != 0) {
        shell_fail(&call, SHELL_USAGE,
                   "this node's shell speaks %s: use the tool of its version, %s", SHELL_VERSION,
                   LINNET_VERSION);
    } else if (word_broken(call.words, call.count) != 0) {
        shell_fail(&call, SHELL_USAGE, "word %u is not UTF-8", word_broken(call.words, call.count));
    } else {
        shell_command_run(&call);
    }
    client_answer(client, &call);
}

/* Takes received bytes. False: more than a request has room for. */
static bool
client_fill(struct client *client, const struct ln_socket_event *event)
{
    if (event->bytes > SHELL_REQUEST_BYTES_MAX - client->bytes) {
        return false;
    }
    memcpy(client->request + client->bytes, event->data, event->bytes);
    client->bytes += event->bytes;
    return true;
}

/* Waits for one of the socket's events, other messages aside. */
static bool
socket_match(const struct ln_msg *msg, void *context)
{
    (void)context;
    return msg->tag == LN_TAG_DATA || msg->tag == LN_TAG_CLOSED || msg->tag == LN_TAG_DRAINED;
}

/* Until a whole request has come. 0 with its bytes; -EPROTO, -EMSGSIZE to be answered; else there
 * is nobody to answer any more. */
static int
client_read(struct client *client, uint64_t until_ns, size_t *out_bytes)
{
    for (;;) {
        int error =
            shell_wire_whole(client->request, client->bytes, SHELL_REQUEST_BYTES_MAX, out_bytes);
        if (error != -EAGAIN) {
            return error;
        }
        uint64_t now_ns = ln_now_ns();
        struct ln_msg *msg = NULL;
        uint64_t left_ms = now_ns < until_ns ? (until_ns - now_ns) / 1000000 + 1 : 0;
        error = ln_receive_match(socket_match, NULL, left_ms, &msg);
        if (error < 0) {
            return error;
        }
        bool closed = msg->tag == LN_TAG_CLOSED;
        bool room = msg->tag != LN_TAG_DATA || client_fill(client, ln_socket_event(msg));
        ln_msg_free(&msg);
        if (closed) {
            return -EPIPE;
        }
        if (!room) {
            return -EMSGSIZE;
        }
    }
}

/* Until the tool has taken its answer: the next request is not read before, so that no more than
 * one answer waits. */
static int
client_flush(struct client *client, uint64_t until_ns)
{
    ln_socket_notify_drained(client->socket, 0);
    for (;;) {
        uint64_t now_ns = ln_now_ns();
        struct ln_msg *msg = NULL;
        uint64_t left_ms = now_ns < until_ns ? (until_ns - now_ns) / 1000000 + 1 : 0;
        int error = ln_receive_match(socket_match, NULL, left_ms, &msg);
        if (error < 0) {
            return error;
        }
        uint32_t tag = msg->tag;
        bool room = tag != LN_TAG_DATA || client_fill(client, ln_socket_event(msg));
        ln_msg_free(&msg);
        if (tag == LN_TAG_DRAINED) {
            return 0;
        }
        if (tag == LN_TAG_CLOSED || !room) {
            return -EPIPE;
        }
    }
}

static void
client_run(void *state)
{
    struct client *client = state;
    const uint64_t patience_ns = UINT64_C(1000000) * SHELL_PATIENCE_MS;
    client->request = ln_alloc(SHELL_REQUEST_BYTES_MAX);
    client->answer = ln_alloc(SHELL_ANSWER_BYTES_MAX);
    client->words = ln_alloc(SHELL_WORDS_MAX * sizeof *client->words);
    for (;;) {
        size_t bytes = 0;
        unsigned count = 0;
        int error = client_read(client, ln_now_ns() + patience_ns, &bytes);
        if (error < 0 && error != -EPROTO && error != -EMSGSIZE) {
            break;
        }
        if (error == 0) {
            error =
                shell_wire_words(client->request, bytes, client->words, SHELL_WORDS_MAX, &count);
        }
        bool lost = error < 0; /* where the next request begins can't be known */
        client_serve(client, count, error);
        /* Passwords are among the words. */
        explicit_bzero(client->request, bytes);
        client->bytes -= bytes;
        memmove(client->request, client->request + bytes, client->bytes);
        if (client_flush(client, ln_now_ns() + patience_ns) < 0 || lost) {
            break;
        }
    }
    explicit_bzero(client->request, client->bytes);
    ln_socket_close(&client->socket, false);
}

static void
client_print(const void *state, struct ln_text *out)
{
    const struct client *client = state;
    ln_text_print(out, "request bytes: %zu\n", client->bytes);
}

static const struct ln_behaviour client_behaviour = {
    .name = "shell-client",
    .tag_name = messenger_tag_name,
    .state_bytes = sizeof(struct client),
    .init = client_init,
    .run = client_run,
    .print = client_print,
    .stack_bytes = LN_LENT_STACK_BYTES, /* printf's own frames are large; these actors are few */
};

/* --------------------------------------------------------------------------------- the listener */

struct shell {
    struct messenger *messenger;
    struct ln_socket *socket;
    ln_pid clients[SHELL_CONNECTIONS_MAX]; /* in no order */
    unsigned clients_count;
};

static int
shell_init(void *state, const void *argument)
{
    struct shell *shell = state;
    shell->messenger = *(struct messenger *const *)argument;
    char path[IO_ADDRESS_TEXT_MAX];
    struct io_address address;
    const char *data = shell->messenger->settings->data;
    int bytes = snprintf(path, sizeof path, "unix:%s/%s", data, SHELL_SOCKET_NAME);
    int error = bytes < (int)sizeof path ? io_address_parse(path, &address) : -ENAMETOOLONG;
    if (error == 0) {
        error = listener_open(&address, &shell->socket, NULL);
    }
    if (error < 0) {
        messenger_failed(shell->messenger, error, "%s: the shell's socket can't be opened: %s",
                         path + strlen("unix:"), strerrordesc_np(-error));
    }
    return error;
}

/* Beyond the limit the connection is closed unread: the tool says that the node has no room. */
static void
shell_accept(struct shell *shell, io_socket descriptor)
{
    struct client_start start = {.messenger = shell->messenger, .descriptor = descriptor};
    struct ln_spawn_options options = {.link = true};
    ln_pid pid = 0;
    ASSERT(shell->messenger->room.shell_connections_max <= SHELL_CONNECTIONS_MAX);
    if (shell->clients_count < shell->messenger->room.shell_connections_max &&
        ln_spawn(&client_behaviour, &start, sizeof start, &options, &pid) == 0) {
        shell->clients[shell->clients_count++] = pid;
        return;
    }
    messenger_count(&shell->messenger->counters.shell_refused);
    io_close(ln_io(), descriptor, false);
}

/* Anybody may send an EXIT: only those of connections count. */
static void
client_ended(struct shell *shell, ln_pid pid)
{
    for (unsigned i = 0; i < shell->clients_count; i++) {
        if (shell->clients[i] == pid) {
            shell->clients[i] = shell->clients[--shell->clients_count];
            return;
        }
    }
}

static void
shell_handle(void *state, struct ln_msg **msg)
{
    struct shell *shell = state;
    switch ((*msg)->tag) {
    case LN_TAG_ACCEPT:
        shell_accept(shell, ln_socket_event(*msg)->descriptor);
        break;
    case LN_TAG_EXIT:
        client_ended(shell, ((const struct ln_down *)(const void *)(*msg)->data)->pid);
        break;
    case LN_TAG_STOP:
        ln_stop(LN_EXIT_SHUTDOWN, "the node stops");
        break;
    case LN_TAG_CLOSED:
        ln_stop(LN_EXIT_ERROR, "the shell's socket was closed");
        break;
    default:
        break;
    }
}

static void
shell_print(const void *state, struct ln_text *out)
{
    const struct shell *shell = state;
    ln_text_print(out, "clients: %u\n", shell->clients_count);
}

const struct ln_behaviour shell_behaviour = {
    .name = "shell",
    .tag_name = messenger_tag_name,
    .state_bytes = sizeof(struct shell),
    .init = shell_init,
    .handle = shell_handle,
    .print = shell_print,
    .trap_exit = true,
};
