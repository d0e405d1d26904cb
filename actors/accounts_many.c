/* SPDX-License-Identifier: Apache-2.0 */
/* Many users made, or removed. A window over the items: those below `sent` have been asked for at
 * least once. What the store had no room for is asked again, which keeps its place in the window;
 * an answer finds its item by its reference among those under way. */
#include "actors/accounts.h"
#include "actors/name.h"

#include <errno.h>
#include <string.h>

enum {
    /* What a partition without room needs to get some. */
    PAUSE_MS = 5,
    NOT_TRIED = -ECANCELED,
};

struct many;

/* What is done to each. */
struct deed {
    /* Asks for an item, or for what comes next of it; false: it can't be asked for, its error says
     * why. */
    bool (*ask)(struct many *many, struct accounts_item *item);
    /* Reads an answer without an error; false: there is more to ask. */
    bool (*take)(struct accounts_item *item, const struct ln_msg *answer);
};

struct many {
    const struct deed *deed;
    struct messenger *messenger;
    struct accounts_item *items;
    unsigned count;
    unsigned sent;
    unsigned waiting;                        /* of `window` */
    unsigned window[ACCOUNTS_IMPORT_WINDOW]; /* places of the items under way */
};

/* --------------------------------------------------------------------------------------- making */

static bool
user_make(struct many *many, struct accounts_item *item)
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
    if (item->tries == 0) {
        ln_random(item->token.secret, sizeof item->token.secret);
    }
    auth_token_hash(item->token.secret, create->token_hash);
    item->ref = ln_request(
        store_name_pid(many->messenger->store, create->name.text, create->name.bytes), &request);
    return true;
}

static bool
made_take(struct accounts_item *item, const struct ln_msg *answer)
{
    struct store_user_created created;
    ASSERT(answer->bytes >= sizeof created);
    memcpy(&created, answer->data, sizeof created);
    item->token.user = created.user;
    item->token.device = created.device;
    return true;
}

static const struct deed making = {user_make, made_take};

/* ------------------------------------------------------------------------------------- removing */

/* First by name, whose number is asked for; then by that. */
static bool
user_remove(struct many *many, struct accounts_item *item)
{
    struct store_name name;
    struct ln_msg *request;
    if (item->token.user == 0) {
        if (!accounts_name(item->name, &name)) {
            item->error = -ENOENT;
            return false;
        }
        request = ln_msg_new(STORE_NAME_FIND, LN_DURABLE, sizeof name);
        memcpy(request->data, &name, sizeof name);
        item->ref =
            ln_request(store_name_pid(many->messenger->store, name.text, name.bytes), &request);
    } else {
        struct store_user_id id = {.user = item->token.user};
        request = ln_msg_new(STORE_USER_REMOVE, LN_DURABLE, sizeof id);
        memcpy(request->data, &id, sizeof id);
        item->ref = ln_request(store_user_pid(many->messenger->store, id.user), &request);
    }
    return true;
}

static bool
removed_take(struct accounts_item *item, const struct ln_msg *answer)
{
    struct store_user_id id;
    if (item->token.user != 0) {
        return true;
    }
    ASSERT(answer->bytes >= sizeof id);
    memcpy(&id, answer->data, sizeof id);
    item->token.user = id.user;
    item->tries = 0;
    return false;
}

static const struct deed removing = {user_remove, removed_take};

/* ----------------------------------------------------------------------------------- the window */

static bool
item_ask(struct many *many, struct accounts_item *item)
{
    bool asked = many->deed->ask(many, item);
    item->tries += asked;
    return asked;
}

static void
window_fill(struct many *many)
{
    while (many->sent < many->count && many->waiting < ACCOUNTS_IMPORT_WINDOW) {
        unsigned place = many->sent++;
        struct accounts_item *item = &many->items[place];
        if (item_ask(many, item)) {
            many->window[many->waiting++] = place;
        }
    }
}

static bool
answer_match(const struct ln_msg *msg, void *context)
{
    const struct many *many = context;
    if ((msg->flags & LN_MSG_ANSWER) == 0) {
        return false;
    }
    for (unsigned i = 0; i < many->waiting; i++) {
        if (many->items[many->window[i]].ref == msg->ref) {
            return true;
        }
    }
    return false;
}

/* Returns false when there is more to ask. */
static bool
item_settle(const struct many *many, struct accounts_item *item, const struct ln_msg *answer)
{
    if (answer->error == -EAGAIN && item->tries < ACCOUNTS_IMPORT_TRIES) {
        return false;
    }
    item->error = answer->error;
    return answer->error != 0 || many->deed->take(item, answer);
}

static int
answer_take(struct many *many)
{
    struct ln_msg *answer = NULL;
    int error = ln_receive_match(answer_match, many, ACCOUNTS_TIMEOUT_MS, &answer);
    if (error < 0) {
        return error;
    }
    unsigned at = 0;
    while (many->items[many->window[at]].ref != answer->ref) {
        at++;
        ASSERT(at < many->waiting);
    }
    struct accounts_item *item = &many->items[many->window[at]];
    bool settled = item_settle(many, item, answer);
    bool no_room = answer->error == -EAGAIN;
    ln_msg_free(&answer);
    if (settled) {
        many->window[at] = many->window[--many->waiting];
        return 0;
    }
    error = no_room ? ln_sleep(PAUSE_MS) : 0;
    (void)item_ask(many, item); /* it could be asked for before, and nothing of it has changed */
    return error;
}

static int
all_do(const struct deed *deed, struct messenger *messenger, struct accounts_item *items,
       unsigned count)
{
    struct many *many = ln_alloc(sizeof *many);
    memset(many, 0, sizeof *many);
    many->deed = deed;
    many->messenger = messenger;
    many->items = items;
    many->count = count;
    for (unsigned i = 0; i < count; i++) {
        items[i].error = NOT_TRIED;
        items[i].tries = 0;
    }
    int error = 0;
    window_fill(many);
    while (error == 0 && many->waiting > 0) {
        error = answer_take(many);
        if (error == 0) {
            window_fill(many);
        }
    }
    for (unsigned i = 0; i < many->waiting; i++) {
        items[many->window[i]].error = error;
    }
    ln_free(many);
    return error == -ETIMEDOUT ? 0 : error;
}

int
accounts_import(struct messenger *messenger, struct accounts_item *items, unsigned count)
{
    return all_do(&making, messenger, items, count);
}

int
accounts_remove_many(struct messenger *messenger, struct accounts_item *items, unsigned count)
{
    return all_do(&removing, messenger, items, count);
}
