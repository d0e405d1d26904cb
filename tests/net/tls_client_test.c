/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls_client.h"

#include "tests/net/tls_server.h"
#include "tests/spec.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>

enum { VALID_S = 1000000 };

static struct tls_authority *authority;
static struct tls_trust *trust; /* the authority's certificate */

static int
found(void **state)
{
    (void)state;
    unsigned count = 0;
    size_t bytes = 0;
    authority = tls_authority_new("authority");
    const char *pem = tls_authority_pem(authority, &bytes);
    return tls_trust_new(&trust) == 0 && tls_trust_add(trust, pem, bytes, &count) == 0 && count == 1
               ? 0
               : -1;
}

static int
abandon(void **state)
{
    (void)state;
    tls_trust_free(&trust);
    tls_authority_free(authority);
    return 0;
}

/* Carries bytes both ways, `piece` at a time, until nobody has any. 0 or the client's error. */
static int
carry(struct tls_client *client, struct tls_server *server, size_t piece)
{
    unsigned char bytes[4096];
    bool moved = true;
    int error = 0;
    while (moved) {
        moved = false;
        size_t count;
        while ((count = tls_client_output(client, bytes, piece)) > 0) {
            tls_server_input(server, bytes, count);
            moved = true;
        }
        while (error == 0 && (count = tls_server_output(server, bytes, piece)) > 0) {
            error = tls_client_input(client, bytes, count);
            moved = true;
        }
    }
    return error;
}

/* How a connection to `host` ends with this server. */
static int
meet(struct tls_server *server, const char *host, struct tls_client **out)
{
    assert_int_equal(tls_client_new(trust, host, out), 0);
    return carry(*out, server, 4096);
}

static void
part(struct tls_client *client, struct tls_server *server)
{
    tls_client_free(&client);
    assert_null(client);
    tls_client_free(&client);
    tls_server_free(server);
}

static void
talks(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 4096; piece = piece * 5 + 2) {
        struct tls_client *client = NULL;
        struct tls_server *server = tls_server_new(authority, "DNS:push.example.net", VALID_S);
        char text[64];
        assert_int_equal(tls_client_new(trust, "push.example.net", &client), 0);
        assert_false(tls_client_ready(client));
        assert_int_equal(tls_client_write(client, "too early", 9), -EPROTO);
        assert_int_equal(carry(client, server, piece), 0);
        assert_true(tls_client_ready(client));
        assert_string_equal(tls_server_asked_for(server), "push.example.net");
        assert_int_equal(tls_client_write(client, "question", 8), 0);
        assert_int_equal(carry(client, server, piece), 0);
        assert_int_equal(tls_server_read(server, text, sizeof text), 8);
        assert_memory_equal(text, "question", 8);
        tls_server_write(server, "answer", 6);
        assert_int_equal(tls_client_read(client, text, sizeof text), 0);
        assert_int_equal(carry(client, server, piece), 0);
        assert_int_equal(tls_client_read(client, text, 4), 4);
        assert_int_equal(tls_client_read(client, text + 4, 4), 2);
        assert_memory_equal(text, "answer", 6);
        tls_server_close(server);
        assert_int_equal(carry(client, server, piece), 0);
        assert_int_equal(tls_client_read(client, text, sizeof text), -EPIPE);
        assert_string_equal(tls_client_fault(client), "");
        part(client, server);
    }
}

static void
knows_addresses(void **state)
{
    (void)state;
    struct tls_client *client = NULL;
    struct tls_server *server = tls_server_new(authority, "IP:127.0.0.1,IP:::1", VALID_S);
    assert_int_equal(meet(server, "127.0.0.1", &client), 0);
    assert_true(tls_client_ready(client));
    assert_string_equal(tls_server_asked_for(server), "");
    part(client, server);
    server = tls_server_new(authority, "IP:127.0.0.1,IP:::1", VALID_S);
    assert_int_equal(meet(server, "::1", &client), 0);
    part(client, server);
    server = tls_server_new(authority, "IP:127.0.0.1", VALID_S);
    assert_int_equal(meet(server, "127.0.0.2", &client), -EPROTO);
    part(client, server);
}

