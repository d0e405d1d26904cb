/* SPDX-License-Identifier: Apache-2.0 */
/* rule.h - who may see something of a user: everyone, contacts or nobody, with exceptions.
 *
 * The value of a state STORE_STATE_RULE + what. Of everyone and of contacts the exceptions may not
 * see it; of nobody the exceptions may.
 *
 *     rule_begin(audience, count, value);                  rule_bytes(count) of them
 *     rule_except(value, 0, user); rule_except(value, 1, another);
 *     if (rule_decode(value, &rule) == 0 && rule_allows(&rule, watcher, contact)) ...
 *
 * Plain values: any thread.
 */
#pragma once

#include "store/key.h"
#include "store/state.h"

enum store_audience {
    STORE_AUDIENCE_EVERYONE = 0,
    STORE_AUDIENCE_CONTACTS = 1,
    STORE_AUDIENCE_NOBODY = 2,
};

/* A rule that is read; its exceptions lie in the value. */
struct store_rule {
    uint8_t audience;
    uint16_t count;
    const unsigned char *exceptions;
};

static inline size_t
rule_bytes(unsigned count)
{
    return 1 + 2 + (size_t)count * 8;
}
/* Writes rule_bytes(count), whose exceptions are then set one by one. */
void rule_begin(uint8_t audience, unsigned count, unsigned char *out);
void rule_except(unsigned char *rule, unsigned index, uint64_t user);
/* 0, or -EBADMSG with *out undefined. Borrows the bytes. */
MUST_CHECK int rule_decode(struct store_value value, struct store_rule *out);
uint64_t rule_exception(const struct store_rule *rule, unsigned index);

/* Whether a state of this kind may have this subject and this value: what a request is refused for,
 * and what apply may rely on. `removed`: there is no value. */
bool state_valid(uint8_t kind, uint64_t subject, bool removed, struct store_value value);

/* `contact`: whether the watcher is one. */
bool rule_allows(const struct store_rule *rule, uint64_t watcher, bool contact);
