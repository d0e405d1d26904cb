/* SPDX-License-Identifier: Apache-2.0 */
/* This file is built without ThreadSanitizer, which does not see ConcurrencyKit's
 * fences: the table is published by its own store fences, entries are immutable while they are in
 * it, but for `leaving`. */
#include "runtime/registry.h"

#include "runtime/scheduler.h"

#include <ck_epoch.h>
#include <ck_ht.h>
#include <ck_spinlock.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* memcmp, calloc and free are watched even in here: a look's reads are said to be ordered. */
#if defined(LINNET_TSAN_ANNOTATE)
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
#define READS_ORDERED_BEGIN() AnnotateIgnoreReadsBegin(__FILE__, __LINE__)
#define READS_ORDERED_END() AnnotateIgnoreReadsEnd(__FILE__, __LINE__)
#else
#define READS_ORDERED_BEGIN() ((void)0)
#define READS_ORDERED_END() ((void)0)
#endif

enum { NAMES_FIRST = 64 };

struct name {
    ck_epoch_entry_t epoch;
    ln_pid pid;
    atomic_bool leaving; /* written by the actor's scheduler, read by all; orders nothing */
    uint16_t bytes;
    char text[LN_NAME_BYTES_MAX + 1];
};

/* A record for a reader on any other thread, which has it for one look; then it is the next
 * one's. */
struct guest {
    ck_epoch_record_t record __attribute__((aligned(CK_MD_CACHELINE)));
    struct guest *next;
};

struct registry {
    ck_spinlock_fas_t lock; /* of writers */
    ck_ht_t table;
    ck_epoch_t epoch;
    struct guest *guests; /* all that were ever made; under lock */
    unsigned schedulers;
    ck_epoch_record_t *records[]; /* [schedulers + 1]; the last is used under the lock */
};

/* What the table allocates, with room for the epoch that may have to pass before it is freed. */
struct table_memory {
    ck_epoch_entry_t epoch;
    unsigned char data[] __attribute__((aligned(16)));
};

/* The table's allocator has no context: the writer leaves its record here, under the lock. */
static _Thread_local ck_epoch_record_t *writer;

static void *
table_malloc(size_t bytes)
{
    struct table_memory *memory = malloc(sizeof *memory + bytes);
    ASSERT(memory != NULL && "out of memory");
    return memory->data;
}

static void
table_memory_destroy(ck_epoch_entry_t *entry)
{
    free(entry); /* the first member */
}

static void
table_free(void *data, size_t bytes, bool defer)
{
    (void)bytes;
    struct table_memory *memory =
        (void *)((unsigned char *)data - offsetof(struct table_memory, data));
    if (defer) {
        ck_epoch_call(writer, &memory->epoch, table_memory_destroy);
    } else {
        free(memory);
    }
}

static struct ck_malloc table_allocator = {.malloc = table_malloc, .free = table_free};

static void
name_destroy(ck_epoch_entry_t *entry)
{
    free(entry); /* the first member */
}

struct registry *
registry_new(unsigned schedulers)
{
    struct registry *registry =
        calloc(1, sizeof *registry + (schedulers + 1) * sizeof(ck_epoch_record_t *));
    ASSERT(registry != NULL && "out of memory");
    registry->schedulers = schedulers;
    ck_spinlock_fas_init(&registry->lock);
    ck_epoch_init(&registry->epoch);
    for (unsigned i = 0; i <= schedulers; i++) {
        registry->records[i] = aligned_alloc(CK_MD_CACHELINE, sizeof *registry->records[i]);
        ASSERT(registry->records[i] != NULL && "out of memory");
        ck_epoch_register(&registry->epoch, registry->records[i], NULL);
    }
    /* The seed need not be secret: names are the operator's, not a stranger's. */
    bool made =
        ck_ht_init(&registry->table, CK_HT_MODE_BYTESTRING, NULL, &table_allocator, NAMES_FIRST, 1);
    ASSERT(made && "out of memory");
    return registry;
}

void
registry_free(struct registry *registry)
{
    if (registry == NULL) {
        return;
    }
    ck_ht_iterator_t iterator = CK_HT_ITERATOR_INITIALIZER;
    ck_ht_entry_t *entry;
    while (ck_ht_next(&registry->table, &iterator, &entry)) {
        free(ck_ht_entry_value(entry));
    }
    writer = registry->records[registry->schedulers];
    ck_ht_destroy(&registry->table);
    for (unsigned i = 0; i <= registry->schedulers; i++) {
        ck_epoch_barrier(registry->records[i]);
    }
    for (unsigned i = 0; i <= registry->schedulers; i++) {
        free(registry->records[i]);
    }
    while (registry->guests != NULL) {
        struct guest *guest = registry->guests;
        registry->guests = guest->next;
        free(guest);
    }
    free(registry);
}

