/* SPDX-License-Identifier: Apache-2.0 */
/* history_row.h - a row of a history's page, as store_history_next reads it. */
#pragma once

#include "store/history.h"
#include "store/table.h"

struct history_row {
    uint64_t number;
    struct store_value record; /* the entry's */
    enum store_history_state state;
    bool counted;
    struct store_group_count count;
};

/* What a row with a record of so many bytes takes. */
size_t history_row_bytes(size_t record_bytes);
/* Writes it, history_row_bytes of it. */
void history_row_put(const struct history_row *row, unsigned char *out);
