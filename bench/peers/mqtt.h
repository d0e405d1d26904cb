/* SPDX-License-Identifier: Apache-2.0 */
/* mqtt.h - the packets of MQTT 3.1.1 that two clients need to write to each other at QoS 1.
 *
 *     bytes = mqtt_publish(room, "u/1", id, text, text_bytes);       what to send
 *     used = mqtt_next(bytes, count, &packet);                       what came
 *
 * https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html, chapters 2 and 3. Pure: no
 * memory, no time.
 */
#pragma once

#include "runtime/check.h"

#include <stddef.h>
#include <stdint.h>

enum mqtt_kind {
    MQTT_CONNECT = 1,
    MQTT_CONNACK = 2,
    MQTT_PUBLISH = 3,
    MQTT_PUBACK = 4,
    MQTT_SUBSCRIBE = 8,
    MQTT_SUBACK = 9,
};

enum {
    MQTT_REMAINING_BYTES_MAX = 4, /* the length behind a packet's first byte */
    /* Of a packet that is written here, all but its name or topic and its payload. */
    MQTT_HEAD_BYTES_MAX = 1 + MQTT_REMAINING_BYTES_MAX + 16,
    MQTT_NAME_BYTES_MAX = 64,
};

struct mqtt_packet {
    enum mqtt_kind kind;
    uint8_t code;                 /* CONNACK: 0 is welcome; SUBACK: the QoS, or 0x80 */
    uint16_t id;                  /* all but CONNACK */
    const unsigned char *payload; /* PUBLISH: borrowed from the input */
    size_t payload_bytes;
};

/* The first packet of these bytes: how many it has, 0 when it is not all there, or -EPROTO for what
 * no server may send to such a client. */
MUST_CHECK int mqtt_next(const unsigned char *bytes, size_t count, struct mqtt_packet *out);

/* Write a packet and return its bytes. There is room for MQTT_HEAD_BYTES_MAX, the name or topic
 * (MQTT_NAME_BYTES_MAX at most) and the payload. Ids are not 0. */

/* With a session that outlives the connection, and without a keep-alive. */
size_t mqtt_connect(unsigned char *out, const char *client);
size_t mqtt_subscribe(unsigned char *out, const char *topic, uint16_t id);
size_t mqtt_publish(unsigned char *out, const char *topic, uint16_t id, const void *payload,
                    size_t payload_bytes);
size_t mqtt_puback(unsigned char *out, uint16_t id);
