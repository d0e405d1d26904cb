/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/node_priv.h"
#include "runtime/spares.h"
#include "tests/spec.h"

#include <string.h>

enum { SCHEDULERS = 2, BYTES = 200, MANY = 8 * SPARES_CHAIN_BLOCKS_MAX };

static struct ln_node node;
static struct scheduler schedulers[SCHEDULERS];
static void *blocks[MANY];

/* Each scheduler's code, one after the other in one thread. */
static void
be(unsigned index)
{
    scheduler_self = &schedulers[index];
}

static void
begin(void)
{
    for (unsigned i = 0; i < SCHEDULERS; i++) {
        schedulers[i].node = &node;
        spares_init(&schedulers[i].spares);
    }
    be(0);
}

static void
end(void)
{
    scheduler_self = NULL;
    for (unsigned i = 0; i < SCHEDULERS; i++) {
        spares_fini(&schedulers[i].spares);
    }
    spares_surplus_fini(&node.surplus);
}

static const struct spare_list *
list_of(unsigned scheduler)
{
    return &schedulers[scheduler].spares.lists[slab_class(BYTES)];
}

static void
take(void **out, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        out[i] = spares_take(BYTES);
    }
}

static void
give(void **given, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        spares_give(given[i], BYTES);
    }
}

static void
sizes_hold(void **state)
{
    (void)state;
    begin();
    for (size_t bytes = 0; bytes < (size_t)SLAB_BYTES_MAX * 2; bytes += bytes < 300 ? 1 : 97) {
        unsigned char *block = spares_take(bytes);
        assert_int_equal((uintptr_t)block % 16, 0);
        memset(block, 1, bytes);
        spares_give(block, bytes);
    }
    end();
}

static void
given_back_is_taken_again(void **state)
{
    (void)state;
    if (SLAB_MALLOC_ONLY) {
        skip();
    }
    begin();
    take(blocks, 10);
    give(blocks, 10);
    for (unsigned i = 10; i > 0; i--) {
        /* The same size, rounded up. */
        assert_ptr_equal(spares_take(BYTES + 8), blocks[i - 1]);
    }
    assert_null(list_of(0)->first);
    give(blocks, 10);
    end();
}

static void
kept_up_to_a_bound(void **state)
{
    (void)state;
    if (SLAB_MALLOC_ONLY) {
        skip();
    }
    begin();
    take(blocks, MANY);
    give(blocks, MANY);
    assert_int_equal(list_of(0)->count, SPARES_CHAIN_BLOCKS_MAX);
    assert_non_null(list_of(0)->full);
    assert_non_null(atomic_load(&node.surplus.chains[slab_class(BYTES)]));
    end();
}

/* One scheduler makes what the other lets go, again and again. */
static void
surplus_goes_round(void **state)
{
    (void)state;
    if (SLAB_MALLOC_ONLY) {
        skip();
    }
    begin();
    unsigned fresh = 0;
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < SPARES_CHAIN_BLOCKS_MAX; i++) {
            be(0);
            fresh += list_of(0)->first == NULL && list_of(0)->full == NULL &&
                     atomic_load(&node.surplus.chains[slab_class(BYTES)]) == NULL;
            void *block = spares_take(BYTES);
            be(1);
            spares_give(block, BYTES);
        }
    }
    assert_true(fresh <= 3 * SPARES_CHAIN_BLOCKS_MAX);
    end();
}

static void
quiet_gives_back(void **state)
{
    (void)state;
    begin();
    take(blocks, MANY);
    give(blocks, MANY);
    spares_trim(&schedulers[0].spares, &node.surplus);
    if (!SLAB_MALLOC_ONLY) {
        assert_non_null(list_of(0)->first); /* it was in use until now */
    }
    spares_trim(&schedulers[0].spares, &node.surplus);
    assert_null(list_of(0)->first);
    assert_null(list_of(0)->full);
    assert_null(atomic_load(&node.surplus.chains[slab_class(BYTES)]));
    take(blocks, 1);
    give(blocks, 1);
    end();
}

static void
any_thread_may(void **state)
{
    (void)state;
    begin();
    take(blocks, 2);
    scheduler_self = NULL;
    give(blocks, 1);
    take(blocks, 1);
    be(1);
    give(blocks, 2);
    be(0);
    assert_null(list_of(0)->first);
    end();
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a block holds what was asked for", sizes_hold),
        SPEC("what was given back last is taken first", given_back_is_taken_again),
        SPEC("two chains are kept, and one for other schedulers", kept_up_to_a_bound),
        SPEC("a scheduler that only takes gets what another only gives", surplus_goes_round),
        SPEC("a size of which none has moved for a while is given back", quiet_gives_back),
        SPEC("a thread that is no scheduler's takes and gives as well", any_thread_may),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
