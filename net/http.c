/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <string.h>

/* --------------------------------------------------------------------------------------- faults */

static const struct {
    unsigned status;
    const char *text;
} faults[HTTP_FAULTS] = {
    [HTTP_LINE_MALFORMED] = {400, "the request line is not \"METHOD target HTTP/1.1\"\n"},
    [HTTP_METHOD_UNKNOWN] = {501, "the method is not known here\n"},
    [HTTP_METHOD_REFUSED] = {405, "only GET and HEAD are served here\n"},
    [HTTP_TARGET_MALFORMED] = {400, "the request target is not a path or an http URL\n"},
    [HTTP_TARGET_TOO_LONG] = {414, "the request line is too long\n"},
    [HTTP_VERSION_MALFORMED] = {400, "the request line does not end with an HTTP version\n"},
    [HTTP_VERSION_UNSUPPORTED] = {505, "only HTTP/1.1 and HTTP/1.0 are spoken here\n"},
    [HTTP_STATUS_MALFORMED] = {502, "the status line is not \"HTTP/1.1 status reason\"\n"},
    [HTTP_BARE_CR] = {400, "a carriage return without its line feed\n"},
    [HTTP_BARE_LF] = {400, "a line ends with a line feed alone\n"},
    [HTTP_LINE_FOLDED] = {400, "a header field is folded over two lines\n"},
    [HTTP_NAME_MALFORMED] = {400, "a header field's name is not a token followed by a colon\n"},
    [HTTP_VALUE_MALFORMED] = {400, "a header field's value has a control character\n"},
    [HTTP_HEAD_TOO_LARGE] = {431, "the header fields are too large\n"},
    [HTTP_FIELDS_TOO_MANY] = {431, "there are too many header fields\n"},
    [HTTP_FIELD_REPEATED] = {400, "a header field that may come once comes twice\n"},
    [HTTP_HOST_MISSING] = {400, "the Host header field is missing\n"},
    [HTTP_HOST_MALFORMED] = {400, "the host is not a name or address\n"},
    [HTTP_LENGTH_MALFORMED] = {400, "Content-Length is not a number\n"},
    [HTTP_BODY_REFUSED] = {413, "no request may have a body here\n"},
};

unsigned
http_fault_status(enum http_fault fault)
{
    ASSERT(fault > HTTP_INCOMPLETE && fault < HTTP_FAULTS);
    return faults[fault].status;
}

const char *
http_fault_text(enum http_fault fault)
{
    ASSERT(fault > HTTP_INCOMPLETE && fault < HTTP_FAULTS);
    return faults[fault].text;
}

/* ----------------------------------------------------------------------------------- first line */

/* Of all methods that RFC 9110 and 5789 know only these are served; the others are refused by name,
 * so that the client can tell a wrong method from a wrong protocol. */
static const char *const methods_refused[] = {"POST",  "PUT",     "DELETE", "PATCH",
                                              "TRACE", "CONNECT", "OPTIONS"};
enum { METHOD_BYTES_MAX = 16 };

static enum http_fault
method_judge(struct http_text method, struct http_request *out)
{
    if (http_text_is(method, "GET") || http_text_is(method, "HEAD")) {
        out->head_only = method.bytes[0] == 'H';
        return HTTP_OK;
    }
    for (size_t i = 0; i < sizeof(methods_refused) / sizeof(methods_refused[0]); i++) {
        if (http_text_is(method, methods_refused[i])) {
            return HTTP_METHOD_REFUSED;
        }
    }
    return HTTP_METHOD_UNKNOWN;
}

static enum http_fault
method_parse(const char *bytes, size_t *at, size_t count, struct http_request *out)
{
    size_t i = *at;
    while (i < count && bytes[i] != ' ') {
        if (!http_token_valid((struct http_text){bytes + i, 1})) {
            return HTTP_LINE_MALFORMED;
        }
        i++;
        if (i - *at > METHOD_BYTES_MAX) {
            return HTTP_METHOD_UNKNOWN;
        }
    }
    if (i == count) {
        return HTTP_INCOMPLETE;
    }
    if (i == *at) {
        return HTTP_LINE_MALFORMED;
    }
    struct http_text method = {bytes + *at, i - *at};
    *at = i + 1;
    return method_judge(method, out);
}

/* What a host may be made of (RFC 3986, 3.2.2 with a port); whether it exists is not asked here. */
static bool
host_valid(struct http_text host)
{
    static const char others[] = "-._~!$&'()*+,;=%:[]";
    for (size_t i = 0; i < host.count; i++) {
        char c = host.bytes[i];
        bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alphanumeric && (c == '\0' || strchr(others, c) == NULL)) {
            return false;
        }
    }
    return host.count > 0;
}

static bool
text_begins_nocase(struct http_text text, const char *with)
{
    size_t count = strlen(with);
    return text.count >= count && http_text_is_nocase((struct http_text){text.bytes, count}, with);
}

static void
text_skip(struct http_text *text, size_t count)
{
    text->bytes += count;
    text->count -= count;
}

