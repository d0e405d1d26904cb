/* SPDX-License-Identifier: Apache-2.0 */
/* Users were seen. Nothing is looked up for it: a record in LMDB for each of a thousand users would
 * cost more than all the rest. So the newest command wins, whatever its instant, and who gives the
 * command has left out those who were removed. */
#include "store/apply_priv.h"
#include "store/record_presence.h"

static void
run_seen(const struct apply *apply, const struct command *command)
{
    unsigned char *bytes = effects_scratch(apply->effects, RECORD_BYTES_MAX);
    for (uint32_t i = 0; i < command->seen.count; i++) {
        struct record_last_seen seen;
        uint64_t user;
        command_pair_get(&command->seen, i, &user, &seen.at_ms);
        struct store_key key = record_key(apply->ledger->partition, RECORD_LAST_SEEN, user, 0);
        ledger_put(apply->ledger, &key, bytes, record_last_seen_encode(&seen, bytes));
    }
}

const struct apply_command_kind apply_seen = {NULL, run_seen};
