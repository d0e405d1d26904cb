/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/couple.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 10000, CALL = 0x100 };

/* A user, and the line of what it writes to the other one. */
struct half {
    struct speaker speaker;
    unsigned char *kept; /* input: an event that is not all there */
    size_t kept_bytes;
    bool ready;
    uint64_t written, shown, received;         /* numbers of this line: how far each has come */
    uint64_t written_at_ns[COUPLE_WINDOW_MAX]; /* by number */
};

struct couple {
    struct couples *couples;
    struct half halves[2];
    bool going, stopping;
};

void
couple_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "peer_client: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\n");
    va_end(arguments);
    _Exit(1);
}

static void
tell_root(const struct couple *couple, enum couple_tag tag)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, 0);
    ln_send(couple->couples->root, &msg);
}

/* ---------------------------------------------------------------------------------------- lines */

static uint64_t
now_ns(void)
{
    return io_now_ns(ln_io());
}

static void
write_next(struct couple *couple, struct half *half)
{
    const struct couples *couples = couple->couples;
    char text[DIALECT_TEXT_BYTES_MAX];
    uint64_t number = ++half->written;
    memset(text, 'x', couples->bytes);
    char digits[DIALECT_NUMBER_BYTES + 1];
    dialect_number_print(number, digits);
    memcpy(text, digits, DIALECT_NUMBER_BYTES);
    half->written_at_ns[number % COUPLE_WINDOW_MAX] = now_ns();
    couples->dialect->write(&half->speaker, number, text, couples->bytes);
}

static void
quiet_maybe(struct couple *couple)
{
    const struct half *halves = couple->halves;
    if (couple->stopping && halves[0].received == halves[0].written &&
        halves[1].received == halves[1].written) {
        couple->stopping = false;
        tell_root(couple, COUPLE_QUIET);
    }
}

/* The reader is shown what `line` wrote. */
static void
shown(struct couple *couple, struct half *reader, struct half *line, uint64_t number)
{
    struct couples *couples = couple->couples;
    if (number != line->shown + 1 || number > line->written) {
        couple_fail("user %u was shown message %llu behind %llu", reader->speaker.index,
                    (unsigned long long)number, (unsigned long long)line->shown);
    }
    line->shown = number;
    if (couples->measuring) {
        histogram_record(&couples->delays,
                         now_ns() - line->written_at_ns[number % COUPLE_WINDOW_MAX]);
    }
    couples->dialect->receipt(&reader->speaker, number);
}

static void
received(struct couple *couple, struct half *line, uint64_t number)
{
    if (number != line->received + 1 || number > line->shown) {
        couple_fail("user %u got the receipt of message %llu behind %llu", line->speaker.index,
                    (unsigned long long)number, (unsigned long long)line->received);
    }
    line->received = number;
    couple->couples->through += couple->couples->measuring;
    if (couple->going) {
        write_next(couple, line);
    }
    quiet_maybe(couple);
}

static void
happened(struct couple *couple, struct half *half, const struct dialect_event *event)
{
    struct half *other = &couple->halves[half == &couple->halves[0]];
    switch (event->kind) {
    case DIALECT_NOTHING:
        break;
    case DIALECT_READY:
        half->ready = true;
        if (other->ready) {
            tell_root(couple, COUPLE_READY);
        }
        break;
    case DIALECT_MESSAGE:
        shown(couple, half, other, event->number);
        break;
    case DIALECT_RECEIPT:
        received(couple, half, event->number);
        break;
    }
}

/* ---------------------------------------------------------------------------------------- input */

/* Takes what is whole; returns the bytes used. */
static size_t
use(struct couple *couple, struct half *half, const unsigned char *bytes, size_t count)
{
    size_t used = 0;
    for (;;) {
        struct dialect_event event = {DIALECT_NOTHING, 0};
        int step =
            couple->couples->dialect->next(&half->speaker, bytes + used, count - used, &event);
        if (step < 0) {
            couple_fail("user %u: %s at step %u", half->speaker.index, strerrordesc_np(-step),
                        half->speaker.step);
        }
        if (step == 0) {
            return used;
        }
        used += (size_t)step;
        happened(couple, half, &event);
    }
}

static void
keep(struct half *half, const unsigned char *bytes, size_t count)
{
    unsigned char *old = half->kept;
    half->kept = NULL;
    half->kept_bytes = count;
    if (count > 0) {
        half->kept = ln_alloc(count);
        memcpy(half->kept, bytes, count);
    }
    ln_free(old);
}

static void
data(struct couple *couple, const struct ln_socket_event *event)
{
    struct half *half = &couple->halves[event->socket == couple->halves[1].speaker.socket];
    if (half->kept == NULL) {
        size_t used = use(couple, half, event->data, event->bytes);
        keep(half, event->data + used, event->bytes - used);
        return;
    }
    size_t count = half->kept_bytes + event->bytes;
    unsigned char *whole = ln_alloc(count);
    memcpy(whole, half->kept, half->kept_bytes);
    memcpy(whole + half->kept_bytes, event->data, event->bytes);
    size_t used = use(couple, half, whole, count);
    keep(half, whole + used, count - used);
    ln_free(whole);
}

/* ------------------------------------------------------------------------------------ behaviour */

static void
call(struct couple *couple)
{
    for (int i = 0; i < 2; i++) {
        struct speaker *speaker = &couple->halves[i].speaker;
        int error = ln_socket_connect(&couple->couples->address, CONNECT_MS, &speaker->socket);
        if (error != 0) {
            couple_fail("user %u: %s", speaker->index, strerrordesc_np(-error));
        }
        couple->couples->dialect->greet(speaker);
    }
}

static int
couple_init(void *state, const void *argument)
{
    struct couple *couple = state;
    const struct couple_start *start = argument;
    couple->couples = start->couples;
    couple->halves[0].speaker.index = start->index;
    couple->halves[1].speaker.index = start->index + 1;
    struct ln_msg *msg = ln_msg_new(CALL, LN_REPLY, 0);
    ln_send(ln_self(), &msg);
    return 0;
}

static void
go(struct couple *couple, bool once)
{
    couple->going = !once;
    couple->stopping = once;
    for (uint32_t i = 0; i < (once ? 1 : couple->couples->window); i++) {
        write_next(couple, &couple->halves[0]);
        write_next(couple, &couple->halves[1]);
    }
}

static void
couple_handle(void *state, struct ln_msg **msg)
{
    struct couple *couple = state;
    switch ((*msg)->tag) {
    case CALL:
        call(couple);
        break;
    case COUPLE_GO:
    case COUPLE_ONCE:
        go(couple, (*msg)->tag == COUPLE_ONCE);
        break;
    case COUPLE_STOP:
        couple->going = false;
        couple->stopping = true;
        quiet_maybe(couple);
        break;
    case LN_TAG_DATA:
        data(couple, ln_socket_event(*msg));
        break;
    case LN_TAG_CLOSED:
        couple_fail("a connection was closed: %s", strerrordesc_np(-ln_socket_event(*msg)->error));
    default:
        break;
    }
}

const struct ln_behaviour couple_behaviour = {
    .name = "couple",
    .state_bytes = sizeof(struct couple),
    .init = couple_init,
    .handle = couple_handle,
};
