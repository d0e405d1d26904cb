/* SPDX-License-Identifier: Apache-2.0 */
/* machine.h - what a run ran on, as /proc tells: a figure without it says little. */
#pragma once

#include "runtime/io/io.h"
#include "runtime/text.h"

enum { MACHINE_TEXT_BYTES = 96, MACHINE_DEVICE_BYTES = 24 };

struct machine {
    unsigned cores;
    char cpu[MACHINE_TEXT_BYTES];
    char kernel[MACHINE_TEXT_BYTES];
    uint64_t memory_bytes;
    char disk[MACHINE_TEXT_BYTES];       /* "ext4 on /dev/vda1": below the node's data */
    char disk_cache[MACHINE_TEXT_BYTES]; /* "write back": it has one that a sync must empty */
};

/* What can't be read is 0 or empty. `data`: the node's directory on this machine; NULL: its disk is
 * not known. Blocks for microseconds. */
void machine_read(struct io_driver *driver, const char *data, struct machine *out);
/* Of the mounts that /proc/self/mountinfo tells, the one that an absolute path lies on: its disk,
 * and its device as /sys/dev/block calls it ("254:0"). */
void machine_take_mounts(const char *mounts, const char *path, char out_disk[MACHINE_TEXT_BYTES],
                         char out_device[MACHINE_DEVICE_BYTES]);
/* One JSON object. */
void machine_print_json(const struct machine *machine, struct ln_text *out);
