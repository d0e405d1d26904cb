/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http.c - request and response heads from a hostile peer: the verdict on a prefix is
 * "incomplete" or the verdict on the whole, whatever is told lies within the bytes, an upgrade
 * never repeats a token. */
#include "net/http.h"
#include "net/upgrade.h"

#include <stdlib.h>
#include <string.h>

static const char *const served[] = {"linnet.v1.proto", "linnet.v1.json"};

static bool
within(struct http_text text, const char *bytes, size_t count)
{
    return text.count == 0 || (text.bytes >= bytes && text.bytes + text.count <= bytes + count) ||
           http_text_is(text, "/");
}

static void
head_check(const struct http_head *head, const char *bytes, size_t count)
{
    ASSERT(head->bytes == bytes && head->count <= count && head->count >= 4);
    ASSERT(head->field_count <= HTTP_FIELDS_MAX && head->count <= HTTP_HEAD_BYTES_MAX);
    ASSERT(memcmp(bytes + head->count - 4, "\r\n\r\n", 4) == 0);
    static const char *const names[] = {"connection", "sec-websocket-protocol", "upgrade"};
    for (size_t i = 0; i < 3; i++) {
        struct http_list list = {.head = head, .name = names[i]};
        struct http_text element;
        while (http_list_next(&list, &element)) {
            ASSERT(element.count > 0 && within(element, bytes, head->count));
            ASSERT(memchr(element.bytes, ',', element.count) == NULL);
            ASSERT(memchr(element.bytes, '\r', element.count) == NULL);
        }
    }
}

static void
answer_check(const struct http_answer *answer)
{
    char out[1024];
    size_t count;
    ASSERT(answer->status >= 400 && answer->status <= 505);
    ASSERT(http_answer_write(answer, out, sizeof(out), &count) == 0);
    struct http_response response;
    ASSERT(http_response_parse(out, count, &response) == HTTP_OK);
    ASSERT(response.status == answer->status);
}

static void
upgrade_check(const struct http_request *request)
{
    struct upgrade upgrade;
    enum upgrade_fault fault = upgrade_judge(request, served, 2, &upgrade);
    if (fault != UPGRADE_OK) {
        struct http_answer answer = upgrade_fault_answer(fault);
        answer_check(&answer);
        return;
    }
    ASSERT(upgrade.subprotocol == served[0] || upgrade.subprotocol == served[1]);
    ASSERT(within(upgrade.token, request->head.bytes, request->head.count));
    char out[512];
    size_t count;
    ASSERT(upgrade_answer_write(&upgrade, out, sizeof(out), &count) == 0);
    ASSERT(memmem(out, count, "linnet.token", 12) == NULL);
    struct http_response response;
    ASSERT(http_response_parse(out, count, &response) == HTTP_OK && response.status == 101);
}

static enum http_fault
request_check(const char *bytes, size_t count)
{
    struct http_request request;
    enum http_fault fault = http_request_parse(bytes, count, &request);
    if (fault == HTTP_OK) {
        head_check(&request.head, bytes, count);
        ASSERT(request.path.count > 0 && request.path.bytes[0] == '/');
        ASSERT(within(request.path, bytes, count) && within(request.query, bytes, count));
        ASSERT(within(request.host, bytes, count));
        upgrade_check(&request);
    } else if (fault != HTTP_INCOMPLETE) {
        struct http_answer answer = http_fault_answer(fault);
        answer_check(&answer);
    }
    return fault;
}

static enum http_fault
response_check(const char *bytes, size_t count)
{
    struct upgrade_offer offer = {.host = "h", .path = "/", .subprotocol = served[0]};
    struct upgrade_response response;
    enum upgrade_fault fault = upgrade_response_judge(&offer, bytes, count, &response);
    ASSERT((fault == UPGRADE_INCOMPLETE) == (response.http_fault == HTTP_INCOMPLETE));
    ASSERT((fault == UPGRADE_RESPONSE) == (response.http_fault > HTTP_INCOMPLETE));
    ASSERT(response.head_bytes <= count);
    struct http_response parsed;
    enum http_fault http_fault = http_response_parse(bytes, count, &parsed);
    ASSERT(http_fault == response.http_fault);
    if (http_fault == HTTP_OK) {
        head_check(&parsed.head, bytes, count);
    }
    return http_fault;
}

static void
prefixes_compare(enum http_fault (*check)(const char *bytes, size_t count), const char *bytes,
                 size_t count)
{
    enum http_fault whole = check(bytes, count);
    /* All prefixes of short inputs, about a hundred of long ones. */
    size_t step = 1 + count / 100;
    for (size_t prefix = 0; prefix < count; prefix += step) {
        char *copy = malloc(prefix + 1);
        ASSERT(copy != NULL);
        memcpy(copy + 1, bytes, prefix);
        enum http_fault fault = check(copy + 1, prefix);
        ASSERT(fault == HTTP_INCOMPLETE || fault == whole);
        free(copy);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    prefixes_compare(request_check, bytes, size);
    prefixes_compare(response_check, bytes, size);
    return 0;
}
