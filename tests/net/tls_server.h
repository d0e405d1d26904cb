/* SPDX-License-Identifier: Apache-2.0 */
/* tls_server.h - the other end for tests: libssl as a server, with an authority and certificates
 * made on the spot. Bytes in, bytes out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tls_authority;
struct tls_server;

struct tls_authority *tls_authority_new(const char *name);
void tls_authority_free(struct tls_authority *authority);
/* Its certificate in PEM; the bytes live as long as it does. */
const char *tls_authority_pem(const struct tls_authority *authority, size_t *out_bytes);

/* A server whose certificate has this subjectAltName ("DNS:host", "IP:127.0.0.1") and ended so many
 * seconds from now (negative: in the past). */
struct tls_server *tls_server_new(const struct tls_authority *authority, const char *names,
                                  long valid_s);
void tls_server_free(struct tls_server *server);
void tls_server_input(struct tls_server *server, const void *bytes, size_t count);
size_t tls_server_output(struct tls_server *server, void *out, size_t out_max);
/* What the client said; 0: nothing. */
size_t tls_server_read(struct tls_server *server, void *out, size_t out_max);
void tls_server_write(struct tls_server *server, const void *bytes, size_t count);
void tls_server_close(struct tls_server *server);
/* At most this version is spoken: TLS1_1_VERSION and so on. */
void tls_server_version_max(struct tls_server *server, int version);
/* The name that the client asked for; "": none. */
const char *tls_server_asked_for(const struct tls_server *server);
