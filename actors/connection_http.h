/* SPDX-License-Identifier: Apache-2.0 */
/* connection_http.h - a connection while it speaks HTTP: one request, and its answer. In the
 * connection's actor. */
#pragma once

#include "net/http.h"
#include "net/http_answer.h"

struct connection;
struct websocket_input;

/* Takes bytes of the head; true when a WebSocket has begun and *out tells what is left of the
 * input. */
bool connection_http_input(struct connection *connection, unsigned char *bytes, size_t count,
                           struct websocket_input *out);
/* Sends it and ends the connection. `request` is NULL where there was none that could be read. */
void connection_answer(struct connection *connection, const struct http_request *request,
                       struct http_answer answer);
/* 503: beyond connections_max. */
void connection_answer_full(struct connection *connection, const struct http_request *request);
