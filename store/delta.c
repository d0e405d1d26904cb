/* SPDX-License-Identifier: Apache-2.0 */
/* A ticket is the era in which it was taken; an era ends when a fold completes. What retired was
 * last found in the era before, so it goes when that era has no tickets left. No fold is frozen
 * while an earlier era has tickets: so at most two eras have any, and two counts are enough. */
#include "store/delta.h"

#include <assert.h>
#include <stdlib.h>

/* What retires is what was folding, where less of it is kept, and what was clean: the older one. */
enum generation { LIVE, FOLDING, CLEAN, RETIRED, RETIRED_OLDER };
static_assert(RETIRED_OLDER + 1 == DELTA_GENERATIONS, "each generation has a place");

struct delta {
    struct table *tables[DELTA_GENERATIONS]; /* the newest first; NULL: not there. LIVE always is */
    uint64_t seed;
    uint64_t era;
    uint64_t tickets[2]; /* of the era's parity */
    uint64_t freeze_number;
    uint64_t folded_number;
};

struct delta *
delta_new(uint64_t seed)
{
    struct delta *delta = calloc(1, sizeof(*delta));
    if (delta == NULL) {
        check_failed("out of memory", __FILE__, __LINE__);
    }
    delta->seed = seed;
    delta->tables[LIVE] = table_new(seed);
    return delta;
}

void
delta_free(struct delta **delta)
{
    if (*delta == NULL) {
        return;
    }
    for (unsigned i = 0; i < DELTA_GENERATIONS; i++) {
        table_free(&(*delta)->tables[i]);
    }
    free(*delta);
    *delta = NULL;
}

/* -------------------------------------------------------------------------------------- lookups */

static bool
state_present(enum table_state state)
{
    return state == TABLE_WRITTEN || state == TABLE_FETCHED;
}

static bool
look_up(const struct delta *delta, unsigned generation, const struct store_key *key, uint64_t hash,
        struct table_entry *out)
{
    const struct table *table = delta->tables[generation];
    return table != NULL && table_get_hashed(table, key, hash, out);
}

enum delta_found
delta_get(const struct delta *delta, const struct store_key *key, struct store_value *out)
{
    uint64_t hash = table_hash(delta->tables[LIVE], key);
    for (unsigned i = 0; i < DELTA_GENERATIONS; i++) {
        struct table_entry entry;
        if (!look_up(delta, i, key, hash, &entry)) {
            continue;
        }
        if (!state_present(entry.state)) {
            return DELTA_ABSENT;
        }
        *out = entry.value;
        return DELTA_PRESENT;
    }
    return DELTA_UNKNOWN;
}

void
delta_prefetch(const struct delta *delta, const struct store_key *key)
{
    uint64_t hash = table_hash(delta->tables[LIVE], key);
    for (unsigned i = 0; i < RETIRED; i++) {
        if (delta->tables[i] != NULL) {
            table_prefetch(delta->tables[i], hash);
        }
    }
}

bool
delta_know(struct delta *delta, const struct store_key *key)
{
    uint64_t hash = table_hash(delta->tables[LIVE], key);
    struct table_entry entry;
    for (unsigned i = 0; i < RETIRED; i++) {
        if (look_up(delta, i, key, hash, &entry)) {
            return true;
        }
    }
    if (!look_up(delta, RETIRED, key, hash, &entry) &&
        !look_up(delta, RETIRED_OLDER, key, hash, &entry)) {
        return false;
    }
    /* Folded, and nothing newer: it is what LMDB has. */
    table_put(delta->tables[LIVE], key, state_present(entry.state) ? TABLE_FETCHED : TABLE_MISSING,
              entry.value);
    return true;
}

void
delta_put(struct delta *delta, const struct store_key *key, struct store_value value)
{
    table_put(delta->tables[LIVE], key, TABLE_WRITTEN, value);
}

unsigned char *
delta_put_room(struct delta *delta, const struct store_key *key, size_t bytes)
{
    return table_put_room(delta->tables[LIVE], key, bytes);
}

void
delta_delete(struct delta *delta, const struct store_key *key)
{
    table_put(delta->tables[LIVE], key, TABLE_DELETED, (struct store_value){0});
}

void
delta_learn(struct delta *delta, const struct store_key *key,
            const struct store_value *value_or_null)
{
    struct store_value known;
    if (delta_get(delta, key, &known) != DELTA_UNKNOWN) {
        return;
    }
    if (value_or_null != NULL) {
        table_put(delta->tables[LIVE], key, TABLE_FETCHED, *value_or_null);
    } else {
        table_put(delta->tables[LIVE], key, TABLE_MISSING, (struct store_value){0});
    }
}

/* Whether no generation before live has a value for a key that is to be dropped from live, which
 * would bring it back. */
__attribute__((unused)) /* but in slow assertions */
static bool
none_known_before(const struct delta *delta, const struct store_range *range)
{
    struct table_cursor at;
    struct table_entry entry;
    bool known = false;
    table_seek(delta->tables[LIVE], &range->low, &at);
    for (; table_at(&at, &entry) && !key_less(&range->high, &entry.key); table_next(&at)) {
        for (unsigned i = FOLDING; entry.state == TABLE_WRITTEN && i < DELTA_GENERATIONS; i++) {
            struct table_entry before;
            if (delta->tables[i] != NULL && table_get(delta->tables[i], &entry.key, &before)) {
                known = known || state_present(before.state);
                break; /* the newest counts */
            }
        }
    }
    return !known;
}

uint64_t
delta_drop(struct delta *delta, const struct store_range *range)
{
    ASSERT_SLOW(none_known_before(delta, range));
    return table_drop(delta->tables[LIVE], range);
}

