/* SPDX-License-Identifier: Apache-2.0 */
/* connection_export.h - a connection that gives a user all that the node keeps of him. In the
 * connection's actor; it ends with it. */
#pragma once

#include <stdbool.h>

struct connection;
struct http_request;

/* Answers GET /export: with a refusal, or with a first page, and then the others follow. Yields. */
void connection_export(struct connection *connection, const struct http_request *request);
/* CONNECTION_PAGE. Yields. */
void connection_export_page(struct connection *connection);
/* The peer has read what there was. */
void connection_export_drained(struct connection *connection);
/* The peer has ended its side: whether there is still something for it to read. */
bool connection_export_reads_on(struct connection *connection);
/* CONNECTION_SLOW: whether it reads so slowly that it is over. */
bool connection_export_lags(struct connection *connection);
/* The connection's end, whole or not. */
void connection_export_end(struct connection *connection);
