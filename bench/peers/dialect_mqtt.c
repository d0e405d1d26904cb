/* SPDX-License-Identifier: Apache-2.0 */
/* A user of a broker: a topic of its own, to which the other one publishes at QoS 1. MQTT tells a
 * writer that the broker has taken a message, not that anybody has received it: that is a message
 * of the reader's, marked by its first byte. */
#include "bench/peers/dialect.h"
#include "bench/peers/mqtt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE = 'm', RECEIPT = 'r', SUBSCRIPTION_ID = 1 };

enum step { STEP_CONNECTING, STEP_SUBSCRIBING, STEP_READY };

static void
topic_of(uint32_t index, char out[MQTT_NAME_BYTES_MAX])
{
    (void)snprintf(out, MQTT_NAME_BYTES_MAX, "u/%u", index);
}

static void
greet(struct speaker *speaker)
{
    unsigned char packet[MQTT_HEAD_BYTES_MAX + MQTT_NAME_BYTES_MAX];
    char name[MQTT_NAME_BYTES_MAX];
    topic_of(speaker->index, name);
    ln_socket_send(speaker->socket, packet, mqtt_connect(packet, name));
}

static void
subscribe(struct speaker *speaker)
{
    unsigned char packet[MQTT_HEAD_BYTES_MAX + MQTT_NAME_BYTES_MAX];
    char topic[MQTT_NAME_BYTES_MAX];
    topic_of(speaker->index, topic);
    ln_socket_send(speaker->socket, packet, mqtt_subscribe(packet, topic, SUBSCRIPTION_ID));
}

static void
publish(struct speaker *speaker, char kind, const char *text, size_t bytes)
{
    char payload[1 + DIALECT_TEXT_BYTES_MAX];
    unsigned char packet[MQTT_HEAD_BYTES_MAX + MQTT_NAME_BYTES_MAX + sizeof payload];
    char topic[MQTT_NAME_BYTES_MAX];
    topic_of(speaker->index ^ 1, topic);
    payload[0] = kind;
    memcpy(payload + 1, text, bytes);
    speaker->packet = speaker->packet == UINT16_MAX ? 1 : (uint16_t)(speaker->packet + 1);
    size_t count = mqtt_publish(packet, topic, speaker->packet, payload, 1 + bytes);
    ln_socket_send(speaker->socket, packet, count);
}

static void
write_message(struct speaker *speaker, uint64_t number, const char *text, size_t bytes)
{
    (void)number;
    publish(speaker, MESSAGE, text, bytes);
}

static void
receipt(struct speaker *speaker, uint64_t number)
{
    char text[DIALECT_NUMBER_BYTES + 1];
    dialect_number_print(number, text);
    publish(speaker, RECEIPT, text, DIALECT_NUMBER_BYTES);
}

static int
published(struct speaker *speaker, const struct mqtt_packet *packet, struct dialect_event *out)
{
    unsigned char answer[MQTT_HEAD_BYTES_MAX];
    ln_socket_send(speaker->socket, answer, mqtt_puback(answer, packet->id));
    const char *text = (const char *)packet->payload;
    if (packet->payload_bytes == 0 || (text[0] != MESSAGE && text[0] != RECEIPT)) {
        return -EPROTO;
    }
    out->kind = text[0] == MESSAGE ? DIALECT_MESSAGE : DIALECT_RECEIPT;
    return dialect_number_read(text + 1, packet->payload_bytes - 1, &out->number);
}

static int
happened(struct speaker *speaker, const struct mqtt_packet *packet, struct dialect_event *out)
{
    if (packet->kind == MQTT_PUBLISH) {
        return published(speaker, packet, out);
    }
    if (packet->kind == MQTT_PUBACK) {
        return 0;
    }
    if (packet->kind == MQTT_CONNACK && speaker->step == STEP_CONNECTING && packet->code == 0) {
        speaker->step = STEP_SUBSCRIBING;
        subscribe(speaker);
        return 0;
    }
    if (packet->kind == MQTT_SUBACK && speaker->step == STEP_SUBSCRIBING && packet->code == 1) {
        speaker->step = STEP_READY;
        out->kind = DIALECT_READY;
        return 0;
    }
    return -EACCES;
}

static int
next(struct speaker *speaker, const unsigned char *bytes, size_t count, struct dialect_event *out)
{
    struct mqtt_packet packet;
    int used = mqtt_next(bytes, count, &packet);
    if (used > 0) {
        int error = happened(speaker, &packet, out);
        return error != 0 ? error : used;
    }
    return used;
}

const struct dialect dialect_mqtt = {
    .name = "mqtt", .greet = greet, .next = next, .write = write_message, .receipt = receipt};
