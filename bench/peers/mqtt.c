/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/mqtt.h"

#include <errno.h>
#include <string.h>

enum {
    LEVEL = 4,         /* 3.1.1 */
    CONNECT_FLAGS = 0, /* the session is kept; no will, no password */
    QOS_1 = 1,         /* of a subscription */
    PUBLISH_QOS_1 = 2, /* in the first byte of a PUBLISH */
    PUBLISH_QOS_MASK = 6,
    SUBSCRIBE_BITS = 2, /* fixed */
    REMAINING_BITS = 7,
    ID_BYTES = 2,
};

/* ------------------------------------------------------------------------ out */

static unsigned char *
put_number(unsigned char *at, size_t number)
{
    *at++ = (unsigned char)(number >> 8);
    *at++ = (unsigned char)number;
    return at;
}

static unsigned char *
put_text(unsigned char *at, const char *text)
{
    size_t count = strlen(text);
    ASSERT(count <= MQTT_NAME_BYTES_MAX);
    at = put_number(at, count);
    for (size_t i = 0; i < count; i++) {
        *at++ = (unsigned char)text[i];
    }
    return at;
}

static size_t
text_bytes(const char *text)
{
    return ID_BYTES + strlen(text);
}

static unsigned char *
put_head(unsigned char *at, enum mqtt_kind kind, unsigned bits, size_t remaining)
{
    ASSERT(remaining < (size_t)1 << REMAINING_BITS * MQTT_REMAINING_BYTES_MAX);
    *at++ = (unsigned char)(kind << 4 | bits);
    do {
        unsigned char digit = remaining & ((1 << REMAINING_BITS) - 1);
        remaining >>= REMAINING_BITS;
        *at++ = (unsigned char)(digit | (remaining > 0 ? 1 << REMAINING_BITS : 0));
    } while (remaining > 0);
    return at;
}

size_t
mqtt_connect(unsigned char *out, const char *client)
{
    static const char protocol[] = "MQTT";
    unsigned char *at =
        put_head(out, MQTT_CONNECT, 0, text_bytes(protocol) + 2 + ID_BYTES + text_bytes(client));
    at = put_text(at, protocol);
    *at++ = LEVEL;
    *at++ = CONNECT_FLAGS;
    at = put_number(at, 0); /* keep-alive */
    return (size_t)(put_text(at, client) - out);
}

size_t
mqtt_subscribe(unsigned char *out, const char *topic, uint16_t id)
{
    unsigned char *at =
        put_head(out, MQTT_SUBSCRIBE, SUBSCRIBE_BITS, ID_BYTES + text_bytes(topic) + 1);
    at = put_text(put_number(at, id), topic);
    *at++ = QOS_1;
    return (size_t)(at - out);
}

size_t
mqtt_publish(unsigned char *out, const char *topic, uint16_t id, const void *payload,
             size_t payload_bytes)
{
    unsigned char *at =
        put_head(out, MQTT_PUBLISH, PUBLISH_QOS_1, text_bytes(topic) + ID_BYTES + payload_bytes);
    at = put_number(put_text(at, topic), id);
    memcpy(at, payload, payload_bytes);
    return (size_t)(at - out) + payload_bytes;
}

size_t
mqtt_puback(unsigned char *out, uint16_t id)
{
    return (size_t)(put_number(put_head(out, MQTT_PUBACK, 0, ID_BYTES), id) - out);
}

/* ------------------------------------------------------------------------- in */

/* Where the packet's length is told: its bytes, 0 or -EPROTO. */
static int
remaining_read(const unsigned char *bytes, size_t count, size_t *out)
{
    size_t remaining = 0;
    for (int i = 0; i < MQTT_REMAINING_BYTES_MAX; i++) {
        if ((size_t)i == count) {
            return 0;
        }
        remaining |= (size_t)(bytes[i] & ((1 << REMAINING_BITS) - 1)) << REMAINING_BITS * i;
        if (bytes[i] < 1 << REMAINING_BITS) {
            *out = remaining;
            return i + 1;
        }
    }
    return -EPROTO;
}

static uint16_t
number_at(const unsigned char *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static int
publish_read(unsigned bits, const unsigned char *body, size_t bytes, struct mqtt_packet *out)
{
    if ((bits & PUBLISH_QOS_MASK) != PUBLISH_QOS_1 || bytes < ID_BYTES) {
        return -EPROTO;
    }
    size_t head = ID_BYTES + (size_t)number_at(body) + ID_BYTES;
    if (head > bytes) {
        return -EPROTO;
    }
    out->id = number_at(body + head - ID_BYTES);
    out->payload = body + head;
    out->payload_bytes = bytes - head;
    return 0;
}

static int
body_read(unsigned first, const unsigned char *body, size_t bytes, struct mqtt_packet *out)
{
    *out = (struct mqtt_packet){.kind = (enum mqtt_kind)(first >> 4)};
    size_t fixed = ID_BYTES;
    switch (first >> 4) {
    case MQTT_PUBLISH:
        return publish_read(first, body, bytes, out);
    case MQTT_CONNACK:
    case MQTT_PUBACK:
        break;
    case MQTT_SUBACK:
        fixed = ID_BYTES + 1;
        break;
    default:
        return -EPROTO;
    }
    if (bytes != fixed) {
        return -EPROTO;
    }
    out->code = out->kind == MQTT_PUBACK ? 0 : body[bytes - 1];
    out->id = out->kind == MQTT_CONNACK ? 0 : number_at(body);
    return 0;
}

int
mqtt_next(const unsigned char *bytes, size_t count, struct mqtt_packet *out)
{
    size_t remaining = 0;
    int digits = count > 0 ? remaining_read(bytes + 1, count - 1, &remaining) : 0;
    if (digits <= 0) {
        return digits;
    }
    size_t head = 1 + (size_t)digits;
    if (count - head < remaining) {
        return 0;
    }
    int error = body_read(bytes[0], bytes + head, remaining, out);
    return error != 0 ? error : (int)(head + remaining);
}
