/* SPDX-License-Identifier: Apache-2.0 */
/* What no device of a reader took in, beside how far the reader got. */
#include "actors/event.h"

void
event_expired(const struct expired *expired, struct event_expired *out)
{
    const struct holes *holes = &expired->holes;
    out->after = 0;
    out->to = 0;
    out->unknown = expired->unknown;
    out->count = 0;
    if (holes->count == 0) {
        return;
    }
    out->count = holes->count - 1u;
    out->after = holes->at[out->count].after;
    out->to = holes->at[out->count].to;
    for (unsigned i = 0; i < out->count; i++) {
        linnet__v1__hole__init(&out->holes[i]);
        out->holes[i].after = holes->at[i].after;
        out->holes[i].to = holes->at[i].to;
        out->places[i] = &out->holes[i];
    }
}
