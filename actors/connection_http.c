/* SPDX-License-Identifier: Apache-2.0 */
/* The request with which every connection begins: an upgrade to /chat (or /echo), a question about
 * the node, or one for all that is the user's. */
#include "actors/connection_http.h"

#include "actors/connection_export.h"
#include "actors/connection_login.h"
#include "actors/connection_priv.h"
#include "actors/metrics.h"
#include "actors/peer.h"
#include "net/upgrade.h"

#include <errno.h>
#include <string.h>

enum { ANSWER_BYTES_MAX = 1024 };

void
connection_answer(struct connection *connection, const struct http_request *request,
                  struct http_answer answer)
{
    char out[ANSWER_BYTES_MAX];
    size_t used = 0;
    answer.head_only = request != NULL && request->head_only;
    answer.date_s = ln_wall_ms() / 1000;
    int error = http_answer_head_write(&answer, out, sizeof out, &used);
    ASSERT(error == 0 && "our own answers' heads are short");
    ln_socket_send(connection->socket, out, used);
    if (!answer.head_only && answer.body_bytes > 0) {
        ln_socket_send(connection->socket, answer.body, answer.body_bytes);
    }
    ln_socket_close(&connection->socket, false);
    ln_stop(LN_EXIT_NORMAL, "answered");
}

static void
metrics_answer(struct connection *connection, const struct http_request *request)
{
    size_t room = metrics_bytes_max(ln_schedulers());
    char *text = ln_alloc(room);
    size_t bytes = metrics_print(connection->messenger, text, room);
    struct http_answer answer = {.status = 200,
                                 .type = "text/plain; version=0.0.4; charset=utf-8",
                                 .body = text,
                                 .body_bytes = bytes};
    connection_answer(connection, request, answer);
    ln_free(text);
}

static bool
path_is(const struct http_request *request, const char *path)
{
    return request->path.count == strlen(path) &&
           memcmp(request->path.bytes, path, request->path.count) == 0;
}

static void
answer_page(struct connection *connection, const struct http_request *request)
{
    const struct messenger *messenger = connection->messenger;
    if (path_is(request, "/livez")) {
        connection_answer(connection, request, http_text_answer(200, "alive\n"));
    } else if (path_is(request, "/readyz")) {
        bool ready = atomic_load(&messenger->serving) && !atomic_load(&messenger->draining);
        connection_answer(connection, request,
                          ready ? http_text_answer(200, "ready\n")
                                : http_text_answer(503, "the node is stopping\n"));
    } else if (path_is(request, "/metrics")) {
        metrics_answer(connection, request);
    } else {
        connection_answer(connection, request, http_text_answer(404, "there is no such page\n"));
    }
}

void
connection_answer_full(struct connection *connection, const struct http_request *request)
{
    struct http_answer answer =
        http_text_answer(503, "the node has as many connections as it allows\n");
    answer.fields = "Retry-After: 10\r\n";
    messenger_count(&connection->messenger->counters.connections_refused);
    connection_answer(connection, request, answer);
}

/* Where it comes from, for its rates. */
static void
address_note(struct connection *connection, const struct http_request *request)
{
    struct io_address address;
    if (ln_socket_peer(connection->socket, &address) == 0) {
        struct peer_keys keys = peer_keys(&address, &request->head);
        connection->address = keys.address;
        connection->site = keys.site;
    }
}

static bool
upgrade(struct connection *connection, const struct http_request *request, bool echo,
        struct websocket_input *left)
{
    static const char *const subprotocols[] = {"linnet.v1.proto", "linnet.v1.json"};
    struct upgrade accepted;
    enum upgrade_fault fault = upgrade_judge(
        request, subprotocols, echo ? 0 : sizeof subprotocols / sizeof subprotocols[0], &accepted);
    if (fault != UPGRADE_OK) {
        connection_answer(connection, request, upgrade_fault_answer(fault));
        return false;
    }
    if (!connection_room_left(connection)) {
        connection_answer_full(connection, request);
        return false;
    }
    char out[ANSWER_BYTES_MAX];
    size_t used = 0;
    int error = upgrade_answer_write(&accepted, out, sizeof out, &used);
    ASSERT(error == 0);
    messenger_count(&connection->messenger->counters.upgrades);
    address_note(connection, request);
    connection->phase = echo ? CONNECTION_ECHO : CONNECTION_LOGIN;
    if (!echo) {
        enum protocol_form form = PROTOCOL_BINARY;
        error = protocol_form_of(accepted.subprotocol, strlen(accepted.subprotocol), &form);
        ASSERT(error == 0);
        connection->form = (uint8_t)form;
    }
    websocket_init(&connection->websocket, WEBSOCKET_SERVER, connection_rules(connection));
    if (!echo && accepted.token.count > 0) {
        connection_login_token(connection, accepted.token, (struct http_text){out, used}, left);
        return true;
    }
    ln_socket_send(connection->socket, out, used);
    if (echo) {
        connection_watch_idle(connection);
    }
    return true;
}

static bool
respond(struct connection *connection, const struct http_request *request,
        struct websocket_input *left)
{
    if (path_is(request, "/chat")) {
        return upgrade(connection, request, false, left);
    }
    if (connection->messenger->settings->echo && path_is(request, "/echo")) {
        return upgrade(connection, request, true, left);
    }
    if (connection->messenger->settings->exports_max > 0 && path_is(request, "/export")) {
        address_note(connection, request);
        connection_export(connection, request);
        return false;
    }
    answer_page(connection, request);
    return false;
}

bool
connection_http_input(struct connection *connection, unsigned char *bytes, size_t count,
                      struct websocket_input *out)
{
    unsigned char *head = bytes;
    size_t head_bytes = count;
    /* Heads nearly always come in one piece. */
    if (connection->kept != NULL) {
        connection_keep(connection, bytes, count);
        head = connection->kept->data;
        head_bytes = connection->kept->bytes;
    }
    struct http_request request;
    enum http_fault fault = http_request_parse((const char *)head, head_bytes, &request);
    if (fault == HTTP_INCOMPLETE) {
        if (connection->kept == NULL) {
            connection_keep(connection, bytes, count);
        }
        return false;
    }
    bool upgraded = false;
    if (fault != HTTP_OK) {
        messenger_count(&connection->messenger->counters.requests_bad);
        connection_answer(connection, NULL, http_fault_answer(fault));
    } else {
        /* What follows the head lies at the end of this piece, whether or not the head was
         * gathered. */
        size_t behind = head_bytes - request.head.count;
        *out = (struct websocket_input){bytes + (count - behind), behind};
        upgraded = respond(connection, &request, out);
    }
    ln_free(connection->kept);
    connection->kept = NULL;
    return upgraded;
}
