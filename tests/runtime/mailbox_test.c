/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mailbox.h"
#include "runtime/node_priv.h"
#include "tests/spec.h"

#include <string.h>

/* A mailbox alone, on a scheduler that never turns: messages need its memory. */

static struct ln_node node;
static struct scheduler scheduler;
static struct mailbox box;
static struct mailbox_marks marks;
static const struct ln_behaviour limits = {.name = "limits", .durable_max = 5, .lossy_max = 3};
/* Room for three messages of 100 bytes each. */
enum { HEAD_BYTES = sizeof(struct ln_msg), ROOM_BYTES = 3 * (HEAD_BYTES + 100) };
static const struct ln_behaviour narrow = {
    .name = "narrow", .durable_bytes_max = ROOM_BYTES, .lossy_bytes_max = ROOM_BYTES};

static int
set_up(void **state)
{
    (void)state;
    memset(&node, 0, sizeof node);
    memset(&scheduler, 0, sizeof scheduler);
    mailbox_init(&box, &limits);
    memset(&marks, 0, sizeof marks);
    scheduler.node = &node;
    slab_init(&scheduler.slab);
    scheduler_self = &scheduler;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    struct ln_msg *msg;
    while ((msg = mailbox_pop(&box)) != NULL) {
        ln_msg_free(&msg);
    }
    bool all_freed = slab_blocks_used(&scheduler.slab) == 0;
    slab_fini(&scheduler.slab);
    scheduler_self = NULL;
    return all_freed ? 0 : -1;
}

static enum mailbox_verdict
push(uint32_t tag, enum ln_lane lane, uint32_t key, ln_pid from, uint32_t value)
{
    struct ln_msg *msg = ln_msg_new(tag, lane, sizeof value);
    msg->key = key;
    msg->from = from;
    memcpy(msg->data, &value, sizeof value);
    enum mailbox_verdict verdict = mailbox_push(&box, &limits, &msg);
    assert_int_equal(msg == NULL, verdict != MAILBOX_REFUSED);
    ln_msg_free(&msg);
    return verdict;
}

/* A message of so many bytes, of which the last `shared` lie in a payload. */
static enum mailbox_verdict
push_bytes(enum ln_lane lane, uint32_t key, size_t bytes, size_t shared)
{
    struct ln_msg *msg = ln_msg_new(1, lane, bytes - shared);
    msg->key = key;
    msg->buffer = shared > 0 ? ln_buffer_new(shared) : NULL;
    enum mailbox_verdict verdict = mailbox_push(&box, &narrow, &msg);
    assert_int_equal(msg == NULL, verdict != MAILBOX_REFUSED);
    ln_msg_free(&msg);
    return verdict;
}

static void
expect_bytes(uint64_t durable, uint64_t lossy)
{
    uint32_t lanes[LN_LANES];
    uint64_t lane_bytes[LN_LANES];
    (void)mailbox_count(&box, lanes, lane_bytes);
    assert_int_equal(lane_bytes[LN_DURABLE], durable + (uint64_t)lanes[LN_DURABLE] * HEAD_BYTES);
    assert_int_equal(lane_bytes[LN_LOSSY], lossy + (uint64_t)lanes[LN_LOSSY] * HEAD_BYTES);
    assert_int_equal(ROOM_BYTES - box.durable_room_bytes, lane_bytes[LN_DURABLE]);
    assert_int_equal(box.lossy_bytes, lane_bytes[LN_LOSSY]);
}

static void
pop_one(void)
{
    struct ln_msg *msg = mailbox_pop(&box);
    assert_non_null(msg);
    ln_msg_free(&msg);
}

static uint32_t
value_of(const struct ln_msg *msg)
{
    uint32_t value;
    memcpy(&value, msg->data, sizeof value);
    return value;
}

static void
expect_next(uint32_t tag, uint32_t value)
{
    struct ln_msg *msg = mailbox_pop(&box);
    assert_non_null(msg);
    assert_int_equal(msg->tag, tag);
    assert_int_equal(value_of(msg), value);
    ln_msg_free(&msg);
}

