/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/pending.h"

#include "runtime/check.h"
#include "tests/actors/in_an_actor.h"
#include "tests/store/chance.h"

enum {
    MANY = 64,       /* commands_unanswered_max */
    FEW = 8,         /* so many need no index */
    APART = 64,      /* between two requests of a connection, when as many others ask by turns */
    STEPS = 20000,   /* of the story by chance */
    REQUESTS = 3000, /* it draws from */
};

/* A command of this number. */
static struct pending *
asks(struct pending_list *list, uint64_t number, uint64_t request)
{
    struct pending *pending = ln_alloc(sizeof *pending);
    pending->number = number;
    pending_list_add(list, pending, request);
    return pending;
}

/* The number of the one that is found, which is over with it; 0: none was. */
static uint64_t
answered(struct pending_list *list, uint64_t request)
{
    struct pending *pending = pending_list_take(list, request);
    uint64_t number = pending != NULL ? pending->number : 0;
    ASSERT(pending == NULL || pending->request == request);
    ln_free(pending);
    return number;
}

static void
is_empty(const struct pending_list *list)
{
    ASSERT(list->first == NULL && list->count == 0 && list->index == NULL);
}

/* --------------------------------------------------------------------------------- in any order */

/* Those that are left, in their order, from either end. */
static void
numbers_rise(const struct pending_list *list)
{
    unsigned count = 0;
    uint64_t number = 0;
    const struct pending *last = NULL;
    for (const struct pending *at = list->first; at != NULL; at = at->next) {
        ASSERT(at->number > number && (last == NULL || at->before == last));
        number = at->number;
        last = at;
        count++;
    }
    ASSERT(count == list->count && (last == NULL || list->first->before == last));
}

static void
in_any_order(void *state)
{
    (void)state;
    for (unsigned stride = 1; stride < MANY; stride += 2) { /* each visits all of them */
        struct pending_list list = {0};
        for (uint64_t number = 1; number <= MANY; number++) {
            (void)asks(&list, number, number * APART);
        }
        ASSERT(answered(&list, APART / 2) == 0 && answered(&list, APART + APART / 2) == 0);
        for (unsigned i = 0; i < MANY; i++) {
            uint64_t number = 1 + i * stride % MANY;
            ASSERT(answered(&list, number * APART) == number);
            ASSERT(answered(&list, number * APART) == 0);
            numbers_rise(&list);
        }
        is_empty(&list);
    }
}

static void
answers_come_in_any_order(void **state)
{
    (void)state;
    in_an_actor(in_any_order);
}

/* ------------------------------------------------------------------------------ shared, put off */

/* Receipts may: one request is the answer to all of them. */
static void
shared(void *state)
{
    (void)state;
    for (unsigned count = 2; count <= MANY; count += 2) {
        struct pending_list list = {0};
        for (uint64_t number = 1; number <= count; number++) {
            (void)asks(&list, number, 1 + number % 2); /* by turns */
        }
        for (uint64_t i = 0; i < count / 2; i++) {
            ASSERT(answered(&list, 2) == 2 * i + 1);
            numbers_rise(&list);
        }
        ASSERT(answered(&list, 2) == 0 && list.count == count / 2);
        for (uint64_t i = 1; list.count > 0; i++) {
            ASSERT(answered(&list, 1) == 2 * i);
        }
        is_empty(&list);
    }
}

static void
several_share_a_request(void **state)
{
    (void)state;
    in_an_actor(shared);
}

/* Every second one waits to be asked again, and is, from behind. */
static void
put_off(void *state)
{
    (void)state;
    for (unsigned count = 2; count <= MANY; count += 2) {
        struct pending_list list = {0};
        struct pending *waits[MANY / 2];
        for (uint64_t number = 1; number <= count; number++) {
            struct pending *pending = asks(&list, number, number % 2 * number);
            waits[(number - 1) / 2] = pending;
        }
        for (unsigned i = count / 2; i-- > 0;) {
            ASSERT(waits[i]->request == 0 && answered(&list, 1000 + i) == 0);
            pending_list_asked(&list, waits[i], 1000 + i);
            numbers_rise(&list);
        }
        for (unsigned i = 0; i < count / 2; i++) {
            ASSERT(answered(&list, 1000 + i) == 2 * i + 2 &&
                   answered(&list, 2 * i + 1) == 2 * i + 1);
            numbers_rise(&list);
        }
        is_empty(&list);
    }
}

static void
what_was_put_off_is_asked_in_its_place(void **state)
{
    (void)state;
    in_an_actor(put_off);
}

/* --------------------------------------------------------------------------------------- memory */

