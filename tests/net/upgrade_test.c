/* SPDX-License-Identifier: Apache-2.0 */
#include "net/upgrade.h"

#include "tests/spec.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 6455, 1.3 */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
static const unsigned char sample_key[] = "the sample nonce";

static const char *const served[] = {"linnet.v1.proto", "linnet.v1.json"};

/* The linker sends net's digests here, so that libcrypto can fail when a test wants it. */
static bool digest_fails;
int __real_EVP_Digest(const void *data, size_t count, unsigned char *out, unsigned *out_bytes,
                      const EVP_MD *type, ENGINE *engine);
int __wrap_EVP_Digest(const void *data, size_t count, unsigned char *out, unsigned *out_bytes,
                      const EVP_MD *type, ENGINE *engine);

int
__wrap_EVP_Digest(const void *data, size_t count, unsigned char *out, unsigned *out_bytes,
                  const EVP_MD *type, ENGINE *engine)
{
    return digest_fails ? 0 : __real_EVP_Digest(data, count, out, out_bytes, type, engine);
}

/* The fields of a good request; a test leaves some out by naming them, and adds its own. */
static const char *const good[] = {"Host: h", "Upgrade: websocket", "Connection: Upgrade",
                                   "Sec-WebSocket-Version: 13", ("Sec-WebSocket-Key: " KEY)};

static void
request_write(char *out, size_t out_bytes, const char *without, const char *with)
{
    (void)snprintf(out, out_bytes, "GET /chat HTTP/1.1\r\n");
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (without == NULL || strncmp(good[i], without, strlen(without)) != 0) {
            (void)snprintf(out + strlen(out), out_bytes - strlen(out), "%s\r\n", good[i]);
        }
    }
    (void)snprintf(out + strlen(out), out_bytes - strlen(out), "%s\r\n", with);
}

static char text[2048];

/* The good request without one field and with others, judged; nothing is asked of subprotocols. */
static enum upgrade_fault
judge(const char *without, const char *with, struct upgrade *out)
{
    struct http_request request;
    request_write(text, sizeof(text), without, with);
    assert_int_equal(http_request_parse(text, strlen(text), &request), HTTP_OK);
    return upgrade_judge(&request, NULL, 0, out);
}

static enum upgrade_fault
judge_served(const char *with, struct upgrade *out)
{
    struct http_request request;
    request_write(text, sizeof(text), NULL, with);
    assert_int_equal(http_request_parse(text, strlen(text), &request), HTTP_OK);
    return upgrade_judge(&request, served, 2, out);
}

static enum upgrade_fault
judge_line(const char *line, struct upgrade *out)
{
    struct http_request request;
    request_write(text, sizeof(text), NULL, "");
    char changed[2048];
    (void)snprintf(changed, sizeof(changed), "%s%s", line, strchr(text, '\r'));
    assert_int_equal(http_request_parse(changed, strlen(changed), &request), HTTP_OK);
    return upgrade_judge(&request, NULL, 0, out);
}

/* --------------------------------------------------------------------------------------- server */

static void
accepts(void **state)
{
    (void)state;
    struct upgrade upgrade;
    assert_int_equal(judge(NULL, "", &upgrade), UPGRADE_OK);
    assert_string_equal(upgrade.accept, ACCEPT);
    assert_null(upgrade.subprotocol);
    assert_int_equal(upgrade.token.count, 0);
    char out[512];
    size_t count;
    assert_int_equal(upgrade_answer_write(&upgrade, out, sizeof(out), &count), 0);
    static const char expected[] = "HTTP/1.1 101 Switching Protocols\r\n"
                                   "Upgrade: websocket\r\n"
                                   "Connection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: " ACCEPT "\r\n"
                                   "\r\n";
    assert_int_equal(count, sizeof(expected) - 1);
    assert_memory_equal(out, expected, count);
}