static void
serves_in_order(void **state)
{
    (void)state;
    assert_true(mailbox_empty(&box));
    assert_null(mailbox_pop(&box));
    push(1, LN_DURABLE, 0, 9, 10);
    push(2, LN_REPLY, 0, 9, 20);
    push(3, LN_LOSSY, 0, 9, 30);
    push(4, LN_DURABLE, 0, 9, 40);
    uint32_t lanes[LN_LANES];
    uint64_t lane_bytes[LN_LANES];
    assert_int_equal(mailbox_count(&box, lanes, lane_bytes), 4);
    expect_next(1, 10);
    expect_next(2, 20);
    expect_next(3, 30);
    expect_next(4, 40);
    assert_true(mailbox_empty(&box));
}

static void
system_overtakes(void **state)
{
    (void)state;
    push(1, LN_REPLY, 0, 9, 1);
    push(2, LN_SYSTEM, 0, 9, 2);
    push(3, LN_SYSTEM, 0, 9, 3);
    expect_next(2, 2);
    expect_next(3, 3);
    expect_next(1, 1);
}

static void
system_leaves_places(void **state)
{
    (void)state;
    enum { ROUNDS = 3 };
    for (uint32_t i = 0; i < ROUNDS * LN_OVERTAKES_MAX + 5; i++) {
        push(1, LN_SYSTEM, 0, 9, i);
    }
    for (uint32_t i = 0; i < ROUNDS + 1; i++) {
        push(2, LN_DURABLE, 0, 9, i);
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < LN_OVERTAKES_MAX; i++) {
            expect_next(1, round * LN_OVERTAKES_MAX + i);
        }
        expect_next(2, round);
    }
    for (uint32_t i = 0; i < 5; i++) {
        expect_next(1, ROUNDS * LN_OVERTAKES_MAX + i);
    }
    push(2, LN_DURABLE, 0, 9, ROUNDS + 1);
    for (uint32_t i = 5; i < LN_OVERTAKES_MAX; i++) { /* one at a time: still in a row */
        push(1, LN_SYSTEM, 0, 9, i);
        expect_next(1, i);
    }
    push(1, LN_SYSTEM, 0, 9, 0);
    expect_next(2, ROUNDS);
    expect_next(1, 0);
    expect_next(2, ROUNDS + 1);
}

static void
durable_is_refused(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(push(1, LN_DURABLE, 0, 9, i), MAILBOX_TAKEN);
    }
    assert_int_equal(push(1, LN_DURABLE, 0, 9, 5), MAILBOX_REFUSED);
    assert_int_equal(push(2, LN_REPLY, 0, 9, 6), MAILBOX_TAKEN);
    assert_int_equal(push(3, LN_SYSTEM, 0, 9, 7), MAILBOX_TAKEN);
    expect_next(3, 7);
    expect_next(1, 0);
    assert_int_equal(push(1, LN_DURABLE, 0, 9, 8), MAILBOX_TAKEN);
}

static void
lossy_coalesces(void **state)
{
    (void)state;
    assert_int_equal(push(1, LN_LOSSY, 7, 9, 1), MAILBOX_TAKEN);
    assert_int_equal(push(1, LN_DURABLE, 7, 9, 2), MAILBOX_TAKEN);
    assert_int_equal(push(1, LN_LOSSY, 7, 9, 3), MAILBOX_COALESCED);
    assert_int_equal(push(1, LN_LOSSY, 7, 8, 4), MAILBOX_TAKEN); /* another sender */
    assert_int_equal(push(2, LN_LOSSY, 7, 9, 5), MAILBOX_TAKEN); /* another tag */
    expect_next(1, 3);
    expect_next(1, 2);
    expect_next(1, 4);
    expect_next(2, 5);
}

static void
lossy_is_dropped(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(push(1, LN_LOSSY, 0, 9, i), MAILBOX_TAKEN); /* no key: never one */
    }
    assert_int_equal(push(1, LN_LOSSY, 0, 9, 3), MAILBOX_DROPPED);
    expect_next(1, 0);
    assert_int_equal(push(1, LN_LOSSY, 0, 9, 4), MAILBOX_TAKEN);
}

