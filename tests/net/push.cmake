# SPDX-License-Identifier: Apache-2.0
# What a push is made of, and the HTTP and TLS it leaves over.
linnet_test(net_url_test TIER fast SOURCES url_test.c LIBS linnet_net)
linnet_test(net_http_client_test TIER fast SOURCES http_client_test.c LIBS linnet_net)
linnet_test(net_webpush_test TIER fast SOURCES webpush_test.c LIBS linnet_net)
linnet_test(net_webhook_test TIER fast SOURCES webhook_test.c LIBS linnet_net)
linnet_test(net_tls_client_test TIER fast SOURCES tls_client_test.c tls_server.c LIBS linnet_net)

linnet_fuzzer(fuzz_http_client SOURCES fuzz_http_client.c LIBS linnet_net)
