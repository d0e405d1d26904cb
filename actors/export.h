/* SPDX-License-Identifier: Apache-2.0 */
/* export.h - all that the node keeps of a user, as rows of JSON, a page for each question:
 *
 *     user -> devices -> chats -> groups -> states -> inbox -> history
 *
 *     export_init(&export, messenger, user, ",\n");
 *     while (error == 0 && !export_is_over(&export))
 *         error = export_page(&export, &text);
 *
 * Each page is one that the store reads on a worker, so an export holds no more than that, however
 * much there is; its place may be kept instead of it. What is a frame for a client is the same
 * frame here. Secrets (hashes of passwords and tokens, keys of pushes) are not exported. What
 * changes meanwhile may be in it or not.
 */
#pragma once

#include "actors/event.h"
#include "runtime/text.h"

/* Room for a page; a row that has none in it is named as left out. */
enum { EXPORT_PAGE_BYTES_MAX = 1 << 20 };

enum export_section {
    EXPORT_USER,
    EXPORT_DEVICES,
    EXPORT_CHATS,
    EXPORT_GROUPS,
    EXPORT_STATES,
    EXPORT_INBOX,
    EXPORT_HISTORY,
    EXPORT_SECTIONS,
};

/* Where the next page begins; zero: at the beginning. */
struct export_place {
    unsigned section; /* EXPORT_SECTIONS: there is none */
    uint64_t place;   /* behind it */
    uint64_t number;  /* likewise; a history's: in the chat of that place */
};

/* Too large for an actor's stack. */
struct export
{
    struct event_reader reader; /* what entries become comes here */
    struct messenger *messenger;
    uint64_t user;
    const char *between; /* rows */
    struct export_place at;
    /* A page's. */
    struct ln_text *out;
    unsigned rows;
    bool more; /* in its section */
};

/* Your memory, zeroed, at the beginning: or set `at`. Borrows all. */
void export_init(struct export *export, struct messenger *messenger, uint64_t user,
                 const char *between);
/* Appends the rows of the next page, maybe none. 0, -ENOENT: there is no such user, or what ln_call
 * and the store say; then the text has part of the page, and the same page comes again. Yields. */
MUST_CHECK int export_page(struct export *export, struct ln_text *out);
static inline bool
export_is_over(const struct export *export)
{
    return export->at.section == EXPORT_SECTIONS;
}