/* --------------------------------------------------------------------------------------- ranges */

void
delta_range_start(const struct delta *delta, const struct store_range *range,
                  struct delta_range *out)
{
    struct table_entry first;
    out->high = range->high;
    out->count = 0;
    for (unsigned i = 0; i < DELTA_GENERATIONS; i++) {
        struct table_cursor *at = &out->at[out->count];
        if (delta->tables[i] != NULL) {
            table_seek(delta->tables[i], &range->low, at);
            out->count += table_at(at, &first) && !key_less(&range->high, &first.key);
        }
    }
}

/* Of equal keys the newest. Mostly one generation has something. */
static bool
range_least(const struct delta_range *each, struct table_entry *out)
{
    struct table_entry entry;
    bool found = each->count > 0 && table_at(&each->at[0], out);
    for (unsigned i = 1; i < each->count; i++) {
        if (table_at(&each->at[i], &entry) && (!found || key_less(&entry.key, &out->key))) {
            *out = entry;
            found = true;
        }
    }
    return found;
}

static void
range_pass(struct delta_range *each, const struct store_key *key)
{
    struct table_entry entry;
    for (unsigned i = 0; i < each->count; i++) {
        bool has =
            each->count == 1 || (table_at(&each->at[i], &entry) && key_equal(&entry.key, key));
        if (has) {
            table_next(&each->at[i]);
        }
    }
}

bool
delta_range_next(struct delta_range *each, struct store_key *out_key, enum delta_found *out_found,
                 struct store_value *out_value)
{
    struct table_entry least;
    if (!range_least(each, &least) || key_less(&each->high, &least.key)) {
        return false;
    }
    range_pass(each, &least.key);
    *out_key = least.key;
    *out_found = state_present(least.state) ? DELTA_PRESENT : DELTA_ABSENT;
    *out_value = least.value;
    return true;
}

/* ------------------------------------------------------------------------------- tickets, folds */

uint64_t
delta_enter(struct delta *delta)
{
    delta->tickets[delta->era % 2]++;
    return delta->era;
}

uint64_t
delta_enter_with(struct delta *delta, uint64_t ticket)
{
    ASSERT(ticket == delta->era || ticket + 1 == delta->era);
    ASSERT(delta->tickets[ticket % 2] > 0);
    delta->tickets[ticket % 2]++;
    return ticket;
}

void
delta_leave(struct delta *delta, uint64_t ticket)
{
    ASSERT(ticket == delta->era || ticket + 1 == delta->era);
    ASSERT(delta->tickets[ticket % 2] > 0);
    delta->tickets[ticket % 2]--;
}

/* Tickets from before the last fold completed. */
static uint64_t
tickets_before(const struct delta *delta)
{
    return delta->tickets[(delta->era + 1) % 2];
}

bool
delta_freezable(const struct delta *delta)
{
    return delta->tables[FOLDING] == NULL && delta->tables[RETIRED] == NULL &&
           delta->tables[RETIRED_OLDER] == NULL && tickets_before(delta) == 0;
}

const struct table *
delta_freeze(struct delta *delta, uint64_t number)
{
    ASSERT(delta_freezable(delta));
    ASSERT(number >= delta->folded_number);
    delta->tables[FOLDING] = delta->tables[LIVE];
    delta->tables[LIVE] = table_new(delta->seed);
    delta->freeze_number = number;
    return delta->tables[FOLDING];
}

const struct table *
delta_folding(const struct delta *delta)
{
    return delta->tables[FOLDING];
}

void
delta_folded(struct delta *delta, struct table *kept)
{
    struct table **tables = delta->tables;
    ASSERT(tables[FOLDING] != NULL);
    ASSERT(tables[RETIRED] == NULL && tables[RETIRED_OLDER] == NULL);
    tables[RETIRED_OLDER] = tables[CLEAN];
    if (kept != NULL) {
        ASSERT(table_dirty_entries(kept) == 0);
        tables[RETIRED] = tables[FOLDING];
    }
    tables[CLEAN] = kept != NULL ? kept : tables[FOLDING];
    tables[FOLDING] = NULL;
    delta->folded_number = delta->freeze_number;
    delta->era++;
}

struct table *
delta_retire(struct delta *delta)
{
    if (tickets_before(delta) > 0) {
        return NULL;
    }
    /* The older one first: what it says is true only while the newer one is asked before it. */
    enum generation which = delta->tables[RETIRED_OLDER] != NULL ? RETIRED_OLDER : RETIRED;
    struct table *retired = delta->tables[which];
    delta->tables[which] = NULL;
    return retired;
}

/* ---------------------------------------------------------------------------------------- facts */

uint64_t
delta_folded_number(const struct delta *delta)
{
    return delta->folded_number;
}

void
delta_set_folded_number(struct delta *delta, uint64_t number)
{
    delta->folded_number = number;
}

void
delta_size(const struct delta *delta, struct delta_size *out)
{
    const struct table *live = delta->tables[LIVE];
    const struct table *folding = delta->tables[FOLDING];
    *out = (struct delta_size){
        .live_entries = table_entries(live),
        .live_bytes = table_bytes(live),
        .dirty_entries = table_dirty_entries(live),
    };
    if (folding != NULL) {
        out->folding_entries = table_entries(folding);
        out->folding_bytes = table_bytes(folding);
    }
    for (unsigned i = 0; i < DELTA_GENERATIONS; i++) {
        if (delta->tables[i] != NULL) {
            out->entries += table_entries(delta->tables[i]);
            out->bytes += table_bytes(delta->tables[i]);
        }
    }
}
