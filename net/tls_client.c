/* SPDX-License-Identifier: Apache-2.0 */
/* libssl reads from one piece of memory and writes to another. Each holds at most what one call
 * brought: the caller takes everything out before it comes back. */
#include "net/tls_client.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdlib.h>

struct tls_trust {
    SSL_CTX *context;
};

struct tls_client {
    SSL *session;
    BIO *in, *out; /* the session's */
    const char *fault;
    bool ready;
};

/* ---------------------------------------------------------------------------------------- trust */

int
tls_trust_new(struct tls_trust **out)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    struct tls_trust *trust = calloc(1, sizeof *trust);
    if (trust == NULL) {
        return -ENOMEM;
    }
    trust->context = SSL_CTX_new(TLS_client_method());
    if (trust->context == NULL ||
        SSL_CTX_set_min_proto_version(trust->context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(trust->context, protocols, sizeof protocols - 1) != 0) {
        tls_trust_free(&trust);
        return -ENOMEM;
    }
    SSL_CTX_set_verify(trust->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(trust->context, SSL_SESS_CACHE_OFF);
    *out = trust;
    return 0;
}

void
tls_trust_free(struct tls_trust **trust)
{
    if (*trust != NULL) {
        SSL_CTX_free((*trust)->context);
        free(*trust);
        *trust = NULL;
    }
}

/* Whether the reader stopped because nothing more that looks like PEM follows. */
static bool
pem_ended(void)
{
    unsigned long why = ERR_peek_last_error();
    ERR_clear_error();
    return ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
}

int
tls_trust_add(struct tls_trust *trust, const void *pem, size_t bytes, unsigned *out_count)
{
    X509_STORE *store = SSL_CTX_get_cert_store(trust->context);
    BIO *reader = bytes <= INT_MAX ? BIO_new_mem_buf(pem, (int)bytes) : NULL;
    X509 *certificate;
    unsigned count = 0;
    int error = 0;
    if (reader == NULL) {
        return -ENOMEM;
    }
    ERR_clear_error();
    while (error == 0 && (certificate = PEM_read_bio_X509(reader, NULL, NULL, NULL)) != NULL) {
        error = X509_STORE_add_cert(store, certificate) == 1 ? 0 : -ENOMEM;
        X509_free(certificate);
        count++;
    }
    if (error == 0) {
        error = pem_ended() ? 0 : -EBADMSG;
        *out_count = count;
    }
    BIO_free(reader);
    return error;
}

/* --------------------------------------------------------------------------------------- client */

/* Whom the certificate has to name. libssl only reads the name that it is given here to copy, and
 * forgot to say so. */
static bool
host_expect(SSL *session, const char *host)
{
    void *name = (void *)(uintptr_t)host;
    X509_VERIFY_PARAM *param = SSL_get0_param(session);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1) {
        return true;
    }
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return *host != '\0' && X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
           SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

/* Notes what went wrong, in libssl's words. */
static int
failed(struct tls_client *client)
{
    long verdict = SSL_get_verify_result(client->session);
    const char *reason = ERR_reason_error_string(ERR_get_error());
    ERR_clear_error();
    if (client->fault[0] == '\0') {
        if (verdict != X509_V_OK) {
            client->fault = X509_verify_cert_error_string(verdict);
        } else {
            client->fault = reason != NULL ? reason : "the TLS connection ended early";
        }
    }
    return -EPROTO;
}

/* What a call that did not succeed means: 0 when it only waits for bytes. */
static int
judge(struct tls_client *client, int result)
{
    int error = SSL_get_error(client->session, result);
    return error == SSL_ERROR_WANT_READ ? 0 : failed(client);
}

static int
handshake(struct tls_client *client)
{
    ERR_clear_error();
    int result = SSL_do_handshake(client->session);
    if (result == 1) {
        client->ready = true;
        return 0;
    }
    return judge(client, result);
}

int
tls_client_new(const struct tls_trust *trust, const char *host, struct tls_client **out)
{
    struct tls_client *client = calloc(1, sizeof *client);
    int error = -ENOMEM;
    if (client == NULL) {
        return error;
    }
    client->fault = "";
    client->session = SSL_new(trust->context);
    client->in = BIO_new(BIO_s_mem());
    client->out = BIO_new(BIO_s_mem());
    if (client->session == NULL || client->in == NULL || client->out == NULL) {
        BIO_free(client->in);
        BIO_free(client->out);
        goto out;
    }
    SSL_set_bio(client->session, client->in, client->out); /* takes both */
    SSL_set_connect_state(client->session);
    error = host_expect(client->session, host) ? handshake(client) : -EINVAL;
    if (error == 0) {
        *out = client;
        return 0;
    }
out:
    tls_client_free(&client);
    return error;
}

void
tls_client_free(struct tls_client **client)
{
    if (*client != NULL) {
        SSL_free((*client)->session);
        free(*client);
        *client = NULL;
    }
}

int
tls_client_input(struct tls_client *client, const void *bytes, size_t count)
{
    ASSERT(count <= INT_MAX);
    if (client->fault[0] != '\0') {
        return -EPROTO;
    }
    if (count > 0 && BIO_write(client->in, bytes, (int)count) != (int)count) {
        client->fault = "no memory for what the server sent";
        return -EPROTO;
    }
    return client->ready ? 0 : handshake(client);
}

size_t
tls_client_output(struct tls_client *client, void *out, size_t out_max)
{
    ASSERT(out_max <= INT_MAX);
    int count = BIO_read(client->out, out, (int)out_max);
    return count > 0 ? (size_t)count : 0;
}

bool
tls_client_ready(const struct tls_client *client)
{
    return client->ready && client->fault[0] == '\0';
}

ssize_t
tls_client_read(struct tls_client *client, void *out, size_t out_max)
{
    size_t count = 0;
    if (client->fault[0] != '\0') {
        return -EPROTO;
    }
    if (!client->ready) {
        return 0;
    }
    ERR_clear_error();
    if (SSL_read_ex(client->session, out, out_max, &count) == 1) {
        return (ssize_t)count;
    }
    if ((SSL_get_shutdown(client->session) & SSL_RECEIVED_SHUTDOWN) != 0) {
        return -EPIPE;
    }
    return judge(client, 0);
}

int
tls_client_write(struct tls_client *client, const void *bytes, size_t count)
{
    size_t written = 0;
    ASSERT(count > 0);
    if (!tls_client_ready(client)) {
        return -EPROTO;
    }
    ERR_clear_error();
    if (SSL_write_ex(client->session, bytes, count, &written) != 1 || written != count) {
        return failed(client);
    }
    return 0;
}

const char *
tls_client_fault(const struct tls_client *client)
{
    return client->fault;
}
