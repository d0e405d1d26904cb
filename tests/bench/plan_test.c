/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/plan.h"

#include "bench/plan_command.h"
#include "bench/plan_published.h"
#include "tests/bench/command_line.h"
#include "tests/spec.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct plan_command command;
static struct plan_result rows[PLAN_ROWS];

int
words_read(int count, char **words, struct ln_text *wrong)
{
    return plan_command_read(count, words, &command, wrong);
}

static const char *
prints(const char *line)
{
    struct ln_text out;
    assert_int_equal(reads(line), 0);
    ln_text_init(&out, told, sizeof told);
    plan_command_print(&command, &out);
    assert_false(out.cut);
    return told;
}

static void
plans(const char *line)
{
    assert_int_equal(reads(line), 0);
    plan_compute(&command.plan, rows);
}

static void
about(double value, double wanted, double share)
{
    assert_true(fabs(value - wanted) <= wanted * share);
}

static void
comes_to(enum plan_row row, double value)
{
    about(rows[row].value, value, 0.001);
}

static void
first_published(void **state)
{
    (void)state;
    plan_compute(&plan_published[0].plan, rows);
    comes_to(PLAN_WRITES_PER_S, 347222);
    comes_to(PLAN_STORAGE_PER_DAY, 78e12);
    comes_to(PLAN_STORAGE_KEPT, 284.7e15);
    comes_to(PLAN_STORAGE_PER_S, 902.8e6);
}

static void
second_published(void **state)
{
    (void)state;
    plan_compute(&plan_published[1].plan, rows);
    comes_to(PLAN_MESSAGES_PER_DAY, 20e9);
    comes_to(PLAN_STORAGE_PER_DAY, 2e12);
    comes_to(PLAN_BANDWIDTH_IN, 23.15e6);
    comes_to(PLAN_STORAGE_KEPT, 3.65e15);
}

static void
published_differences(void **state)
{
    (void)state;
    const char *text = prints("bench plan --published");
    unsigned differ = 0;
    for (const char *at = text; (at = strstr(at, "DIFFERS")) != NULL; at++) {
        differ++;
    }
    assert_int_equal(differ, 3);
    assert_non_null(strstr(text, "950 MB/s    902.8 MB/s   DIFFERS by +5 %"));
    assert_non_null(strstr(text, "25 MB/s    23.15 MB/s   DIFFERS by +8 %"));
    assert_non_null(strstr(text, "5 PB       3.65 PB   DIFFERS by +37 %"));
    text = prints("bench plan --published --json");
    assert_non_null(strstr(text, "\"row\":\"storage_kept\",\"published\":5e+15,\"ours\":3.65e+15,"
                                 "\"differs\":true}"));
}

#define SMALL                                                                          \
    "bench plan --dau 86400 --messages-per-day 10 --text-bytes 100 --media-share 10% " \
    "--media-bytes 1KB --record-bytes 300 "

static void
from_people_to_rates(void **state)
{
    (void)state;
    plans(SMALL "--fan-out 3 --replicas 2 --peak 4 --online 25%");
    comes_to(PLAN_MESSAGES_PER_DAY, 864000);
    comes_to(PLAN_MESSAGES_PER_S, 10);
    comes_to(PLAN_MESSAGES_PER_S_PEAK, 40);
    comes_to(PLAN_WRITES_PER_S, 20);
    comes_to(PLAN_DELIVERIES_PER_S, 30);
    comes_to(PLAN_TICKS_PER_S, 70);
    comes_to(PLAN_MESSAGE_BYTES, 500);
    comes_to(PLAN_BANDWIDTH_IN, 2000);
    comes_to(PLAN_BANDWIDTH_OUT, 6000);
    comes_to(PLAN_CONNECTIONS, 21600);
}

static void
from_rates_to_disk(void **state)
{
    (void)state;
    plans(SMALL "--replicas 2 --retention-days 30 --years 5 --mau 200000 --account-bytes 1000");
    comes_to(PLAN_STORAGE_PER_DAY, 864e6);
    comes_to(PLAN_STORAGE_PER_S, 10000);
    comes_to(PLAN_STORAGE_KEPT, 864e6 * 30);
    comes_to(PLAN_STORAGE_ACCOUNTS, 200000 * 1000.0 * 2);
    comes_to(PLAN_HOT_SET_RULE, 864e6 * 0.005);
    plans(SMALL "--replicas 2 --retention-days 0 --years 5");
    comes_to(PLAN_STORAGE_KEPT, 864e6 * 365 * 5);
    plans(SMALL "--replicas 2 --retention-days 900 --years 1");
    comes_to(PLAN_STORAGE_KEPT, 864e6 * 365);
}

