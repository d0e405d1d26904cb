/* SPDX-License-Identifier: Apache-2.0 */
/* user export: export.h's pages as documents.
 *
 *     the cursor: section.place, section.chat.number
 */
#include "actors/export.h"
#include "actors/shell_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

_Static_assert((int)EXPORT_PAGE_BYTES_MAX == (int)SHELL_ANSWER_BYTES_MAX,
               "users are given what operators are");

static bool
cursor_parse(const char *text, struct export_place *out)
{
    const char *at = text;
    uint64_t section = 0;
    bool placed = shell_number_parse(&at, EXPORT_SECTIONS - 1, &section) && *at++ == '.' &&
                  shell_number_parse(&at, UINT64_MAX, &out->place);
    if (placed && section == EXPORT_HISTORY && *at == '.') {
        at++;
        placed = shell_number_parse(&at, UINT64_MAX, &out->number);
    }
    out->section = (unsigned)section;
    return placed && *at == '\0';
}

static void
cursor_print(const struct export_place *at, char out[SHELL_CURSOR_BYTES])
{
    if (at->section == EXPORT_HISTORY) {
        (void)snprintf(out, SHELL_CURSOR_BYTES, "%u.%" PRIu64 ".%" PRIu64, at->section, at->place,
                       at->number);
    } else {
        (void)snprintf(out, SHELL_CURSOR_BYTES, "%u.%" PRIu64, at->section, at->place);
    }
}

/* name [cursor] -> [{"user": {...}}, {"device": {...}}, ..., {"newMessage": {...}}]
 * Each row begins a line, so that the tool can print one by one without reading it. */
void
shell_user_export(struct shell_call *call)
{
    struct export *export = ln_alloc(sizeof *export);
    uint64_t user = 0;
    if (call->count > 1 && !cursor_parse(call->words[1], &export->at)) {
        shell_fail(call, SHELL_USAGE, "user export: '%s' is no place to go on from",
                   call->words[1]);
        ln_free(export);
        return;
    }
    ln_text_print(call->out, "[");
    int error = shell_user_find(call, call->words[0], &user);
    if (error == 0) {
        export_init(export, call->messenger, user, ",\n");
        error = export_page(export, call->out);
    }
    if (error == -ENOENT) {
        shell_fail(call, SHELL_UNKNOWN, "there is no user '%s'", call->words[0]);
    } else if (error < 0) {
        shell_fail_errno(call, error, "user export");
    } else {
        ln_text_print(call->out, "]");
        if (!export_is_over(export)) {
            cursor_print(&export->at, call->next);
        }
    }
    ln_free(export);
}
