# SPDX-License-Identifier: Apache-2.0
linnet_test(net_arena_test TIER fast SOURCES arena_test.c LIBS linnet_net)
linnet_test(net_base64_test TIER fast SOURCES base64_test.c LIBS linnet_net)
linnet_test(net_decimal_test TIER fast SOURCES decimal_test.c LIBS linnet_net)
linnet_test(net_schema_test TIER fast SOURCES schema_test.c LIBS linnet_net)
linnet_test(net_json_test TIER fast SOURCES json_test.c frames.c LIBS linnet_net)
linnet_test(net_binary_test TIER fast SOURCES binary_test.c frames.c LIBS linnet_net)
linnet_test(net_client_test TIER fast SOURCES client_test.c fake_node.c LIBS linnet_net)
