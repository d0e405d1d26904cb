/* SPDX-License-Identifier: Apache-2.0 */
/* A window over the items: those below `sent` have been asked for at least once. What the store had
 * no room for is asked again, which keeps its place in the window; an answer finds its item by its
 * reference among those under way. */
#include "actors/accounts.h"
#include "actors/name.h"

#include <errno.h>
#include <string.h>

enum {
    /* What a partition without room needs to get some. */
    PAUSE_MS = 5,
    NOT_TRIED = 1,
};

struct import {
    struct messenger *messenger;
    struct accounts_item *items;
    unsigned count;
    unsigned sent;
    unsigned waiting;                        /* of `window` */
    unsigned window[ACCOUNTS_IMPORT_WINDOW]; /* places of the items under way */
};

/* Asks for an item; false: it can't be asked for, its error says why. */
static bool
item_ask(struct import *import, struct accounts_item *item)
{
    struct ln_msg *request =
        ln_msg_new(STORE_USER_CREATE, LN_DURABLE, sizeof(struct store_user_create));
    struct store_user_create *create = (struct store_user_create *)(void *)request->data;
    bool device_named = item->device_name[0] != '\0';
    if (name_fault(item->name, strlen(item->name)) != NULL ||
        !accounts_name(item->name, &create->name) ||
        (device_named && !accounts_name(item->device_name, &create->device_name))) {
        item->error = -EINVAL;
        ln_msg_free(&request);
        return false;
    }
    create->with_device = true;
    auth_token_hash(item->token.secret, create->token_hash);
    item->tries++;
    item->ref = ln_request(
        store_name_pid(import->messenger->store, create->name.text, create->name.bytes), &request);
    return true;
}

static void
window_fill(struct import *import)
{
    while (import->sent < import->count && import->waiting < ACCOUNTS_IMPORT_WINDOW) {
        unsigned place = import->sent++;
        struct accounts_item *item = &import->items[place];
        ln_random(item->token.secret, sizeof item->token.secret);
        if (item_ask(import, item)) {
            import->window[import->waiting++] = place;
        }
    }
}

static bool
answer_match(const struct ln_msg *msg, void *context)
{
    const struct import *import = context;
    if ((msg->flags & LN_MSG_ANSWER) == 0) {
        return false;
    }
    for (unsigned i = 0; i < import->waiting; i++) {
        if (import->items[import->window[i]].ref == msg->ref) {
            return true;
        }
    }
    return false;
}

/* Returns false when the item has to be asked for again. */
static bool
item_settle(struct accounts_item *item, const struct ln_msg *answer)
{
    if (answer->error == -EAGAIN && item->tries < ACCOUNTS_IMPORT_TRIES) {
        return false;
    }
    item->error = answer->error;
    if (answer->error == 0) {
        ASSERT(answer->bytes >= sizeof(struct store_user_created));
        struct store_user_created created;
        memcpy(&created, answer->data, sizeof created);
        item->token.user = created.user;
        item->token.device = created.device;
    }
    return true;
}

static int
answer_take(struct import *import)
{
    struct ln_msg *answer = NULL;
    int error = ln_receive_match(answer_match, import, ACCOUNTS_TIMEOUT_MS, &answer);
    if (error < 0) {
        return error;
    }
    unsigned at = 0;
    while (import->items[import->window[at]].ref != answer->ref) {
        at++;
        ASSERT(at < import->waiting);
    }
    struct accounts_item *item = &import->items[import->window[at]];
    bool settled = item_settle(item, answer);
    ln_msg_free(&answer);
    if (settled) {
        import->window[at] = import->window[--import->waiting];
        return 0;
    }
    error = ln_sleep(PAUSE_MS);
    (void)item_ask(import, item); /* it could be asked for before, and nothing of it has changed */
    return error;
}

int
accounts_import(struct messenger *messenger, struct accounts_item *items, unsigned count)
{
    struct import *import = ln_alloc(sizeof *import);
    import->messenger = messenger;
    import->items = items;
    import->count = count;
    for (unsigned i = 0; i < count; i++) {
        items[i].error = NOT_TRIED;
        items[i].tries = 0;
    }
    int error = 0;
    window_fill(import);
    while (error == 0 && import->waiting > 0) {
        error = answer_take(import);
        if (error == 0) {
            window_fill(import);
        }
    }
    for (unsigned i = 0; i < import->waiting; i++) {
        items[import->window[i]].error = error;
    }
    ln_free(import);
    return error == -ETIMEDOUT ? 0 : error;
}