static void
durable_bytes_are_bounded(void **state)
{
    (void)state;
    mailbox_init(&box, &narrow);
    assert_int_equal(push_bytes(LN_DURABLE, 0, 100, 0), MAILBOX_TAKEN);
    assert_int_equal(push_bytes(LN_DURABLE, 0, 100, 0), MAILBOX_TAKEN);
    assert_int_equal(push_bytes(LN_DURABLE, 0, 101, 0), MAILBOX_REFUSED);
    assert_int_equal(push_bytes(LN_DURABLE, 0, 100, 0), MAILBOX_TAKEN);
    expect_bytes(300, 0);
    assert_int_equal(push_bytes(LN_DURABLE, 0, 0, 0), MAILBOX_REFUSED);
    assert_int_equal(push_bytes(LN_REPLY, 0, 1000, 0), MAILBOX_TAKEN);
    assert_int_equal(push_bytes(LN_SYSTEM, 0, 1000, 0), MAILBOX_TAKEN);
    assert_int_equal(push_bytes(LN_LOSSY, 0, 100, 0), MAILBOX_TAKEN);
    expect_bytes(300, 100);
    pop_one(); /* of the system lane: no room comes of it */
    assert_int_equal(push_bytes(LN_DURABLE, 0, 0, 0), MAILBOX_REFUSED);
    pop_one();
    assert_int_equal(push_bytes(LN_DURABLE, 0, 100, 0), MAILBOX_TAKEN);
    expect_bytes(300, 100);
}

static void
payloads_count(void **state)
{
    (void)state;
    mailbox_init(&box, &narrow);
    assert_int_equal(push_bytes(LN_DURABLE, 0, 100, 60), MAILBOX_TAKEN);
    assert_int_equal(push_bytes(LN_DURABLE, 0, 100, 100), MAILBOX_TAKEN);
    assert_int_equal(push_bytes(LN_DURABLE, 0, 101, 100), MAILBOX_REFUSED);
    assert_int_equal(push_bytes(LN_DURABLE, 0, 100, 1), MAILBOX_TAKEN);
    expect_bytes(300, 0);
    pop_one();
    expect_bytes(200, 0);
    pop_one();
    pop_one();
    expect_bytes(0, 0);
}

static void
larger_than_the_limit(void **state)
{
    (void)state;
    mailbox_init(&box, &narrow);
    size_t fits = ROOM_BYTES - HEAD_BYTES;
    assert_int_equal(push_bytes(LN_DURABLE, 0, fits + 1, 0), MAILBOX_REFUSED);
    assert_int_equal(push_bytes(LN_DURABLE, 0, fits + 1, fits), MAILBOX_REFUSED);
    assert_int_equal(push_bytes(LN_DURABLE, 0, fits, fits), MAILBOX_TAKEN);
    assert_int_equal(push_bytes(LN_LOSSY, 0, fits + 1, 0), MAILBOX_DROPPED);
    assert_int_equal(push_bytes(LN_LOSSY, 0, fits, 0), MAILBOX_TAKEN);
    expect_bytes(fits, fits);
}

static void
lossy_bytes_are_bounded(void **state)
{
    (void)state;
    mailbox_init(&box, &narrow);
    assert_int_equal(push_bytes(LN_LOSSY, 1, 100, 100), MAILBOX_TAKEN);
    assert_int_equal(push_bytes(LN_LOSSY, 2, 100, 0), MAILBOX_TAKEN);
    assert_int_equal(push_bytes(LN_LOSSY, 0, 101, 0), MAILBOX_DROPPED);
    assert_int_equal(push_bytes(LN_LOSSY, 1, 150, 150), MAILBOX_COALESCED); /* it grows */
    expect_bytes(0, 250);
    assert_int_equal(push_bytes(LN_LOSSY, 3, 100, 0), MAILBOX_DROPPED);
    assert_int_equal(push_bytes(LN_LOSSY, 1, 201 + HEAD_BYTES, 201 + HEAD_BYTES), MAILBOX_DROPPED);
    expect_bytes(0, 250); /* and the older one stays */
    assert_int_equal(push_bytes(LN_LOSSY, 1, 200 + HEAD_BYTES, 200 + HEAD_BYTES),
                     MAILBOX_COALESCED);
    assert_int_equal(push_bytes(LN_LOSSY, 1, 50, 50), MAILBOX_COALESCED);
    expect_bytes(0, 150);
    pop_one();
    expect_bytes(0, 100);
}

