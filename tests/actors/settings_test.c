/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/settings.h"

#include "actors/settings_priv.h"
#include "store/history.h"
#include "store/store.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

/* What is wrong is told here. */
struct told {
    struct ln_text text;
    char room[SETTINGS_TEXT_BYTES];
};
static struct told told;

static struct ln_text *
fresh(struct settings *settings)
{
    settings_init(settings);
    ln_text_init(&told.text, told.room, sizeof told.room);
    return &told.text;
}

/* --------------------------------------------------------------------------------------- a file */

static void
reads_a_file(void **state)
{
    static const char text[] = "# a node\n"
                               "\n"
                               "registration = open\n"
                               "; half a gigabyte\n"
                               "inbox_bytes_max = 512M\n"
                               "  spin_us=0\r\n"
                               "listen = [::1]:4222   ; here\n"
                               "echo = yes\n"
                               "io_level = 6.1";
    struct settings settings;
    (void)state;
    assert_int_equal(settings_read_text(&settings, "f", text, fresh(&settings)), 0);
    assert_string_equal(told.room, "");
    assert_int_equal(settings.registration, REGISTRATION_OPEN);
    assert_int_equal(settings.inbox_bytes_max, 512 << 20);
    assert_int_equal(settings.spin_us, 0);
    assert_string_equal(settings.listen, "[::1]:4222");
    assert_true(settings.echo);
    assert_int_equal(settings.io_level, IO_LEVEL_6_1);
}

/* Each mistake by itself, and the one line that tells it. */
static void
names_the_line_of_each_mistake(void **state)
{
    static const struct {
        const char *text, *told;
    } mistakes[] = {
        {"\n\nspinus = 3\n", "f:3: there is no setting 'spinus'; did you mean spin_us?\n"},
        {"quota = 3\n", "f:1: there is no setting 'quota'\n"},
        {"spin_us 3\n", "f:1: neither 'name = value' nor a comment\n"},
        {"spin_us = 3\nspin_us = 4\n", "f:2: spin_us was already set in line 1\n"},
        {"[node]\n", "f:1: a section, where there are none\n"},
        {"spin_us = \n", "f:1: spin_us: '' is no number from 0 to 1000000\n"},
        {"spin_us = -1\n", "f:1: spin_us: '-1' is no number from 0 to 1000000\n"},
        {"spin_us = 3us\n", "f:1: spin_us: '3us' is no number from 0 to 1000000\n"},
        {"spin_us = 1000001\n", "f:1: spin_us: '1000001' is no number from 0 to 1000000\n"},
        {"spin_us = 18446744073709551617\n",
         "f:1: spin_us: '18446744073709551617' is no number from 0 to 1000000\n"},
        {"inbox_entries_max = 0\n",
         "f:1: inbox_entries_max: '0' is no number from 1 to 10000000\n"},
        {"inbox_bytes_max = 1X\n", "f:1: inbox_bytes_max: '1X' is no size from 1M to 1T\n"},
        {"inbox_bytes_max = 1MM\n", "f:1: inbox_bytes_max: '1MM' is no size from 1M to 1T\n"},
        {"inbox_bytes_max = K\n", "f:1: inbox_bytes_max: 'K' is no size from 1M to 1T\n"},
        {"inbox_bytes_max = 17179869184G\n",
         "f:1: inbox_bytes_max: '17179869184G' is no size from 1M to 1T\n"},
        {"device_unseen_days = 30D\n",
         "f:1: device_unseen_days: '30D' is no time (s, m, h or d behind it) from 0 to 36500d "
         "or never\n"},
        {"device_warn_days = 0\n",
         "f:1: device_warn_days: '0' is no time (s, m, h or d behind it) from 1s to 36500d\n"},
        {"inbox_age_days = 5ms\n",
         "f:1: inbox_age_days: '5ms' is no time (s, m, h or d behind it) from 0 to 36500d "
         "or never\n"},
        {"history_days = 36501\n", "f:1: history_days: '36501' is no time (s, m, h or d behind it) "
                                   "from 0 to 36500d or off or "
                                   "forever\n"},
        {"hold_unknown = forever\n", "f:1: hold_unknown: 'forever' is no time (s, m, h or d behind "
                                     "it) from 0 to 36500d or off\n"},
        {"group_log_days = 9999999999999d\n", "f:1: group_log_days: '9999999999999d' is no time "
                                              "(s, m, h or d behind it) from 1s to 36500d\n"},
        {"registration = maybe\n", "f:1: registration: 'maybe' is none of closed, open\n"},
        {"echo = 1\n", "f:1: echo: '1' is neither true nor false\n"},
        {"data =\n", "f:1: data: 0 bytes, where 1 to 95 can stand\n"},
        {"data = \xff\n", "f:1: data: not UTF-8\n"},
        {"data = a\x7f\n", "f:1: data: a control character at byte 2\n"},
        {"devices_max = 33\n", "f:1: devices_max: '33' is no number from 1 to 32\n"},
        {"commands_unanswered_max = 65\n",
         "f:1: commands_unanswered_max: '65' is no number from 1 to 64\n"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct settings settings;
        struct ln_text *wrong = fresh(&settings);
        assert_int_equal(settings_read_text(&settings, "f", mistakes[i].text, wrong), -EINVAL);
        assert_string_equal(told.room, mistakes[i].told);
    }
}

static void
tells_all_mistakes_at_once(void **state)
{
    struct settings settings;
    (void)state;
    assert_int_equal(settings_read_text(&settings, "f",
                                        "nonsense\nspin_us = x\nworkers = 3\n[a]\nmore",
                                        fresh(&settings)),
                     -EINVAL);
    assert_string_equal(told.room, "f:1: neither 'name = value' nor a comment\n"
                                   "f:2: spin_us: 'x' is no number from 0 to 1000000\n"
                                   "f:4: a section, where there are none\n"
                                   "f:5: neither 'name = value' nor a comment\n");
    assert_int_equal(settings.workers, 3);
}

static void
refuses_a_line_too_long_for_the_reader(void **state)
{
    char text[512];
    struct settings settings;
    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "spin_us = ", 10);
    memcpy(text + 300, "\nspin_us = 7\n", 14);
    assert_int_equal(settings_read_text(&settings, "f", text, fresh(&settings)), -EINVAL);
    assert_string_equal(told.room, "f:1: 300 bytes, where 197 can stand\n");
    assert_int_equal(settings.spin_us, 7);
}

