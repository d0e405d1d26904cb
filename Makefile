# SPDX-License-Identifier: Apache-2.0
# A thin front: each goal is a line or two of what CMake, Ninja, CTest or a script does. `make` lists them.

LISTEN ?= 127.0.0.1:4222
DATA ?= var
ARGS ?=
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
DESTDIR ?=

RELEASE := build/release
SOURCES = find runtime net store actors tools bench tests -name '*.[ch]' -not -path '*/node_modules/*'
# Configures once; from then on Ninja itself notices changed CMake files.
CONFIGURE = test -f build/$(1)/build.ninja || cmake --preset $(1) -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null

.PHONY: help run test ci soak bench bench-runtime format tidy fuzz install kernel61 clean

help:
	@echo 'make run       build the node and start it on $(LISTEN), data in ./$(DATA); more flags in ARGS='
	@echo 'make test      build everything, run the fast and the black-box tests (about five minutes)'
	@echo 'make ci        all tiers: test, formatter, linters, clang, sanitizers, seeds, fuzzers (under half an hour)'
	@echo 'make soak      the long tests, fresh seeds and fuzzers for hours: SOAK_MINUTES=, 120 when not given'
	@echo 'make bench     build and run the benchmarks'
	@echo 'make bench-runtime  what the runtime alone costs, beside Erlang; flags of bench/runtime/run.py in ARGS='
	@echo 'make fuzz      run each fuzzer: FUZZ_SECONDS=, 60 when not given'
	@echo 'make kernel61  run the tests of the real driver and the black-box suite under a 6.1 kernel in QEMU'
	@echo 'make format    format the C sources in place'
	@echo 'make tidy      clang-tidy over all C sources'
	@echo 'make install   install the programs, the runtime library and its headers under PREFIX=$(PREFIX)'

run:
	@tools/setup.sh run
	@$(call CONFIGURE,release)
	@ninja -C $(RELEASE) -j$(JOBS) --quiet linnetd linnet linnet-bench
	@exec $(RELEASE)/tools/linnetd --data $(DATA) --listen $(LISTEN) $(ARGS)

test:
	@tools/setup.sh test
	@$(call CONFIGURE,release)
	ninja -C $(RELEASE) -j$(JOBS)
	ctest --test-dir $(RELEASE) -L '^(fast|blackbox)$$' -j$$((2 * $(JOBS))) --output-on-failure --no-tests=error

ci:
	@.ci/run

soak:
	@LINNET_SOAK_MINUTES=$${SOAK_MINUTES:-120} .ci/run --only soak

bench:
	@tools/setup.sh bench
	@$(call CONFIGURE,release)
	@bench/run.sh

bench-runtime:
	@tools/setup.sh bench
	@$(call CONFIGURE,release)
	@ninja -C $(RELEASE) -j$(JOBS) --quiet bench_runtime
	@bench/runtime/run.py $(ARGS)

fuzz:
	@LINNET_FUZZ_SECONDS=$${FUZZ_SECONDS:-60} .ci/run --only fuzz

tidy:
	@.ci/run --only tidy

kernel61:
	@.ci/run --only kernel61

format:
	@tools/setup.sh ci
	@$(SOURCES) -print0 | xargs -0 tests/style/rewrap.py
	@$(SOURCES) -print0 | xargs -0 clang-format -i

install:
	@tools/setup.sh run
	@$(call CONFIGURE,release)
	@ninja -C $(RELEASE) -j$(JOBS) --quiet runtime/all tools/all linnet-bench
	DESTDIR=$(DESTDIR) cmake --install $(RELEASE) --prefix $(PREFIX)

clean:
	rm -rf build
