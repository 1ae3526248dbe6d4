/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `pale import` does with a program: arbitrary bytes, as the file they are and mended until
 * the kernel would attach them, are lifted within a small budget, written as a policy (exactly,
 * and tighter where that cannot be), and the text is read again. It parses always; where it is a
 * policy of the same meaning, that meaning comes back from it a second time. What takes more memory
 * than the command gives an import is left, as there.
 */
#include <setjmp.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/lift.h"
#include "compiler/decision/decompile.h"
#include "grammar/parse.h"
#include "grammar/print.h"
#include "tests/fuzz/mend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INSNS_MAX = 64, NODES = 1 << 10, MIB_MAX = 768 };

struct import {
	struct arena *arena;
	struct sources *sources;
	struct diags *diags;
	struct dd *dd;
};

/* DD_NONE: no policy that pale accepts, or one past a budget. */
static dd_node read_again(struct import *i, const struct buf *text, unsigned *arches)
{
	struct diags *ds = diags_new(i->arena, i->sources);
	struct source *src = source_add(i->sources, "again", (struct str){ text->p, text->n });
	struct resolve_options opt = { .keep_when = false };
	struct ast_file *file = pale_parse_source(i->arena, src, ds);

	BUG_ON(ds->errors);
	struct policies *all = policy_resolve(i->arena, file, &opt, ds);
	if (ds->errors)
		return DD_NONE;
	struct decision *d = decision_build_in(i->arena, i->dd, all->list.v[0], ds);
	*arches = d ? d->arches : 0;
	return d ? decision_root(d, d->arches) : DD_NONE;
}

/* `text`: written over, the caller's to free, also where the arena's bound is met on the way. */
static dd_node write_and_read(struct import *i, dd_node root, bool tighter, struct buf *text)
{
	struct decompile_options opt = { .name = "fuzz",
					 .machine = ARCH_X86_64,
					 .tighter = tighter };
	const char *why = NULL;
	struct ast_file *file = decision_decompile(i->dd, i->arena, root, &opt, &why);
	unsigned arches = 0;

	BUG_ON(!file && !why);
	if (!file)
		return DD_NONE;
	text->n = 0;
	ast_print(text, file);
	return read_again(i, text, &arches);
}

static void check_program(struct import *i, const struct cbpf *prog, struct buf *text)
{
	i->dd = dd_new(i->arena, NODES);
	dd_node root = cbpf_lift(i->dd, i->arena, prog);
	root = root == DD_NONE ? root : decompile_tighten_ip(i->dd, root);
	if (root == DD_NONE)
		return;
	dd_node written = write_and_read(i, root, false, text);
	write_and_read(i, root, true, text);
	if (written == DD_NONE)
		return;
	/* What a policy said is said exactly: only a budget may be in the way. */
	dd_node again = write_and_read(i, written, false, text);
	BUG_ON(again != DD_NONE && again != written);
}

static _Noreturn void leave(void *who)
{
	longjmp(*(jmp_buf *)who, 1);
}

static void check(struct arena *a, const uint8_t *data, size_t size, struct buf *text)
{
	struct sock_filter insns[INSNS_MAX];
	struct sources *sources = sources_new(a);
	struct import i = { .arena = a, .sources = sources, .diags = diags_new(a, sources) };
	struct source *src = source_add(sources, "fuzz", (struct str){ (const char *)data, size });
	struct cbpf prog;
	size_t n = size / sizeof(*insns);

	n = n < INSNS_MAX ? n : INSNS_MAX;
	if (!cbpf_read(a, src, &prog, i.diags) && prog.n <= INSNS_MAX) {
		check_program(&i, &prog, text);
	} else if (n) {
		memcpy(insns, data, n * sizeof(*insns));
		struct cbpf mended = { .insns = insns, .n = n, .big_endian = size & 1 };
		mend_all(&mended);
		check_program(&i, &mended, text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a; /* static: known after longjmp() */
	static struct buf text;
	jmp_buf full;

	a = arena_new(NULL);
	text = (struct buf){ 0 };
	arena_bound(a, (size_t)MIB_MAX << 20, leave, &full);
	if (!setjmp(full))
		check(a, data, size, &text);
	buf_free(&text);
	arena_free(a);
	return 0;
}