static struct name *
find(struct registry *registry, const char *text, size_t bytes)
{
    ck_ht_hash_t hash;
    ck_ht_entry_t entry;
    ck_ht_hash(&hash, &registry->table, text, (uint16_t)bytes);
    ck_ht_entry_key_set(&entry, text, (uint16_t)bytes);
    READS_ORDERED_BEGIN();
    bool found = ck_ht_get_spmc(&registry->table, hash, &entry);
    READS_ORDERED_END();
    return found ? ck_ht_entry_value(&entry) : NULL;
}

int
registry_add(struct registry *registry, unsigned scheduler, const char *text, struct actor *actor)
{
    size_t bytes = strnlen(text, LN_NAME_BYTES_MAX + 1);
    if (bytes == 0 || bytes > LN_NAME_BYTES_MAX) {
        return -EINVAL;
    }
    if (actor->body->name != NULL) {
        return -EEXIST;
    }
    struct name *name = calloc(1, sizeof *name);
    ASSERT(name != NULL && "out of memory");
    name->pid = actor->pid;
    name->bytes = (uint16_t)bytes;
    memcpy(name->text, text, bytes);
    ck_ht_hash_t hash;
    ck_ht_entry_t entry;
    ck_spinlock_fas_lock(&registry->lock);
    writer = registry->records[scheduler];
    ck_ht_hash(&hash, &registry->table, name->text, name->bytes);
    ck_ht_entry_set(&entry, hash, name->text, name->bytes, name);
    bool added =
        find(registry, text, bytes) == NULL && ck_ht_put_spmc(&registry->table, hash, &entry);
    ck_spinlock_fas_unlock(&registry->lock);
    if (!added) {
        free(name);
        return -EEXIST;
    }
    actor->body->name = name;
    return 0;
}

void
registry_remove(struct registry *registry, unsigned scheduler, struct actor *actor)
{
    struct name *name = actor->body->name;
    ck_epoch_record_t *record = registry->records[scheduler];
    ck_ht_hash_t hash;
    ck_ht_entry_t entry;
    ck_spinlock_fas_lock(&registry->lock);
    writer = record;
    ck_ht_hash(&hash, &registry->table, name->text, name->bytes);
    ck_ht_entry_key_set(&entry, name->text, name->bytes);
    bool removed = ck_ht_remove_spmc(&registry->table, hash, &entry);
    ck_spinlock_fas_unlock(&registry->lock);
    ASSERT(removed);
    actor->body->name = NULL;
    ck_epoch_call(record, &name->epoch, name_destroy);
    (void)ck_epoch_poll(record);
}

static ck_epoch_record_t *
guest_enter(struct registry *registry)
{
    ck_epoch_record_t *record = ck_epoch_recycle(&registry->epoch, NULL);
    if (record != NULL) {
        return record;
    }
    struct guest *guest = aligned_alloc(CK_MD_CACHELINE, sizeof *guest);
    ASSERT(guest != NULL && "out of memory");
    memset(guest, 0, sizeof *guest);
    ck_epoch_register(&registry->epoch, &guest->record, NULL);
    ck_spinlock_fas_lock(&registry->lock);
    guest->next = registry->guests;
    registry->guests = guest;
    ck_spinlock_fas_unlock(&registry->lock);
    return &guest->record;
}

ln_pid
registry_find(struct registry *registry, int scheduler, const char *text, bool *out_leaving)
{
    size_t bytes = strnlen(text, LN_NAME_BYTES_MAX + 1);
    if (bytes == 0 || bytes > LN_NAME_BYTES_MAX) {
        return 0;
    }
    ck_epoch_record_t *record =
        scheduler >= 0 ? registry->records[scheduler] : guest_enter(registry);
    ck_epoch_begin(record, NULL);
    const struct name *name = find(registry, text, bytes);
    ln_pid pid = name != NULL ? name->pid : 0;
    if (out_leaving != NULL) {
        *out_leaving = name != NULL && atomic_load_explicit(&name->leaving, memory_order_relaxed);
    }
    (void)ck_epoch_end(record, NULL);
    if (scheduler < 0) {
        ck_epoch_unregister(record);
    }
    return pid;
}

void
name_leave(struct name *name)
{
    atomic_store_explicit(&name->leaving, true, memory_order_relaxed);
}

const char *
name_text(const struct name *name)
{
    return name->text;
}
