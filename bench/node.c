/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/node.h"

#include "actors/shell_wire.h"
#include "tools/linnet_json.h"

#include <stdio.h>
#include <string.h>

/* What tells one node from another in a figure, even when it is the default. */
static const char *const matters[] = {
    "schedulers",        "workers",
    "io_level",          "spin_us",
    "delete_after",      "history_days",
    "store_cells",       "store_segment_bytes",
    "store_delta_bytes", "store_replay_bytes",
    "inbox_entries_max",
};

int
node_status_read(struct linnet_client *client, struct node_status *out)
{
    const char *words[] = {"status"};
    yajl_val status = NULL;
    int code = linnet_ask_tree(client, words, 1, &status);
    if (code == SHELL_DONE) {
        (void)snprintf(out->version, sizeof out->version, "%s",
                       linnet_json_text(status, "version"));
        out->pid = (uint32_t)linnet_json_number(status, "process");
        out->violations =
            linnet_json_number(linnet_json_member(status, "counters"), "invariant_violations");
        yajl_tree_free(status);
    }
    return code;
}

static bool
bears(yajl_val setting)
{
    const char *name = linnet_json_text(setting, "name");
    for (unsigned i = 0; i < sizeof matters / sizeof matters[0]; i++) {
        if (strcmp(name, matters[i]) == 0) {
            return true;
        }
    }
    return strcmp(linnet_json_text(setting, "origin"), "default") != 0;
}

static void
settings_add(void *context, yajl_val page)
{
    struct ln_text *out = context;
    for (size_t i = 0; i < linnet_json_count(page); i++) {
        yajl_val setting = linnet_json_at(page, i);
        if (bears(setting)) {
            ln_text_print(out, "%s\"", out->bytes > 1 ? "," : "");
            ln_text_json(out, linnet_json_text(setting, "name"));
            ln_text_print(out, "\":\"");
            ln_text_json(out, linnet_json_text(setting, "text"));
            ln_text_print(out, "\"");
        }
    }
}

int
node_settings_read(struct linnet_client *client, char out[NODE_SETTINGS_BYTES])
{
    const char *words[3] = {"config", "show"};
    struct ln_text text;
    ln_text_init(&text, out, NODE_SETTINGS_BYTES);
    ln_text_print(&text, "{");
    int code = linnet_ask_pages(client, words, 2, settings_add, &text);
    ln_text_print(&text, "}");
    if (code != SHELL_DONE || text.cut) {
        out[0] = '\0';
    }
    return code;
}