static void
nodes_by_what_binds(void **state)
{
    (void)state;
    plans(SMALL "--peak 4 --message-cpu-us 1e5 --cores 2 --used 50% --connections 1 "
                "--connection-cpu-us 0");
    comes_to(PLAN_NODES_CPU, 4);
    assert_string_equal(rows[PLAN_NODES].how, "the most of these: nodes by CPU");
    plans(SMALL "--connections 1e6 --connection-bytes 1e3 --kernel-bytes 3e3 --hot-bytes 0 "
                "--memory 1e9 --used 50%");
    comes_to(PLAN_NODES_MEMORY, 8);
    comes_to(PLAN_NODES, 8);
    plans(SMALL "--disk 1e9 --used 100% --retention-days 10 --account-bytes 0 --years 1");
    comes_to(PLAN_NODES_DISK, 5);
    comes_to(PLAN_NODES, 5);
    plans(SMALL "--peak 1 --fan-out 3 --link 1000 --used 100%");
    comes_to(PLAN_NODES_LINK, 6);
}

static void
each_recipient_takes_cpu(void **state)
{
    (void)state;
    plans(SMALL "--peak 4 --message-cpu-us 1e5 --cores 1 --used 100% --connections 1 "
                "--connection-cpu-us 0 --fan-out 5 --replicas 2");
    comes_to(PLAN_NODES_CPU, 40);
    plans(SMALL "--peak 4 --message-cpu-us 1e5 --cores 1 --used 100% --connections 1 "
                "--connection-cpu-us 0 --fan-out 0");
    comes_to(PLAN_NODES_CPU, 4);
}

static void
numbers_beyond_all_hosts(void **state)
{
    (void)state;
    const char *text = prints("bench plan --dau 1e18 --messages-per-day 1e18 --text-bytes 1e18 "
                              "--replicas 1e18 --years 1e18 --retention-days 0 --disk 1e-9 "
                              "--used 1e-9");
    assert_non_null(strstr(text, "3.65e+110   = ("));
    plan_compute(&command.plan, rows);
    for (unsigned row = 0; row < PLAN_ROWS; row++) {
        assert_true(isfinite(rows[row].value));
    }
}

static void
ten_million_connections(void **state)
{
    (void)state;
    plans("bench plan --connections 1e7 --connection-bytes 800 --kernel-bytes 4000 --used 80% "
          "--connection-cpu-us 0.2");
    comes_to(PLAN_CONNECTION_USER_MEMORY, 8e9);
    comes_to(PLAN_CONNECTION_KERNEL_MEMORY, 40e9);
    comes_to(PLAN_CONNECTION_CORES, 2);
    comes_to(PLAN_ONE_HOST_MEMORY, 60e9);
    comes_to(PLAN_ONE_HOST_CORES, 2.5);
}

static void
shows_arithmetic(void **state)
{
    (void)state;
    const char *text = prints(SMALL "--peak 1 --message-cpu-us 12 --connection-cpu-us 0.12 "
                                    "--connection-bytes 2224 --kernel-bytes 4100");
    assert_non_null(strstr(text, "864 k   = 8.64e+04 people x 10\n"));
    assert_non_null(strstr(text, "500 B   = 100 + 0.1 x 1000 + 300 around it\n"));
    assert_non_null(
        strstr(text, "= (10 x 1 recipients x 1 copies x 12 us + 0.002074) / (2 x 0.5 in use)\n"));
    assert_non_null(strstr(text, "= (1.115e+08 + 3.843e+07 + 7.085e+07 B) / (2.577e+10 x 0.5 in "
                                 "use)\n"));
    assert_non_null(strstr(text, "= (2000 B/s x 1) / (1.25e+08 x 0.5 in use)\n"));
    text = prints(SMALL "--json --peak 1");
    assert_non_null(
        strstr(text, "\"messages_per_day\":{\"value\":864000,\"how\":\"8.64e+04 people x 10\"}"));
}

static void
json_has_what_it_was_reckoned_from(void **state)
{
    (void)state;
    const char *text = prints(SMALL "--json --peak 1 --kernel-bytes 5000");
    assert_non_null(strstr(text, "{\"version\":\"" LINNET_VERSION "\",\"inputs\":{\"dau\":86400,"));
    assert_non_null(strstr(text, "\"peak\":1,"));
    assert_non_null(strstr(text, "\"kernel_bytes\":5000,"));
    assert_non_null(strstr(text, "\"used\":0.5}"));
}