static void
payloads_go_along(void **state)
{
    (void)state;
    struct ln_buffer *first = ln_buffer_new(4);
    struct ln_buffer *second = ln_buffer_new(4);
    struct ln_msg *msg = ln_msg_new(1, LN_LOSSY, 0);
    msg->key = 1;
    msg->buffer = ln_buffer_get(first);
    assert_int_equal(mailbox_push(&box, &limits, &msg), MAILBOX_TAKEN);
    msg = ln_msg_new(1, LN_LOSSY, 0);
    msg->key = 1;
    msg->buffer = ln_buffer_get(second);
    assert_int_equal(mailbox_push(&box, &limits, &msg), MAILBOX_COALESCED);
    msg = mailbox_pop(&box);
    assert_ptr_equal(msg->buffer, second);
    ln_msg_free(&msg);
    ln_buffer_put(&first); /* the last references: a leak or a double free is found */
    ln_buffer_put(&second);
}

static bool
is_value(const struct ln_msg *msg, void *context)
{
    return value_of(msg) == *(uint32_t *)context;
}

static void
takes_the_first_match(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        push(1, LN_DURABLE, 0, 9, i);
        push(2, LN_LOSSY, 0, 9, i);
    }
    uint32_t wanted = 2;
    struct ln_msg *msg = mailbox_pop_match(&box, &marks, is_value, &wanted);
    assert_int_equal(msg->tag, 1);
    ln_msg_free(&msg);
    msg = mailbox_pop_match(&box, &marks, is_value, &wanted);
    assert_int_equal(msg->tag, 2);
    ln_msg_free(&msg);
    assert_null(mailbox_pop_match(&box, &marks, is_value, &wanted));
    expect_next(1, 0);
    expect_next(2, 0);
    expect_next(1, 1);
    expect_next(2, 1);
}

/* ------------------------------------------------------------------------ against a plain model */

struct entry {
    uint32_t tag, value, key, bytes, shared;
    enum ln_lane lane;
    bool marked; /* it came before the newest mark */
};

enum { MODEL_BYTES_MAX = 1500, MODEL_MAX = 400 };
static const struct ln_behaviour model_limits = {.name = "model limits",
                                                 .durable_max = 5,
                                                 .lossy_max = 4,
                                                 .durable_bytes_max = MODEL_BYTES_MAX,
                                                 .lossy_bytes_max = MODEL_BYTES_MAX};

static struct entry model[MODEL_MAX];
static unsigned model_count, model_overtakes;
static uint64_t chance_state;

static uint32_t
chance(uint32_t below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (uint32_t)(chance_state % below);
}

static unsigned
model_lane_count(enum ln_lane lane)
{
    unsigned count = 0;
    for (unsigned i = 0; i < model_count; i++) {
        count += model[i].lane == lane;
    }
    return count;
}

static uint32_t
model_lane_bytes(enum ln_lane lane)
{
    uint32_t bytes = 0;
    for (unsigned i = 0; i < model_count; i++) {
        bytes += model[i].lane == lane ? HEAD_BYTES + model[i].bytes + model[i].shared : 0;
    }
    return bytes;
}

static bool
model_fits(const struct entry *entry, uint32_t instead_of_bytes)
{
    return model_lane_bytes(entry->lane) - instead_of_bytes + HEAD_BYTES + entry->bytes +
               entry->shared <=
           MODEL_BYTES_MAX;
}

