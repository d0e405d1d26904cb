/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rule.h"

#include "store/cursor.h"

#include <assert.h>

static_assert(1 + 2 + STORE_EXCEPTIONS_MAX * 8 <= STORE_STATE_BYTES_MAX, "a rule is a value");

void
rule_begin(uint8_t audience, unsigned count, unsigned char *out)
{
    struct cursor_out cursor;
    ASSERT(audience <= STORE_AUDIENCE_NOBODY && count <= STORE_EXCEPTIONS_MAX);
    cursor_out_init(&cursor, out, rule_bytes(count));
    cursor_put_u8(&cursor, audience);
    cursor_put_u16(&cursor, (uint16_t)count);
    memset(cursor.at, 0, (size_t)count * 8);
}

void
rule_except(unsigned char *rule, unsigned index, uint64_t user)
{
    memcpy(rule + rule_bytes(index), &user, sizeof(user));
}

int
rule_decode(struct store_value value, struct store_rule *out)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    out->audience = cursor_get_u8(&in);
    out->count = cursor_get_u16(&in);
    if (out->audience > STORE_AUDIENCE_NOBODY || out->count > STORE_EXCEPTIONS_MAX) {
        cursor_in_fail(&in);
    }
    out->exceptions = cursor_get_bytes(&in, (size_t)out->count * 8);
    return cursor_in_end(&in);
}

uint64_t
rule_exception(const struct store_rule *rule, unsigned index)
{
    uint64_t user;
    ASSERT(index < rule->count);
    memcpy(&user, rule->exceptions + (size_t)index * 8, sizeof(user));
    return user;
}

bool
state_valid(uint8_t kind, uint64_t subject, bool removed, struct store_value value)
{
    struct store_rule rule;
    bool rules = kind > STORE_STATE_RULE && kind < STORE_STATE_RULE + STORE_SEES_KINDS;
    bool has_subject = kind >= STORE_STATE_ARCHIVED && kind <= STORE_STATE_BLOCKED;
    bool own = kind == STORE_STATE_PROFILE || kind == STORE_STATE_RECEIPTS_OFF || rules;
    if ((!has_subject && !own) || has_subject != (subject != 0)) {
        return false;
    }
    if (removed || value.count > STORE_STATE_BYTES_MAX) {
        return removed && value.count == 0;
    }
    return !rules || rule_decode(value, &rule) == 0;
}

bool
rule_allows(const struct store_rule *rule, uint64_t watcher, bool contact)
{
    bool excepted = false;
    for (unsigned i = 0; i < rule->count; i++) {
        excepted = excepted || rule_exception(rule, i) == watcher;
    }
    switch (rule->audience) {
    case STORE_AUDIENCE_EVERYONE:
        return !excepted;
    case STORE_AUDIENCE_CONTACTS:
        return contact && !excepted;
    default:
        return excepted;
    }
}