/* The length of the text before the first of these characters. */
static size_t
text_span(struct http_text text, const char *until)
{
    size_t i = 0;
    while (i < text.count && strchr(until, text.bytes[i]) == NULL) {
        i++;
    }
    return i;
}

/* An absolute target ("http://host/path") loses its beginning, which replaces the Host field. */
static enum http_fault
authority_take(struct http_text *target, struct http_request *out)
{
    if (text_begins_nocase(*target, "http://")) {
        text_skip(target, strlen("http://"));
    } else if (text_begins_nocase(*target, "https://")) {
        text_skip(target, strlen("https://"));
    } else {
        return HTTP_TARGET_MALFORMED;
    }
    out->host = (struct http_text){target->bytes, text_span(*target, "/?")};
    text_skip(target, out->host.count);
    return host_valid(out->host) ? HTTP_OK : HTTP_HOST_MALFORMED;
}

static enum http_fault
target_split(struct http_text target, struct http_request *out)
{
    if (target.count == 0) {
        return HTTP_LINE_MALFORMED;
    }
    if (target.bytes[0] != '/') {
        enum http_fault fault = authority_take(&target, out);
        if (fault != HTTP_OK) {
            return fault;
        }
    }
    out->path = (struct http_text){target.bytes, text_span(target, "?")};
    text_skip(&target, out->path.count);
    if (out->path.count == 0) {
        out->path = (struct http_text){"/", 1};
    }
    if (target.count > 0) {
        out->query = (struct http_text){target.bytes + 1, target.count - 1};
    }
    return HTTP_OK;
}

/* Everything visible but '#', which begins what is never sent. Browsers leave more unescaped than
 * RFC 3986 allows. */
static enum http_fault
target_parse(const char *bytes, size_t *at, size_t count, struct http_request *out)
{
    size_t i = *at;
    while (i < count && bytes[i] > ' ' && bytes[i] < 0x7f && bytes[i] != '#') {
        i++;
    }
    if (i == count) {
        return HTTP_INCOMPLETE;
    }
    if (bytes[i] == '\r' || bytes[i] == '\n') {
        return HTTP_LINE_MALFORMED;
    }
    if (bytes[i] != ' ') {
        return HTTP_TARGET_MALFORMED;
    }
    struct http_text target = {bytes + *at, i - *at};
    *at = i + 1;
    return target_split(target, out);
}

/* Text of this shape, in which 'd' is any digit. `otherwise` is what to say of anything else. */
static enum http_fault
shape_parse(const char *bytes, size_t *at, size_t count, const char *shape,
            enum http_fault otherwise)
{
    size_t i = 0;
    for (; shape[i] != '\0'; i++) {
        if (*at + i == count) {
            return HTTP_INCOMPLETE;
        }
        char c = bytes[*at + i];
        bool fits = shape[i] == 'd' ? c >= '0' && c <= '9' : c == shape[i];
        if (!fits) {
            return otherwise;
        }
    }
    *at += i;
    return HTTP_OK;
}

/* "HTTP/1.x", where a later x is spoken to as 1 (RFC 9110, 2.5). */
static enum http_fault
version_parse(const char *bytes, size_t *at, size_t count, uint8_t *out_minor)
{
    const char *version = bytes + *at;
    enum http_fault fault = shape_parse(bytes, at, count, "HTTP/d.d", HTTP_VERSION_MALFORMED);
    if (fault != HTTP_OK) {
        return fault;
    }
    if (version[5] != '1') {
        return HTTP_VERSION_UNSUPPORTED;
    }
    *out_minor = version[7] != '0';
    return HTTP_OK;
}

/* The CRLF of the first line. */
static enum http_fault
first_line_end(const char *bytes, size_t *at, size_t count, enum http_fault otherwise)
{
    if (*at == count) {
        return HTTP_INCOMPLETE;
    }
    if (bytes[*at] != '\r') {
        return bytes[*at] == '\n' ? HTTP_BARE_LF : otherwise;
    }
    if (*at + 1 == count) {
        return HTTP_INCOMPLETE;
    }
    if (bytes[*at + 1] != '\n') {
        return HTTP_BARE_CR;
    }
    *at += 2;
    return HTTP_OK;
}

static enum http_fault
request_line_parse(const char *bytes, size_t *at, size_t count, struct http_request *out)
{
    /* RFC 9112, 2.2: one empty line before the request is forgiven. */
    if (count > 0 && bytes[0] == '\r') {
        enum http_fault fault = first_line_end(bytes, at, count, HTTP_LINE_MALFORMED);
        if (fault != HTTP_OK) {
            return fault;
        }
    }
    enum http_fault fault = method_parse(bytes, at, count, out);
    if (fault == HTTP_OK) {
        fault = target_parse(bytes, at, count, out);
    }
    if (fault == HTTP_OK) {
        fault = version_parse(bytes, at, count, &out->minor);
    }
    if (fault == HTTP_OK) {
        fault = first_line_end(bytes, at, count, HTTP_VERSION_MALFORMED);
    }
    return fault;
}

/* -------------------------------------------------------------------------------------- request */

