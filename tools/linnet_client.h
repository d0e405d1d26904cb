/* SPDX-License-Identifier: Apache-2.0 */
/* linnet_client.h - asking a node through the socket in its data directory.
 *
 *     const char *words[] = {"user", "remove", "alice"};
 *     struct linnet_answer answer;
 *     code = linnet_ask(&client, words, 3, &answer);
 *
 * Called from inside an actor; yields. The connection is made at the first question and kept.
 */
#pragma once

#include "actors/shell_wire.h"
#include "runtime/check.h"
#include "runtime/socket.h"

#include <yajl/yajl_tree.h>

struct linnet_client {
    const char *data; /* the data directory; the caller's */
    bool json;        /* a node's error goes to standard output as it came, too */
    bool listed;      /* within an array there, behind its first member */
    struct ln_socket *socket;
    char *received; /* SHELL_ANSWER_BYTES_MAX and what stands around it */
    size_t bytes;
    const char *words[SHELL_ANSWER_WORDS];
};

/* Borrowed from the client until its next question. */
struct linnet_answer {
    const char *next; /* where the next page begins; empty: this was the last */
    const char *document;
};

/* SHELL_DONE with *out, or another exit code, the reason told on standard error. */
MUST_CHECK int linnet_ask(struct linnet_client *client, const char *const *words, unsigned count,
                          struct linnet_answer *out);
/* The same, and reads the document; the caller frees the tree (yajl_tree_free). */
MUST_CHECK int linnet_ask_tree(struct linnet_client *client, const char *const *words,
                               unsigned count, yajl_val *out);
/* The same for one page of a list after another; `each` gets an array and borrows it. `words` has
 * room for the cursor behind its `count`. */
MUST_CHECK int linnet_ask_pages(struct linnet_client *client, const char **words, unsigned count,
                                void (*each)(void *context, yajl_val page), void *context);
/* Prints all pages of a list, an element a line. For lists of which each element stands on a line
 * of its own. */
MUST_CHECK int linnet_ask_lines(struct linnet_client *client, const char **words, unsigned count);
/* Prints a document as it comes, or all pages of a list as one array. */
MUST_CHECK int linnet_ask_print(struct linnet_client *client, const char **words, unsigned count,
                                bool pages);
void linnet_client_close(struct linnet_client *client);
