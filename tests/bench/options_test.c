/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/options.h"

#include "tests/bench/command_line.h"
#include "tests/spec.h"

#include <errno.h>

static struct options options;
static enum options_action action;

int
words_read(int count, char **words, struct ln_text *wrong)
{
    return options_read(count, words, &options, &action, wrong);
}

#define URL " --url ws://127.0.0.1:4222/chat --data var"

static void
chat_defaults(void **state)
{
    (void)state;
    assert_int_equal(reads("bench chat" URL), 0);
    assert_int_equal(options.scenario, SCENARIO_CHAT);
    assert_string_equal(options.url.host, "127.0.0.1:4222");
    assert_string_equal(options.url.path, "/chat");
    assert_string_equal(options.data, "var");
    assert_int_equal(options.pairs, 100);
    assert_int_equal(options.users, 200);
    assert_int_equal(options.window, 16);
    assert_int_equal(options.bytes, 128);
    assert_int_equal(options.seconds, 10);
    assert_int_equal(options.warmup_s, 2);
    assert_int_equal(options.threads, 1);
    assert_true(options.rate_per_s == 0);
    assert_int_equal(options.form, PROTOCOL_BINARY);
    assert_true(options.read);
    assert_false(options.json);
}

static void
other_defaults(void **state)
{
    (void)state;
    assert_int_equal(reads("bench idle" URL), 0);
    assert_int_equal(options.users, 1000);
    assert_int_equal(reads("bench echo --url ws://[::1]:4222/echo"), 0);
    assert_int_equal(options.users, 64);
    assert_int_equal(options.bytes, 16);
    assert_int_equal(reads("bench chat --rate 10.5" URL), 0);
    assert_true(options.rate_per_s == 10.5);
    assert_int_equal(options.window, 64);
}

static void
both_spellings(void **state)
{
    (void)state;
    assert_int_equal(reads("bench chat --pairs=3 --window 8 --no-read --form=json --json" URL), 0);
    assert_int_equal(options.users, 6);
    assert_int_equal(options.window, 8);
    assert_false(options.read);
    assert_true(options.json);
    assert_int_equal(options.form, PROTOCOL_JSON);
}

static void
wrong_words(void **state)
{
    (void)state;
    refused("bench",
            "linnet-bench chat, idle, echo, offline, away, storm, mixed, soak, group, capacity or "
            "plan? linnet-bench --help tells\n");
    refused("bench talk",
            "linnet-bench chat, idle, echo, offline, away, storm, mixed, soak, group, capacity or "
            "plan? linnet-bench --help tells\n");
    refused("bench chat --pears 3" URL, "--pears: no such flag; --help lists them\n"
                                        "3: no such flag; --help lists them\n");
    refused("bench idle --pairs 3" URL, "--pairs: idle does not have it\n");
    refused("bench chat" URL " --seconds", "--seconds: its value is missing\n");
    refused("bench chat --json=yes" URL, "--json takes no value\n");
}

static void
wrong_values(void **state)
{
    (void)state;
    refused("bench chat --pairs 0" URL, "--pairs: '0' is no number from 1 to 2000000\n");
    refused("bench chat --pairs -1" URL, "--pairs: '-1' is no number from 1 to 2000000\n");
    refused("bench chat --pairs 3x" URL, "--pairs: '3x' is no number from 1 to 2000000\n");
    refused("bench chat --window 65" URL, "--window: '65' is no number from 1 to 64\n");
    refused("bench chat --rate nan" URL, "--rate: 'nan' is no amount from 0 to 100000000\n");
    refused("bench chat --rate 1e99" URL, "--rate: '1e99' is no amount from 0 to 100000000\n");
    refused("bench chat --form xml" URL, "--form: it can't be 'xml'\n");
    refused("bench chat --bytes 63" URL, "--bytes: '63' is no number from 64 to 32768\n");
    refused("bench chat --seed -5" URL, "--seed: it can't be '-5'\n");
}

static void
wrong_urls(void **state)
{
    (void)state;
    static const char *const urls[] = {"127.0.0.1:4222",      "wss://127.0.0.1:4222/chat",
                                       "ws://127.0.0.1:4222", "ws://localhost:4222/chat",
                                       "ws:///chat",          "ws://unix:/tmp/socket"};
    struct options_url url = {.host = "untouched"};
    for (unsigned i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        assert_int_equal(options_url_parse(urls[i], &url), -EINVAL);
        assert_string_equal(url.host, "untouched");
    }
}

