/* SPDX-License-Identifier: Apache-2.0 */
/* The parser goes over the bytes once, from left to right, and says what is wrong at the first byte
 * that is. So a prefix is either right so far, or wrong in the same way as the whole. */
#include "net/http_head.h"

#include <string.h>

/* ----------------------------------------------------------------------------------- characters */

static bool
is_alphanumeric(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_token(unsigned char c)
{
    return is_alphanumeric(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_space(unsigned char c)
{
    return c == ' ' || c == '\t';
}

/* Visible, a space, or above ASCII, which is let through as opaque. */
static bool
is_value(unsigned char c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

static unsigned char
lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

bool
http_token_valid(struct http_text text)
{
    for (size_t i = 0; i < text.count; i++) {
        if (!is_token((unsigned char)text.bytes[i])) {
            return false;
        }
    }
    return text.count > 0;
}

bool
http_text_is(struct http_text text, const char *other)
{
    return strlen(other) == text.count && memcmp(text.bytes, other, text.count) == 0;
}

bool
http_text_is_nocase(struct http_text text, const char *other)
{
    if (strlen(other) != text.count) {
        return false;
    }
    for (size_t i = 0; i < text.count; i++) {
        if (lower((unsigned char)text.bytes[i]) != lower((unsigned char)other[i])) {
            return false;
        }
    }
    return true;
}

/* -------------------------------------------------------------------------------------- parsing */

/* At a CR: the line ends here, when a LF follows. */
static enum http_fault
line_end(const char *bytes, size_t at, size_t count)
{
    if (at + 1 == count) {
        return HTTP_INCOMPLETE;
    }
    return bytes[at + 1] == '\n' ? HTTP_OK : HTTP_BARE_CR;
}

/* What a byte is that stands in a name's place and cannot. */
static enum http_fault
name_fault(const char *bytes, size_t line_at, size_t at)
{
    unsigned char c = (unsigned char)bytes[at];
    if (at == line_at && is_space(c)) {
        return HTTP_LINE_FOLDED;
    }
    return c == '\n' ? HTTP_BARE_LF : HTTP_NAME_MALFORMED;
}

/* One "name: value" line; *at moves behind its end. */
static enum http_fault
field_parse(const char *bytes, size_t *at, size_t count, struct http_field *out)
{
    size_t i = *at;
    while (i < count && is_token((unsigned char)bytes[i])) {
        i++;
    }
    if (i == count) {
        return HTTP_INCOMPLETE;
    }
    if (bytes[i] != ':' || i == *at) {
        return name_fault(bytes, *at, i);
    }
    size_t name_bytes = i - *at;
    i++;
    while (i < count && is_space((unsigned char)bytes[i])) {
        i++;
    }
    size_t value_at = i;
    while (i < count && is_value((unsigned char)bytes[i])) {
        i++;
    }
    if (i == count) {
        return HTTP_INCOMPLETE;
    }
    if (bytes[i] != '\r') {
        return bytes[i] == '\n' ? HTTP_BARE_LF : HTTP_VALUE_MALFORMED;
    }
    enum http_fault fault = line_end(bytes, i, count);
    if (fault != HTTP_OK) {
        return fault;
    }
    size_t value_end = i;
    while (value_end > value_at && is_space((unsigned char)bytes[value_end - 1])) {
        value_end--;
    }
    *out = (struct http_field){
        .name_at = (uint16_t)*at,
        .name_bytes = (uint16_t)name_bytes,
        .value_at = (uint16_t)value_at,
        .value_bytes = (uint16_t)(value_end - value_at),
    };
    *at = i + 2;
    return HTTP_OK;
}

enum http_fault
http_head_parse(struct http_head *head, size_t at, size_t count)
{
    ASSERT(count <= HTTP_HEAD_BYTES_MAX);
    head->field_count = 0;
    while (at < count) {
        if (head->bytes[at] == '\r') {
            enum http_fault fault = line_end(head->bytes, at, count);
            if (fault == HTTP_OK) {
                head->count = (uint16_t)(at + 2);
            }
            return fault;
        }
        if (head->field_count == HTTP_FIELDS_MAX) {
            return HTTP_FIELDS_TOO_MANY;
        }
        enum http_fault fault =
            field_parse(head->bytes, &at, count, &head->fields[head->field_count]);
        if (fault != HTTP_OK) {
            return fault;
        }
        head->field_count++;
    }
    return HTTP_INCOMPLETE;
}

/* --------------------------------------------------------------------------------------- asking */

static bool
field_named(const struct http_head *head, size_t index, const char *name)
{
    const struct http_field *field = &head->fields[index];
    return http_text_is_nocase((struct http_text){head->bytes + field->name_at, field->name_bytes},
                               name);
}

bool
http_field(const struct http_head *head, const char *name, struct http_text *out)
{
    for (size_t i = 0; i < head->field_count; i++) {
        if (field_named(head, i, name)) {
            const struct http_field *field = &head->fields[i];
            *out = (struct http_text){head->bytes + field->value_at, field->value_bytes};
            return true;
        }
    }
    return false;
}

unsigned
http_field_count(const struct http_head *head, const char *name)
{
    unsigned found = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        found += field_named(head, i, name);
    }
    return found;
}

/* The next element of one value, from *at on; false at its end. */
static bool
element_next(const char *value, size_t value_bytes, uint16_t *at, struct http_text *out)
{
    while (*at < value_bytes && (value[*at] == ',' || is_space((unsigned char)value[*at]))) {
        ++*at;
    }
    if (*at == value_bytes) {
        return false;
    }
    size_t begin = *at;
    while (*at < value_bytes && value[*at] != ',') {
        ++*at;
    }
    size_t end = *at;
    while (is_space((unsigned char)value[end - 1])) {
        end--;
    }
    *out = (struct http_text){value + begin, end - begin};
    return true;
}

bool
http_list_next(struct http_list *list, struct http_text *out)
{
    const struct http_head *head = list->head;
    for (; list->field < head->field_count; list->field++, list->at = 0) {
        const struct http_field *field = &head->fields[list->field];
        if (field_named(head, list->field, list->name) &&
            element_next(head->bytes + field->value_at, field->value_bytes, &list->at, out)) {
            return true;
        }
    }
    return false;
}

bool
http_field_lists(const struct http_head *head, const char *name, const char *element)
{
    struct http_list list = {.head = head, .name = name};
    struct http_text found;
    while (http_list_next(&list, &found)) {
        if (http_text_is_nocase(found, element)) {
            return true;
        }
    }
    return false;
}
