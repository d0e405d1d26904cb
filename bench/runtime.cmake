# SPDX-License-Identifier: Apache-2.0
# The runtime alone.
linnet_program(bench_runtime SOURCES runtime.c process.c LIBS linnet_runtime)
target_include_directories(bench_runtime PRIVATE ${PROJECT_BINARY_DIR}/include/bench)