static void
what_does_not_fit(void **state)
{
    (void)state;
    refused("bench chat --data var", "--url: it is missing\n");
    refused("bench chat --url ws://127.0.0.1:4222/chat",
            "users log in with tokens: name the node's --data, or a file of --tokens\n");
    refused("bench chat --users 5" URL, "--users: an even number, since they write in pairs\n");
    refused("bench chat --users 4 --pairs 3" URL, "--users and --pairs do not fit together\n");
    refused("bench chat --tokens file --keep-users x" URL,
            "--keep-users: with --tokens no users are made\n");
}

static void
all_at_once(void **state)
{
    (void)state;
    refused("bench chat --window 0 --form xml --url x --data var",
            "--window: '0' is no number from 1 to 64\n"
            "--form: it can't be 'xml'\n"
            "--url: 'x' is not like ws://127.0.0.1:4222/chat (names are not looked up)\n"
            "--url: it is missing\n");
}

static void
objectives(void **state)
{
    (void)state;
    assert_int_equal(reads("bench chat --p99-sent 500us --p99-delivery 50ms --p99-tick=1.5s" URL),
                     0);
    assert_int_equal(options.objectives.wanted_ns[OBJECTIVE_SENT], 500000);
    assert_int_equal(options.objectives.wanted_ns[OBJECTIVE_DELIVERY], 50000000);
    assert_int_equal(options.objectives.wanted_ns[OBJECTIVE_TICK], 1500000000);
    refused("bench chat --p99-sent 50" URL, "--p99-sent: '50' is not like 500us, 50ms or 2s\n");
    refused("bench chat --p99-sent 0s" URL, "--p99-sent: '0s' is not like 500us, 50ms or 2s\n");
    refused("bench chat --p99-sent 2h" URL, "--p99-sent: '2h' is not like 500us, 50ms or 2s\n");
    refused("bench idle --p99-sent 2s" URL, "--p99-...: of idle users only --chat-pairs write\n");
}

static void
capacity_is_a_chat(void **state)
{
    (void)state;
    assert_int_equal(reads("bench capacity --pairs 7" URL), 0);
    assert_int_equal(action, OPTIONS_CAPACITY);
    assert_int_equal(options.scenario, SCENARIO_CHAT);
    assert_int_equal(options.users, 14);
    assert_true(options.rate_per_s == 1000);
    assert_int_equal(options.window, 64);
    assert_int_equal(options.objectives.wanted_ns[OBJECTIVE_DELIVERY], 500000000);
    assert_int_equal(reads("bench capacity --rate 50 --p99-sent 9ms" URL), 0);
    assert_true(options.rate_per_s == 50);
    assert_int_equal(options.objectives.wanted_ns[OBJECTIVE_DELIVERY], 0);
    refused("bench capacity --keep-users x" URL, "--keep-users: capacity does not have it\n");
}

static void
idle_flags(void **state)
{
    (void)state;
    assert_int_equal(reads("bench idle" URL), 0);
    assert_int_equal(options.heartbeat_s, 60);
    assert_int_equal(options.patience_s, 60);
    assert_int_equal(options_writers(&options), 0);
    assert_int_equal(options.whole.users_each, 2);
    assert_int_equal(reads("bench idle --users 400 --chat-pairs 100 --heartbeat 0" URL), 0);
    assert_int_equal(options_writers(&options), 100);
    assert_true(options.rate_per_s == 1000);
    assert_int_equal(options.heartbeat_s, 0);
    refused("bench idle --users 399 --chat-pairs 100" URL,
            "--chat-pairs: half of the users at most\n");
    refused("bench idle --chat-pairs 251" URL, "--chat-pairs: half of the users at most\n");
    refused("bench idle --rate 5" URL, "--rate: of idle users only --chat-pairs write\n");
}

static bool
divides_on(const char *line, uint64_t descriptors, unsigned cores)
{
    char room[1000];
    struct ln_text wrong;
    assert_int_equal(reads(line), 0);
    ln_text_init(&wrong, room, sizeof room);
    return options_divide(&options, descriptors, cores, &wrong) == 0;
}

static bool
divides(const char *line, uint64_t descriptors)
{
    return divides_on(line, descriptors, 2);
}

