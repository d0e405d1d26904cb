/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in: by a command, or by a token that came in the upgrade request; what is wrong is told,
 * and counted. Straight-line code: only this connection waits. */
#include "actors/connection_login.h"

#include "actors/name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- refusing */

struct refusal {
    int error;
    Linnet__V1__Error__Code code;
    const char *text;
    uint64_t retry_after_ms;
};

/* The last row is for every other error. */
static const struct refusal refusals[] = {
    {-EACCES, LINNET__V1__ERROR__CODE__WRONG_CREDENTIALS, "no such user, or not this password", 0},
    {-EKEYREJECTED, LINNET__V1__ERROR__CODE__TOKEN_INVALID,
     "not a token of this node's, or revoked", 0},
    {-EMFILE, LINNET__V1__ERROR__CODE__TOO_MANY_DEVICES,
     "the user has as many devices as the node allows", 0},
    {-EILSEQ, LINNET__V1__ERROR__CODE__NAME_INVALID,
     "authenticate.passwordLogin.name: not a name that a user can have", 0},
    {-EAGAIN, LINNET__V1__ERROR__CODE__OVERLOADED, "too many logins at once", 1000},
    {-EDQUOT, LINNET__V1__ERROR__CODE__RATE_LIMITED,
     "more new users than this address or this node may have in an hour", 0},
    {-ENOSPC, LINNET__V1__ERROR__CODE__STORAGE_FULL, "the node's disk is full", 5000},
    {0, LINNET__V1__ERROR__CODE__INTERNAL, "the node failed during the login", 1000},
};

static const struct refusal *
refusal_of(int error)
{
    const struct refusal *refusal = refusals;
    while (refusal->error != 0 && refusal->error != error) {
        refusal++;
    }
    return refusal;
}

/* `frame` is NULL for a token in the upgrade request; `text` NULL for the error's own. What passes
 * is the node's fault, and not counted as a try. */
static void
login_refuse(struct connection *connection, const Linnet__V1__ClientFrame *frame, int error,
             const char *text)
{
    const struct refusal *refusal = refusal_of(error);
    messenger_count(&connection->messenger->counters.logins_failed);
    uint64_t wait_ms = error == -EDQUOT ? connection_rate_registration_wait_ms(connection)
                                        : refusal->retry_after_ms;
    event_error(connection, frame != NULL ? frame->number : 0, frame != NULL ? frame->ref : 0,
                refusal->code, text != NULL ? text : refusal->text, wait_ms);
    if (protocol_error_passes(refusal->code)) {
        return;
    }
    connection->logins++;
    connection_rate_charge(connection, RATE_FAILED_LOGINS);
    if (connection->logins >= CONNECTION_LOGINS_MAX) {
        connection_close(connection, PROTOCOL_CLOSE_UNAUTHENTICATED, "too many failed logins");
    }
}

void
connection_login_refuse(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                        int error)
{
    login_refuse(connection, frame, error, NULL);
}

/* Whether too many logins from its address have failed: then none is tried, good or bad, so that
 * nobody learns which. */
static bool
login_put_off(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    uint64_t wait_ms = connection_rate_wait_ms(connection, RATE_FAILED_LOGINS);
    if (wait_ms > 0) {
        messenger_count(&connection->messenger->counters.rate_refused[RATE_FAILED_LOGINS]);
        event_error(connection, frame != NULL ? frame->number : 0, frame != NULL ? frame->ref : 0,
                    LINNET__V1__ERROR__CODE__RATE_LIMITED, rate_class_refusal(RATE_FAILED_LOGINS),
                    wait_ms);
    }
    return wait_ms > 0;
}

/* -------------------------------------------------------------------- by a token of the request */

void
connection_token_refuse(struct connection *connection, int error)
{
    if (!connection->attached) {
        connection->user = 0;
        connection->device = 0;
    }
    login_refuse(connection, NULL, error, NULL);
    if (protocol_error_passes(refusal_of(error)->code)) {
        connection_close(connection, PROTOCOL_CLOSE_INTERNAL, "the token could not be checked");
    } else {
        connection_close(connection, PROTOCOL_CLOSE_UNAUTHENTICATED, "the token was refused");
    }
}

