/* SPDX-License-Identifier: Apache-2.0 */
/* linnet_table.h - rows of text in columns as wide as they need to be.
 *
 *     linnet_table_init(&table, columns, 3);
 *     linnet_table_text(&table, "alice");      cell by cell, row by row
 *     linnet_table_number(&table, 17);
 *     linnet_table_bytes(&table, 4096);
 *     linnet_table_print(&table);
 *     linnet_table_fini(&table);
 *
 * or, for the rows of a node's document, all of it in linnet_table_show.
 *
 * Without memory the tool ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

enum { LINNET_COLUMNS_MAX = 16, LINNET_NUMBER_BYTES = 40 };

struct linnet_column {
    const char *title;
    bool right; /* numbers stand at the right */
};

struct linnet_table {
    const struct linnet_column *columns; /* borrowed */
    unsigned columns_count;
    char **cells; /* rows_count times columns_count, and those of a row that is being filled */
    size_t cells_count, cells_max;
};

void linnet_table_init(struct linnet_table *table, const struct linnet_column *columns,
                       unsigned columns_count);
void linnet_table_text(struct linnet_table *table, const char *text);
void linnet_table_number(struct linnet_table *table, uint64_t number);
void linnet_table_bytes(struct linnet_table *table, uint64_t bytes);
void linnet_table_time(struct linnet_table *table, uint64_t time_ms);
void linnet_table_print(const struct linnet_table *table);
void linnet_table_fini(struct linnet_table *table);
/* A whole table: for each element of an array, `fill` adds the cells of its row. */
void linnet_table_show(const struct linnet_column *columns, unsigned columns_count, yajl_val rows,
                       void (*fill)(struct linnet_table *table, yajl_val row));

/* "4.0 KiB", "2026-01-31 12:00:00" (UTC), "3d 4h", as tables and lists show them. */
const char *linnet_bytes_text(uint64_t bytes, char out[LINNET_NUMBER_BYTES]);
const char *linnet_time_text(uint64_t time_ms, char out[LINNET_NUMBER_BYTES]);
const char *linnet_span_text(uint64_t span_ms, char out[LINNET_NUMBER_BYTES]);
/* A message's tag: its name where the node knows one, else its number. */
const char *linnet_tag_text(yajl_val message, char out[LINNET_NUMBER_BYTES]);
/* How many columns a terminal takes for it. */
size_t linnet_text_columns(const char *text);