/* Two different values of these would let two readers of the same request disagree about it. */
static const char *const singletons[] = {
    "host",
    "content-length",
    "content-type",
    "authorization",
    "origin",
    "transfer-encoding",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-accept",
};

static enum http_fault
singletons_judge(const struct http_head *head)
{
    for (size_t i = 0; i < sizeof(singletons) / sizeof(singletons[0]); i++) {
        if (http_field_count(head, singletons[i]) > 1) {
            return HTTP_FIELD_REPEATED;
        }
    }
    return HTTP_OK;
}

static enum http_fault
body_judge(const struct http_head *head)
{
    struct http_text value;
    if (http_field(head, "transfer-encoding", &value)) {
        return HTTP_BODY_REFUSED;
    }
    if (!http_field(head, "content-length", &value)) {
        return HTTP_OK;
    }
    bool zero = true;
    for (size_t i = 0; i < value.count; i++) {
        if (value.bytes[i] < '0' || value.bytes[i] > '9') {
            return HTTP_LENGTH_MALFORMED;
        }
        zero = zero && value.bytes[i] == '0';
    }
    if (value.count == 0) {
        return HTTP_LENGTH_MALFORMED;
    }
    return zero ? HTTP_OK : HTTP_BODY_REFUSED;
}

static enum http_fault
host_judge(struct http_request *request)
{
    struct http_text host;
    if (!http_field(&request->head, "host", &host)) {
        return request->minor == 0 ? HTTP_OK : HTTP_HOST_MISSING;
    }
    if (!host_valid(host)) {
        return HTTP_HOST_MALFORMED;
    }
    if (request->host.count == 0) {
        request->host = host;
    }
    return HTTP_OK;
}

static bool
keep_alive_wished(const struct http_request *request)
{
    if (http_field_lists(&request->head, "connection", "close")) {
        return false;
    }
    return request->minor > 0 || http_field_lists(&request->head, "connection", "keep-alive");
}

/* What may be said only when all fields are known. */
static enum http_fault
request_judge(struct http_request *request)
{
    enum http_fault fault = singletons_judge(&request->head);
    if (fault == HTTP_OK) {
        fault = host_judge(request);
    }
    if (fault == HTTP_OK) {
        fault = body_judge(&request->head);
    }
    request->keep_alive = keep_alive_wished(request);
    return fault;
}

enum http_fault
http_request_parse(const char *bytes, size_t count, struct http_request *out)
{
    size_t visible = count < HTTP_HEAD_BYTES_MAX ? count : HTTP_HEAD_BYTES_MAX;
    out->head.bytes = bytes;
    out->query = (struct http_text){"", 0};
    out->host = (struct http_text){"", 0};
    size_t at = 0;
    enum http_fault too_large = HTTP_TARGET_TOO_LONG;
    enum http_fault fault = request_line_parse(bytes, &at, visible, out);
    if (fault == HTTP_OK) {
        too_large = HTTP_HEAD_TOO_LARGE;
        fault = http_head_parse(&out->head, at, visible);
    }
    if (fault == HTTP_INCOMPLETE && count >= HTTP_HEAD_BYTES_MAX) {
        return too_large;
    }
    return fault == HTTP_OK ? request_judge(out) : fault;
}

/* ------------------------------------------------------------------------------------- response */

/* " 101 Switching Protocols"; the reason may be missing, and is nobody's business. */
static enum http_fault
status_parse(const char *bytes, size_t *at, size_t count, uint16_t *out_status)
{
    const char *code = bytes + *at;
    enum http_fault fault = shape_parse(bytes, at, count, " ddd", HTTP_STATUS_MALFORMED);
    if (fault != HTTP_OK) {
        return fault;
    }
    if (code[1] == '0') { /* below 100 */
        return HTTP_STATUS_MALFORMED;
    }
    if (*at < count && bytes[*at] == ' ') {
        ++*at;
        while (*at < count && (bytes[*at] == '\t' || (unsigned char)bytes[*at] >= ' ')) {
            ++*at;
        }
    }
    *out_status = (uint16_t)((code[1] - '0') * 100 + (code[2] - '0') * 10 + (code[3] - '0'));
    return first_line_end(bytes, at, count, HTTP_STATUS_MALFORMED);
}

enum http_fault
http_response_parse(const char *bytes, size_t count, struct http_response *out)
{
    size_t visible = count < HTTP_HEAD_BYTES_MAX ? count : HTTP_HEAD_BYTES_MAX;
    out->head.bytes = bytes;
    size_t at = 0;
    enum http_fault fault = version_parse(bytes, &at, visible, &out->minor);
    if (fault == HTTP_VERSION_MALFORMED) {
        return HTTP_STATUS_MALFORMED;
    }
    if (fault == HTTP_OK) {
        fault = status_parse(bytes, &at, visible, &out->status);
    }
    if (fault == HTTP_OK) {
        fault = http_head_parse(&out->head, at, visible);
    }
    if (fault == HTTP_INCOMPLETE && count >= HTTP_HEAD_BYTES_MAX) {
        return HTTP_HEAD_TOO_LARGE;
    }
    return fault == HTTP_OK ? singletons_judge(&out->head) : fault;
}
