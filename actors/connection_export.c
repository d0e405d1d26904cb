/* SPDX-License-Identifier: Apache-2.0 */
/* GET /export: a user is given all that the node keeps of him, as export.h has it, in chunks:
 *
 *     token, rate, a place ──> first page ──> head ──┐
 *              ┌───────── CONNECTION_PAGE ───────────┤ a page is written
 *              v                                     v
 *         token, page ───── it has read ──── waits while it does not read ──> the peer closes
 *
 * A page is in memory at a time, and the next one is read when most of it has left: so whatever
 * the client does, it costs the node no more. Between two pages all else has its turn, the end of
 * the socket too, and the token is looked at again: whose device is revoked gets no more. What can
 * not be given as a whole lacks its last chunk, so that nobody takes a part for it. */
#include "actors/connection_export.h"

#include "actors/connection_http.h"
#include "actors/connection_login.h"
#include "actors/connection_priv.h"
#include "actors/export.h"
#include "net/upgrade.h"
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    HEAD_BYTES_MAX = 512,
    FIELDS_BYTES_MAX = 64,
    /* Who is told to come again, when it is not known how long the others take. */
    AGAIN_S = 10,
    /* A page that the store has no time for is asked for again so often. */
    TRIES_MAX = 100,
    /* So many times CONNECTION_SLOW_MS a client has for a page. */
    LOOKS_MAX = 4,
};

struct connection_export {
    _Atomic uint64_t *place; /* NULL: left */
    struct store_device_check check;
    unsigned tries;
    unsigned looks; /* in which a page was not read */
    bool whole;     /* all is written */
    bool parted;    /* the peer has ended its side, and may read on */
    struct export rows;
};

/* ----------------------------------------------------------------------------------- refusing */

static void
refuse(struct connection *connection, const struct http_request *request, unsigned status,
       const char *text, uint64_t wait_s)
{
    char fields[FIELDS_BYTES_MAX];
    struct http_answer answer = http_text_answer(status, text);
    if (status == 401) {
        answer.fields = "WWW-Authenticate: Bearer\r\n";
    } else if (status == 405) {
        answer.fields = "Allow: GET\r\n";
    } else if (wait_s > 0) {
        (void)snprintf(fields, sizeof fields, "Retry-After: %" PRIu64 "\r\n", wait_s);
        answer.fields = fields;
    }
    connection_answer(connection, request, answer);
}

/* Rates are those of commands, but said in HTTP's words. */
static bool
may(struct connection *connection, const struct http_request *request, enum rate_class class)
{
    char text[PROTOCOL_ERROR_TEXT_BYTES];
    uint64_t wait_ms = connection_rate_wait_ms(connection, class);
    if (wait_ms > 0) {
        messenger_count(&connection->messenger->counters.rate_refused[class]);
        (void)snprintf(text, sizeof text, "%s\n", rate_class_refusal(class));
        refuse(connection, request, 429, text, wait_ms / 1000 + 1);
    }
    return wait_ms == 0;
}

/* ------------------------------------------------------------------------------------- a place */

/* Whether the user has one besides this. */
static bool
has_another(struct messenger *messenger, uint64_t user, const _Atomic uint64_t *own)
{
    for (unsigned i = 0; i < messenger->settings->exports_max; i++) {
        if (&messenger->exports[i] != own && atomic_load(&messenger->exports[i]) == user) {
            return true;
        }
    }
    return false;
}

/* 0; -EBUSY: the user has one; -EAGAIN: all are taken. It is taken first and looked at then, so
 * that of two who come at once on two schedulers one at most is let in. */
static int
place_take(struct messenger *messenger, uint64_t user, _Atomic uint64_t **out)
{
    for (unsigned i = 0; i < messenger->settings->exports_max; i++) {
        uint64_t nobody = 0;
        if (atomic_compare_exchange_strong(&messenger->exports[i], &nobody, user)) {
            if (has_another(messenger, user, &messenger->exports[i])) {
                atomic_store(&messenger->exports[i], 0);
                return -EBUSY;
            }
            *out = &messenger->exports[i];
            return 0;
        }
    }
    return has_another(messenger, user, NULL) ? -EBUSY : -EAGAIN;
}

