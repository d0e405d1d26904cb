# SPDX-License-Identifier: Apache-2.0
linnet_test(actors_auth_test TIER fast SOURCES auth_test.c LIBS linnet_actors)
linnet_test(actors_clock_test TIER fast SOURCES clock_test.c LIBS linnet_actors)
linnet_test(actors_flight_test TIER fast SOURCES flight_test.c LIBS linnet_actors)
linnet_test(actors_presence_table_test TIER fast SOURCES presence_table_test.c LIBS linnet_actors)
linnet_test(actors_handoff_test TIER fast SOURCES handoff_test.c LIBS linnet_actors)
linnet_test(actors_rate_test TIER fast SOURCES rate_test.c LIBS linnet_actors)
linnet_test(actors_limiter_test TIER fast SOURCES limiter_test.c LIBS linnet_actors)
linnet_test(actors_short_name_test TIER fast SOURCES short_name_test.c LIBS linnet_actors)