static void
accepts_lists(void **state)
{
    (void)state;
    struct upgrade upgrade;
    assert_int_equal(judge("Upgrade", "Upgrade: h2c, WebSocket\r\n", &upgrade), UPGRADE_OK);
    assert_int_equal(judge("Connection", "Connection: keep-alive, UPGRADE\r\n", &upgrade),
                     UPGRADE_OK);
    assert_int_equal(
        judge("Connection", "Connection: keep-alive\r\nConnection: upgrade\r\n", &upgrade),
        UPGRADE_OK);
    assert_int_equal(judge(NULL, "Sec-WebSocket-Extensions: permessage-deflate\r\n", &upgrade),
                     UPGRADE_OK);
}

static void
refuses_without(void **state)
{
    (void)state;
    struct upgrade upgrade;
    assert_int_equal(judge("Upgrade", "", &upgrade), UPGRADE_NOT_ASKED);
    assert_int_equal(judge("Upgrade", "Upgrade: websockets\r\n", &upgrade), UPGRADE_NOT_ASKED);
    assert_int_equal(judge("Connection", "", &upgrade), UPGRADE_CONNECTION);
    assert_int_equal(judge("Connection", "Connection: keep-alive\r\n", &upgrade),
                     UPGRADE_CONNECTION);
    assert_int_equal(judge_line("HEAD /chat HTTP/1.1", &upgrade), UPGRADE_METHOD);
    assert_int_equal(judge_line("GET /chat HTTP/1.0", &upgrade), UPGRADE_HTTP_VERSION);
    assert_int_equal(judge_line("GET /chat HTTP/1.1", &upgrade), UPGRADE_OK);
}

static void
refuses_versions(void **state)
{
    (void)state;
    struct upgrade upgrade;
    static const char name[] = "Sec-WebSocket-Version";
    assert_int_equal(judge(name, "", &upgrade), UPGRADE_VERSION);
    assert_int_equal(judge(name, "Sec-WebSocket-Version: 8\r\n", &upgrade), UPGRADE_VERSION);
    assert_int_equal(judge(name, "Sec-WebSocket-Version: 013\r\n", &upgrade), UPGRADE_VERSION);
    assert_int_equal(judge(name, "Sec-WebSocket-Version: 13, 8\r\n", &upgrade), UPGRADE_VERSION);
    struct http_answer answer = upgrade_fault_answer(UPGRADE_VERSION);
    assert_int_equal(answer.status, 426);
    assert_non_null(strstr(answer.fields, "Sec-WebSocket-Version: 13\r\n"));
}

static void
refuses_keys(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "dGhlIHNhbXBsZSBub25jZQ",    /* no padding */
        "dGhlIHNhbXBsZSBub25jZQ=",   /* not enough */
        "dGhlIHNhbXBsZSBub25jZWU=",  /* 17 bytes */
        "dGhlIHNhbXBsZSBub25j",      /* 15 bytes */
        "dGhlIHNhbXBsZSBub25jZQ==a", /* more behind it */
        "dGhlIHNhbXBsZSBub25j*Q==",  /* not the alphabet */
        "dGhlIHNhbXBsZSBub25jZ=A=",  /* padding within */
        "dGhlIHNhbX BsZSBub25jZ==",  /* a space within */
        "dGhlIHNhbXBsZSBub25j-_==",  /* the other alphabet */
        "========================",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct upgrade upgrade;
        char field[100];
        (void)snprintf(field, sizeof(field), "Sec-WebSocket-Key: %s\r\n", bad[i]);
        assert_int_equal(judge("Sec-WebSocket-Key", field, &upgrade), UPGRADE_KEY);
    }
    struct upgrade upgrade;
    assert_int_equal(judge("Sec-WebSocket-Key", "", &upgrade), UPGRADE_KEY);
    assert_int_equal(
        judge("Sec-WebSocket-Key", "Sec-WebSocket-Key: ++//09azAZ++//09azAZ++==\r\n", &upgrade),
        UPGRADE_OK);
}

