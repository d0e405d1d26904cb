# SPDX-License-Identifier: Apache-2.0
# Bytes, HTTP and WebSocket.
linnet_test(utf8_test TIER fast SOURCES utf8_test.c LIBS linnet_net)
linnet_test(frame_test TIER fast SOURCES frame_test.c LIBS linnet_net)
linnet_test(websocket_test TIER fast SOURCES websocket_test.c talk.c LIBS linnet_net)
# Lets a test take memory away from net.
target_link_options(websocket_test PRIVATE -Wl,--wrap=realloc)
