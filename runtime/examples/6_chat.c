/* SPDX-License-Identifier: Apache-2.0 */
/* Step 6: a chat room, which is a process group.
 *
 *     ninja -C build/release 6_chat && build/release/runtime/examples/6_chat
 *
 * Nobody keeps a list of members: they join, and leave when they say so or end. What is said is one
 * buffer, however many hear it. The usher, who watches the room, is told of each coming and going.
 */
#include <linnet/group.h>
#include <linnet/node.h>

#include <stdio.h>
#include <string.h>

enum tag { SAID = 1, GO_HOME };
enum { GUESTS = 3 };

struct guest {
    const char *name, *says;
};

struct usher {
    unsigned come, gone;
};

static int
guest_init(void *state, const void *argument)
{
    struct guest *guest = state;
    memcpy(guest, argument, sizeof *guest);
    struct ln_msg *said = ln_msg_new(SAID, LN_DURABLE, 0);
    said->buffer = ln_buffer_new(strlen(guest->says) + 1);
    memcpy(ln_buffer_data(said->buffer), guest->says, strlen(guest->says) + 1);
    int error = ln_group_join("the room");
    ln_group_send("the room", &said); /* we hear it, too */
    return error;
}

static void
guest_handle(void *state, struct ln_msg **msg)
{
    const struct guest *guest = state;
    if ((*msg)->tag == GO_HOME) {
        ln_stop(LN_EXIT_NORMAL, "it is late");
        return;
    }
    const char *words = ln_buffer_data((*msg)->buffer);
    (void)printf("%s hears: %s\n", guest->name, words);
    ln_actor_check(words != strstr(words, guest->name)); /* one who is spoken to may faint */
}

static const struct ln_behaviour guest = {.name = "guest",
                                          .state_bytes = sizeof(struct guest),
                                          .init = guest_init,
                                          .handle = guest_handle};

static const struct guest guests[GUESTS] = {
    {"alice", "good evening"}, {"bob", "hello"}, {"carol", "alice, you look pale"}};

static int
usher_init(void *state, const void *argument)
{
    uint64_t monitor;
    ln_pid pid;
    (void)state;
    (void)argument;
    int error = ln_group_monitor("the room", &monitor);
    return error != 0 ? error : ln_spawn(&guest, &guests[0], sizeof guests[0], NULL, &pid);
}

static void
usher_handle(void *state, struct ln_msg **msg)
{
    struct usher *usher = state;
    ln_pid pid;
    usher->come += (*msg)->tag == LN_TAG_JOINED;
    usher->gone += (*msg)->tag == LN_TAG_LEFT;
    (void)printf("%u in the room\n", usher->come - usher->gone);
    if (usher->gone == GUESTS) {
        ln_stop(LN_EXIT_NORMAL, "the room is empty");
    } else if (usher->gone == 1) { /* somebody has fainted: so ends the party */
        struct ln_msg *home = ln_msg_new(GO_HOME, LN_DURABLE, 0);
        ln_group_send("the room", &home);
    } else if (usher->gone == 0 && usher->come < GUESTS) {
        ln_actor_check(ln_spawn(&guest, &guests[usher->come], sizeof *guests, NULL, &pid) == 0);
    }
}

static const struct ln_behaviour usher = {.name = "usher",
                                          .state_bytes = sizeof(struct usher),
                                          .init = usher_init,
                                          .handle = usher_handle};

int
main(void)
{
    return ln_node_run(&usher, NULL, 0);
}