static void
divided(void **state)
{
    (void)state;
    assert_true(divides("bench chat" URL, 20000));
    assert_int_equal(options.processes, 1);
    assert_int_equal(options.addresses, 1);
    assert_true(divides("bench idle --users 1000000" URL, 20000));
    assert_int_equal(options.processes, 51);
    assert_int_equal(options.addresses, 75);
    assert_true(divides("bench idle --users 100 --processes 7 --addresses 3" URL, 20000));
    assert_int_equal(options.processes, 7);
    assert_int_equal(options.addresses, 3);
    /* Free cores are a reason for more, not against fewer. */
    assert_true(divides_on("bench idle --users 200000" URL, 1 << 20, 8));
    assert_int_equal(options.processes, 4);
    /* Who stays away takes none. */
    assert_true(divides("bench away --users 1000000" URL, 1024));
    assert_true(options.processes == 1 && options.addresses == 1);
    assert_true(divides_on("bench away --users 1000000 --readers 65536" URL, 1024, 64));
    assert_int_equal(options.processes, 16);
    assert_true(divides("bench away --users 1000000 --readers 50" URL, 20000));
    assert_true(options.processes == 2 && options.addresses == 2);
    assert_true(divides_on("bench idle --users 200000 --processes 1" URL, 1 << 20, 8));
    assert_int_equal(options.processes, 1);
}

static void
not_divided(void **state)
{
    (void)state;
    assert_false(divides("bench idle --users 1000000" URL, 1024));
    assert_false(divides("bench idle --users 1000000 --processes 50" URL, 20000));
    assert_false(divides("bench away --users 4000000 --readers 1" URL, 1024));
    assert_false(divides("bench away --users 100 --readers 50 --processes 3" URL, 20000));
    assert_false(divides("bench chat --pairs 2 --processes 3" URL, 20000));
    assert_false(divides("bench echo --url ws://255.255.255.254:1/echo --addresses 3", 20000));
}

static void
scenarios_have_their_own(void **state)
{
    (void)state;
    assert_int_equal(reads("bench offline" URL), 0);
    assert_int_equal(options.users, 1000);
    assert_int_equal(options.depth, 100);
    assert_int_equal(options.window, 16);
    assert_true(options.random && options.returns_per_s == 0);
    assert_int_equal(share_actors(&options.whole), 63);
    assert_int_equal(options.whole.users, 1063);
    assert_int_equal(reads("bench offline --in-turn --users 16 --returns 2.5" URL), 0);
    assert_false(options.random);
    assert_true(options.returns_per_s == 2.5);
    assert_int_equal(options.whole.users, 17);
    assert_int_equal(reads("bench storm" URL), 0);
    assert_int_equal(options.pairs, 500);
    assert_int_equal(options.storms, 3);
    assert_true(options.back_off && options.rate_per_s == 200);
    assert_int_equal(options.seconds, 30);
    assert_int_equal(reads("bench storm --rate 0 --no-back-off --all-back 2s" URL), 0);
    assert_false(options.back_off);
    assert_int_equal(options.window, 16);
    assert_int_equal(options.objectives.wanted_ns[OBJECTIVE_BACK], 2000000000);
    assert_int_equal(reads("bench group" URL), 0);
    assert_true(options.users == 1000 && options.members == 1000 && options.window == 16);
    assert_int_equal(share_actors(&options.whole), 1);
    assert_int_equal(reads("bench group --users 50 --members 20 --seconds 3" URL), 0);
    assert_int_equal(share_actors(&options.whole), 3);
    assert_int_equal(reads("bench group --users 50" URL), 0);
    assert_int_equal(options.members, 50);
    assert_int_equal(reads("bench group --users 20 --members 2000 --p99-delivery 1s" URL), 0);
    assert_int_equal(options.members, 20);
    assert_int_equal(options.objectives.wanted_ns[OBJECTIVE_DELIVERY], 1000000000);
    refused("bench group --users 41 --members 20" URL,
            "--users: the last group would have one member\n");
    refused("bench group --rate 5" URL, "--rate: group does not have it\n");
    refused("bench offline --seconds 3" URL, "--seconds: offline does not have it\n");
    refused("bench storm --users 3" URL, "--users: an even number, since they write in pairs\n");
}