bool
connection_token_put_off(struct connection *connection, struct http_text answer)
{
    if (connection_rate_wait_ms(connection, RATE_FAILED_LOGINS) == 0) {
        return false;
    }
    ln_socket_send(connection->socket, answer.bytes, answer.count);
    (void)login_put_off(connection, NULL);
    connection_close(connection, PROTOCOL_CLOSE_RATE_LIMITED,
                     rate_class_refusal(RATE_FAILED_LOGINS));
    return true;
}

void
connection_login_token(struct connection *connection, struct http_text text,
                       struct http_text answer, struct websocket_input *left)
{
    struct auth_token token;
    if (connection_token_put_off(connection, answer)) {
        return;
    }
    if (auth_token_parse(text.bytes, text.count, &token) != 0) {
        ln_socket_send(connection->socket, answer.bytes, answer.count);
        connection_token_refuse(connection, -EKEYREJECTED);
        return;
    }
    connection_go_home(connection, &token, CONNECTION_TOKEN_UNPROVEN, answer, left);
}

/* --------------------------------------------------------------------------------- by a command */

static void
link_refuse(struct connection *connection, const Linnet__V1__ClientFrame *frame, int error)
{
    login_refuse(connection, frame, error,
                 error == -EACCES ? "no such user, or not a code that is good" : NULL);
}

static void
password_refuse(struct connection *connection, const Linnet__V1__ClientFrame *frame, int error)
{
    const char *name = frame->authenticate->password_login->name;
    const char *fault = error == -EILSEQ ? name_fault(name, strlen(name)) : NULL;
    char text[PROTOCOL_ERROR_TEXT_BYTES];
    if (fault != NULL) {
        (void)snprintf(text, sizeof text, "authenticate.passwordLogin.name: %s", fault);
    }
    login_refuse(connection, frame, error, fault != NULL ? text : NULL);
}

static int
authenticate(struct connection *connection, const Linnet__V1__Authenticate *by,
             struct auth_token *out)
{
    int error;
    switch ((int)by->method_case) {
    case LINNET__V1__AUTHENTICATE__METHOD_TOKEN:
        return connection_token_check(connection, by->token, strlen(by->token), out);
    case LINNET__V1__AUTHENTICATE__METHOD_LINK_CODE:
        error = connection_link_login(connection, by->link_code, out);
        explicit_bzero(by->link_code->code, strlen(by->link_code->code));
        return error;
    default:
        error = connection_password_login(connection, by->password_login, out);
        /* The frame's memory is another's next. */
        explicit_bzero(by->password_login->password, strlen(by->password_login->password));
        return error;
    }
}

static void
authenticated(struct connection *connection, const Linnet__V1__Authenticate *by)
{
    struct messenger_counters *counters = &connection->messenger->counters;
    switch ((int)by->method_case) {
    case LINNET__V1__AUTHENTICATE__METHOD_TOKEN:
        messenger_count(&counters->logins_token);
        break;
    case LINNET__V1__AUTHENTICATE__METHOD_LINK_CODE:
        messenger_count(&counters->logins_link);
        break;
    default:
        messenger_count(&counters->logins_password);
        break;
    }
}

void
connection_authenticate(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                        struct websocket_input *left)
{
    const Linnet__V1__Authenticate *by = frame->authenticate;
    bool new_device = by->method_case != LINNET__V1__AUTHENTICATE__METHOD_TOKEN;
    struct auth_token token;
    if (login_put_off(connection, frame)) {
        return;
    }
    int error = authenticate(connection, by, &token);
    if (error == 0) {
        authenticated(connection, by);
        connection_go_home(connection, &token,
                           new_device ? CONNECTION_TOKEN_NEW : CONNECTION_TOKEN_KNOWN,
                           (struct http_text){NULL, 0}, left);
    } else if (by->method_case == LINNET__V1__AUTHENTICATE__METHOD_PASSWORD_LOGIN) {
        password_refuse(connection, frame, error);
    } else if (by->method_case == LINNET__V1__AUTHENTICATE__METHOD_LINK_CODE) {
        link_refuse(connection, frame, error);
    } else {
        login_refuse(connection, frame, error, NULL);
    }
}