static void
passes_over_a_byte_order_mark(void **state)
{
    struct settings settings;
    (void)state;
    assert_int_equal(
        settings_read_text(&settings, "f", "\xef\xbb\xbfspin_us = 3", fresh(&settings)), 0);
    assert_int_equal(settings.spin_us, 3);
}

/* -------------------------------------------------------------------- surroundings and who wins */

static void
reads_the_environment(void **state)
{
    char *environment[] = {(char[]){"PATH=/bin"}, (char[]){"LINNET_SPIN_US=9"},
                           (char[]){"LINNET_SOMETHING=else"}, NULL};
    struct settings settings;
    (void)state;
    assert_int_equal(settings_read_environment(&settings, environment, fresh(&settings)), 0);
    assert_int_equal(settings.spin_us, 9);
}

static void
names_a_bad_variable(void **state)
{
    char *environment[] = {(char[]){"LINNET_ECHO=2"}, (char[]){"LINNET_SPIN_US=9"}, NULL};
    struct settings settings;
    (void)state;
    assert_int_equal(settings_read_environment(&settings, environment, fresh(&settings)), -EINVAL);
    assert_string_equal(told.room,
                        "environment LINNET_ECHO: echo: '2' is neither true nor false\n");
    assert_int_equal(settings.spin_us, 9);
}

static int
read_arguments(struct settings *settings, int argc, char **argv, struct ln_text *wrong)
{
    int error = 0;
    for (int index = 0; index < argc && error == 0;) {
        error = settings_read_argument(settings, argc, argv, &index, wrong);
    }
    return error;
}

static void
reads_flags_in_all_their_forms(void **state)
{
    char *argv[] = {(char[]){"--spin-us"}, (char[]){"4"},          (char[]){"--workers=5"},
                    (char[]){"--echo"},    (char[]){"--io_level"}, (char[]){"6.1"},
                    (char[]){"--data=a=b"}};
    struct settings settings;
    (void)state;
    assert_int_equal(read_arguments(&settings, 7, argv, fresh(&settings)), 0);
    assert_int_equal(settings.spin_us, 4);
    assert_int_equal(settings.workers, 5);
    assert_true(settings.echo);
    assert_int_equal(settings.io_level, IO_LEVEL_6_1);
    assert_string_equal(settings.data, "a=b");
}