static void
chooses_subprotocols(void **state)
{
    (void)state;
    struct upgrade upgrade;
    assert_int_equal(judge_served("Sec-WebSocket-Protocol: linnet.v1.json\r\n", &upgrade),
                     UPGRADE_OK);
    assert_string_equal(upgrade.subprotocol, "linnet.v1.json");
    char out[512];
    size_t count;
    assert_int_equal(upgrade_answer_write(&upgrade, out, sizeof(out), &count), 0);
    assert_non_null(strstr(out, "\r\nSec-WebSocket-Protocol: linnet.v1.json\r\n\r\n"));
    assert_int_equal(judge_served("Sec-WebSocket-Protocol: soap, linnet.v1.json\r\n"
                                  "Sec-WebSocket-Protocol: linnet.v1.proto\r\n",
                                  &upgrade),
                     UPGRADE_OK);
    assert_string_equal(upgrade.subprotocol, "linnet.v1.json");
    assert_int_equal(judge_served("", &upgrade), UPGRADE_SUBPROTOCOL_UNKNOWN);
    assert_int_equal(judge_served("Sec-WebSocket-Protocol: LINNET.v1.json\r\n", &upgrade),
                     UPGRADE_SUBPROTOCOL_UNKNOWN);
    assert_int_equal(judge_served("Sec-WebSocket-Protocol: linnet.v1.json, a b\r\n", &upgrade),
                     UPGRADE_SUBPROTOCOL_MALFORMED);
    assert_int_equal(judge(NULL, "Sec-WebSocket-Protocol: linnet.v1.json\r\n", &upgrade),
                     UPGRADE_OK);
    assert_null(upgrade.subprotocol);
}

static void
reads_tokens(void **state)
{
    (void)state;
    struct upgrade upgrade;
    assert_int_equal(judge(NULL, "Authorization: bearer  aZ09-._~+/==\r\n", &upgrade), UPGRADE_OK);
    assert_true(http_text_is(upgrade.token, "aZ09-._~+/=="));
    static const char *const bad[] = {"Bearer",          "Bearer ",   "Basic YTpi", "Bearer a b",
                                      "Bearer a=b",      "Bearer =",  "Bearera",    "",
                                      "Bearer \xc3\xa4", "Bearer a,b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char field[100];
        (void)snprintf(field, sizeof(field), "Authorization: %s\r\n", bad[i]);
        assert_int_equal(judge(NULL, field, &upgrade), UPGRADE_AUTHORIZATION);
    }
    struct http_answer answer = upgrade_fault_answer(UPGRADE_AUTHORIZATION);
    assert_int_equal(answer.status, 401);
    assert_string_equal(answer.fields, "WWW-Authenticate: Bearer\r\n");
}

static void
reads_tokens_of_other_requests(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *token;
        enum upgrade_fault fault;
    } rows[] = {
        {"", "", UPGRADE_OK},
        {"Authorization: Bearer a-b=\r\n", "a-b=", UPGRADE_OK},
        {"Authorization: Basic YTpi\r\n", "", UPGRADE_AUTHORIZATION},
        {"Sec-WebSocket-Protocol: linnet.token.x\r\n", "", UPGRADE_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char head[200];
        struct http_request request;
        struct http_text token = {"?", 1};
        int bytes =
            snprintf(head, sizeof(head), "GET /x HTTP/1.1\r\nHost: h\r\n%s\r\n", rows[i].fields);
        assert_int_equal(http_request_parse(head, (size_t)bytes, &request), HTTP_OK);
        assert_int_equal(upgrade_token_read(&request.head, &token), rows[i].fault);
        assert_true(http_text_is(token, rows[i].token));
    }
}

static void
reads_disguised_tokens(void **state)
{
    (void)state;
    struct upgrade upgrade;
    assert_int_equal(
        judge_served("Sec-WebSocket-Protocol: linnet.token.s3cret, linnet.v1.proto\r\n", &upgrade),
        UPGRADE_OK);
    assert_true(http_text_is(upgrade.token, "s3cret"));
    assert_string_equal(upgrade.subprotocol, "linnet.v1.proto");
    char out[512];
    size_t count;
    assert_int_equal(upgrade_answer_write(&upgrade, out, sizeof(out), &count), 0);
    assert_null(strstr(out, "s3cret"));
    assert_null(strstr(out, "linnet.token"));
    assert_int_equal(judge_served("Sec-WebSocket-Protocol: linnet.token.s3cret\r\n", &upgrade),
                     UPGRADE_SUBPROTOCOL_UNKNOWN);
    assert_int_equal(
        judge_served("Sec-WebSocket-Protocol: linnet.token., linnet.v1.proto\r\n", &upgrade),
        UPGRADE_SUBPROTOCOL_MALFORMED);
    assert_int_equal(judge_served("Sec-WebSocket-Protocol: linnet.v1.proto, linnet.token.a, "
                                  "linnet.token.a\r\n",
                                  &upgrade),
                     UPGRADE_TOKENS);
    assert_int_equal(judge_served("Authorization: Bearer a\r\n"
                                  "Sec-WebSocket-Protocol: linnet.v1.proto, linnet.token.a\r\n",
                                  &upgrade),
                     UPGRADE_TOKENS);
}

