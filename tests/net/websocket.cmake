# SPDX-License-Identifier: Apache-2.0
# Bytes, HTTP and WebSocket. Assertions come with linnet_net, through linnet_runtime.
