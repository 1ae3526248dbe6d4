/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The running kernel's types. libbpf would read all of them, and look through all of them for each
 * that a program names; here what the programs read is cut out of them for it, in one pass, and
 * what they attach to is found by its number. Only where BPF programs are built.
 */
#include <bpf/libbpf.h>
#include <stdint.h>

#include "compiler/base/arena.h"
#include "learn/trace.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

struct types;

/* Reads them; NULL: *err is -errno, -ENOENT where the kernel has none. */
struct types *types_open(struct arena *a, int *err);
void types_close(struct types *t); /* NULL is fine */

/* What libbpf reads in place of all: bpf_object_open_opts.btf_custom_path. */
const char *types_path(const struct types *t);
/* Fills that for the programs of an object that has been opened with it. 0 or -errno. */
int types_cut(struct types *t, const struct bpf_object *obj);

/* After the cut: the number of a type that the programs read or attach to; 0: there is none. BTF_KIND_*. */
uint32_t types_id(const struct types *t, const char *name, unsigned kind);

/* After the cut: of what programs read as it lies. False: the kernel does not let them, or has two of a name. */
bool types_casts(const struct types *t, uint32_t numbers[CASTS]);

/*
 * Has objects that are opened from now on find what they attach to in `t` alone; their programs are
 * of the kind that they say once they are loaded. Until types_unbind(). 0 or -errno.
 */
int types_bind(struct types *t);
void types_unbind(struct types *t); /* NULL is fine */