static void
indexed(void *state)
{
    (void)state;
    struct pending_list list = {0};
    for (uint64_t number = 1; number <= FEW; number++) {
        (void)asks(&list, number, number);
        ASSERT(list.index == NULL);
    }
    (void)asks(&list, FEW + 1, FEW + 1);
    const struct pending_index *index = list.index;
    ASSERT(index != NULL);
    for (uint64_t number = FEW + 1; number > 1; number--) {
        ASSERT(answered(&list, number) == number && list.index == index);
    }
    (void)asks(&list, 2, 2);
    ASSERT(answered(&list, 1) == 1 && list.index == index && answered(&list, 2) == 2);
    is_empty(&list);
}

static void
only_many_have_an_index(void **state)
{
    (void)state;
    in_an_actor(indexed);
}

/* ------------------------------------------------------------------------------------ by chance */

/* The same, as simple as can be. */
struct model {
    unsigned count;
    struct pending *pendings[MANY];
};

static void
is_as_in(const struct model *model, const struct pending_list *list)
{
    const struct pending *at = list->first;
    for (unsigned i = 0; i < model->count; i++, at = at->next) {
        ASSERT(at == model->pendings[i]);
        ASSERT(at->before == model->pendings[i > 0 ? i - 1 : model->count - 1]);
    }
    ASSERT(at == NULL && list->count == model->count);
}

static unsigned
place_of(const struct model *model, const struct pending *pending)
{
    unsigned at = 0;
    while (at < model->count && model->pendings[at] != pending) {
        at++;
    }
    ASSERT(at < model->count);
    return at;
}

static unsigned
asked_for(const struct model *model, uint64_t request)
{
    unsigned count = 0;
    for (unsigned i = 0; i < model->count; i++) {
        count += model->pendings[i]->request == request;
    }
    return count;
}

/* What has this request is taken, one by one. */
static void
take_all(struct model *model, struct pending_list *list, uint64_t request)
{
    struct pending *taken;
    unsigned count = asked_for(model, request);
    for (; (taken = pending_list_take(list, request)) != NULL; count--) {
        ASSERT(count > 0 && taken->request == request);
        unsigned at = place_of(model, taken);
        model->count--;
        for (; at < model->count; at++) {
            model->pendings[at] = model->pendings[at + 1];
        }
        ln_free(taken);
        is_as_in(model, list);
    }
    ASSERT(count == 0);
}

static void
add(struct model *model, struct pending_list *list, uint64_t request)
{
    struct pending *pending = ln_alloc(sizeof *pending);
    pending_list_add(list, pending, request);
    model->pendings[model->count++] = pending;
}

/* Where it fills up it does so until it is full. */
static void
step(struct model *model, struct pending_list *list, struct chance *chance, bool fills)
{
    uint64_t drawn = chance_below(chance, 8);
    uint64_t request = 1 + chance_below(chance, REQUESTS);
    if (model->count == 0) {
        add(model, list, request);
        return;
    }
    struct pending *any = model->pendings[chance_below(chance, model->count)];
    if (any->request == 0 && drawn < 4) {
        pending_list_asked(list, any, request);
    } else if (model->count < MANY && drawn < (fills ? 6 : 3)) {
        bool shares = drawn == 0; /* or waits, as that one does */
        add(model, list, shares ? any->request : drawn == 1 ? 0 : request);
    } else {
        take_all(model, list, any->request != 0 ? any->request : request);
    }
}

static void
by_chance(void *state)
{
    (void)state;
    struct chance chance = {1};
    struct model model = {0};
    struct pending_list list = {0};
    unsigned full = 0, empty = 0;
    for (unsigned i = 0; i < STEPS; i++) {
        step(&model, &list, &chance, i / 500 % 2 == 0);
        is_as_in(&model, &list);
        full += model.count == MANY;
        empty += model.count == 0;
    }
    ASSERT(full > 100 && empty > 100);
    while (model.count > 0) {
        if (list.first->request == 0) {
            pending_list_asked(&list, list.first, REQUESTS + 1);
        }
        take_all(&model, &list, list.first->request);
    }
    is_empty(&list);
}

static void
it_is_as_a_plain_list_would_be(void **state)
{
    (void)state;
    in_an_actor(by_chance);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("whatever order answers come in, each finds its command, and the others keep theirs",
             answers_come_in_any_order),
        SPEC("several that share a request are found in their order", several_share_a_request),
        SPEC("what waits to be asked again is found by what it is asked then, and keeps its place",
             what_was_put_off_is_asked_in_its_place),
        SPEC("only many have an index, and once none is left no memory is held",
             only_many_have_an_index),
        SPEC("whatever comes, it is as a plain list would be", it_is_as_a_plain_list_would_be),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