static bool
model_replace(struct entry entry)
{
    for (unsigned i = 0; i < model_count; i++) {
        struct entry *old = &model[i];
        if (old->lane == LN_LOSSY && old->key == entry.key && old->tag == entry.tag) {
            bool fits = old->bytes == entry.bytes &&
                        model_fits(&entry, HEAD_BYTES + old->bytes + old->shared);
            entry.marked = old->marked;
            *old = fits ? entry : *old;
            return fits;
        }
    }
    return false;
}

static enum mailbox_verdict
model_push(struct entry entry)
{
    if (entry.lane == LN_DURABLE &&
        (model_lane_count(LN_DURABLE) == model_limits.durable_max || !model_fits(&entry, 0))) {
        return MAILBOX_REFUSED;
    }
    if (entry.lane == LN_LOSSY && entry.key != 0 && model_replace(entry)) {
        return MAILBOX_COALESCED;
    }
    if (entry.lane == LN_LOSSY &&
        (model_lane_count(LN_LOSSY) == model_limits.lossy_max || !model_fits(&entry, 0))) {
        return MAILBOX_DROPPED;
    }
    model[model_count++] = entry;
    return MAILBOX_TAKEN;
}

static enum mailbox_verdict
entry_push(const struct entry *entry)
{
    struct ln_msg *msg = ln_msg_new(entry->tag, entry->lane, entry->bytes);
    msg->key = entry->key;
    msg->buffer = entry->shared > 0 ? ln_buffer_new(entry->shared) : NULL;
    memcpy(msg->data, &entry->value, sizeof entry->value);
    enum mailbox_verdict verdict = mailbox_push(&box, &model_limits, &msg);
    ln_msg_free(&msg);
    return verdict;
}

static struct entry
model_remove(unsigned at)
{
    struct entry removed = model[at];
    memmove(&model[at], &model[at + 1], (model_count - at - 1) * sizeof model[0]);
    model_count--;
    model_overtakes = removed.lane == LN_SYSTEM ? model_overtakes : 0;
    return removed;
}

/* The one whose turn it is. */
static unsigned
model_first(void)
{
    unsigned systems = model_lane_count(LN_SYSTEM);
    bool overtakes = systems > 0 && systems < model_count;
    bool passes = overtakes && model_overtakes == LN_OVERTAKES_MAX;
    unsigned first = 0;
    while (systems > 0 && (model[first].lane == LN_SYSTEM) == passes) {
        first++;
    }
    model_overtakes += overtakes && !passes;
    return first;
}

static unsigned
model_first_match(uint32_t value)
{
    for (int system = 1; system >= 0; system--) {
        for (unsigned i = 0; i < model_count; i++) {
            if ((model[i].lane == LN_SYSTEM) == (system == 1) && model[i].value == value) {
                return i;
            }
        }
    }
    return model_count;
}

static unsigned
model_first_behind(uint32_t value)
{
    unsigned i = 0;
    while (i < model_count &&
           (model[i].lane == LN_SYSTEM || model[i].marked || model[i].value != value)) {
        i++;
    }
    return i;
}

/* The pop that knows no marks is not for those who have some. */
static struct ln_msg *
model_pop(uint64_t ref, uint32_t wanted, unsigned *out_at)
{
    struct ln_msg *msg;
    switch (chance(3)) {
    case 0:
        *out_at = model_first();
        msg = ref == 0 ? mailbox_pop(&box) : mailbox_pop_any(&box, &marks);
        break;
    case 1:
        *out_at = model_first_match(wanted);
        msg = mailbox_pop_match(&box, &marks, is_value, &wanted);
        break;
    default:
        *out_at = ref != 0 ? model_first_behind(wanted) : model_count;
        msg = ref != 0 ? mailbox_pop_behind(&box, &marks, ref, is_value, &wanted) : NULL;
        break;
    }
    assert_int_equal(msg != NULL, *out_at < model_count);
    return msg;
}

static uint64_t model_ref; /* the newest mark's; 0: there is none */

