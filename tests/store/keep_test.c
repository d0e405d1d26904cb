/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keep.h"
#include "store/record.h"
#include "tests/spec.h"

#include <string.h>

enum { PARTITION = 3, USERS = 100, MESSAGES = 10 };

static void
put(struct table *table, enum record_table kind, uint64_t owner, uint64_t a, enum table_state state,
    const char *value)
{
    struct store_key key = record_key(PARTITION, kind, owner, a);
    table_put(table, &key, state,
              (struct store_value){(const unsigned char *)value, strlen(value)});
}

static bool
has(const struct table *table, enum record_table kind, uint64_t owner, uint64_t a,
    enum table_state state, const char *value)
{
    struct store_key key = record_key(PARTITION, kind, owner, a);
    struct table_entry entry;
    return table_get(table, &key, &entry) && entry.state == state &&
           entry.value.count == strlen(value) &&
           (entry.value.count == 0 || memcmp(entry.value.bytes, value, entry.value.count) == 0);
}

/* So many messages for each of them, who have a head, a chat, and a device that is gone. */
static struct table *
table_of_users(unsigned messages)
{
    struct table *table = table_new(1);
    for (uint64_t user = 1; user <= USERS; user++) {
        put(table, RECORD_HEAD, user, 0, TABLE_WRITTEN, "head");
        put(table, RECORD_USER, user, 0, TABLE_FETCHED, "user");
        put(table, RECORD_CHAT, user, 7, TABLE_WRITTEN, "chat");
        put(table, RECORD_DEVICE, user, 1, TABLE_DELETED, "");
        put(table, RECORD_WINDOW, user, 1, TABLE_MISSING, "");
        put(table, RECORD_CALLS, user, 0, TABLE_WRITTEN, "calls");
        for (unsigned i = 1; i <= messages; i++) {
            put(table, RECORD_INBOX, user, i, TABLE_WRITTEN, "a message");
            put(table, RECORD_HISTORY, user, i, TABLE_WRITTEN, "a message once more");
            put(table, RECORD_OUTBOX, user, i, TABLE_DELETED, "");
        }
    }
    return table;
}

static struct table *
table_of_messages(unsigned count)
{
    struct table *table = table_new(1);
    for (unsigned i = 1; i <= count; i++) {
        put(table, RECORD_INBOX, UINT64_MAX, i, TABLE_WRITTEN, "a message");
    }
    return table;
}

static void
keeps_records_but_no_messages(void **state)
{
    (void)state;
    struct table *folded = table_of_users(MESSAGES);
    struct table *kept = keep_new(folded, 1);
    assert_non_null(kept);
    for (uint64_t user = 1; user <= USERS; user++) {
        assert_true(has(kept, RECORD_HEAD, user, 0, TABLE_FETCHED, "head"));
        assert_true(has(kept, RECORD_USER, user, 0, TABLE_FETCHED, "user"));
        assert_true(has(kept, RECORD_CHAT, user, 7, TABLE_FETCHED, "chat"));
        assert_true(has(kept, RECORD_DEVICE, user, 1, TABLE_MISSING, ""));
        assert_true(has(kept, RECORD_WINDOW, user, 1, TABLE_MISSING, ""));
        assert_true(has(kept, RECORD_CALLS, user, 0, TABLE_FETCHED, "calls"));
    }
    assert_int_equal(table_entries(kept), USERS * 6);
    assert_int_equal(table_dirty_entries(kept), 0);
    assert_true(table_valid(kept));
    assert_true(table_bytes(kept) < table_bytes(folded) / 3);
    table_free(&kept);
    table_free(&folded);
}

static void
copies_nothing_where_little_would_go(void **state)
{
    (void)state;
    struct table *folded = table_of_users(0);
    assert_null(keep_new(folded, 1));
    put(folded, RECORD_INBOX, 1, 1, TABLE_WRITTEN, "the only one");
    assert_null(keep_new(folded, 1));
    table_free(&folded);
    folded = table_of_messages(255);
    assert_null(keep_new(folded, 1));
    table_free(&folded);
}

static void
a_table_of_messages_alone_leaves_nothing(void **state)
{
    (void)state;
    struct table *folded = table_of_messages(256);
    struct table *kept = keep_new(folded, 1);
    assert_non_null(kept);
    assert_int_equal(table_entries(kept), 0);
    table_free(&kept);
    table_free(&folded);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("of a folded table all records stay as LMDB has them, and no messages",
             keeps_records_but_no_messages),
        SPEC("where no more than a quarter would go nothing is copied, nor of a small table",
             copies_nothing_where_little_would_go),
        SPEC("of a table of messages alone nothing stays",
             a_table_of_messages_alone_leaves_nothing),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
