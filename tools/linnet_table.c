/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnet_table.h"

#include "runtime/check.h"
#include "tools/linnet_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
linnet_table_init(struct linnet_table *table, const struct linnet_column *columns,
                  unsigned columns_count)
{
    ASSERT(columns_count <= LINNET_COLUMNS_MAX);
    *table = (struct linnet_table){.columns = columns, .columns_count = columns_count};
}

void
linnet_table_text(struct linnet_table *table, const char *text)
{
    if (table->cells_count == table->cells_max) {
        table->cells_max = table->cells_max == 0 ? 256 : 2 * table->cells_max;
        table->cells = reallocarray(table->cells, table->cells_max, sizeof *table->cells);
        ASSERT(table->cells != NULL);
    }
    char *cell = strdup(text);
    ASSERT(cell != NULL);
    table->cells[table->cells_count++] = cell;
}

void
linnet_table_number(struct linnet_table *table, uint64_t number)
{
    char text[LINNET_NUMBER_BYTES];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    linnet_table_text(table, text);
}

void
linnet_table_bytes(struct linnet_table *table, uint64_t bytes)
{
    char text[LINNET_NUMBER_BYTES];
    linnet_table_text(table, linnet_bytes_text(bytes, text));
}

void
linnet_table_time(struct linnet_table *table, uint64_t time_ms)
{
    char text[LINNET_NUMBER_BYTES];
    linnet_table_text(table, linnet_time_text(time_ms, text));
}

/* Characters, not bytes; wide ones are counted as one, which shifts a row and loses nothing. */
size_t
linnet_text_columns(const char *text)
{
    size_t columns = 0;
    for (; *text != '\0'; text++) {
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return columns;
}

static void
cell_print(const struct linnet_table *table, unsigned column, const char *text, size_t width)
{
    size_t blanks = width - linnet_text_columns(text);
    bool last = column + 1 == table->columns_count;
    if (table->columns[column].right) {
        printf("%*s%s%s", (int)blanks, "", text, last ? "\n" : "  ");
    } else if (last) {
        printf("%s\n", text);
    } else {
        printf("%s%*s", text, (int)blanks + 2, "");
    }
}

void
linnet_table_print(const struct linnet_table *table)
{
    size_t widths[LINNET_COLUMNS_MAX];
    ASSERT(table->cells_count % table->columns_count == 0);
    for (unsigned i = 0; i < table->columns_count; i++) {
        widths[i] = linnet_text_columns(table->columns[i].title);
    }
    for (size_t i = 0; i < table->cells_count; i++) {
        size_t width = linnet_text_columns(table->cells[i]);
        unsigned column = (unsigned)(i % table->columns_count);
        widths[column] = width > widths[column] ? width : widths[column];
    }
    for (unsigned i = 0; i < table->columns_count; i++) {
        cell_print(table, i, table->columns[i].title, widths[i]);
    }
    for (size_t i = 0; i < table->cells_count; i++) {
        unsigned column = (unsigned)(i % table->columns_count);
        cell_print(table, column, table->cells[i], widths[column]);
    }
}

void
linnet_table_fini(struct linnet_table *table)
{
    for (size_t i = 0; i < table->cells_count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    *table = (struct linnet_table){0};
}

void
linnet_table_show(const struct linnet_column *columns, unsigned columns_count, yajl_val rows,
                  void (*fill)(struct linnet_table *table, yajl_val row))
{
    struct linnet_table table;
    linnet_table_init(&table, columns, columns_count);
    for (size_t i = 0; i < linnet_json_count(rows); i++) {
        fill(&table, linnet_json_at(rows, i));
    }
    linnet_table_print(&table);
    linnet_table_fini(&table);
}

const char *
linnet_bytes_text(uint64_t bytes, char out[LINNET_NUMBER_BYTES])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    unsigned unit = 0;
    while (value >= 1024 && unit < sizeof units / sizeof units[0] - 1) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(out, LINNET_NUMBER_BYTES, "%.*f %s", unit == 0 ? 0 : 1, value, units[unit]);
    return out;
}

/* The civil calendar counted from 1 March of year 0, where leap days come last. */
const char *
linnet_time_text(uint64_t time_ms, char out[LINNET_NUMBER_BYTES])
{
    enum { DAYS_TO_1970 = 719468, DAYS_PER_ERA = 146097 };
    uint64_t seconds = time_ms / 1000;
    uint64_t days = seconds / 86400 + DAYS_TO_1970;
    uint64_t era = days / DAYS_PER_ERA;
    unsigned day_of_era = (unsigned)(days % DAYS_PER_ERA);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned march_month = (5 * day_of_year + 2) / 153;
    unsigned day = day_of_year - (153 * march_month + 2) / 5 + 1;
    unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
    unsigned long long year = era * 400 + year_of_era + (month <= 2);
    unsigned second = (unsigned)(seconds % 86400);
    (void)snprintf(out, LINNET_NUMBER_BYTES, "%04llu-%02u-%02u %02u:%02u:%02u", year, month, day,
                   second / 3600, second / 60 % 60, second % 60);
    return out;
}

const char *
linnet_span_text(uint64_t span_ms, char out[LINNET_NUMBER_BYTES])
{
    uint64_t seconds = span_ms / 1000;
    unsigned long long days = seconds / 86400;
    unsigned hours = (unsigned)(seconds / 3600 % 24);
    unsigned minutes = (unsigned)(seconds / 60 % 60);
    if (days > 0) {
        (void)snprintf(out, LINNET_NUMBER_BYTES, "%llud %uh", days, hours);
    } else if (hours > 0) {
        (void)snprintf(out, LINNET_NUMBER_BYTES, "%uh %um", hours, minutes);
    } else {
        (void)snprintf(out, LINNET_NUMBER_BYTES, "%um %us", minutes, (unsigned)(seconds % 60));
    }
    return out;
}

const char *
linnet_tag_text(yajl_val message, char out[LINNET_NUMBER_BYTES])
{
    (void)snprintf(out, LINNET_NUMBER_BYTES, "%s", linnet_json_text(message, "tag_name"));
    if (out[0] == '\0') {
        (void)snprintf(out, LINNET_NUMBER_BYTES, "%#llx",
                       (unsigned long long)linnet_json_number(message, "tag"));
    }
    return out;
}