static void
refuses_names(void **state)
{
    (void)state;
    static const char *const names[] = {"DNS:other.example.net", "DNS:p*.example.net",
                                        "DNS:example.net", "IP:127.0.0.1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct tls_client *client = NULL;
        struct tls_server *server = tls_server_new(authority, names[i], VALID_S);
        char text[8];
        assert_int_equal(meet(server, "push.example.net", &client), -EPROTO);
        assert_false(tls_client_ready(client));
        assert_string_equal(tls_client_fault(client), "hostname mismatch");
        assert_int_equal(tls_client_write(client, "x", 1), -EPROTO);
        assert_int_equal(tls_client_read(client, text, sizeof text), -EPROTO);
        assert_int_equal(tls_client_input(client, text, 0), -EPROTO);
        part(client, server);
    }
    struct tls_client *client = NULL;
    struct tls_server *server = tls_server_new(authority, "DNS:*.example.net", VALID_S);
    assert_int_equal(meet(server, "push.example.net", &client), 0);
    part(client, server);
}

static void
refuses_strangers(void **state)
{
    (void)state;
    struct tls_client *client = NULL;
    struct tls_authority *stranger = tls_authority_new("stranger");
    struct tls_server *server = tls_server_new(stranger, "DNS:h", VALID_S);
    assert_int_equal(meet(server, "h", &client), -EPROTO);
    assert_string_equal(tls_client_fault(client), "unable to get local issuer certificate");
    part(client, server);
    tls_authority_free(stranger);
    server = tls_server_new(authority, "DNS:h", -1000);
    assert_int_equal(meet(server, "h", &client), -EPROTO);
    assert_string_equal(tls_client_fault(client), "certificate has expired");
    part(client, server);
}

static void
refuses_others(void **state)
{
    (void)state;
    struct tls_client *client = NULL;
    static const char plain[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    assert_int_equal(tls_client_new(trust, "h", &client), 0);
    assert_int_equal(tls_client_input(client, plain, sizeof plain - 1), -EPROTO);
    assert_string_equal(tls_client_fault(client), "wrong version number");
    tls_client_free(&client);
    struct tls_server *server = tls_server_new(authority, "DNS:h", VALID_S);
    tls_server_version_max(server, TLS1_1_VERSION);
    assert_int_equal(meet(server, "h", &client), -EPROTO);
    part(client, server);
    server = tls_server_new(authority, "DNS:h", VALID_S);
    tls_server_version_max(server, TLS1_2_VERSION);
    assert_int_equal(meet(server, "h", &client), 0);
    part(client, server);
    assert_int_equal(tls_client_new(trust, "", &client), -EINVAL);
}

static void
detects_tampering(void **state)
{
    (void)state;
    struct tls_client *client = NULL;
    struct tls_server *server = tls_server_new(authority, "DNS:h", VALID_S);
    unsigned char bytes[256];
    assert_int_equal(meet(server, "h", &client), 0);
    tls_server_write(server, "answer", 6);
    size_t count = tls_server_output(server, bytes, sizeof bytes);
    bytes[count - 1] ^= 1;
    assert_int_equal(tls_client_input(client, bytes, count), 0);
    assert_int_equal(tls_client_read(client, bytes, sizeof bytes), -EPROTO);
    assert_string_not_equal(tls_client_fault(client), "");
    part(client, server);
}

static void
reads_certificates(void **state)
{
    (void)state;
    struct tls_trust *other = NULL;
    unsigned count = 7;
    size_t bytes = 0;
    char twice[8192];
    const char *pem = tls_authority_pem(authority, &bytes);
    assert_int_equal(tls_trust_new(&other), 0);
    assert_int_equal(tls_trust_add(other, "", 0, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(tls_trust_add(other, "# no certificate\n", 17, &count), 0);
    assert_int_equal(count, 0);
    memcpy(twice, pem, bytes);
    memcpy(twice + bytes, pem, bytes);
    assert_int_equal(tls_trust_add(other, twice, 2 * bytes, &count), 0);
    assert_int_equal(count, 2);
    twice[bytes + 100] = '!';
    assert_int_equal(tls_trust_add(other, twice, 2 * bytes, &count), -EBADMSG);
    tls_trust_free(&other);
    assert_null(other);
    tls_trust_free(&other);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("text goes both ways, however the bytes are cut", talks),
        SPEC("a numeric address has to stand in the certificate as such", knows_addresses),
        SPEC("a certificate for another name is refused, and nothing is said", refuses_names),
        SPEC("a certificate of a stranger, or one that has ended, is refused", refuses_strangers),
        SPEC("no TLS, an old TLS and no host are refused", refuses_others),
        SPEC("a byte that was changed on the way is noticed", detects_tampering),
        SPEC("certificates are read in PEM, one behind the other", reads_certificates),
    };
    return cmocka_run_group_tests(specs, found, abandon);
}
