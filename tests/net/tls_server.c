/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/net/tls_server.h"

#include "tests/spec.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

struct tls_authority {
    EVP_PKEY *key;
    X509 *certificate;
    BIO *pem;
};

struct tls_server {
    SSL_CTX *context;
    SSL *session;
    BIO *in, *out;
    EVP_PKEY *key;
    X509 *certificate;
};

static void
extend(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* Not signed yet. */
static X509 *
certificate_new(const char *name, EVP_PKEY *key, const X509 *issuer, long valid_s)
{
    X509 *certificate = X509_new();
    assert_non_null(certificate);
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer == NULL ? 1 : 2),
                     1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -1000000));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), valid_s));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    X509_NAME *subject = X509_get_subject_name(certificate);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(
        X509_set_issuer_name(certificate, issuer != NULL ? X509_get_subject_name(issuer) : subject),
        1);
    return certificate;
}

struct tls_authority *
tls_authority_new(const char *name)
{
    struct tls_authority *authority = calloc(1, sizeof *authority);
    assert_non_null(authority);
    authority->key = EVP_EC_gen("prime256v1");
    assert_non_null(authority->key);
    authority->certificate = certificate_new(name, authority->key, NULL, 1000000);
    extend(authority->certificate, authority->certificate, NID_basic_constraints,
           "critical,CA:TRUE");
    extend(authority->certificate, authority->certificate, NID_key_usage, "critical,keyCertSign");
    assert_true(X509_sign(authority->certificate, authority->key, EVP_sha256()) > 0);
    authority->pem = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(authority->pem, authority->certificate), 1);
    return authority;
}

void
tls_authority_free(struct tls_authority *authority)
{
    BIO_free(authority->pem);
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->key);
    free(authority);
}

const char *
tls_authority_pem(const struct tls_authority *authority, size_t *out_bytes)
{
    char *bytes = NULL;
    *out_bytes = (size_t)BIO_get_mem_data(authority->pem, &bytes);
    return bytes;
}

struct tls_server *
tls_server_new(const struct tls_authority *authority, const char *names, long valid_s)
{
    struct tls_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->key = EVP_EC_gen("prime256v1");
    server->certificate = certificate_new("server", server->key, authority->certificate, valid_s);
    extend(server->certificate, authority->certificate, NID_subject_alt_name, names);
    assert_true(X509_sign(server->certificate, authority->key, EVP_sha256()) > 0);
    server->context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(server->context, server->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server->context, server->key), 1);
    server->session = SSL_new(server->context);
    server->in = BIO_new(BIO_s_mem());
    server->out = BIO_new(BIO_s_mem());
    SSL_set_bio(server->session, server->in, server->out);
    SSL_set_accept_state(server->session);
    return server;
}

void
tls_server_free(struct tls_server *server)
{
    SSL_free(server->session);
    SSL_CTX_free(server->context);
    X509_free(server->certificate);
    EVP_PKEY_free(server->key);
    free(server);
}

void
tls_server_version_max(struct tls_server *server, int version)
{
    assert_int_equal(SSL_set_max_proto_version(server->session, version), 1);
}

void
tls_server_input(struct tls_server *server, const void *bytes, size_t count)
{
    assert_int_equal(BIO_write(server->in, bytes, (int)count), count);
    (void)SSL_do_handshake(server->session);
}

size_t
tls_server_output(struct tls_server *server, void *out, size_t out_max)
{
    int count = BIO_read(server->out, out, (int)out_max);
    return count > 0 ? (size_t)count : 0;
}

size_t
tls_server_read(struct tls_server *server, void *out, size_t out_max)
{
    int count = SSL_read(server->session, out, (int)out_max);
    return count > 0 ? (size_t)count : 0;
}

void
tls_server_write(struct tls_server *server, const void *bytes, size_t count)
{
    assert_int_equal(SSL_write(server->session, bytes, (int)count), count);
}

void
tls_server_close(struct tls_server *server)
{
    (void)SSL_shutdown(server->session);
}

const char *
tls_server_asked_for(const struct tls_server *server)
{
    const char *name = SSL_get_servername(server->session, TLSEXT_NAMETYPE_host_name);
    return name != NULL ? name : "";
}
