# SPDX-License-Identifier: Apache-2.0
# Bytes, HTTP and WebSocket.
linnet_test(utf8_test TIER fast SOURCES utf8_test.c LIBS linnet_net)
linnet_test(frame_test TIER fast SOURCES frame_test.c LIBS linnet_net)
linnet_test(websocket_test TIER fast SOURCES websocket_test.c talk.c LIBS linnet_net)
linnet_test(http_test TIER fast SOURCES http_test.c LIBS linnet_net)
linnet_test(upgrade_test TIER fast SOURCES upgrade_test.c LIBS linnet_net)
# Lets a test take memory or libcrypto away from net.
target_link_options(websocket_test PRIVATE -Wl,--wrap=realloc)
target_link_options(upgrade_test PRIVATE -Wl,--wrap=EVP_Digest)

linnet_fuzzer(fuzz_http SOURCES fuzz_http.c LIBS linnet_net)
linnet_fuzzer(fuzz_frame SOURCES fuzz_frame.c talk.c LIBS linnet_net cmocka)
if(LINNET_FUZZ)
  target_include_directories(fuzz_frame PRIVATE ${PROJECT_BINARY_DIR}/include/tests)
endif()
