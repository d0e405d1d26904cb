/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/uring.h"
#include "store/store.h"
#include "tools/linnet_json.h"
#include "tools/linnet_show.h"
#include "tools/linnet_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------- info */

struct sum {
    uint64_t partitions, commands, delta_entries, delta_bytes, waiting, sessions, outbox_records;
};

static void
sum_add(struct sum *sum, yajl_val row)
{
    sum->partitions++;
    sum->commands += linnet_json_number(row, "commands");
    sum->delta_entries += linnet_json_number(row, "delta_entries");
    sum->delta_bytes += linnet_json_number(row, "delta_bytes");
    sum->waiting += linnet_json_number(row, "waiting");
    sum->sessions += linnet_json_number(row, "sessions");
    sum->outbox_records += linnet_json_number(row, "outbox_records");
}

/* Partitions are many and alike: one row per cell. */
static void
cells_print(yajl_val partitions)
{
    enum { CELLS_MAX = 256 };
    static const struct linnet_column columns[] = {
        {"CELL", true},        {"PARTITIONS", true}, {"COMMANDS", true}, {"DELTA ENTRIES", true},
        {"DELTA BYTES", true}, {"WAITING", true},    {"SESSIONS", true}, {"OUTBOX", true},
    };
    struct linnet_table table;
    struct sum *sums = calloc(CELLS_MAX, sizeof *sums);
    ASSERT(sums != NULL);
    for (size_t i = 0; i < linnet_json_count(partitions); i++) {
        yajl_val row = linnet_json_at(partitions, i);
        sum_add(&sums[linnet_json_number(row, "cell") % CELLS_MAX], row);
    }
    linnet_table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (unsigned i = 0; i < CELLS_MAX; i++) {
        if (sums[i].partitions > 0) {
            linnet_table_number(&table, i);
            linnet_table_number(&table, sums[i].partitions);
            linnet_table_number(&table, sums[i].commands);
            linnet_table_number(&table, sums[i].delta_entries);
            linnet_table_bytes(&table, sums[i].delta_bytes);
            linnet_table_number(&table, sums[i].waiting);
            linnet_table_number(&table, sums[i].sessions);
            linnet_table_number(&table, sums[i].outbox_records);
        }
    }
    linnet_table_print(&table);
    linnet_table_fini(&table);
    free(sums);
}

static void
counters_print(yajl_val tree)
{
    for (size_t i = 0; YAJL_IS_OBJECT(tree) && i < tree->u.object.len; i++) {
        yajl_val value = tree->u.object.values[i];
        if (YAJL_IS_NUMBER(value)) {
            printf("%-20s %s\n", tree->u.object.keys[i], YAJL_GET_NUMBER(value));
        } else if (YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value)) {
            printf("%-20s %s\n", tree->u.object.keys[i], YAJL_IS_TRUE(value) ? "yes" : "no");
        }
    }
}

static void
info_print(yajl_val tree)
{
    counters_print(tree);
    printf("\n");
    cells_print(linnet_json_member(tree, "partitions"));
}

int
linnet_store_info(struct linnet_call *call)
{
    const char *words[] = {"store", "info"};
    return linnet_show(call, words, 2, info_print);
}

/* ----------------------------------------------------------------------------------------- skip */

int
linnet_store_skip(struct linnet_call *call)
{
    char why[STORE_WHY_BYTES] = "";
    struct io_driver *driver = NULL;
    const struct uring_options options = {.loops = 1, .workers = 1};
    int error = uring_open(&options, &driver, why, sizeof why);
    if (error == 0) {
        error = store_skip(driver, call->data, call->words[0], why);
        io_driver_close(driver);
    }
    if (error < 0) {
        (void)fprintf(stderr, "linnet: %s\n", why);
        return SHELL_FAILED;
    }
    if (call->json) {
        printf("{\"skipped\":\"%s\"}\n", call->words[0]);
    } else {
        printf("the next start passes over the command at %s\n", call->words[0]);
    }
    return SHELL_DONE;
}