static void
switches_off_by_a_flag_with_a_value(void **state)
{
    char *argv[] = {(char[]){"--echo=false"}};
    struct settings settings;
    struct ln_text *wrong = fresh(&settings);
    (void)state;
    settings.echo = true;
    assert_int_equal(read_arguments(&settings, 1, argv, wrong), 0);
    assert_false(settings.echo);
}

static void
leaves_other_flags_alone(void **state)
{
    char *argv[] = {(char[]){"--check-config"}, (char[]){"word"}};
    struct settings settings;
    struct ln_text *wrong = fresh(&settings);
    (void)state;
    for (int index = 0; index < 2; index++) {
        int at = index;
        assert_int_equal(settings_read_argument(&settings, 2, argv, &at, wrong), -ENOENT);
        assert_int_equal(at, index);
    }
    assert_string_equal(told.room, "");
}

static void
misses_a_flags_value(void **state)
{
    char *argv[] = {(char[]){"--spin-us"}};
    struct settings settings;
    struct ln_text *wrong = fresh(&settings);
    int index = 0;
    (void)state;
    assert_int_equal(settings_read_argument(&settings, 1, argv, &index, wrong), -EINVAL);
    assert_string_equal(told.room, "--spin-us: its value is missing\n");
    assert_int_equal(index, 1);
}

static void
lets_the_later_origin_win_in_any_order(void **state)
{
    char *environment[] = {(char[]){"LINNET_SPIN_US=2"}, (char[]){"LINNET_WORKERS=2"}, NULL};
    char *argv[] = {(char[]){"--spin-us=3"}};
    struct settings settings;
    struct ln_text *wrong = fresh(&settings);
    unsigned count = 0;
    (void)state;
    assert_int_equal(read_arguments(&settings, 1, argv, wrong), 0);
    assert_int_equal(settings_read_environment(&settings, environment, wrong), 0);
    assert_int_equal(
        settings_read_text(&settings, "f", "\nspin_us=1\nworkers=1\nschedulers=1\n", wrong), 0);
    assert_int_equal(settings.spin_us, 3);
    assert_int_equal(settings.workers, 2);
    assert_int_equal(settings.schedulers, 1);
    assert_true(settings_table(&count) != NULL);
    assert_int_equal(settings.origins[settings_find("spin_us", 7)], SETTINGS_FLAG);
    assert_int_equal(settings.origins[settings_find("workers", 7)], SETTINGS_ENVIRONMENT);
    assert_int_equal(settings.origins[settings_find("schedulers", 10)], SETTINGS_FILE);
    assert_int_equal(settings.origins[settings_find("echo", 4)], SETTINGS_DEFAULT);
    assert_int_equal(settings.lines[settings_find("schedulers", 10)], 4);
}

static void
judges_a_value_that_loses(void **state)
{
    char *argv[] = {(char[]){"--spin-us=3"}};
    struct settings settings;
    struct ln_text *wrong = fresh(&settings);
    (void)state;
    assert_int_equal(read_arguments(&settings, 1, argv, wrong), 0);
    assert_int_equal(settings_read_text(&settings, "f", "spin_us=x", wrong), -EINVAL);
    assert_int_equal(settings.spin_us, 3);
}

static void
sets_by_name(void **state)
{
    struct settings settings;
    struct ln_text *wrong = fresh(&settings);
    (void)state;
    assert_int_equal(settings_set(&settings, SETTINGS_FLAG, "store_map_bytes", "1G", wrong), 0);
    assert_int_equal(settings.store_map_bytes, 1 << 30);
    assert_int_equal(settings_set(&settings, SETTINGS_FLAG, "store_map_byte", "1G", wrong),
                     -ENOENT);
    assert_string_equal(told.room,
                        "there is no setting 'store_map_byte'; did you mean store_map_bytes?");
}

/* --------------------------------------------------------------------------------- all together */

static void
accepts_its_own_defaults(void **state)
{
    struct settings settings;
    (void)state;
    assert_int_equal(settings_check(&settings, fresh(&settings)), 0);
    assert_string_equal(told.room, "");
}

