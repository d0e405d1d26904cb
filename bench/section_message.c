/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/section_message.h"

#include <errno.h>
#include <string.h>

static const uint32_t magic = 0x3153424cu; /* "LBS1" */

static const size_t sizes[SECTION_TAGS_END - SECTION_FIRST] = {
    [SECTION_BEGIN - SECTION_FIRST] = sizeof(struct section_begin),
    [SECTION_CONNECT - SECTION_FIRST] = sizeof(struct section_connect),
    [SECTION_GREET - SECTION_FIRST] = sizeof(struct section_connect),
    [SECTION_GO - SECTION_FIRST] = sizeof(struct crowd_go),
    [SECTION_RETURN - SECTION_FIRST] = sizeof(struct crowd_go),
    [SECTION_LOOK - SECTION_FIRST] = sizeof(struct section_look),
    [SECTION_METERS - SECTION_FIRST] = sizeof(struct section_meters),
    [SECTION_NEWS - SECTION_FIRST] = sizeof(struct section_news),
    [SECTION_DELAYS - SECTION_FIRST] = sizeof(struct section_delays),
    [SECTION_VERDICT - SECTION_FIRST] = sizeof(struct audit_verdict),
    [SECTION_FAILED - SECTION_FIRST] = sizeof(struct crowd_failed),
};

static bool
tag_known(uint32_t tag)
{
    return tag >= SECTION_FIRST && tag < SECTION_TAGS_END;
}

static bool
text_ends(const char *text, size_t bytes)
{
    return memchr(text, '\0', bytes) != NULL;
}

static bool
begin_valid(const struct section_begin *begin)
{
    const struct share *share = &begin->share;
    return text_ends(begin->version, sizeof begin->version) &&
           strcmp(begin->version, LINNET_VERSION) == 0 && share->processes > 0 &&
           share->processes <= SHARE_PROCESSES_MAX && share->process < share->processes &&
           share->users <= OPTIONS_USERS_MAX &&
           share->users_first <= OPTIONS_USERS_MAX - share->users && share->actors > 0 &&
           share->actors <= share->users && share->actors <= begin->actors_all &&
           share->actors_first <= begin->actors_all - share->actors &&
           begin->actors_all <= OPTIONS_USERS_MAX && begin->writers <= share->actors &&
           begin->writers <= begin->writers_all && begin->addresses > 0 &&
           begin->addresses <= SHARE_ADDRESSES_MAX && begin->rate_per_s >= 0 &&
           begin->rate_per_s <= OPTIONS_RATE_MAX;
}

static bool
go_valid(const struct crowd_go *go)
{
    return go->span.from_ns <= go->span.until_ns && go->episode < TALLY_EPISODES;
}

static bool
news_valid(const struct section_news *news)
{
    bool heard = news->heard == 0 || tag_known(news->heard);
    bool done = news->done == 0 || tag_known(news->done);
    return heard && done && news->ready <= news->spawned && news->ended <= news->spawned &&
           news->spawned <= OPTIONS_USERS_MAX && news->users_made <= OPTIONS_USERS_MAX &&
           news->users_removed <= news->users_made;
}

static bool
delays_valid(const struct section_delays *delays)
{
    return delays->delay < TALLY_DELAYS && delays->episode < TALLY_EPISODES &&
           histogram_valid(&delays->histogram);
}

static bool
verdict_valid(const struct audit_verdict *verdict)
{
    return (unsigned)verdict->first < AUDIT_PROMISES &&
           text_ends(verdict->text, sizeof verdict->text);
}

bool
section_message_valid(uint32_t tag, const void *data, size_t bytes)
{
    if (!tag_known(tag) || bytes != sizes[tag - SECTION_FIRST]) {
        return false;
    }
    switch (tag) {
    case SECTION_BEGIN:
        return begin_valid(data);
    case SECTION_CONNECT:
    case SECTION_GREET:
        return ((const struct section_connect *)data)->at_once_max > 0;
    case SECTION_GO:
    case SECTION_RETURN:
        return go_valid(data);
    case SECTION_METERS:
        return ((const struct section_meters *)data)->delay < TALLY_DELAYS;
    case SECTION_NEWS:
        return news_valid(data);
    case SECTION_DELAYS:
        return delays_valid(data);
    case SECTION_VERDICT:
        return verdict_valid(data);
    case SECTION_FAILED:
        return text_ends(((const struct crowd_failed *)data)->text, AUDIT_TEXT_BYTES);
    default:
        return true;
    }
}

/* ------------------------------------------------------------------------------------- records */

void
section_head_write(uint32_t tag, uint32_t bytes, unsigned char out[SECTION_HEAD_BYTES])
{
    memcpy(out, &magic, sizeof magic);
    memcpy(out + 4, &tag, sizeof tag);
    memcpy(out + 8, &bytes, sizeof bytes);
}

int
section_record_read(const unsigned char *bytes, size_t count, uint32_t *out_tag,
                    uint32_t *out_bytes)
{
    uint32_t head[3];
    if (count < SECTION_HEAD_BYTES) {
        return -EAGAIN;
    }
    memcpy(head, bytes, sizeof head);
    if (head[0] != magic || !tag_known(head[1]) || head[2] != sizes[head[1] - SECTION_FIRST]) {
        return -EPROTO;
    }
    if (count - SECTION_HEAD_BYTES < head[2]) {
        return -EAGAIN;
    }
    *out_tag = head[1];
    *out_bytes = head[2];
    return 0;
}