static void
never_chooses_a_token(void **state)
{
    (void)state;
    static const char *const reckless[] = {"linnet.token.a"};
    struct http_request request;
    struct upgrade upgrade;
    request_write(text, sizeof(text), NULL, "Sec-WebSocket-Protocol: linnet.token.a\r\n");
    assert_int_equal(http_request_parse(text, strlen(text), &request), HTTP_OK);
    assert_int_equal(upgrade_judge(&request, reckless, 1, &upgrade), UPGRADE_SUBPROTOCOL_UNKNOWN);
}

static void
tells_of_libcrypto(void **state)
{
    (void)state;
    struct upgrade upgrade;
    digest_fails = true;
    enum upgrade_fault fault = judge(NULL, "", &upgrade);
    digest_fails = false;
    assert_int_equal(fault, UPGRADE_DIGEST);
    assert_int_equal(upgrade_fault_answer(fault).status, 500);
}

static void
answers_faults(void **state)
{
    (void)state;
    for (unsigned fault = UPGRADE_NOT_ASKED; fault < UPGRADE_INCOMPLETE; fault++) {
        struct http_answer answer = upgrade_fault_answer((enum upgrade_fault)fault);
        assert_true(answer.status >= 400);
        assert_string_not_equal(http_status_name(answer.status), "Unknown");
        assert_string_equal(answer.body, upgrade_fault_text((enum upgrade_fault)fault));
        assert_false(answer.keep_alive);
    }
    for (unsigned fault = UPGRADE_OK; fault < UPGRADE_FAULTS; fault++) {
        const char *sentence = upgrade_fault_text((enum upgrade_fault)fault);
        assert_int_equal(sentence[strlen(sentence) - 1], '\n');
    }
    assert_string_equal(upgrade_fault_answer(UPGRADE_METHOD).fields, "Allow: GET\r\n");
    assert_non_null(strstr(upgrade_fault_answer(UPGRADE_NOT_ASKED).fields, "Upgrade: websocket"));
}

static void
answers_fit_or_fail(void **state)
{
    (void)state;
    struct upgrade upgrade = {.accept = ACCEPT, .subprotocol = served[0]};
    char out[512];
    size_t whole;
    assert_int_equal(upgrade_answer_write(&upgrade, out, sizeof(out), &whole), 0);
    size_t count = 77;
    for (size_t bytes = 0; bytes <= whole; bytes++) {
        assert_int_equal(upgrade_answer_write(&upgrade, out, bytes, &count), -ENOBUFS);
    }
    assert_int_equal(count, 77);
}

/* --------------------------------------------------------------------------------------- client */

static struct upgrade_offer
offer_of(const char *subprotocol, const char *token)
{
    struct upgrade_offer offer = {.host = "h:1", .path = "/chat?x", .subprotocol = subprotocol};
    offer.token = token;
    memcpy(offer.key, sample_key, sizeof(offer.key));
    return offer;
}