static void
model_mark(void)
{
    mailbox_mark(&box, &marks, ++model_ref);
    for (unsigned i = 0; i < model_count; i++) {
        model[i].marked = true;
    }
}

static void
model_step(bool with_marks)
{
    struct ln_msg *msg;
    uint32_t wanted = chance(4);
    enum ln_lane lane = chance(2) == 0 ? LN_SYSTEM : (enum ln_lane)chance(LN_LANES);
    struct entry entry = {.tag = chance(2),
                          .value = chance(4),
                          .key = chance(3),
                          .bytes = 4 + chance(2) * 200,
                          .shared = chance(3) * 150,
                          .lane = lane};
    unsigned at;
    if (with_marks && chance(8) == 0) {
        model_mark();
    } else if (chance(4) != 0) {
        if (model_count < MODEL_MAX) {
            assert_int_equal(entry_push(&entry), model_push(entry));
        }
    } else if ((msg = model_pop(model_ref, wanted, &at)) != NULL) {
        entry = model_remove(at);
        assert_int_equal(msg->tag, entry.tag);
        assert_int_equal(value_of(msg), entry.value);
        ln_msg_free(&msg);
    }
}

static void
play_model(bool with_marks)
{
    chance_state = 88172645463325252u;
    model_count = 0;
    model_ref = 0;
    unsigned passed = 0;
    mailbox_init(&box, &model_limits);
    for (unsigned i = 0; i < 200000; i++) {
        bool near = model_overtakes == LN_OVERTAKES_MAX;
        model_step(with_marks);
        passed += near && model_overtakes == 0;
        assert_int_equal(mailbox_empty(&box), model_count == 0);
        assert_int_equal(MODEL_BYTES_MAX - box.durable_room_bytes, model_lane_bytes(LN_DURABLE));
        assert_int_equal(box.lossy_bytes, model_lane_bytes(LN_LOSSY));
    }
    uint32_t lanes[LN_LANES];
    uint64_t lane_bytes[LN_LANES];
    assert_int_equal(mailbox_count(&box, lanes, lane_bytes), model_count);
    assert_int_equal(lane_bytes[LN_DURABLE], model_lane_bytes(LN_DURABLE));
    assert_int_equal(lane_bytes[LN_LOSSY], model_lane_bytes(LN_LOSSY));
    assert_true(passed > 0);
}

static void
agrees_with_a_model(void **state)
{
    (void)state;
    play_model(false);
}

static void
agrees_with_a_model_of_marks(void **state)
{
    (void)state;
    play_model(true);
}

#define BOX_SPEC(title, function)                    \
    {                                                \
        (title), (function), set_up, tear_down, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        BOX_SPEC("messages of all lanes but system are served in the order of arrival",
                 serves_in_order),
        BOX_SPEC("the system lane overtakes", system_overtakes),
        BOX_SPEC("after 64 system messages in a row one of the others is served",
                 system_leaves_places),
        BOX_SPEC("a full durable lane refuses, and only that lane", durable_is_refused),
        BOX_SPEC("a lossy message replaces an older one of its sender, tag and key, in its place",
                 lossy_coalesces),
        BOX_SPEC("a full lossy lane drops the newest", lossy_is_dropped),
        BOX_SPEC("a durable lane without room in bytes refuses, until some are served",
                 durable_bytes_are_bounded),
        BOX_SPEC("a shared payload counts in full", payloads_count),
        BOX_SPEC("a message larger than the whole limit is refused or dropped",
                 larger_than_the_limit),
        BOX_SPEC("a lossy lane without room in bytes drops, what replaces an older one, too",
                 lossy_bytes_are_bounded),
        BOX_SPEC("a replaced message takes its shared payload with it", payloads_go_along),
        BOX_SPEC("the first match is taken, the rest keeps its order", takes_the_first_match),
        BOX_SPEC("whatever is pushed and popped, it does what a plain array would",
                 agrees_with_a_model),
        BOX_SPEC("so it does with marks, wherever they are taken from the queue",
                 agrees_with_a_model_of_marks),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
