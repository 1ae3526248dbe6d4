/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the benchmarks compile: a policy for x86_64, no capabilities, one kernel; a trace. */
#include "tests/sim/load.h"

static inline struct loaded load_bench(const char *path, uint16_t kernel)
{
	const char *dirs[] = { getenv("PALE_SETS"), NULL };
	struct resolve_options opt = {
		.set_dirs = dirs,
		.arches = ARCH_BIT(ARCH_X86_64),
		.env = { .caps_known = true,
			 .kernel_known = true,
			 .host_known = true,
			 .kernel = kernel,
			 .host = ARCH_X86_64 },
	};
	struct loaded l = { .arena = arena_new(NULL) };
	struct source *src;

	l.sources = sources_new(l.arena);
	l.diags = diags_new(l.arena, l.sources);
	if (source_load(l.sources, path, &src))
		exit(2);
	l.policies =
		policy_resolve(l.arena, pale_parse_source(l.arena, src, l.diags), &opt, l.diags);
	if (l.diags->errors || l.policies->list.n != 1) {
		print_diags(&l);
		exit(2);
	}
	return l;
}

/* Thousandths of calls, by number. */
static inline uint64_t *load_trace(const char *path)
{
	uint64_t *count = calloc(1024, sizeof(*count));
	FILE *f = fopen(path, "r");
	double n;
	char name[64];

	while (f && count && fscanf(f, "%lf %63s", &n, name) == 2) {
		const struct syscall_info *s = syscall_by_name(str_c(name));
		if (s && s->nr[ARCH_X86_64] >= 0 && s->nr[ARCH_X86_64] < 1024)
			count[s->nr[ARCH_X86_64]] += (uint64_t)(n * 1000 + 0.5);
	}
	if (f)
		fclose(f);
	return count;
}
