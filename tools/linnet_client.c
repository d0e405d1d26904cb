/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_client.h"

#include "actors/shell.h"
#include "runtime/linnet.h"
#include "tools/linnet_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 5000,
    /* An import's page on a disk that is slow and behind a fold. */
    ANSWER_MS = 60000,
    /* The version, a status, a cursor and what netstrings add. */
    AROUND_BYTES = 256,
    RECEIVED_BYTES = SHELL_ANSWER_BYTES_MAX + AROUND_BYTES,
};

static int
connect_failed(const struct linnet_client *client, int error)
{
    switch (error) {
    case -ENOENT:
    case -ECONNREFUSED:
        (void)fprintf(stderr,
                      "linnet: no node is running on the data directory '%s'; start one with "
                      "linnetd --data %s, or name another directory with --data\n",
                      client->data, client->data);
        return SHELL_ABSENT;
    case -EACCES:
    case -EPERM:
        (void)fprintf(stderr, "linnet: the node on '%s' belongs to another user\n", client->data);
        return SHELL_FAILED;
    default:
        (void)fprintf(stderr, "linnet: %s/%s: %s\n", client->data, SHELL_SOCKET_NAME,
                      strerrordesc_np(-error));
        return SHELL_FAILED;
    }
}

static int
client_connect(struct linnet_client *client)
{
    char path[IO_ADDRESS_TEXT_MAX];
    struct io_address address;
    int bytes = snprintf(path, sizeof path, "unix:%s/%s", client->data, SHELL_SOCKET_NAME);
    int error = bytes < (int)sizeof path ? io_address_parse(path, &address) : -ENAMETOOLONG;
    if (error == 0) {
        error = ln_socket_connect(&address, CONNECT_MS, &client->socket);
    }
    if (error < 0) {
        return connect_failed(client, error);
    }
    client->received = malloc(RECEIVED_BYTES);
    ASSERT(client->received != NULL);
    return SHELL_DONE;
}

static int
told(const char *sentence)
{
    (void)fprintf(stderr, "linnet: %s\n", sentence);
    return SHELL_FAILED;
}

/* An event of the client's socket: other messages stay in its owner's mailbox. */
static bool
socket_match(const struct ln_msg *msg, void *context)
{
    const struct linnet_client *client = context;
    return (msg->tag == LN_TAG_DATA || msg->tag == LN_TAG_CLOSED) &&
           ((const struct ln_socket_event *)(const void *)msg->data)->socket == client->socket;
}

/* Waits for the socket's next event. 0, or -EPIPE: it was closed, and all bytes have been seen. */
static int
client_receive(struct linnet_client *client)
{
    struct ln_msg *msg = NULL;
    int error = ln_receive_match(socket_match, client, ANSWER_MS, &msg);
    if (error < 0) {
        return error;
    }
    if (msg->tag == LN_TAG_CLOSED) {
        error = -EPIPE;
    } else if (msg->tag == LN_TAG_DATA) {
        const struct ln_socket_event *event = ln_socket_event(msg);
        if (event->bytes > RECEIVED_BYTES - client->bytes) {
            error = -EMSGSIZE;
        } else {
            memcpy(client->received + client->bytes, event->data, event->bytes);
            client->bytes += event->bytes;
        }
    }
    ln_msg_free(&msg);
    return error;
}

static int
answer_read(struct linnet_client *client, size_t *out_bytes)
{
    int error = shell_wire_whole(client->received, client->bytes, RECEIVED_BYTES, out_bytes);
    while (error == -EAGAIN) {
        error = client_receive(client);
        if (error == 0) {
            error = shell_wire_whole(client->received, client->bytes, RECEIVED_BYTES, out_bytes);
        }
    }
    switch (error) {
    case 0:
        return SHELL_DONE;
    case -EPIPE:
        return told("the node closed the connection without an answer: it is stopping, or too many "
                    "tools ask at the same time");
    case -ETIMEDOUT:
        return told("the node does not answer");
    case -ECANCELED:
        return SHELL_FAILED;
    default:
        return told("the node's answer makes no sense: is it of the same version?");
    }
}

/* The sentence of {"error": ...}. */
static int
answer_failed(const struct linnet_client *client, int status)
{
    const char *document = client->words[SHELL_ANSWER_DOCUMENT];
    yajl_val tree = linnet_json_parse(document);
    if (client->json) {
        printf("%s%s\n", client->listed ? "," : "", document);
    }
    (void)told(linnet_json_text(tree, "error"));
    yajl_tree_free(tree);
    return status;
}

