/* SPDX-License-Identifier: Apache-2.0 */
/* frames.h - one frame of each kind, with every field set, and the JSON that it is. */
#pragma once
#include <stddef.h>

#include "net/protocol.h"

struct frame_sample {
    const ProtobufCMessage *message;
    const char *json;
};

extern const struct frame_sample client_frames[];
extern const size_t client_frames_count;
extern const struct frame_sample server_frames[];
extern const size_t server_frames_count;
