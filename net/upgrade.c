/* SPDX-License-Identifier: Apache-2.0 */
#include "net/upgrade.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { SHA1_BYTES = 20 };

/* RFC 6455, 1.3: what a server adds to the key to show that it speaks this protocol. */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/* --------------------------------------------------------------------------------------- faults */

static const struct {
    unsigned status; /* 0: not of a request */
    const char *text;
} faults[UPGRADE_FAULTS] = {
    [UPGRADE_OK] = {0, "nothing is wrong\n"},
    [UPGRADE_NOT_ASKED] = {426, "only WebSocket clients are served here\n"},
    [UPGRADE_METHOD] = {405, "a WebSocket is asked for with GET\n"},
    [UPGRADE_HTTP_VERSION] = {400, "a WebSocket is asked for with HTTP/1.1\n"},
    [UPGRADE_CONNECTION] = {400, "the Connection header field does not say Upgrade\n"},
    [UPGRADE_KEY] = {400, "Sec-WebSocket-Key is not 16 bytes in base64\n"},
    [UPGRADE_VERSION] = {426, "Sec-WebSocket-Version is not 13\n"},
    [UPGRADE_SUBPROTOCOL_MALFORMED] = {400, "Sec-WebSocket-Protocol is not a list of tokens\n"},
    [UPGRADE_SUBPROTOCOL_UNKNOWN] =
        {400, "Sec-WebSocket-Protocol offers no subprotocol that is served here\n"},
    [UPGRADE_AUTHORIZATION] = {401, "the Authorization header field is not \"Bearer TOKEN\"\n"},
    [UPGRADE_TOKENS] = {400, "more than one token was sent\n"},
    [UPGRADE_INCOMPLETE] = {0, "the response is not all there\n"},
    [UPGRADE_RESPONSE] = {0, "the response is not HTTP/1.1\n"},
    [UPGRADE_REFUSED] = {0, "the server refused the WebSocket\n"},
    [UPGRADE_RESPONSE_FIELDS] = {0, "the response does not say Upgrade: websocket\n"},
    [UPGRADE_ACCEPT] = {0, "the response does not fit the key that was sent\n"},
    [UPGRADE_EXTENSION] = {0, "the server chose an extension that was not offered\n"},
    [UPGRADE_SUBPROTOCOL] = {0, "the server did not choose the subprotocol that was offered\n"},
    [UPGRADE_DIGEST] = {500, "libcrypto gave no SHA-1\n"},
};

const char *
upgrade_fault_text(enum upgrade_fault fault)
{
    ASSERT(fault < UPGRADE_FAULTS);
    return faults[fault].text;
}

struct http_answer
upgrade_fault_answer(enum upgrade_fault fault)
{
    ASSERT(fault < UPGRADE_FAULTS && faults[fault].status != 0);
    struct http_answer answer = http_text_answer(faults[fault].status, faults[fault].text);
    if (answer.status == 401) {
        answer.fields = "WWW-Authenticate: Bearer\r\n";
    } else if (answer.status == 405) {
        answer.fields = "Allow: GET\r\n";
    } else if (answer.status == 426) {
        answer.fields = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    }
    return answer;
}

/* ---------------------------------------------------------------------------------- key, accept */

static bool
is_base64(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' ||
           c == '/';
}

/* What it decodes to is of no interest, only that it would be 16 bytes. */
static bool
key_valid(struct http_text key)
{
    if (key.count != UPGRADE_KEY_TEXT_BYTES || key.bytes[22] != '=' || key.bytes[23] != '=') {
        return false;
    }
    for (size_t i = 0; i < 22; i++) {
        if (!is_base64(key.bytes[i])) {
            return false;
        }
    }
    return true;
}

static enum upgrade_fault
accept_make(const char key[UPGRADE_KEY_TEXT_BYTES], char out[UPGRADE_ACCEPT_TEXT_BYTES + 1])
{
    unsigned char text[UPGRADE_KEY_TEXT_BYTES + sizeof(guid) - 1];
    memcpy(text, key, UPGRADE_KEY_TEXT_BYTES);
    memcpy(text + UPGRADE_KEY_TEXT_BYTES, guid, sizeof(guid) - 1);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_bytes = 0;
    if (EVP_Digest(text, sizeof(text), digest, &digest_bytes, EVP_sha1(), NULL) != 1 ||
        digest_bytes != SHA1_BYTES) {
        return UPGRADE_DIGEST;
    }
    (void)EVP_EncodeBlock((unsigned char *)out, digest, SHA1_BYTES);
    return UPGRADE_OK;
}

/* --------------------------------------------------------------------------------------- server */

/* RFC 6750, 2.1: characters, then perhaps '='. */
static bool
bearer_valid(struct http_text token)
{
    size_t i = 0;
    while (i < token.count &&
           (is_base64(token.bytes[i]) || token.bytes[i] == '-' || token.bytes[i] == '.' ||
            token.bytes[i] == '_' || token.bytes[i] == '~')) {
        i++;
    }
    bool some = i > 0;
    while (i < token.count && token.bytes[i] == '=') {
        i++;
    }
    return some && i == token.count;
}

