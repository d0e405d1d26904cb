/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_tree.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Calls `visit` for every file, directories after what is in them. */
static int
tree_walk(const char *path, int (*visit)(void *context, const FTSENT *entry), void *context)
{
    char *start = strdup(path);
    ASSERT(start != NULL);
    char *starts[] = {start, NULL};
    FTS *tree = fts_open(starts, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    int error = tree ? 0 : -errno;
    for (FTSENT *entry; error == 0 && (entry = fts_read(tree)) != NULL;) {
        switch (entry->fts_info) {
        case FTS_D:
            break;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            error = -entry->fts_errno;
            break;
        default:
            error = visit(context, entry);
            break;
        }
    }
    if (tree && fts_close(tree) < 0 && error == 0) {
        error = -errno;
    }
    free(start);
    return error;
}

static int
visit_count(void *context, const FTSENT *entry)
{
    uint64_t *bytes = context;
    if (entry->fts_info == FTS_F) {
        *bytes += (uint64_t)entry->fts_statp->st_size;
    }
    return 0;
}

int
sim_tree_bytes(const char *path, uint64_t *out_bytes)
{
    uint64_t bytes = 0;
    int error = tree_walk(path, visit_count, &bytes);
    if (error == 0) {
        *out_bytes = bytes;
    }
    return error;
}

static int
visit_remove(void *context, const FTSENT *entry)
{
    (void)context;
    return remove(entry->fts_accpath) < 0 ? -errno : 0;
}

int
sim_tree_remove(const char *path)
{
    int error = tree_walk(path, visit_remove, NULL);
    return error == -ENOENT ? 0 : error;
}
