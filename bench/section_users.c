/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/section_priv.h"

#include "bench/file_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_BYTES_MAX = 512 << 20 };

struct tokens_file {
    struct section *section;
    int error;
    char why[USERS_TEXT_BYTES];
};

/* For ln_work. */
static void
tokens_read(void *argument)
{
    struct tokens_file *tokens = argument;
    struct section *section = tokens->section;
    char *text = NULL;
    tokens->error =
        file_text_whole(section->driver, section->options->tokens, TOKENS_BYTES_MAX, &text);
    if (tokens->error < 0) {
        (void)snprintf(tokens->why, sizeof tokens->why, "--tokens: %s",
                       strerrordesc_np(-tokens->error));
    } else {
        tokens->error =
            users_load(&section->users, text, section->begin.share.users_first, tokens->why);
    }
    free(text);
}

void
player_users_begin(struct player *player)
{
    struct section *section = player->section;
    const struct options *options = section->options;
    char prefix[USERS_PREFIX_BYTES_MAX + 1];
    if (options->scenario == SCENARIO_ECHO) {
        player_done(player);
    } else if (options->tokens != NULL) {
        struct tokens_file tokens = {.section = section};
        ln_work(tokens_read, &tokens, LN_WORK_NORMAL);
        if (tokens.error == 0 && options->scenario == SCENARIO_AWAY) {
            tokens.error = users_ids(&section->users, tokens.why);
        }
        if (tokens.error < 0) {
            player_fail(player, tokens.why);
        } else {
            player_done(player);
        }
    } else {
        options_users_prefix(options, section->begin.run, prefix);
        users_name(&section->users, prefix, section->begin.share.users_first);
    }
}

/* The node's socket is not kept: its places are few, and whoever removes the users may have to ask
 * another process, if the node is started again. */
void
player_users_go_on(struct player *player)
{
    struct users *users = &player->section->users;
    char why[USERS_TEXT_BYTES] = "";
    bool making = player->word == SECTION_MAKE;
    int code =
        making ? users_make(users, &player->client, why) : users_remove(users, &player->client);
    bool all = making ? users->made == users->count : users->removed == users->made;
    if (code != SHELL_DONE || all) {
        linnet_client_close(&player->client);
    }
    if (code != SHELL_DONE && making) {
        player_fail(player, why);
    } else if (code != SHELL_DONE || all) {
        player_done(player); /* how many were removed is in the news */
    }
}