enum upgrade_fault
upgrade_token_read(const struct http_head *head, struct http_text *out_token)
{
    static const char scheme[] = "Bearer ";
    struct http_text value;
    *out_token = (struct http_text){"", 0};
    if (!http_field(head, "authorization", &value)) {
        return UPGRADE_OK;
    }
    size_t scheme_bytes = sizeof(scheme) - 1;
    if (value.count < scheme_bytes ||
        !http_text_is_nocase((struct http_text){value.bytes, scheme_bytes}, scheme)) {
        return UPGRADE_AUTHORIZATION;
    }
    while (scheme_bytes < value.count && value.bytes[scheme_bytes] == ' ') {
        scheme_bytes++;
    }
    struct http_text token = {value.bytes + scheme_bytes, value.count - scheme_bytes};
    if (!bearer_valid(token)) {
        return UPGRADE_AUTHORIZATION;
    }
    *out_token = token;
    return UPGRADE_OK;
}

/* One offered subprotocol: a token in disguise, one of ours, or nothing we know. */
static enum upgrade_fault
subprotocol_read(struct http_text offered, const char *const *subprotocols,
                 size_t subprotocol_count, struct upgrade *out)
{
    static const char prefix[] = UPGRADE_TOKEN_PREFIX;
    const size_t prefix_bytes = sizeof(prefix) - 1;
    if (!http_token_valid(offered)) {
        return UPGRADE_SUBPROTOCOL_MALFORMED;
    }
    if (offered.count >= prefix_bytes && memcmp(offered.bytes, prefix, prefix_bytes) == 0) {
        if (offered.count == prefix_bytes) {
            return UPGRADE_SUBPROTOCOL_MALFORMED;
        }
        if (out->token.count > 0) {
            return UPGRADE_TOKENS;
        }
        out->token = (struct http_text){offered.bytes + prefix_bytes, offered.count - prefix_bytes};
        return UPGRADE_OK;
    }
    for (size_t i = 0; i < subprotocol_count && out->subprotocol == NULL; i++) {
        if (http_text_is(offered, subprotocols[i])) {
            out->subprotocol = subprotocols[i];
        }
    }
    return UPGRADE_OK;
}

static enum upgrade_fault
subprotocols_judge(const struct http_head *head, const char *const *subprotocols,
                   size_t subprotocol_count, struct upgrade *out)
{
    struct http_list list = {.head = head, .name = "sec-websocket-protocol"};
    struct http_text offered;
    while (http_list_next(&list, &offered)) {
        enum upgrade_fault fault = subprotocol_read(offered, subprotocols, subprotocol_count, out);
        if (fault != UPGRADE_OK) {
            return fault;
        }
    }
    return subprotocol_count > 0 && out->subprotocol == NULL ? UPGRADE_SUBPROTOCOL_UNKNOWN
                                                             : UPGRADE_OK;
}

/* The fields that make a request an upgrade, in the order in which a person would want to hear of
 * them. */
static enum upgrade_fault
fields_judge(const struct http_request *request, struct http_text *out_key)
{
    const struct http_head *head = &request->head;
    if (!http_field_lists(head, "upgrade", "websocket")) {
        return UPGRADE_NOT_ASKED;
    }
    if (request->head_only) {
        return UPGRADE_METHOD;
    }
    if (request->minor == 0) {
        return UPGRADE_HTTP_VERSION;
    }
    if (!http_field_lists(head, "connection", "upgrade")) {
        return UPGRADE_CONNECTION;
    }
    struct http_text version;
    if (!http_field(head, "sec-websocket-version", &version) || !http_text_is(version, "13")) {
        return UPGRADE_VERSION;
    }
    if (!http_field(head, "sec-websocket-key", out_key) || !key_valid(*out_key)) {
        return UPGRADE_KEY;
    }
    return UPGRADE_OK;
}

enum upgrade_fault
upgrade_judge(const struct http_request *request, const char *const *subprotocols,
              size_t subprotocol_count, struct upgrade *out)
{
    struct http_text key;
    enum upgrade_fault fault = fields_judge(request, &key);
    if (fault != UPGRADE_OK) {
        return fault;
    }
    out->subprotocol = NULL;
    fault = upgrade_token_read(&request->head, &out->token);
    if (fault == UPGRADE_OK) {
        fault = subprotocols_judge(&request->head, subprotocols, subprotocol_count, out);
    }
    return fault == UPGRADE_OK ? accept_make(key.bytes, out->accept) : fault;
}

/* What snprintf said of `out_bytes` as a result of ours. */
static int
written(int printed, size_t out_bytes, size_t *out_count)
{
    if (printed < 0 || (size_t)printed >= out_bytes) {
        return -ENOBUFS;
    }
    *out_count = (size_t)printed;
    return 0;
}

