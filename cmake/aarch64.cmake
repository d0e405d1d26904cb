# SPDX-License-Identifier: Apache-2.0
# Cross-building for AArch64 with Debian's toolchain; tests run in qemu-user. tools/setup.sh aarch64 names the packages.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
# ConcurrencyKit, whose package can't be installed for two architectures: headers, too, since they differ.
set(unpacked ${CMAKE_CURRENT_LIST_DIR}/../build/aarch64-packages/usr)
set(CMAKE_C_FLAGS_INIT "-isystem ${unpacked}/include")
set(CMAKE_LIBRARY_PATH ${unpacked}/lib/aarch64-linux-gnu)
