/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte for the kind, a glob a line, another, then texts: a glob's match, its machine and the
 * overlap of both answer alike, and the witness that a walk finds matches.
 */
#include <string.h>

#include "compiler/automata/machine.h"
#include "compiler/base/bug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A bit for each rule that a text ends in, and one more: 0 stands for none. */
static unsigned class_of(void *who, const uint32_t *rules, size_t n)
{
	unsigned set = 0;

	(void)who;
	for (size_t i = 0; i < n; i++)
		set |= 1u << rules[i];
	return set;
}

static struct str next_line(struct str *rest)
{
	const char *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct str line = { rest->p, nl ? (size_t)(nl - rest->p) : rest->n };

	*rest = (struct str){ line.p + line.n + (nl != NULL), rest->n - line.n - (nl != NULL) };
	return line;
}

struct pair {
	struct arena *arena;
	const struct glob *globs[2];
	struct machine machine;
	enum glob_answer overlap;
};

static void ask_text(const struct pair *k, struct str text)
{
	unsigned class = machine_find(&k->machine, text);
	bool one = glob_match(k->arena, k->globs[0], text);
	bool two = glob_match(k->arena, k->globs[1], text);

	BUG_ON(class != (unsigned)one + 2u * two);
	BUG_ON(one && two && k->overlap == GLOB_NO);
}

static void ask_pair(struct pair *k, struct str texts)
{
	struct machine_pool *pool = machine_pool_new(k->arena, class_of, NULL);
	size_t steps = MACHINE_STEPS_MAX, budget = GLOB_BUDGET;
	machine_texts both[2];
	const char *witness = NULL;

	for (uint32_t i = 0; i < 2; i++) {
		both[i] = machine_glob(pool, k->globs[i], machine_end(pool, i), &steps);
		if (both[i] == MACHINE_NONE)
			return;
	}
	k->machine = machine_build(pool, machine_union(pool, both, 2));
	if (!k->machine.decided)
		return;
	k->overlap = glob_overlap(k->arena, k->globs[0], k->globs[1], &budget, &witness);
	if (k->overlap == GLOB_YES && witness)
		BUG_ON(machine_find(&k->machine, str_c(witness)) != 3);
	while (texts.n)
		ask_text(k, next_line(&texts));
	struct machine_walk w = machine_walk(k->arena, &k->machine, NULL, MACHINE_TEXTS, false);
	vec_each(&w.found, f) {
		BUG_ON(machine_find(&k->machine, f->path) != f->a);
		ask_text(k, f->path);
		BUG_ON(f->a == 3 && k->overlap == GLOB_NO);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct pair k = { .arena = a };
	struct str rest = { (const char *)data + 1, size ? size - 1 : 0 };

	for (unsigned i = 0; size && i < 2; i++) {
		struct str line = next_line(&rest);
		enum glob_kind kind = *data & 1 ? GLOB_NAME : GLOB_PATH;

		/* No text holds NUL: that is asked before any glob is read. */
		k.globs[i] = line.n && memchr(line.p, 0, line.n) ?
				     NULL :
				     glob_parse(a, line, kind, NULL, NULL);
	}
	if (k.globs[0] && k.globs[1])
		ask_pair(&k, rest);
	arena_free(a);
	return 0;
}