static void
those_who_stay_away(void **state)
{
    (void)state;
    assert_int_equal(reads("bench away" URL), 0);
    assert_true(options.users == 1000 && options.readers == 16 && options.random);
    assert_true(options.seconds == 10 && options.warmup_s == 2 && options.window == 64);
    assert_int_equal(options_writers(&options), 63);
    assert_int_equal(reads("bench away --users 1000000 --window 8 --in-turn --p99-sent 1s" URL), 0);
    assert_true(options.readers == 15625 && options.window == 8 && !options.random);
    assert_int_equal(options_writers(&options), 64);
    assert_int_equal(options.whole.users, 1000064);
    assert_int_equal(options.objectives.wanted_ns[OBJECTIVE_SENT], 1000000000);
    /* Writers have as many each, or nearly: none is left with a few. */
    assert_int_equal(reads("bench away --users 1000000 --readers 65536" URL), 0);
    assert_true(options.readers == 62500 && options_writers(&options) == 16);
    assert_int_equal(reads("bench away --users 4000000" URL), 0);
    assert_int_equal(options.readers, 62500);
    assert_int_equal(reads("bench away --users 1 --rate 5 --seconds 600" URL), 0);
    assert_true(options.readers == 1 && options.rate_per_s == 5 && options.seconds == 600);
    refused("bench away --readers 65537" URL, "--readers: '65537' is no number from 1 to 65536\n");
    refused("bench offline --readers 1025" URL, "--readers: '1025' is no number from 1 to 1024\n");
    refused("bench away --depth 3 --returns 2 --no-read" URL, "--depth: away does not have it\n"
                                                              "--returns: away does not have it\n"
                                                              "--no-read: away does not have it\n");
    refused("bench away --p99-delivery 1s" URL, "--p99-delivery: away does not have it\n");
}

static void
days(void **state)
{
    (void)state;
    assert_int_equal(reads("bench mixed" URL), 0);
    assert_true(options.habits.factor == 720);
    assert_true(options.habits.online == 0.2 && options.habits.beat_s == 240);
    assert_true(options.rate_per_s > 333 && options.rate_per_s < 334);
    assert_int_equal(options.window, 64);
    assert_int_equal(reads("bench mixed --seconds 60 --messages-per-day 20 --users 600" URL), 0);
    assert_true(options.habits.factor == 1440 && options.rate_per_s == 200);
    assert_int_equal(
        reads("bench soak --seconds 7200 --drift-memory 16MiB --drift-latency 5ms" URL), 0);
    assert_true(options.habits.factor == 144);
    assert_int_equal(options.sample_s, 5);
    assert_true(options.drift.per_hour[DRIFT_MEMORY] == 16 << 20);
    assert_true(options.drift.per_hour[DRIFT_LATENCY] == 5e6);
    assert_true(options.drift.per_hour[DRIFT_DISK] < 0);
    assert_int_equal(options.members, 10);
    assert_int_equal(options_writers(&options), 100);
    assert_int_equal(reads("bench mixed --members 4 --users 20 --group-share 0.5 --changes-per-day "
                           "1 --kill 0.5" URL),
                     0);
    assert_int_equal(options_writers(&options), 5);
    assert_true(options.habits.posts == 0.5 && options.habits.changes == 1);
    assert_true(options.kills_per_s == 0.5);
    refused("bench mixed --members 5" URL,
            "--members: an even number up to 64, since they write in pairs, too\n");
    refused("bench mixed --users 16" URL,
            "--users: '16' is no multiple of the 10 --members of a group\n");
    refused("bench mixed --online 100%" URL, "--online: more than nobody, less than all\n");
    refused("bench mixed --online 2" URL, "--online: '2' is no amount from 0 to 1\n");
    refused("bench mixed --returns-per-day 0" URL,
            "--messages-per-day, --returns-per-day: on a day without them nothing is to be seen\n");
    refused("bench mixed --drift-disk 1MiB" URL, "--drift-disk: mixed does not have it\n");
    refused("bench mixed --rate 3" URL, "--rate: mixed does not have it\n");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("chat has defaults for all but the node", chat_defaults),
        SPEC("idle, echo and open loops have their own", other_defaults),
        SPEC("flags are read as --name value and --name=value", both_spellings),
        SPEC("unknown words, and flags of other scenarios, are told", wrong_words),
        SPEC("values that are none, or out of range, are told", wrong_values),
        SPEC("a URL is ws://, a numeric address with its port, and a path", wrong_urls),
        SPEC("what does not fit together is told", what_does_not_fit),
        SPEC("everything that is wrong is told at once", all_at_once),
        SPEC("objectives are spans of time with their unit", objectives),
        SPEC("offline and storm have defaults and flags of their own", scenarios_have_their_own),
        SPEC("away fills for a while, by few writers with many readers each", those_who_stay_away),
        SPEC("a day's length and habits give its factor and its rate", days),
        SPEC("capacity is a chat with a rate to begin with and an objective", capacity_is_a_chat),
        SPEC("idle has heartbeats, and pairs who write if asked for", idle_flags),
        SPEC("processes and addresses are as many as it takes, or as were asked for", divided),
        SPEC("what can't be divided so is refused", not_divided),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