static void
request_send(struct linnet_client *client, const char *const *words, unsigned count)
{
    const char **whole = calloc(count + 1, sizeof *whole);
    ASSERT(whole != NULL);
    whole[0] = SHELL_VERSION;
    memcpy(whole + 1, words, count * sizeof *whole);
    size_t bytes = shell_wire_bytes(whole, count + 1);
    char *request = malloc(bytes);
    ASSERT(request != NULL);
    shell_wire_write(whole, count + 1, request);
    ln_socket_send(client->socket, request, bytes);
    explicit_bzero(request, bytes); /* there may be a password in it */
    free(request);
    free(whole);
}

int
linnet_ask(struct linnet_client *client, const char *const *words, unsigned count,
           struct linnet_answer *out)
{
    unsigned answered = 0;
    size_t bytes = 0;
    int code = client->socket == NULL ? client_connect(client) : SHELL_DONE;
    if (code != SHELL_DONE) {
        return code;
    }
    request_send(client, words, count);
    client->bytes = 0; /* nothing follows an answer that was not asked for */
    code = answer_read(client, &bytes);
    if (code != SHELL_DONE) {
        return code;
    }
    if (shell_wire_words(client->received, bytes, client->words, SHELL_ANSWER_WORDS, &answered) <
            0 ||
        answered != SHELL_ANSWER_WORDS) {
        return told("the node's answer makes no sense: is it of the same version?");
    }
    long status = strtol(client->words[SHELL_ANSWER_STATUS], NULL, 10);
    if (status != SHELL_DONE) {
        return answer_failed(client, (int)status);
    }
    out->next = client->words[SHELL_ANSWER_NEXT];
    out->document = client->words[SHELL_ANSWER_DOCUMENT];
    return SHELL_DONE;
}

int
linnet_ask_tree(struct linnet_client *client, const char *const *words, unsigned count,
                yajl_val *out)
{
    struct linnet_answer answer;
    int code = linnet_ask(client, words, count, &answer);
    if (code == SHELL_DONE) {
        *out = linnet_json_parse(answer.document);
    }
    return code;
}

/* Asks for one page after another; `each` gets its document. */
static int
pages_ask(struct linnet_client *client, const char **words, unsigned count,
          void (*each)(void *context, const char *document), void *context)
{
    char cursor[128] = "";
    struct linnet_answer answer;
    do {
        words[count] = cursor;
        int code = linnet_ask(client, words, count + (cursor[0] != '\0'), &answer);
        if (code != SHELL_DONE) {
            return code;
        }
        each(context, answer.document);
        (void)snprintf(cursor, sizeof cursor, "%s", answer.next);
    } while (cursor[0] != '\0');
    return SHELL_DONE;
}

struct tree_pages {
    void (*each)(void *context, yajl_val page);
    void *context;
};

static void
page_parse(void *context, const char *document)
{
    struct tree_pages *pages = context;
    yajl_val tree = linnet_json_parse(document);
    pages->each(pages->context, tree);
    yajl_tree_free(tree);
}

int
linnet_ask_pages(struct linnet_client *client, const char **words, unsigned count,
                 void (*each)(void *context, yajl_val page), void *context)
{
    struct tree_pages pages = {.each = each, .context = context};
    return pages_ask(client, words, count, page_parse, &pages);
}

/* What stands between a page's brackets, behind a comma if something stands before it. */
static void
page_print(void *context, const char *document)
{
    struct linnet_client *client = context;
    size_t bytes = strlen(document);
    if (bytes > 2) {
        printf("%s%.*s", client->listed ? "," : "", (int)(bytes - 2), document + 1);
        (void)fflush(stdout);
        client->listed = true;
    }
}

/* A page of which each element stands on a line of its own, behind it a comma or the bracket. */
static void
lines_print(void *context, const char *document)
{
    const char *at = document + 1;
    (void)context;
    while (*at != '\0' && *at != ']') {
        size_t bytes = strcspn(at, "\n");
        printf("%.*s\n", (int)(bytes - 1), at);
        at += bytes + (at[bytes] == '\n');
    }
    (void)fflush(stdout);
}

int
linnet_ask_lines(struct linnet_client *client, const char **words, unsigned count)
{
    return pages_ask(client, words, count, lines_print, client);
}

int
linnet_ask_print(struct linnet_client *client, const char **words, unsigned count, bool pages)
{
    struct linnet_answer answer;
    if (!pages) {
        int code = linnet_ask(client, words, count, &answer);
        if (code == SHELL_DONE) {
            printf("%s\n", answer.document);
        }
        return code;
    }
    client->listed = false;
    printf("[");
    int code = pages_ask(client, words, count, page_print, client);
    printf("]\n");
    return code;
}

void
linnet_client_close(struct linnet_client *client)
{
    ln_socket_close(&client->socket, false);
    free(client->received);
    client->received = NULL;
}
