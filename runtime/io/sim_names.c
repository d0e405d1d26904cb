/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAMES_ROOM_FIRST = 16,
    TRASH_MODE = 0700,
    TRASH_PATH_MAX = 40,
};

enum change_kind {
    CHANGE_CREATED,
    CHANGE_REMOVED,
    CHANGE_RENAMED,
};

struct sim_name_change {
    enum change_kind kind;
    uint64_t number;
    char *from, *to;  /* CREATED: to; REMOVED: from; RENAMED: both; else NULL */
    char *folders[2]; /* the directories of from and to, or NULL */
    uint64_t trash;   /* where the removed or replaced file waits; 0: nowhere */
};

/* ------------------------------------------------------------------------------------- the list */

static char *
text_copy(const char *text, size_t bytes)
{
    char *copy = strndup(text, bytes);
    ASSERT(copy != NULL);
    return copy;
}

static char *
folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return text_copy(path, slash ? (size_t)(slash - path) : 0);
}

static struct sim_name_change *
change_new(struct sim_disk *disk, enum change_kind kind, const char *from, const char *to)
{
    if (disk->names_count == disk->names_room) {
        disk->names_room = disk->names_room * 2 + NAMES_ROOM_FIRST;
        disk->names = sim_resize(disk->names, disk->names_room, sizeof(*disk->names));
    }
    struct sim_name_change *change = &disk->names[disk->names_count++];
    *change = (struct sim_name_change){.kind = kind, .number = disk->changes++};
    if (from) {
        change->from = text_copy(from, strlen(from));
        change->folders[0] = folder_of(from);
    }
    if (to) {
        change->to = text_copy(to, strlen(to));
        change->folders[1] = folder_of(to);
    }
    return change;
}

static void
change_fini(struct sim_name_change *change)
{
    free(change->from);
    free(change->to);
    free(change->folders[0]);
    free(change->folders[1]);
}

void
sim_names_forget(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->names_count; i++) {
        change_fini(&disk->names[i]);
    }
    free(disk->names);
    disk->names = NULL;
    disk->names_count = disk->names_room = 0;
}

/* ------------------------------------------------------------------------------------ the trash */

static void
trash_path(uint64_t trash, char out[TRASH_PATH_MAX])
{
    (void)snprintf(out, TRASH_PATH_MAX, SIM_TRASH "/%llu", (unsigned long long)trash);
}

