# SPDX-License-Identifier: Apache-2.0
# pale: one Makefile, wildcard sources (a new file needs no edit), everything under $(BUILD).
#   make demo    learn, compile, enforce and lint a real nginx       make test    everything
# The user owns CC CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR; WERROR=1 makes warnings errors.

BUILD    ?= build
ifeq ($(origin CC),default)
CC       := gcc
endif
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
WERROR   ?=
SANFLAGS ?=
CLANG    ?= $(firstword $(shell command -v clang clang-14 clang-16 clang-19 2>/dev/null) clang)
BPFTOOL  ?= $(or $(shell command -v bpftool 2>/dev/null),$(wildcard /usr/sbin/bpftool))
FLEX     ?= flex
BISON    ?= bison
VERSION  := 0.1.0

MAKEFLAGS += --no-builtin-rules
# V=1 shows whole commands; otherwise one short line a step.
V ?=
say = $(if $(V),,@echo "  $(1)	$(2)";)
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
.DEFAULT_GOAL := all
export REQUIRE_ALL

# The one list of packages, by what needs them on a fresh Debian.
BUILD_PACKAGES := gcc libc6-dev flex bison clang bpftool libbpf-dev libelf-dev zlib1g-dev libyaml-dev \
	libseccomp-dev libapparmor-dev
DEMO_PACKAGES := $(BUILD_PACKAGES) python3 iproute2 nginx-light
TEST_PACKAGES := $(DEMO_PACKAGES) clang-format gcc-multilib llvm libclang-rt-dev libcmocka-dev \
	python3-pytest python3-pytest-xdist python3-jsonschema python3-yaml git apparmor redis-server strace mandoc distro-info-data \
	qemu-system-x86 busybox-static zstd cpio runc crun podman docker.io $(if $(wildcard /usr/bin/docker),,docker-cli) \
	$(foreach m,armhf riscv64 s390x ppc64el mips64el,libc6-dev-$(m)-cross)

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wwrite-strings -Wvla -Wundef -Wformat=2 $(if $(WERROR),-Werror)
OURS := -std=c17 -D_GNU_SOURCE -DPALE_VERSION='"$(VERSION)"' \
	-DPALE_PROFILES='"$(PREFIX)/share/pale/profiles"' -I. -I$(BUILD)/gen -MMD -MP
LIBS := -lseccomp -lapparmor -lbpf -lelf -lz -lyaml
# The same for a quick start: relocations packed, libraries from their archives. libseccomp stays
# dynamic: what a runtime loads through it is the installed one's business. Where an archive
# lacks something, or the linker is older, pale is linked with LIBS as they are.
QUICK := -Wl,-z,pack-relative-relocs -lseccomp -Wl,-Bstatic -lapparmor -lbpf -lelf -lz -lyaml -Wl,-Bdynamic

ROOMS   := base output automata deploy tables systemd rules policy decision cbpf oci oci/runtime oci/write apparmor \
	target lint lint/out enforce file tell watch fix lsp
