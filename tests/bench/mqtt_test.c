/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/mqtt.h"

#include "bench/peers/dialect.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

static unsigned char room[MQTT_HEAD_BYTES_MAX + MQTT_NAME_BYTES_MAX + 70000];
static struct mqtt_packet packet;

/* As the specification writes them, byte for byte. */
static void
written(void **state)
{
    (void)state;
    static const unsigned char connect[] = "\x10\x0f\0\x04MQTT\x04\0\0\0\0\x03u/7";
    static const unsigned char subscribe[] = "\x82\x08\x01\x02\0\x03u/7\x01";
    static const unsigned char publish[] = "\x32\x0b\0\x03u/7\0\x09"
                                           "text";
    static const unsigned char puback[] = "\x40\x02\xff\xfe";
    assert_int_equal(mqtt_connect(room, "u/7"), sizeof connect - 1);
    assert_memory_equal(room, connect, sizeof connect - 1);
    assert_int_equal(mqtt_subscribe(room, "u/7", 0x102), sizeof subscribe - 1);
    assert_memory_equal(room, subscribe, sizeof subscribe - 1);
    assert_int_equal(mqtt_publish(room, "u/7", 9, "text", 4), sizeof publish - 1);
    assert_memory_equal(room, publish, sizeof publish - 1);
    assert_int_equal(mqtt_puback(room, 0xfffe), sizeof puback - 1);
    assert_memory_equal(room, puback, sizeof puback - 1);
}

static void
read_whole(void **state)
{
    (void)state;
    assert_int_equal(mqtt_next((const unsigned char *)"\x20\x02\0\x05", 4, &packet), 4);
    assert_int_equal(packet.kind, MQTT_CONNACK);
    assert_int_equal(packet.code, 5);
    assert_int_equal(mqtt_next((const unsigned char *)"\x90\x03\x01\x02\x80", 5, &packet), 5);
    assert_int_equal(packet.kind, MQTT_SUBACK);
    assert_int_equal(packet.id, 0x102);
    assert_int_equal(packet.code, 0x80);
    assert_int_equal(mqtt_next((const unsigned char *)"\x40\x02\x03\x04more", 8, &packet), 4);
    assert_int_equal(packet.kind, MQTT_PUBACK);
    assert_int_equal(packet.id, 0x304);
    assert_int_equal(packet.code, 0);
}

/* Lengths of one, two and three digits, each cut at every byte. */
static void
cut_anywhere(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 100, 118, 119, 16374, 16375, 70000};
    static unsigned char payload[70000];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t count = mqtt_publish(room, "u/7", 77, payload, sizes[i]);
        for (size_t some = 0; some < count; some++) {
            assert_int_equal(mqtt_next(room, some, &packet), 0);
        }
        assert_int_equal(mqtt_next(room, count, &packet), count);
        assert_int_equal(packet.kind, MQTT_PUBLISH);
        assert_int_equal(packet.id, 77);
        assert_int_equal(packet.payload_bytes, sizes[i]);
        assert_ptr_equal(packet.payload, room + count - sizes[i]);
    }
}

static void
nonsense(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
    } wrong[] = {
        {"\x30\x05\0\x01uhi", 7},       /* QoS 0 was not asked for */
        {"\x32\x04\0\x03uu", 6},        /* a topic longer than the packet */
        {"\x32\x01\0", 3},              /* no topic */
        {"\x20\x03\0\0\0", 5},          /* a CONNACK of three bytes */
        {"\x40\x01\0", 3},              /* a PUBACK of one */
        {"\x90\x02\0\x01", 4},          /* a SUBACK without a code */
        {"\x10\0", 2},                  /* a server does not connect */
        {"\x20\xff\xff\xff\xff\x01", 6} /* a length of five digits */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(mqtt_next((const unsigned char *)wrong[i].bytes, wrong[i].count, &packet),
                         -EPROTO);
    }
}

static void
numbers(void **state)
{
    (void)state;
    char text[DIALECT_NUMBER_BYTES + 1];
    uint64_t number = 0;
    dialect_number_print(UINT64_C(0x123456789abcdef0), text);
    assert_string_equal(text, "123456789abcdef0");
    assert_int_equal(dialect_number_read(text, sizeof text - 1, &number), 0);
    assert_true(number == UINT64_C(0x123456789abcdef0));
    assert_int_equal(dialect_number_read(text, sizeof text - 2, &number), -EPROTO);
    text[3] = 'g';
    assert_int_equal(dialect_number_read(text, sizeof text - 1, &number), -EPROTO);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("packets are written as MQTT 3.1.1 has them", written),
        SPEC("what a broker answers is read, and what follows it left", read_whole),
        SPEC("a packet that is cut anywhere waits for the rest", cut_anywhere),
        SPEC("what no broker may send is refused", nonsense),
        SPEC("a message's number survives as text", numbers),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
