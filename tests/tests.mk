# SPDX-License-Identifier: Apache-2.0
# Test programs: tests/ROOM/NAME.c becomes $(BUILD)/tests/ROOM/NAME.
#   tests/unit/*.c                        cmocka, linked with libpale.a
#   tests/live/*.c tests/guest/*.c tests/agree/*.c tests/learn/probes/*.c static, on their own: they are what gets confined or watched
#   tests/lib/*.c                         linked with the library for programs, build/lib/libpale.a
#   tests/fuzz/fuzz_*.c                   libFuzzer, clang, in build/fuzz
#   any other tests/ROOM/*.c              linked with libpale.a

TEST_SRC   := $(wildcard tests/*/*.c) $(wildcard tests/learn/probes/*.c)
FUZZ_SRC   := $(wildcard tests/fuzz/fuzz_*.c)
ALONE_SRC  := $(wildcard tests/live/*.c tests/guest/*.c tests/agree/*.c tests/learn/probes/*.c)
UNIT_SRC   := $(wildcard tests/unit/*.c)
PUBLIC_SRC := $(wildcard tests/lib/*.c)
LINKED_SRC := $(filter-out $(FUZZ_SRC) $(ALONE_SRC) $(UNIT_SRC) $(PUBLIC_SRC),$(TEST_SRC))

TEST_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(UNIT_SRC) $(LINKED_SRC) $(ALONE_SRC) $(PUBLIC_SRC))
FUZZ_BIN := $(patsubst tests/%.c,$(BUILD)/tests/%,$(FUZZ_SRC))

$(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/agree/*.c)): $(wildcard tests/agree/*.h)
$(patsubst tests/%.c,$(BUILD)/tests/%,$(ALONE_SRC)): $(BUILD)/tests/%: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(WARN) -std=c17 -D_GNU_SOURCE -O1 -g -static -pthread $(ALONE_FLAGS) -o $@.new $<
	@mv -f $@.new $@

$(patsubst tests/%.c,$(BUILD)/tests/%,$(PUBLIC_SRC)): $(BUILD)/tests/%: tests/%.c $(PUBLIC) compiler/lib/pale.h
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(WARN) -std=c17 -D_GNU_SOURCE -Icompiler/lib -O1 -g -pthread $(SANFLAGS) $(LDFLAGS) $(PUBLIC_FLAGS) -o $@.new $< $(PUBLIC)
	@mv -f $@.new $@

$(BUILD)/tests/lib/preload: PUBLIC_FLAGS := -shared -fPIC

# The attacker has no libc: nothing but the attack itself needs a system call.
$(BUILD)/tests/live/attack: ALONE_FLAGS := -ffreestanding -nostdlib -fno-stack-protector

$(patsubst tests/%.c,$(BUILD)/tests/%,$(UNIT_SRC)): $(BUILD)/tests/%: tests/%.c $(BUILD)/libpale.a
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(WARN) $(OURS) $(CPPFLAGS) -MT $@ -MF $@.d $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@.new $< $(BUILD)/libpale.a -lcmocka $(LIBS)
	@mv -f $@.new $@

$(patsubst tests/%.c,$(BUILD)/tests/%,$(LINKED_SRC)): $(BUILD)/tests/%: tests/%.c $(BUILD)/libpale.a
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(WARN) $(OURS) $(CPPFLAGS) -MT $@ -MF $@.d $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -pthread -o $@.new $< $(BUILD)/libpale.a $(LIBS)
	@mv -f $@.new $@

$(FUZZ_BIN): $(BUILD)/tests/%: tests/%.c $(BUILD)/libpale.a
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(if $(WERROR),-Werror) $(OURS) $(CPPFLAGS) $(CFLAGS) $(subst fuzzer-no-link,fuzzer,$(SANFLAGS)) -o $@.new $< $(BUILD)/libpale.a $(LIBS)
	@mv -f $@.new $@

# The bugs that are planted: what asks for them is compiled again, and stands before the library in
# what is linked, where its own of that is not taken then.
PLANT_SRC := $(shell grep -lE 'PLANTED|PALE_PLANT' $(LIB_SRC))
PLANT_OBJ := $(PLANT_SRC:%.c=$(BUILD)/plant/%.o)

$(BUILD)/plant/%.o: %.c | $(GEN_HDR)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(WARN) $(OURS) -DPALE_PLANT $(CPPFLAGS) $(CFLAGS) $(SANFLAGS) -c -o $@ $<

$(BUILD)/plant/tests/%: tests/%.c $(PLANT_OBJ) $(BUILD)/libpale.a
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(WARN) $(OURS) -DPALE_PLANT $(CPPFLAGS) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -pthread -MF $@.d -o $@ $(filter-out %.h,$^) $(LIBS)

$(BUILD)/plant/pale: $(CMD_OBJ) $(PLANT_OBJ) $(BUILD)/libpale.a
	$(call say,LD,$@)$(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

tests-bin: $(TEST_BIN)
fuzz-bin: $(FUZZ_BIN)

SAN := -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all
asan: ## build with ASan and UBSan in build/asan
	+$(MAKE) BUILD=build/asan SANFLAGS="$(SAN)" CFLAGS="-O1 -g1 -fno-omit-frame-pointer" \
		LDFLAGS="-no-pie -static-libasan -static-libubsan" all tests-bin

fuzz-build:
	+$(MAKE) BUILD=build/fuzz CC="$(CLANG)" SANFLAGS="-fsanitize=fuzzer-no-link $(SAN)" CFLAGS="-O1 -g1" fuzz-bin

fuzz: fuzz-build ## run each fuzz target for 30 s
	FUZZ_SECONDS=$${FUZZ_SECONDS:-30} /usr/bin/python3 -m pytest -q -s tests/fuzz

deps-runtimes: ## the container runtimes of four Debian suites, as programs in build/runtimes
	@sh tests/runtimes.sh build/runtimes

test: ## everything, in about half an hour on 2 cores
	@$(MAKE) --no-print-directory deps deps-runtimes
	@/usr/bin/python3 tests/run.py

# What `make test` takes a fixed-seed slice of, whole: a million policies, every fault, fuzzing
# by ten minutes a target. Hours.
LONG := PALE_LONG=300 RANDOM_POLICIES=1000000 RANDOM_JSON=20000 RANDOM_BUILT=500 FUZZ_SECONDS=600 \
	PALE_GUESTS="debian11 debian12 debian13"
test-long: ## all of every long check, in hours
	@$(MAKE) --no-print-directory deps deps-runtimes
	@$(LONG) /usr/bin/python3 tests/run.py

# The kernels and parsers that are newest today; what they are is looked up each time.
test-kernels: all tests-bin ## the guests, with what Debian sid and backports have
	@$(MAKE) --no-print-directory deps
	@sh tests/guest/fetch.sh --newest build/guest-cache sid backports
	@PALE_GUESTS="sid backports" /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider tests/guest

test-%: all tests-bin ## one room of the tests: make test-golden
	/usr/bin/python3 -m pytest -q -n 2 --dist loadgroup tests/$*

bench: ## figures as ratios and medians
	@$(MAKE) --no-print-directory deps
	+@$(MAKE) --no-print-directory all tests-bin
	@/usr/bin/python3 tests/bench/bench.py

loop: ## learn 22 programs on one load, run them with another: refusals without and with a margin
	@$(MAKE) --no-print-directory deps
	@sh tests/deps.sh $$(/usr/bin/python3 tests/loop/loop.py --packages)
	+@$(MAKE) --no-print-directory all
	@/usr/bin/python3 tests/loop/loop.py
	@/usr/bin/python3 tests/loop/names.py

demo: ## learn, compile, enforce and lint a real nginx
	@$(MAKE) --no-print-directory deps-demo
	+@$(MAKE) --no-print-directory all $(BUILD)/tests/live/attack
	@/usr/bin/python3 tests/demo/demo.py

-include $(addsuffix .d,$(TEST_BIN)) $(PLANT_OBJ:.o=.d)

.PHONY: deps-runtimes tests-bin fuzz-bin fuzz-build asan fuzz test test-long test-kernels bench loop demo