static void
writes_offers(void **state)
{
    (void)state;
    struct upgrade_offer offer = offer_of("linnet.v1.json", "to-ken=");
    char out[512];
    size_t count;
    assert_int_equal(upgrade_offer_write(&offer, out, sizeof(out), &count), 0);
    static const char expected[] = "GET /chat?x HTTP/1.1\r\n"
                                   "Host: h:1\r\n"
                                   "Upgrade: websocket\r\n"
                                   "Connection: Upgrade\r\n"
                                   "Sec-WebSocket-Version: 13\r\n"
                                   "Sec-WebSocket-Key: " KEY "\r\n"
                                   "Sec-WebSocket-Protocol: linnet.v1.json\r\n"
                                   "Authorization: Bearer to-ken=\r\n"
                                   "\r\n";
    assert_int_equal(count, sizeof(expected) - 1);
    assert_memory_equal(out, expected, count);
    size_t none = 77;
    for (size_t bytes = 0; bytes <= count; bytes++) {
        assert_int_equal(upgrade_offer_write(&offer, out, bytes, &none), -ENOBUFS);
    }
    assert_int_equal(none, 77);
}

static void
refuses_offers(void **state)
{
    (void)state;
    char out[512];
    size_t count;
    struct upgrade_offer bad[9];
    for (size_t i = 0; i < 9; i++) {
        bad[i] = offer_of(NULL, NULL);
    }
    bad[0].host = "h\r\nX: y";
    bad[1].host = "";
    bad[2].path = "chat";
    bad[3].path = "/a b";
    bad[4].path = "/a#b";
    bad[5].subprotocol = "a, b";
    bad[6].token = "a\r\nX: y";
    bad[7].token = "";
    bad[8].subprotocol = "";
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(upgrade_offer_write(&bad[i], out, sizeof(out), &count), -EINVAL);
    }
}

static enum upgrade_fault
response_judge(const char *subprotocol, const char *response, struct upgrade_response *out)
{
    struct upgrade_offer offer = offer_of(subprotocol, NULL);
    enum upgrade_fault whole = upgrade_response_judge(&offer, response, strlen(response), out);
    for (size_t prefix = 0; prefix < strlen(response); prefix++) {
        struct upgrade_response ignored;
        enum upgrade_fault fault = upgrade_response_judge(&offer, response, prefix, &ignored);
        assert_true(fault == UPGRADE_INCOMPLETE || fault == whole);
    }
    return whole;
}

#define SWITCHING "HTTP/1.1 101 Switching Protocols\r\n"
#define FIELDS "Upgrade: WebSocket\r\nConnection: upgrade\r\n"
#define ACCEPTED "Sec-WebSocket-Accept: " ACCEPT "\r\n"

static void
reads_responses(void **state)
{
    (void)state;
    struct upgrade_response response;
    static const char plain[] = SWITCHING FIELDS ACCEPTED "\r\n\x81\x02hi";
    assert_int_equal(response_judge(NULL, plain, &response), UPGRADE_OK);
    assert_int_equal(response.status, 101);
    assert_string_equal(plain + response.head_bytes, "\x81\x02hi");
    assert_int_equal(response_judge("linnet.v1.json",
                                    SWITCHING FIELDS ACCEPTED
                                    "Sec-WebSocket-Protocol: linnet.v1.json\r\n\r\n",
                                    &response),
                     UPGRADE_OK);
    assert_int_equal(response_judge(NULL, SWITCHING FIELDS, &response), UPGRADE_INCOMPLETE);
}

