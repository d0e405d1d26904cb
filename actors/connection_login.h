/* SPDX-License-Identifier: Apache-2.0 */
/* connection_login.h - from a stranger to a device that is fed: logging in (connection_login.c),
 * who that is (connection_identity.c), the move to its user's scheduler and the welcome there
 * (connection_home.c).
 */
#pragma once

#include "actors/connection_priv.h"

/* ----------------------------------------------------------------------------------- logging in */

/* Both yield. Afterwards the connection may have moved: then its actor is ending, and `left`, the
 * input behind the command, has gone with it. */
void connection_authenticate(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                             struct websocket_input *left);
/* The answer to the upgrade has not been sent: it leaves with the welcome, or the refusal. The
 * token is looked at where its user is at home, in one step with attaching. */
void connection_login_token(struct connection *connection, struct http_text token,
                            struct http_text answer, struct websocket_input *left);
/* Answers a command that is refused like a login; too many of them close the connection. */
void connection_login_refuse(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                             int error);
/* Who came with a token in the request has nothing else to offer: the connection is closed. He is
 * nobody: whoever he claimed to be is neither charged nor shown for it. */
void connection_token_refuse(struct connection *connection, int error);
/* Whether too many from its address have failed: then he is sent away. */
bool connection_token_put_off(struct connection *connection, struct http_text answer);

/* ------------------------------------------------------------------------------------ who is it */

/* All: 0 and who it is, or why not, as connection_login_refuse knows it. They yield. */
MUST_CHECK int connection_token_check(struct connection *connection, const char *text, size_t bytes,
                                      struct auth_token *out);
/* Whose name and password these are. */
MUST_CHECK int connection_password_check(struct connection *connection, const char *name,
                                         const char *password, uint64_t *out_user);
/* The same, or whose code, and a new device of his with its token. */
MUST_CHECK int connection_password_login(struct connection *connection,
                                         const Linnet__V1__PasswordLogin *login,
                                         struct auth_token *out);
MUST_CHECK int connection_link_login(struct connection *connection,
                                     const Linnet__V1__LinkLogin *login, struct auth_token *out);

/* ----------------------------------------------------------------------------------------- home */

enum connection_token {
    CONNECTION_TOKEN_KNOWN,
    CONNECTION_TOKEN_NEW,      /* of a device that the client is told of */
    CONNECTION_TOKEN_UNPROVEN, /* to be looked at in one step with attaching */
};
/* It is known who speaks, or who claims to. When the connection moves, that takes what is left of
 * the input. Yields. */
void connection_go_home(struct connection *connection, const struct auth_token *token,
                        enum connection_token state, struct http_text answer,
                        struct websocket_input *left);
/* Attaches to the inbox and welcomes the client, or closes. Yields. */
void connection_enter(struct connection *connection, const struct connection_start *start);