LEARN_ROOMS := record container replay hook report
LIB_SRC := $(foreach r,$(ROOMS),$(wildcard compiler/$(r)/*.c)) $(wildcard grammar/*.c) \
	$(filter-out %.bpf.c,$(wildcard learn/*.c)) $(foreach r,$(LEARN_ROOMS),$(wildcard learn/$(r)/*.c))
MKTABLES := compiler/tables/mktables.c compiler/tables/mkprint.c
LIB_SRC := $(filter-out $(MKTABLES),$(LIB_SRC))
CMD_SRC := compiler/main.c $(wildcard compiler/cmd/*.c)
GEN_SRC := $(patsubst grammar/%.y,$(BUILD)/gen/%.tab.c,$(wildcard grammar/*.y)) \
	$(patsubst grammar/%.l,$(BUILD)/gen/%.lex.c,$(wildcard grammar/*.l)) \
	$(if $(wildcard compiler/tables/mktables.c),$(BUILD)/gen/tables_data.c)

# The learner's BPF half: only with clang and bpftool; otherwise ptrace alone, and --version says so.
BPF ?= $(if $(and $(shell command -v $(CLANG) 2>/dev/null),$(BPFTOOL)),1,)
BPF_SRC := $(if $(BPF),$(wildcard learn/*.bpf.c))
SKEL    := $(patsubst learn/%.bpf.c,$(BUILD)/gen/%.skel.h,$(BPF_SRC))
OURS    += $(if $(BPF),-DPALE_BPF=1,-DPALE_BPF=0)

LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o) $(GEN_SRC:%.c=%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(BUILD)/%.o)
RULES   := $(BUILD)/gen/lint_rules.def
GEN_HDR := $(RULES) $(patsubst grammar/%.y,$(BUILD)/gen/%.tab.h,$(wildcard grammar/*.y)) $(SKEL)

# What programs link; $(BUILD)/libpale.a is all that pale itself is made of.
PUBLIC := $(BUILD)/lib/libpale.a

all: $(BUILD)/pale $(PUBLIC) ## build pale, and the library for programs

$(BUILD)/compiler/lib/%.o: compiler/lib/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(WARN) -std=c17 -D_GNU_SOURCE -I. -MMD -MP -fPIC $(CPPFLAGS) $(CFLAGS) $(SANFLAGS) -c -o $@ $<

$(PUBLIC): $(patsubst %.c,$(BUILD)/%.o,$(wildcard compiler/lib/*.c))
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $^

$(BUILD)/pale: $(CMD_OBJ) $(BUILD)/libpale.a
	$(call say,LD,$@)$(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(QUICK) 2>/dev/null || \
		$(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/libpale.a: $(LIB_OBJ)
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $^

$(BUILD)/%.o: %.c | $(GEN_HDR)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(WARN) $(OURS) $(CPPFLAGS) $(CFLAGS) $(SANFLAGS) -c -o $@ $<

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c | $(GEN_HDR)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(WARN) $(OURS) $(CPPFLAGS) $(CFLAGS) $(SANFLAGS) -c -o $@ $<

$(BUILD)/gen/%.tab.c $(BUILD)/gen/%.tab.h &: grammar/%.y
	@mkdir -p $(BUILD)/gen
	$(call say,BISON,$@)$(BISON) -Wall -Werror -Wcounterexamples --header=$(BUILD)/gen/$*.tab.h -o $(BUILD)/gen/$*.tab.c $<

$(BUILD)/gen/%.lex.c: grammar/%.l
	@mkdir -p $(@D)
	$(call say,FLEX,$@)$(FLEX) -o $@ $<

# Tables: one generator, run at build time, that also checks the rows.
$(BUILD)/mktables: $(MKTABLES) $(addprefix compiler/tables/,mktables.h place.h arches.def)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(WARN) $(OURS) -O1 -g -o $@ $(MKTABLES)

$(BUILD)/gen/tables_data.c: $(BUILD)/mktables $(wildcard compiler/tables/*.tsv) compiler/tables/arches.def
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(BUILD)/mktables compiler/tables > $@

# The linter's rules, gathered from above their functions, sorted by id. Written anew only where a
# row changes: the whole tree has the ids.
$(RULES): $(BUILD)/gen/lint_rules.stamp ;
$(BUILD)/gen/lint_rules.stamp: $(wildcard compiler/lint/*.c) compiler/lint/rules.awk
	@mkdir -p $(@D)
	$(call say,GEN,$(RULES))awk -f compiler/lint/rules.awk $(wildcard compiler/lint/*.c) > $@.new
	@cmp -s $@.new $(RULES) && rm $@.new || mv $@.new $(RULES)
	@touch $@

# BPF: no vmlinux.h; CO-RE against the running kernel's BTF at load time. The kernel's asm/ lies in
# a directory of the machine's own, which the compiler of that machine is asked for.
ASM = $(patsubst %/asm/types.h,-idirafter %,$(filter %/asm/types.h,$(shell \
	$(CC) -E -M -include asm/types.h -x c /dev/null)))
$(BUILD)/gen/%.bpf.o: learn/%.bpf.c $(wildcard learn/*.h)
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) -g -O2 -target bpf -mcpu=v3 -Wall -Wextra $(if $(WERROR),-Werror) -I. \
		$(ASM) -c -o $@ $<

$(BUILD)/gen/%.skel.h: $(BUILD)/gen/%.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name $(subst .,_,$*)_bpf > $@

deps-build: ## install what building needs
	@sh tests/deps.sh $(BUILD_PACKAGES)

deps-demo: ## install what building and the demo need
	@sh tests/deps.sh $(DEMO_PACKAGES)

deps: ## install what all of the tests need
	@sh tests/deps.sh $(TEST_PACKAGES)

# Packages of vim's and of Neovim's own: files of other packages are not met.
VIM_PACKS := share/vim/vimfiles/pack/pale/start/pale share/nvim/site/pack/pale/start/pale

install: all ## under $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man3 $(DESTDIR)$(PREFIX)/share/man/man5 \
		$(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/lib \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/pale/profiles/sets \
		$(DESTDIR)$(PREFIX)/share/pale/profiles/examples
	install -m 644 compiler/lint/out/*.json compiler/watch/watch.schema.json $(DESTDIR)$(PREFIX)/share/pale
	for at in $(VIM_PACKS); do for dir in ftdetect ftplugin syntax; do \
		install -d $(DESTDIR)$(PREFIX)/$$at/$$dir && \
		install -m 644 grammar/editors/vim/$$dir/*.vim $(DESTDIR)$(PREFIX)/$$at/$$dir || exit 1; \
	done; done
	install -m 755 $(BUILD)/pale $(DESTDIR)$(PREFIX)/bin/pale
	install -m 644 $(PUBLIC) $(DESTDIR)$(PREFIX)/lib/libpale.a
	install -m 644 compiler/lib/pale.h $(DESTDIR)$(PREFIX)/include/pale.h
	install -m 644 compiler/lib/pale_load.3 $(DESTDIR)$(PREFIX)/share/man/man3/pale_load.3
	for name in pale_load_file pale_load_error; do \
		ln -sf pale_load.3 $(DESTDIR)$(PREFIX)/share/man/man3/$$name.3 || exit 1; \
	done
	install -m 644 compiler/cmd/pale.1 $(DESTDIR)$(PREFIX)/share/man/man1/pale.1
	install -m 644 grammar/policy.5 $(DESTDIR)$(PREFIX)/share/man/man5/pale-policy.5
	install -m 644 compiler/cmd/pale.toml.5 $(DESTDIR)$(PREFIX)/share/man/man5/pale.toml.5
	install -m 644 learn/record/pale-recording.5 $(DESTDIR)$(PREFIX)/share/man/man5/pale-recording.5
	install -m 644 compiler/cmd/pale.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/pale
	install -m 644 profiles/sets/*.pale $(DESTDIR)$(PREFIX)/share/pale/profiles/sets
	install -m 644 profiles/examples/*.pale $(DESTDIR)$(PREFIX)/share/pale/profiles/examples
	install -m 644 profiles/docker-default*.pale profiles/NOTICE $(DESTDIR)$(PREFIX)/share/pale/profiles

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/pale $(DESTDIR)$(PREFIX)/share/man/man1/pale.1 \
		$(DESTDIR)$(PREFIX)/lib/libpale.a $(DESTDIR)$(PREFIX)/include/pale.h \
		$(foreach f,pale_load pale_load_file pale_load_error,$(DESTDIR)$(PREFIX)/share/man/man3/$(f).3) \
		$(DESTDIR)$(PREFIX)/share/man/man5/pale-policy.5 \
		$(DESTDIR)$(PREFIX)/share/man/man5/pale.toml.5 \
		$(DESTDIR)$(PREFIX)/share/man/man5/pale-recording.5 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/pale
	rm -rf $(DESTDIR)$(PREFIX)/share/pale $(addprefix $(DESTDIR)$(PREFIX)/,$(VIM_PACKS))

dist: ## pale-VERSION.tar.gz of what is committed
	git archive --prefix=pale-$(VERSION)/ -o pale-$(VERSION).tar.gz HEAD

compile_commands.json: ## for clangd (needs bear)
	bear -- $(MAKE) BUILD=build/bear all

clean:
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z%_.-]*\):.*## /  \1\t/p' Makefile tests/tests.mk

.PHONY: all deps deps-build deps-demo install uninstall dist clean help
-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(wildcard $(BUILD)/lib/*.d)
-include $(wildcard tests/*.mk)
