/* SPDX-License-Identifier: Apache-2.0 */
#include "store/bundle.h"

void
bundles_init(struct bundles *bundles)
{
    *bundles = (struct bundles){0};
    for (unsigned i = 0; i < BUNDLES_MAX; i++) {
        rows_init(&bundles->items[i].entries);
    }
}

void
bundles_fini(struct bundles *bundles)
{
    for (unsigned i = 0; i < BUNDLES_MAX; i++) {
        rows_fini(&bundles->items[i].entries);
    }
    bundles->count = 0;
}

void
bundles_clear(struct bundles *bundles)
{
    bundles->count = 0;
}

struct bundle *
bundles_of(struct bundles *bundles, uint64_t user, uint64_t previous)
{
    for (unsigned i = 0; i < bundles->count; i++) {
        struct bundle *bundle = &bundles->items[i];
        if (bundle->user == user) {
            ASSERT(bundle->number == previous);
            return bundle->entries.count < BUNDLE_BYTES_MAX ? bundle : NULL;
        }
    }
    if (bundles->count == BUNDLES_MAX) {
        return NULL;
    }
    struct bundle *bundle = &bundles->items[bundles->count++];
    bundle->user = user;
    bundle->previous = previous;
    bundle->number = previous;
    bundle->count = 0;
    bundle->entries.count = 0;
    return bundle;
}

unsigned char *
bundle_room(struct bundle *bundle, uint64_t number, size_t bytes)
{
    bundle->number = number;
    bundle->count++;
    return rows_room(&bundle->entries, bytes);
}