static void
where_figures_come_from(void **state)
{
    (void)state;
    const char *text = prints("bench plan --hot-bytes 3000");
    assert_non_null(strstr(text, "    11.1 us of CPU, a message with its ticks        chat, 100 "));
    assert_non_null(
        strstr(text, "    3000 bytes of memory, an active user's records  as stated\n"));
    text = prints("bench plan --json --record-bytes 100");
    assert_non_null(strstr(text, "\"measured\":{\"message_cpu_us\":\"chat, 100 pairs"));
    assert_non_null(strstr(text, "\"record_bytes\":\"as stated\""));
    assert_int_equal(reads("bench plan --idle idle.json"), 0);
    command.plan.measured.connection_bytes = 800; /* as the file tells */
    struct ln_text out;
    ln_text_init(&out, told, sizeof told);
    plan_command_print(&command, &out);
    assert_non_null(
        strstr(told, "     800 bytes of memory, a silent connection       idle.json\n"));
    /* It is no figure of an active user's. */
    assert_non_null(strstr(told, "an active user's records  mixed, 100,000 users"));
}

/* Nobody else's messages, storage or memory are reckoned beside them. */
static void
connections_alone(void **state)
{
    (void)state;
    const char *text =
        prints("bench plan --connections 1e6 --connection-bytes 1000 --kernel-bytes 3000");
    assert_null(strstr(text, "people"));
    assert_null(strstr(text, "storage"));
    assert_null(strstr(text, "bytes of a message"));
    assert_non_null(strstr(text, "connections "));
    plan_compute(&command.plan, rows);
    comes_to(PLAN_MESSAGES_PER_S, 0);
    comes_to(PLAN_NODES_DISK, 0);
    comes_to(PLAN_CONNECTION_USER_MEMORY, 1e9);
    assert_non_null(strstr(rows[PLAN_NODES_MEMORY].how, "(0 + 1e+09 + 3e+09 B)"));
}

static void
takes_results(void **state)
{
    (void)state;
    struct plan_measured measured = plan_default.measured;
    assert_int_equal(
        plan_take_chat("{\"scenario\":\"chat\",\"node_cpu_ms\":1200,\"measured\":100000}",
                       &measured),
        0);
    about(measured.message_cpu_us, 12, 1e-9);
    assert_int_equal(
        plan_take_idle("{\"scenario\":\"idle\",\"bytes_per_connection\":800,\"node_cpu_ms\":30,"
                       "\"connections\":10000,\"seconds\":10}",
                       &measured),
        0);
    about(measured.connection_bytes, 800, 1e-9);
    about(measured.connection_cpu_us_per_s, 0.3, 1e-9);
    /* This one does not tell what the kernel took. */
    about(measured.connection_kernel_bytes, plan_default.measured.connection_kernel_bytes, 1e-9);
    assert_int_equal(plan_take_idle("{\"scenario\":\"idle\",\"bytes_per_connection\":800,"
                                    "\"node_cpu_ms\":30,\"connections\":10000,\"seconds\":10,"
                                    "\"kernel_bytes_per_end\":4100}",
                                    &measured),
                     0);
    about(measured.connection_kernel_bytes, 4100, 1e-9);
}

#define CHAT_RESULT "{\"scenario\":\"chat\","

static void
refuses_other_files(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "[",
        "{}",
        "[1]",
        CHAT_RESULT "\"node_cpu_ms\":5,\"measured\":0}",
        CHAT_RESULT "\"node_cpu_ms\":-5,\"measured\":7}",
        CHAT_RESULT "\"node_cpu_ms\":\"5\",\"measured\":\"7\"}",
        "{\"scenario\":\"echo\",\"node_cpu_ms\":5,\"measured\":7}"};
    struct plan_measured measured = plan_default.measured;
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(plan_take_chat(others[i], &measured), -ENOENT);
        assert_int_equal(plan_take_idle(others[i], &measured), -ENOENT);
    }
    assert_memory_equal(&measured, &plan_default.measured, sizeof measured);
}