int
upgrade_answer_write(const struct upgrade *upgrade, char *out, size_t out_bytes, size_t *out_count)
{
    bool chosen = upgrade->subprotocol != NULL;
    int printed = snprintf(out, out_bytes,
                           "HTTP/1.1 101 Switching Protocols\r\n"
                           "Upgrade: websocket\r\n"
                           "Connection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: %s\r\n"
                           "%s%s%s\r\n",
                           upgrade->accept, chosen ? "Sec-WebSocket-Protocol: " : "",
                           chosen ? upgrade->subprotocol : "", chosen ? "\r\n" : "");
    return written(printed, out_bytes, out_count);
}

/* --------------------------------------------------------------------------------------- client */

static struct http_text
text_of(const char *text)
{
    return (struct http_text){text, strlen(text)};
}

/* Visible ASCII throughout: nothing that could end a line or a word of the request. */
static bool
word_valid(const char *text)
{
    const char *at = text;
    while (*at > ' ' && *at < 0x7f) {
        at++;
    }
    return *at == '\0' && at > text;
}

static bool
offer_valid(const struct upgrade_offer *offer)
{
    return word_valid(offer->host) && word_valid(offer->path) && offer->path[0] == '/' &&
           strchr(offer->path, '#') == NULL &&
           (offer->subprotocol == NULL || http_token_valid(text_of(offer->subprotocol))) &&
           (offer->token == NULL || bearer_valid(text_of(offer->token)));
}

static void
key_encode(const unsigned char key[UPGRADE_KEY_BYTES], char out[UPGRADE_KEY_TEXT_BYTES + 1])
{
    (void)EVP_EncodeBlock((unsigned char *)out, key, UPGRADE_KEY_BYTES);
}

int
upgrade_offer_write(const struct upgrade_offer *offer, char *out, size_t out_bytes,
                    size_t *out_count)
{
    if (!offer_valid(offer)) {
        return -EINVAL;
    }
    char key[UPGRADE_KEY_TEXT_BYTES + 1];
    key_encode(offer->key, key);
    bool offered = offer->subprotocol != NULL;
    bool known = offer->token != NULL;
    int printed = snprintf(out, out_bytes,
                           "GET %s HTTP/1.1\r\n"
                           "Host: %s\r\n"
                           "Upgrade: websocket\r\n"
                           "Connection: Upgrade\r\n"
                           "Sec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: %s\r\n"
                           "%s%s%s%s%s%s\r\n",
                           offer->path, offer->host, key, offered ? "Sec-WebSocket-Protocol: " : "",
                           offered ? offer->subprotocol : "", offered ? "\r\n" : "",
                           known ? "Authorization: Bearer " : "", known ? offer->token : "",
                           known ? "\r\n" : "");
    return written(printed, out_bytes, out_count);
}

static enum upgrade_fault
response_fields_judge(const struct upgrade_offer *offer, const struct http_head *head)
{
    if (!http_field_lists(head, "upgrade", "websocket") ||
        !http_field_lists(head, "connection", "upgrade")) {
        return UPGRADE_RESPONSE_FIELDS;
    }
    char key[UPGRADE_KEY_TEXT_BYTES + 1];
    char accept[UPGRADE_ACCEPT_TEXT_BYTES + 1];
    key_encode(offer->key, key);
    enum upgrade_fault fault = accept_make(key, accept);
    if (fault != UPGRADE_OK) {
        return fault;
    }
    struct http_text value;
    if (!http_field(head, "sec-websocket-accept", &value) || !http_text_is(value, accept)) {
        return UPGRADE_ACCEPT;
    }
    if (http_field_count(head, "sec-websocket-extensions") > 0) {
        return UPGRADE_EXTENSION;
    }
    unsigned chosen = http_field_count(head, "sec-websocket-protocol");
    if (offer->subprotocol == NULL) {
        return chosen == 0 ? UPGRADE_OK : UPGRADE_SUBPROTOCOL;
    }
    bool fits = chosen == 1 && http_field(head, "sec-websocket-protocol", &value) &&
                http_text_is(value, offer->subprotocol);
    return fits ? UPGRADE_OK : UPGRADE_SUBPROTOCOL;
}

enum upgrade_fault
upgrade_response_judge(const struct upgrade_offer *offer, const char *bytes, size_t count,
                       struct upgrade_response *out)
{
    *out = (struct upgrade_response){0};
    struct http_response response;
    out->http_fault = http_response_parse(bytes, count, &response);
    if (out->http_fault == HTTP_INCOMPLETE) {
        return UPGRADE_INCOMPLETE;
    }
    if (out->http_fault != HTTP_OK) {
        return UPGRADE_RESPONSE;
    }
    out->status = response.status;
    out->head_bytes = response.head.count;
    return response.status == 101 ? response_fields_judge(offer, &response.head) : UPGRADE_REFUSED;
}
