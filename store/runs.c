/* SPDX-License-Identifier: Apache-2.0 */
#include "store/runs.h"

#include "store/cursor.h"

#include <string.h>

int
runs_decode(struct store_value value, struct runs *out)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    out->next = cursor_get_u64(&in);
    out->count = 0;
    while (!in.failed && cursor_in_left(&in) > 0 && out->count < RUNS_MAX) {
        struct run *run = &out->at[out->count];
        run->id = cursor_get_u64(&in);
        run->first = cursor_get_u64(&in);
        run->records = cursor_get_u64(&in);
        run->bytes = cursor_get_u64(&in);
        if (out->count > 0 && run->first <= run[-1].first) {
            cursor_in_fail(&in);
        }
        out->count++;
    }
    int result = cursor_in_end(&in);
    if (result != 0) {
        out->next = 0;
        out->count = 0;
    }
    return result;
}

size_t
runs_encode(const struct runs *runs, unsigned char out[RUNS_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RUNS_BYTES_MAX);
    cursor_put_u64(&cursor, runs->next);
    for (uint32_t i = 0; i < runs->count; i++) {
        cursor_put_u64(&cursor, runs->at[i].id);
        cursor_put_u64(&cursor, runs->at[i].first);
        cursor_put_u64(&cursor, runs->at[i].records);
        cursor_put_u64(&cursor, runs->at[i].bytes);
    }
    return cursor_out_end(&cursor);
}

uint32_t
runs_find(const struct runs *runs, uint64_t number)
{
    uint32_t index = runs->count; /* what is asked for is new, mostly */
    while (index > 0 && runs->at[index - 1].first > number) {
        index--;
    }
    return index > 0 ? index - 1 : runs->count;
}

uint64_t
runs_last(const struct runs *runs, uint32_t index)
{
    ASSERT(index < runs->count);
    return index + 1 < runs->count ? runs->at[index + 1].first - 1 : UINT64_MAX;
}

uint32_t
runs_add(struct runs *runs, uint64_t id, uint64_t first)
{
    ASSERT(runs->count == 0 || runs->at[runs->count - 1].first < first);
    if (runs->count < RUNS_MAX) {
        runs->at[runs->count++] = (struct run){.id = id, .first = first};
    }
    return runs->count - 1;
}

void
runs_prune(struct runs *runs)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < runs->count; i++) {
        if (runs->at[i].records > 0) {
            runs->at[kept++] = runs->at[i];
        }
    }
    runs->count = kept;
}

/* The newest, as many as are alike. */
static bool
alike_due(const struct runs *runs, struct runs_span *out)
{
    struct runs_span span = {.from = runs->count};
    uint64_t newer = 0; /* bytes of the others, no run being taken for smaller than it costs */
    bool due = false;
    while (span.from > 0) {
        uint64_t bytes = runs->at[--span.from].bytes;
        span.count++;
        span.bytes += bytes;
        if (span.bytes > RUNS_MERGE_BYTES_MAX) {
            break;
        }
        bytes = bytes > RUNS_SMALL_BYTES ? bytes : RUNS_SMALL_BYTES;
        bool alike = bytes * (span.count - 1) <= RUNS_ALIKE * newer;
        newer += bytes;
        if (span.count >= RUNS_MERGED && alike) {
            *out = span;
            due = true;
        }
    }
    return due;
}

bool
runs_due(const struct runs *runs, struct runs_span *out)
{
    if (alike_due(runs, out)) {
        return true;
    }
    if (runs->count <= RUNS_MANY) {
        return false;
    }
    out->bytes = UINT64_MAX;
    for (uint32_t i = 0; i + 1 < runs->count - RUNS_MANY / 2; i++) {
        uint64_t bytes = runs->at[i].bytes + runs->at[i + 1].bytes;
        if (bytes < out->bytes) {
            *out = (struct runs_span){.from = i, .count = 2, .bytes = bytes};
        }
    }
    return out->bytes <= RUNS_PAIR_BYTES_MAX;
}

void
runs_merge(struct runs *runs, const struct runs_span *span, uint64_t id)
{
    ASSERT(span->count > 1 && span->from + span->count <= runs->count);
    struct run *to = &runs->at[span->from];
    to->id = id;
    for (uint32_t i = 1; i < span->count; i++) {
        to->records += to[i].records;
        to->bytes += to[i].bytes;
    }
    memmove(to + 1, to + span->count,
            (runs->count - span->from - span->count) * sizeof(runs->at[0]));
    runs->count -= span->count - 1;
}
