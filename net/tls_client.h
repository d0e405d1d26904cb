/* SPDX-License-Identifier: Apache-2.0 */
/* tls_client.h - TLS as a client, between a stream of bytes and what is said over it: bytes in,
 * bytes out, no socket.
 *
 *       socket --bytes--> tls_client_input  ... tls_client_read  --text-->
 *       socket <--bytes-- tls_client_output ... tls_client_write <--text--
 *
 *     error = tls_client_new(trust, "push.example.net", &client);
 *     tls_client_input(client, bytes, count);            what the socket brought, perhaps nothing
 *     while ((count = tls_client_read(client, out, sizeof out)) > 0) ...
 *     while ((count = tls_client_output(client, out, sizeof out)) > 0) ...    to the socket
 *     if (tls_client_ready(client)) ... tls_client_write(client, request, count);
 *
 * The server's certificate must lead to one that is trusted and name the host that was asked for.
 * TLS 1.2 or 1.3. A client is one actor's, and needs a stack for library code: a handshake takes
 * about a millisecond. What is trusted is made once and shared by all threads. libssl.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tls_trust;
struct tls_client;

/* Nobody is trusted yet. 0 or -ENOMEM. */
MUST_CHECK int tls_trust_new(struct tls_trust **out);
/* Adds certificates in PEM, one behind the other. Before the first client is made. 0 with
 * *out_count how many there were; -EBADMSG: one of them is none; -ENOMEM. What came before it has
 * been added. */
MUST_CHECK int tls_trust_add(struct tls_trust *trust, const void *pem, size_t bytes,
                             unsigned *out_count);
/* After the last of its clients. Frees and nulls it; NULL inside is allowed. */
void tls_trust_free(struct tls_trust **trust);

/* A connection to `host`, a name or a numeric address without brackets. Borrows the trust. Its
 * first bytes are ready to be sent. 0, -EINVAL (no such host can be), -ENOMEM. */
MUST_CHECK int tls_client_new(const struct tls_trust *trust, const char *host,
                              struct tls_client **out);
/* Frees and nulls it, without a farewell; NULL inside is allowed. */
void tls_client_free(struct tls_client **client);

/* Takes bytes that the server sent. 0, or -EPROTO: the connection has failed and
 * tls_client_fault tells why; what is then to be sent tells the server, too. */
MUST_CHECK int tls_client_input(struct tls_client *client, const void *bytes, size_t count);
/* Bytes for the server: how many were written to `out`; 0: there are none. */
size_t tls_client_output(struct tls_client *client, void *out, size_t out_max);

/* Whether the server is who it should be, and may be spoken to. */
bool tls_client_ready(const struct tls_client *client);

/* What the server said: how many bytes; 0: nothing more yet; -EPIPE: it has said all, properly;
 * -EPROTO as above. */
MUST_CHECK ssize_t tls_client_read(struct tls_client *client, void *out, size_t out_max);
/* Says it to the server, all of it: only when it is ready. 0 or -EPROTO. */
MUST_CHECK int tls_client_write(struct tls_client *client, const void *bytes, size_t count);

/* Why it failed, in words; a literal. "" while it has not. */
const char *tls_client_fault(const struct tls_client *client);