static void
refuses_settings_that_contradict(void **state)
{
    static const struct {
        const char *text, *told;
    } mistakes[] = {
        {"listen = nowhere", "listen: 'nowhere' is no address with a port, as 127.0.0.1:4222 or "
                             "[::1]:4222\n"},
        {"frame_bytes_max = 40K",
         "frame_bytes_max: a message of message_bytes_max = 32768 needs frames of 44716 bytes, "
         "since the JSON form writes content in base64\n"},
        {"unacknowledged_bytes_max = 1K", "unacknowledged_bytes_max: below message_bytes_max = "
                                          "32768, one message would not fit\n"},
        {"store_cells = 12", "store_cells: 12 is no power of two\n"},
        {"store_replay_bytes = 2M", "store_replay_bytes: below store_segment_bytes = 67108864, no "
                                    "log would ever be short enough\n"},
        {"store_reserve_bytes = 32M",
         "store_reserve_bytes: below store_segment_bytes = 67108864, on a full disk what is given "
         "up would make no room for a segment\n"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct settings settings;
        struct ln_text *wrong = fresh(&settings);
        assert_int_equal(settings_read_text(&settings, "f", mistakes[i].text, wrong), 0);
        assert_int_equal(settings_check(&settings, wrong), -EINVAL);
        assert_string_equal(told.room, mistakes[i].told);
    }
}

static void
reads_times_with_and_without_a_unit(void **state)
{
    static const struct {
        const char *written, *printed;
        uint64_t ms;
    } times[] = {
        {"30", "30d", 30 * STORE_DAY_MS},
        {"30d", "30d", 30 * STORE_DAY_MS},
        {"12h", "12h", 43200000},
        {"48h", "2d", 2 * STORE_DAY_MS},
        {"90m", "90m", 5400000},
        {"60m", "1h", 3600000},
        {"5s", "5s", 5000},
        {"0", "0", 0},
        {"0h", "0", 0},
        {"off", "0", 0},
        {"forever", "forever", SETTINGS_HISTORY_FOREVER_DAYS * STORE_DAY_MS},
        {"36500d", "forever", SETTINGS_HISTORY_FOREVER_DAYS * STORE_DAY_MS},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct settings settings;
        char room[32];
        struct ln_text text;
        struct ln_text *wrong = fresh(&settings);
        unsigned count = 0;
        ln_text_init(&text, room, sizeof room);
        assert_int_equal(
            settings_set(&settings, SETTINGS_FLAG, "history_days", times[i].written, wrong), 0);
        assert_int_equal(settings.history_ms, times[i].ms);
        int place = settings_find("history_days", strlen("history_days"));
        assert_true(place >= 0);
        settings_print_value(&settings, &settings_table(&count)[place], false, &text);
        assert_string_equal(room, times[i].printed);
    }
}

/* Clients are told whole days, rounded up. */
static void
keeps_histories_as_long(void **state)
{
    struct settings settings;
    (void)fresh(&settings);
    (void)state;
    assert_int_equal(settings_history_days(&settings), 0);
    settings.history_ms = 5000;
    assert_int_equal(settings_history_ms(&settings), 5000);
    assert_int_equal(settings_history_days(&settings), 1);
    settings.history_ms = SETTINGS_HISTORY_FOREVER_DAYS * STORE_DAY_MS;
    assert_true(settings_history_ms(&settings) == STORE_HISTORY_FOREVER);
    assert_int_equal(settings_history_days(&settings), SETTINGS_HISTORY_FOREVER_DAYS);
    settings.history_ms = 0;
    settings.delete_after = DELETE_AFTER_READ;
    settings.inbox_age_ms = 36 * UINT64_C(3600000);
    assert_int_equal(settings_history_days(&settings), 2);
    settings.inbox_age_ms = 0;
    assert_true(settings_history_ms(&settings) == STORE_HISTORY_FOREVER);
}

/* A value as it is printed is read as the same value. */
static void
reads_what_it_prints(void **state)
{
    unsigned count = 0;
    const struct setting *table = settings_table(&count);
    struct settings defaults;
    struct settings read;
    struct ln_text *wrong = fresh(&defaults);
    (void)state;
    settings_init(&read);
    for (unsigned i = 0; i < count; i++) {
        int forms = table[i].kind == SETTING_SPAN ? 1 : 2; /* exact ones are in seconds */
        for (int exact = 0; exact < forms; exact++) {
            char room[256];
            struct ln_text value;
            ln_text_init(&value, room, sizeof room);
            settings_print_value(&defaults, &table[i], exact != 0, &value);
            assert_int_equal(settings_set(&read, SETTINGS_FLAG, table[i].name, room, wrong), 0);
            assert_memory_equal((char *)&read + table[i].offset,
                                (char *)&defaults + table[i].offset, table[i].bytes);
        }
    }
}

static void
prints_a_table_with_origins(void **state)
{
    struct settings settings;
    struct ln_text *wrong = fresh(&settings);
    (void)state;
    assert_int_equal(settings_read_text(&settings, "f", "\nspin_us=1", wrong), 0);
    settings_print(&settings, true, wrong);
    assert_false(told.text.cut);
    assert_non_null(strstr(told.room, "\nspin_us                     1                        "
                                      "file, line 2\n"));
    assert_non_null(strstr(told.room, "\nstore_map_bytes             1T                       "
                                      "default\n"));
    assert_non_null(strstr(told.room, "\nschedulers                  0 (one per core)         "
                                      "default\n"));
}

static void
prints_json(void **state)
{
    struct settings settings;
    struct ln_text *wrong = fresh(&settings);
    (void)state;
    assert_int_equal(settings_read_text(&settings, "f", "data = a\"b", wrong), 0);
    settings_print_json(&settings, wrong);
    assert_false(told.text.cut);
    static const char data[] = "[{\"name\":\"data\",\"value\":\"a\\\"b\",\"text\":\"a\\\"b\","
                               "\"origin\":\"file\",\"line\":1},";
    assert_memory_equal(told.room, data, sizeof data - 1);
    assert_non_null(strstr(told.room, "{\"name\":\"inbox_bytes_max\",\"value\":33554432,"
                                      "\"text\":\"32M\",\"origin\":\"default\",\"line\":0}"));
    assert_non_null(strstr(told.room, "{\"name\":\"echo\",\"value\":false,"));
}

static void
helps_with_every_setting(void **state)
{
    struct settings settings;
    unsigned count = 0;
    unsigned lines = 0;
    (void)state;
    settings_print_help(fresh(&settings));
    (void)settings_table(&count);
    assert_false(told.text.cut);
    for (const char *at = told.room; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, count);
    assert_non_null(strstr(told.room, "\n  --registration WORD "));
    assert_non_null(strstr(told.room, " [closed|open; closed]\n"));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a file's settings are read, with comments, blanks and sizes", reads_a_file),
        SPEC("each mistake in a file is told with its line", names_the_line_of_each_mistake),
        SPEC("all mistakes of a file are told, and the good lines count",
             tells_all_mistakes_at_once),
        SPEC("a line that is too long is refused, and the next one read",
             refuses_a_line_too_long_for_the_reader),
        SPEC("a byte order mark is passed over", passes_over_a_byte_order_mark),
        SPEC("variables named after settings are read, others left alone", reads_the_environment),
        SPEC("a bad variable is named, and the good ones count", names_a_bad_variable),
        SPEC("a flag is --name value, --name=value, with '-' or '_'",
             reads_flags_in_all_their_forms),
        SPEC("a switch is turned off by --name=false", switches_off_by_a_flag_with_a_value),
        SPEC("what is no setting's flag is left to others", leaves_other_flags_alone),
        SPEC("a flag without its value is told", misses_a_flags_value),
        SPEC("flag before environment before file, in whatever order they are read",
             lets_the_later_origin_win_in_any_order),
        SPEC("a value that would lose must be good all the same", judges_a_value_that_loses),
        SPEC("a setting is set by its name, and a near miss gets a hint", sets_by_name),
        SPEC("the defaults go together", accepts_its_own_defaults),
        SPEC("settings that contradict each other are refused", refuses_settings_that_contradict),
        SPEC("a time has a unit, or is in days, and is printed in the largest that it fills",
             reads_times_with_and_without_a_unit),
        SPEC("a history is kept for so long, and told in whole days", keeps_histories_as_long),
        SPEC("what is printed is read as the same value", reads_what_it_prints),
        SPEC("the table shows where each value came from", prints_a_table_with_origins),
        SPEC("the JSON form escapes texts and writes sizes in bytes", prints_json),
        SPEC("the help has a line for each setting", helps_with_every_setting),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