static void
place_leave(struct connection_export *export)
{
    if (export->place != NULL) {
        atomic_store(export->place, 0);
        export->place = NULL;
    }
}

void
connection_export_end(struct connection *connection)
{
    struct connection_export *export = connection->export;
    if (connection->phase == CONNECTION_EXPORT && export != NULL) {
        place_leave(export);
        if (!export->whole) {
            messenger_count(&connection->messenger->counters.exports_cut);
        }
    }
}

/* --------------------------------------------------------------------------------------- pages */

static bool
passes(int error)
{
    return error == -EAGAIN || error == -ESRCH || error == -ETIMEDOUT;
}

/* Whether it is still a device of the user's. */
static int
check_again(const struct connection *connection)
{
    const struct connection_export *export = connection->export;
    struct ln_msg *request = ln_msg_new(STORE_DEVICE_CHECK, LN_DURABLE, sizeof export->check);
    memcpy(request->data, &export->check, sizeof export->check);
    return ln_call(store_user_pid(connection->messenger->store, connection->user), &request,
                   CONNECTION_CALL_MS, NULL);
}

static void
page_after(uint64_t pause_ms)
{
    struct ln_msg *msg = ln_msg_new(CONNECTION_PAGE, LN_REPLY, 0);
    (void)ln_send_after(pause_ms, ln_self(), &msg);
}

static void
chunk_send(struct connection *connection, const char *bytes, size_t count)
{
    char head[HTTP_CHUNK_HEAD_BYTES];
    connection_write(connection, head, http_chunk_head_write(count, head));
    connection_write(connection, bytes, count);
    connection_write(connection, "\r\n", 2);
}

/* Reads a page and sends what it has, behind `head`. An error: nothing of it was sent. */
static int
page_give(struct connection *connection, const char *head, size_t head_bytes)
{
    struct connection_export *export = connection->export;
    struct ln_text text;
    char *page = ln_alloc(EXPORT_PAGE_BYTES_MAX);
    ln_text_init(&text, page, EXPORT_PAGE_BYTES_MAX - 1);
    int error = export_page(&export->rows, &text);
    ln_actor_check(!text.cut); /* a row that has no room is left out */
    if (error == 0) {
        connection_write(connection, head, head_bytes);
        if (text.bytes > 0) {
            page[text.bytes] = '\n';
            chunk_send(connection, page, text.bytes + 1);
        }
    }
    ln_free(page);
    return error;
}

/* A page was written. Behind the last one the client is given time to read: who closes ahead of
 * him may throw away what the kernel still holds. */
static void
go_on(struct connection *connection)
{
    struct connection_export *export = connection->export;
    if (export_is_over(&export->rows)) {
        chunk_send(connection, "", 0);
        ln_socket_shutdown(connection->socket);
        export->whole = true;
        place_leave(export);
        page_after((uint64_t)LOOKS_MAX * CONNECTION_SLOW_MS);
        if (export->parted) {
            ln_socket_notify_drained(connection->socket, 0);
        }
    } else if (!connection->stuffed) {
        page_after(0);
    }
}

void
connection_export_drained(struct connection *connection)
{
    struct connection_export *export = connection->export;
    export->looks = 0;
    if (!export->whole) {
        page_after(0);
    } else if (export->parted) {
        ln_socket_close(&connection->socket, false);
        ln_stop(LN_EXIT_NORMAL, "exported");
    }
}

/* Whether he has gone altogether shows when something is sent to him. */
bool
connection_export_reads_on(struct connection *connection)
{
    struct connection_export *export = connection->export;
    if (connection->phase != CONNECTION_EXPORT || export == NULL ||
        (export->whole && ln_socket_unsent(connection->socket) == 0)) {
        return false;
    }
    export->parted = true;
    if (export->whole) {
        ln_socket_notify_drained(connection->socket, 0);
    }
    return true;
}