/* Moves a file there and gives its number; what is known of it moves along. */
static int
trash_put(struct sim_disk *disk, const char *path, uint64_t *out)
{
    char aside[TRASH_PATH_MAX];
    struct stat status;
    if (mkdirat(disk->root_fd, SIM_TRASH, TRASH_MODE) < 0 && errno != EEXIST) {
        return -errno;
    }
    trash_path(disk->trashed + 1, aside);
    if (fstatat(disk->root_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        renameat(disk->root_fd, path, disk->root_fd, aside) < 0) {
        return -errno;
    }
    *out = ++disk->trashed;
    if (S_ISREG(status.st_mode)) {
        disk->used_bytes -= (uint64_t)status.st_size;
    }
    struct sim_inode *inode = sim_inode_known(disk, path);
    if (inode) {
        sim_inode_rename(inode, aside);
    }
    return 0;
}

static void
trash_drop(struct sim_disk *disk, uint64_t trash)
{
    if (trash == 0) {
        return;
    }
    char aside[TRASH_PATH_MAX];
    trash_path(trash, aside);
    struct sim_inode *inode = sim_inode_known(disk, aside);
    if (inode) {
        sim_inode_settle(inode);
        if (inode->opens == 0) {
            sim_inode_free(inode);
        }
    }
    if (unlinkat(disk->root_fd, aside, 0) < 0) {
        int error = unlinkat(disk->root_fd, aside, AT_REMOVEDIR);
        ASSERT(error == 0);
    }
}

static void
trash_restore(struct sim_disk *disk, uint64_t trash, const char *path)
{
    char aside[TRASH_PATH_MAX];
    if (trash == 0) {
        return;
    }
    trash_path(trash, aside);
    int error = renameat(disk->root_fd, aside, disk->root_fd, path);
    ASSERT(error == 0);
}

/* ------------------------------------------------------------------------------------- changing */

void
sim_names_created(struct sim_disk *disk, const char *path)
{
    (void)change_new(disk, CHANGE_CREATED, NULL, path);
}

void
sim_names_made_directory(struct sim_disk *disk, const char *path)
{
    (void)change_new(disk, CHANGE_CREATED, NULL, path);
}

/* An empty directory or a file, as remove() has it. */
int
sim_names_remove(struct sim_disk *disk, const char *path)
{
    struct stat status;
    if (fstatat(disk->root_fd, path, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        return -errno;
    }
    if (S_ISDIR(status.st_mode)) {
        /* The real call knows whether it is empty; then it is made again, to be put aside. */
        if (unlinkat(disk->root_fd, path, AT_REMOVEDIR) < 0 ||
            mkdirat(disk->root_fd, path, TRASH_MODE) < 0) {
            return -errno;
        }
    }
    uint64_t trash = 0;
    int error = trash_put(disk, path, &trash);
    if (error < 0) {
        return error;
    }
    change_new(disk, CHANGE_REMOVED, path, NULL)->trash = trash;
    return 0;
}

/* True when `path` is `folder` or below it. */
static bool
path_below(const char *path, const char *folder)
{
    size_t bytes = strlen(folder);
    return strncmp(path, folder, bytes) == 0 && (path[bytes] == '/' || path[bytes] == '\0');
}

/* Settles the changes that `wanted` picks, newest first so that it may widen its choice on the
 * way. */
static void
names_settle(struct sim_disk *disk,
             bool (*wanted)(void *context, const struct sim_name_change *change), void *context)
{
    bool *settled = sim_memory(disk->names_count);
    for (size_t i = disk->names_count; i-- > 0;) {
        settled[i] = wanted(context, &disk->names[i]);
    }
    size_t kept = 0;
    for (size_t i = 0; i < disk->names_count; i++) {
        if (settled[i]) {
            trash_drop(disk, disk->names[i].trash);
            change_fini(&disk->names[i]);
        } else {
            disk->names[kept++] = disk->names[i];
        }
    }
    disk->names_count = kept;
    free(settled);
}

static bool
change_is_below(void *context, const struct sim_name_change *change)
{
    const char *folder = context;
    return (change->folders[0] && path_below(change->folders[0], folder)) ||
           (change->folders[1] && path_below(change->folders[1], folder));
}

/* What was known below a directory is known below its new name. Its own unsynced changes are
 * settled first, so that no path of the list is out of date: kinder than a disk need be, to the
 * rare case. */
static void
directory_renamed(struct sim_disk *disk, const char *from, const char *to)
{
    char path[SIM_PATH_MAX];
    char *folder = text_copy(from, strlen(from));
    names_settle(disk, change_is_below, folder);
    free(folder);
    for (struct sim_inode *at = disk->inodes; at; at = at->next) {
        if (path_below(at->path, from)) {
            int bytes = snprintf(path, sizeof(path), "%s%s", to, at->path + strlen(from));
            ASSERT(bytes > 0 && (size_t)bytes < sizeof(path));
            sim_inode_rename(at, path);
        }
    }
}

int
sim_names_rename(struct sim_disk *disk, const char *from, const char *to)
{
    struct stat source, target;
    uint64_t trash = 0;
    if (fstatat(disk->root_fd, from, &source, AT_SYMLINK_NOFOLLOW) < 0) {
        return -errno;
    }
    bool replaces = fstatat(disk->root_fd, to, &target, AT_SYMLINK_NOFOLLOW) == 0;
    if (replaces && source.st_ino == target.st_ino) {
        return 0;
    }
    if (replaces && (S_ISDIR(source.st_mode) || S_ISDIR(target.st_mode))) {
        return -EEXIST;
    }
    if (replaces) {
        int error = trash_put(disk, to, &trash);
        if (error < 0) {
            return error;
        }
    }
    if (renameat(disk->root_fd, from, disk->root_fd, to) < 0) {
        int error = -errno;
        trash_restore(disk, trash, to);
        return error;
    }
    if (S_ISDIR(source.st_mode)) {
        directory_renamed(disk, from, to);
    }
    struct sim_inode *inode = sim_inode_known(disk, from);
    if (inode) {
        sim_inode_rename(inode, to);
    }
    change_new(disk, CHANGE_RENAMED, from, to)->trash = trash;
    return 0;
}

/* ------------------------------------------------------------------------------------- settling */

/* A growing set of directories. */
struct folders {
    const char **names;
    size_t count;
};

static bool
folders_have(const struct folders *folders, const char *name)
{
    for (size_t i = 0; name && i < folders->count; i++) {
        if (strcmp(folders->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool
folders_touch(const struct folders *folders, const struct sim_name_change *change)
{
    return folders_have(folders, change->folders[0]) || folders_have(folders, change->folders[1]);
}

static void
folders_add(struct folders *folders, const struct sim_name_change *change)
{
    for (int i = 0; i < 2; i++) {
        if (change->folders[i] && !folders_have(folders, change->folders[i])) {
            folders->names[folders->count++] = change->folders[i];
        }
    }
}

static void
folders_init(struct folders *folders, const struct sim_disk *disk)
{
    folders->names = sim_memory((2 * disk->names_count + 1) * sizeof(char *));
    folders->count = 0;
}

static bool
change_is_in(void *context, const struct sim_name_change *change)
{
    struct folders *folders = context;
    if (!folders_touch(folders, change)) {
        return false;
    }
    folders_add(folders, change);
    return true;
}

void
sim_names_sync(struct sim_disk *disk, const char *directory)
{
    struct folders folders;
    folders_init(&folders, disk);
    folders.names[folders.count++] = directory;
    names_settle(disk, change_is_in, &folders);
    free(folders.names);
}

/* ------------------------------------------------------------------------------------ the crash */

static void
change_undo(struct sim_disk *disk, const struct sim_name_change *change)
{
    uint64_t trash = 0;
    int error = 0;
    switch (change->kind) {
    case CHANGE_CREATED:
        /* A directory goes with all that is in it. */
        error = trash_put(disk, change->to, &trash);
        break;
    case CHANGE_REMOVED:
        trash_restore(disk, change->trash, change->from);
        break;
    case CHANGE_RENAMED:
        error = renameat(disk->root_fd, change->to, disk->root_fd, change->from) < 0 ? -errno : 0;
        trash_restore(disk, change->trash, change->to);
        break;
    }
    ASSERT(error == 0);
}

/* How often a change that could be kept is lost: one in this many, or 0 for never. Some crashes
 * lose all, some none. */
static uint64_t
loss_one_in(struct sim_chance *chance)
{
    static const uint64_t one_in[] = {0, 1, 2, 4};
    return one_in[sim_chance_below(chance, sizeof(one_in) / sizeof(one_in[0]))];
}

void
sim_names_roll_back(struct sim_disk *disk)
{
    struct sim_chance *chance = &disk->sim->crash_chance;
    uint64_t one_in = loss_one_in(chance);
    struct folders cut;
    folders_init(&cut, disk);
    bool *lost = sim_memory(disk->names_count);
    for (size_t i = 0; i < disk->names_count; i++) {
        struct sim_name_change *change = &disk->names[i];
        bool chosen = one_in > 0 && sim_chance_one_in(chance, one_in);
        lost[i] = chosen || change->number >= disk->lost_from || folders_touch(&cut, change);
        if (lost[i]) {
            folders_add(&cut, change);
        }
    }
    for (size_t i = disk->names_count; i-- > 0;) {
        if (lost[i]) {
            change_undo(disk, &disk->names[i]);
        }
    }
    free(lost);
    free(cut.names);
}