static void
refuses_responses(void **state)
{
    (void)state;
    static const struct {
        const char *subprotocol, *response;
        enum upgrade_fault fault;
    } cases[] = {
        {NULL, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", UPGRADE_REFUSED},
        {NULL, "HTTP/1.1 200 OK\r\n" FIELDS ACCEPTED "\r\n", UPGRADE_REFUSED},
        {NULL, "SSH-2.0\r\n", UPGRADE_RESPONSE},
        {NULL, SWITCHING "Connection: upgrade\r\n" ACCEPTED "\r\n", UPGRADE_RESPONSE_FIELDS},
        {NULL, SWITCHING "Upgrade: websocket\r\n" ACCEPTED "\r\n", UPGRADE_RESPONSE_FIELDS},
        {NULL, SWITCHING FIELDS "\r\n", UPGRADE_ACCEPT},
        {NULL, SWITCHING FIELDS "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
         UPGRADE_ACCEPT},
        {NULL, SWITCHING FIELDS ACCEPTED "Sec-WebSocket-Extensions: x\r\n\r\n", UPGRADE_EXTENSION},
        {NULL, SWITCHING FIELDS ACCEPTED "Sec-WebSocket-Protocol: a\r\n\r\n", UPGRADE_SUBPROTOCOL},
        {"a", SWITCHING FIELDS ACCEPTED "\r\n", UPGRADE_SUBPROTOCOL},
        {"a", SWITCHING FIELDS ACCEPTED "Sec-WebSocket-Protocol: b\r\n\r\n", UPGRADE_SUBPROTOCOL},
        {"a", SWITCHING FIELDS ACCEPTED "Sec-WebSocket-Protocol: a, a\r\n\r\n",
         UPGRADE_SUBPROTOCOL},
        {"a",
         SWITCHING FIELDS ACCEPTED "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n\r\n",
         UPGRADE_SUBPROTOCOL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct upgrade_response response;
        assert_int_equal(response_judge(cases[i].subprotocol, cases[i].response, &response),
                         cases[i].fault);
        if (i == 0) {
            assert_int_equal(response.status, 401);
        }
        if (cases[i].fault == UPGRADE_RESPONSE) {
            assert_int_equal(response.http_fault, HTTP_STATUS_MALFORMED);
        }
    }
    struct upgrade_response response;
    digest_fails = true;
    enum upgrade_fault fault = response_judge(NULL, SWITCHING FIELDS ACCEPTED "\r\n", &response);
    digest_fails = false;
    assert_int_equal(fault, UPGRADE_DIGEST);
}

static void
both_sides_agree(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        struct upgrade_offer offer = offer_of(served[i % 2], "t");
        memset(offer.key, (int)i * 5, sizeof(offer.key));
        char asked[512];
        char answered[512];
        size_t asked_bytes;
        size_t answered_bytes;
        struct http_request request;
        struct upgrade upgrade;
        struct upgrade_response response;
        assert_int_equal(upgrade_offer_write(&offer, asked, sizeof(asked), &asked_bytes), 0);
        assert_int_equal(http_request_parse(asked, asked_bytes, &request), HTTP_OK);
        assert_int_equal(upgrade_judge(&request, served, 2, &upgrade), UPGRADE_OK);
        assert_true(http_text_is(upgrade.token, "t"));
        assert_int_equal(
            upgrade_answer_write(&upgrade, answered, sizeof(answered), &answered_bytes), 0);
        assert_int_equal(upgrade_response_judge(&offer, answered, answered_bytes, &response),
                         UPGRADE_OK);
        assert_int_equal(response.head_bytes, answered_bytes);
        offer.key[3] ^= 1;
        assert_int_equal(upgrade_response_judge(&offer, answered, answered_bytes, &response),
                         UPGRADE_ACCEPT);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("RFC 6455's example is accepted and answered", accepts),
        SPEC("Upgrade and Connection are lists, compared without regard to case; extensions are "
             "ignored",
             accepts_lists),
        SPEC("a request that lacks what makes it an upgrade is refused", refuses_without),
        SPEC("a version other than 13 is told which one is spoken", refuses_versions),
        SPEC("a key that is not 16 bytes in base64 is refused", refuses_keys),
        SPEC("the first subprotocol of the client's list that is served is chosen",
             chooses_subprotocols),
        SPEC("a bearer token is read, any other authorization refused", reads_tokens),
        SPEC("the token of a request that is no upgrade is read, too",
             reads_tokens_of_other_requests),
        SPEC("a token among the subprotocols is read and never echoed", reads_disguised_tokens),
        SPEC("a token is never chosen as subprotocol, whatever is served", never_chooses_a_token),
        SPEC("a failure of libcrypto is told as ours", tells_of_libcrypto),
        SPEC("each fault of a request is answered with its status, a sentence and the end",
             answers_faults),
        SPEC("an answer that does not fit is not written", answers_fit_or_fail),
        SPEC("a client's request is written, or does not fit", writes_offers),
        SPEC("a request that its texts would break is not written", refuses_offers),
        SPEC("a good response is accepted, what follows it left alone", reads_responses),
        SPEC("a response that is refused, malformed or does not fit the request is told apart",
             refuses_responses),
        SPEC("a client's request and a server's answer fit each other, and no other",
             both_sides_agree),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