void
connection_export_page(struct connection *connection)
{
    struct connection_export *export = connection->export;
    if (export->whole) {
        ln_stop(LN_EXIT_NORMAL, "exported, and the peer did not close");
        return;
    }
    if (messenger_pressure(connection->messenger) != PRESSURE_NONE) {
        page_after(CONNECTION_AGAIN_MS);
        return;
    }
    int error = check_again(connection);
    if (error == 0) {
        error = page_give(connection, NULL, 0);
    }
    if (error == 0) {
        export->tries = 0;
        go_on(connection);
    } else if (passes(error) && export->tries++ < TRIES_MAX) {
        page_after(CONNECTION_AGAIN_MS);
    } else {
        ln_socket_close(&connection->socket, true);
        ln_stop(LN_EXIT_NORMAL, "the export could not go on");
    }
}

bool
connection_export_lags(struct connection *connection)
{
    return ++connection->export->looks >= LOOKS_MAX;
}

/* -------------------------------------------------------------------------------------- begin */

/* The head leaves with the first page, so that until then it may still be another. */
static void
begin(struct connection *connection, const struct http_request *request,
      const struct auth_token *token, _Atomic uint64_t *place)
{
    struct connection_export *export = ln_alloc(sizeof *export);
    struct http_answer answer = {.status = 200,
                                 .type = "application/x-ndjson",
                                 .fields = "Cache-Control: no-store\r\n",
                                 .date_s = ln_wall_ms() / 1000,
                                 .chunked = true};
    char head[HEAD_BYTES_MAX];
    size_t head_bytes = 0;
    export->place = place;
    export->check = (struct store_device_check){.user = token->user, .device = token->device};
    auth_token_hash(token->secret, export->check.token_hash);
    export_init(&export->rows, connection->messenger, token->user, "\n");
    connection->export = export;
    messenger_count(&connection->messenger->counters.exports);
    int error = http_answer_head_write(&answer, head, sizeof head, &head_bytes);
    ASSERT(error == 0);
    error = page_give(connection, head, head_bytes);
    if (error != 0) {
        refuse(connection, request, 503, "the node could not read it\n", 1);
        return;
    }
    connection_rate_charge(connection, RATE_EXPORTS);
    connection_watch_idle(connection);
    go_on(connection);
}

/* Whose token it is. False: it was answered. */
static bool
known(struct connection *connection, const struct http_request *request, struct auth_token *out)
{
    struct http_text text;
    if (upgrade_token_read(&request->head, &text) != UPGRADE_OK || text.count == 0) {
        refuse(connection, request, 401, "this needs \"Authorization: Bearer TOKEN\"\n", 0);
        return false;
    }
    if (!may(connection, request, RATE_FAILED_LOGINS)) {
        return false;
    }
    int error = connection_token_check(connection, text.bytes, text.count, out);
    if (error == -EKEYREJECTED) {
        messenger_count(&connection->messenger->counters.logins_failed);
        connection_rate_charge(connection, RATE_FAILED_LOGINS);
        refuse(connection, request, 401, "not a token of this node's, or revoked\n", 0);
    } else if (error != 0) {
        refuse(connection, request, 503, "the token could not be checked\n", 1);
    }
    return error == 0;
}

void
connection_export(struct connection *connection, const struct http_request *request)
{
    struct auth_token token;
    _Atomic uint64_t *place = NULL;
    if (request->head_only) {
        refuse(connection, request, 405, "only GET is served here\n", 0);
        return;
    }
    if (request->minor == 0) {
        refuse(connection, request, 505, "HTTP/1.1 is needed: 1.0 does not tell a part\n", 0);
        return;
    }
    if (!connection_room_left(connection)) {
        connection_answer_full(connection, request);
        return;
    }
    if (!known(connection, request, &token)) {
        return;
    }
    connection->user = token.user;
    connection->device = token.device;
    connection->phase = CONNECTION_EXPORT;
    if (!may(connection, request, RATE_EXPORTS)) {
        return;
    }
    int error = place_take(connection->messenger, token.user, &place);
    if (error != 0) {
        refuse(connection, request, error == -EBUSY ? 429 : 503,
               error == -EBUSY ? "an export of this user is under way\n"
                               : "as many exports are under way as the node allows\n",
               AGAIN_S);
        return;
    }
    begin(connection, request, &token, place);
}
