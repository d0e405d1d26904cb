/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fetch.h"

#include <stdlib.h>
#include <string.h>

void
fetch_init(struct fetch *fetch)
{
    *fetch = (struct fetch){0};
    fetch->keys = malloc(FETCH_KEYS_MAX * sizeof(fetch->keys[0]));
    ASSERT(fetch->keys != NULL);
}

void
fetch_fini(struct fetch *fetch)
{
    free(fetch->keys);
    fetch->keys = NULL;
}

void
fetch_clear(struct fetch *fetch)
{
    fetch->keys_count = 0;
    fetch->ranges_count = 0;
}

bool
fetch_empty(const struct fetch *fetch)
{
    return fetch->keys_count == 0 && fetch->ranges_count == 0;
}

bool
fetch_enough(const struct fetch *fetch)
{
    return fetch->keys_count >= FETCH_KEYS_ENOUGH || fetch->ranges_count >= FETCH_RANGES_MAX / 2;
}

void
fetch_want_key(struct fetch *fetch, const struct store_key *key)
{
    ASSERT(fetch->keys_count < FETCH_KEYS_MAX);
    fetch->keys[fetch->keys_count++] = *key;
}

uint32_t
fetch_want_range(struct fetch *fetch, const struct fetch_range *range)
{
    ASSERT(fetch->ranges_count < FETCH_RANGES_MAX);
    fetch->ranges[fetch->ranges_count] = *range;
    return fetch->ranges_count++;
}

struct ln_msg *
fetch_message(const struct fetch *fetch, uint32_t tag, struct cell *cell)
{
    size_t keys_bytes = fetch->keys_count * sizeof(fetch->keys[0]);
    size_t ranges_bytes = fetch->ranges_count * sizeof(fetch->ranges[0]);
    struct fetch_head head = {
        .cell = cell, .keys_count = fetch->keys_count, .ranges_count = fetch->ranges_count};
    struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, sizeof(head) + keys_bytes + ranges_bytes);
    memcpy(msg->data, &head, sizeof(head));
    memcpy(msg->data + sizeof(head), fetch->keys, keys_bytes);
    memcpy(msg->data + sizeof(head) + keys_bytes, fetch->ranges, ranges_bytes);
    return msg;
}

const struct store_key *
fetch_message_keys(const struct fetch_head *head)
{
    return (const struct store_key *)(const void *)(head + 1);
}

const struct fetch_range *
fetch_message_ranges(const struct fetch_head *head)
{
    return (const struct fetch_range *)(const void *)(fetch_message_keys(head) + head->keys_count);
}

struct page_rows
fetched_section(const struct ln_msg *answer, uint32_t index)
{
    const struct fetched *sections = (const struct fetched *)(const void *)answer->data;
    ASSERT((index + 1) * sizeof(sections[0]) <= answer->bytes);
    const unsigned char *bytes = answer->buffer != NULL ? ln_buffer_data(answer->buffer) : NULL;
    return (struct page_rows){
        .bytes = bytes != NULL ? bytes + sections[index].at : NULL,
        .count = sections[index].count,
        .more = sections[index].more != 0,
    };
}