static void
wrong_flags(void **state)
{
    (void)state;
    refused("bench plan --dau many", "--dau: 'many' is not like 1e9, 20%, 250KB or 64GiB\n");
    refused("bench plan --dau -1", "--dau: '-1' is not like 1e9, 20%, 250KB or 64GiB\n");
    refused("bench plan --dau 1e30", "--dau: '1e30' is not like 1e9, 20%, 250KB or 64GiB\n");
    refused("bench plan --dau 3kb", "--dau: '3kb' is not like 1e9, 20%, 250KB or 64GiB\n");
    refused("bench plan --online 200%", "--online: '200%' is no amount from 0 to 1\n");
    refused("bench plan --used 0 --cores 0",
            "--cores: more than 0 is needed\n--used: more than 0 is needed\n");
    refused("bench plan --dau 0x10", "--dau: '0x10' is not like 1e9, 20%, 250KB or 64GiB\n");
    refused("bench plan --disk 1e-300", "--disk: '1e-300' is not like 1e9, 20%, 250KB or 64GiB\n");
    refused("bench plan --peak 0.5", "--peak: the busiest second is at least the average one, 1\n");
    refused("bench plan --dau 0", "--dau: more than 0 is needed; of connections alone give "
                                  "--connections, and no --dau\n");
    refused("bench plan --dau 1e6 --mau 1e5",
            "--mau: who comes on a day comes in the month, too: --dau at least\n");
    refused("bench plan --connections 1e6 --messages-per-day 3",
            "--connections: without --dau nobody is there who has habits\n");
    refused("bench plan --published --peak 4",
            "--published: it has its own figures: beside it only --json\n");
    refused("bench plan --url=x", "--url=x: no such flag; --help lists them\n");
}

static void
stated_twice(void **state)
{
    (void)state;
    refused("bench plan --chat a.json --message-cpu-us 12",
            "--message-cpu-us: the result of --chat tells it; leave one of them out\n");
    refused("bench plan --connection-bytes 0 --connection-cpu-us 1 --idle b.json",
            "--connection-cpu-us: the result of --idle tells it; leave one of them out\n"
            "--connection-bytes: the result of --idle tells it; leave one of them out\n");
    refused("bench plan --kernel-bytes 1 --idle b.json",
            "--kernel-bytes: the result of --idle tells it; leave one of them out\n");
    assert_int_equal(reads("bench plan --chat a.json --connection-bytes 7"), 0);
    about(command.plan.measured.connection_bytes, 7, 1e-9);
    about(command.plan.measured.message_cpu_us, plan_default.measured.message_cpu_us, 1e-9);
}

static void
units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } amounts[] = {
        {"7", 7},
        {"1e3", 1e3},
        {"2.5", 2.5},
        {"20%", 0.2},
        {"3KB", 3e3},
        {"250MB", 250e6},
        {"1TB", 1e12},
        {"2PB", 2e15},
        {"4KiB", 4096},
        {"1GiB", 1 << 30},
        {"1.5MiB", 1536 * 1024},
    };
    for (unsigned i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "bench plan --dau %s", amounts[i].text);
        assert_int_equal(reads(line), 0);
        about(command.plan.people.dau, amounts[i].value, 1e-9);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a published estimate of a thousand million people comes out as published, but for "
             "its bandwidth",
             first_published),
        SPEC("one of five hundred million comes out with less bandwidth, and less in five years",
             second_published),
        SPEC("where published arithmetic differs from ours, that is printed with ours",
             published_differences),
        SPEC("people and their habits become rates and connections", from_people_to_rates),
        SPEC("rates become storage, for as long as it is kept", from_rates_to_disk),
        SPEC("nodes are as many as what binds most needs", nodes_by_what_binds),
        SPEC("each recipient and each copy of a message takes as much CPU as the first",
             each_recipient_takes_cpu),
        SPEC("absurd numbers give absurd nodes, but numbers", numbers_beyond_all_hosts),
        SPEC("ten million connections need a host of so much memory and so many cores",
             ten_million_connections),
        SPEC("each row shows its operands", shows_arithmetic),
        SPEC("JSON has the version and every figure that it was reckoned from",
             json_has_what_it_was_reckoned_from),
        SPEC("of each figure of a node it is told where it comes from", where_figures_come_from),
        SPEC("of connections alone nothing but these is reckoned", connections_alone),
        SPEC("a result of chat or idle replaces the figures assumed of a node", takes_results),
        SPEC("a file that is no such result is refused and changes nothing", refuses_other_files),
        SPEC("wrong flags are each told", wrong_flags),
        SPEC("a figure that a result's file tells can't be stated by a flag, too", stated_twice),
        SPEC("amounts have units", units),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
