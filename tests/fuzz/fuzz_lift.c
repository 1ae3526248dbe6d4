/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitrary bytes, mended until the kernel would attach them: lifting comes to an end, and where
 * it decides, every path of the diagram (the first hundreds) and the input's own call answer what
 * the program answers. Two such programs are compared as `diff` does.
 */
#include <linux/seccomp.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/lift.h"
#include "tests/fuzz/mend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INSNS_MAX = 256, NODES = 1 << 14, PATHS = 200 };

struct walk {
	const struct dd *d;
	const struct cbpf *prog;
	dd_node root;
	uint64_t rest; /* what a path leaves open */
	unsigned left;
};

static void compare(const struct walk *w, struct dd_point *p)
{
	struct call c = { (uint32_t)(p->at[DD_CALL] >> 32), (uint32_t)p->at[DD_CALL], { 0 } };

	p->at[DD_IP] = 0; /* the simulator's is */
	memcpy(c.args, p->at, sizeof(c.args));
	BUG_ON(verdict_to_ret(dd_eval_at(w->d, w->root, p)) !=
	       verdict_to_ret(verdict_from_ret(cbpf_run(w->prog, &c, NULL))));
}

static bool compare_path(void *ctx, const struct dd_path *path)
{
	struct walk *w = ctx;
	struct dd_point p;

	for (unsigned f = 0; f < DD_FIELDS; f++)
		p.at[f] = path->value[f] | (w->rest & ~path->mask[f]);
	w->rest = w->rest * 6364136223846793005u + 1442695040888963407u;
	if (!(path->mask[DD_IP] & path->value[DD_IP]))
		compare(w, &p);
	return w->left-- > 1;
}

static dd_node check_program(struct arena *a, struct dd *d, const struct cbpf *prog,
			     const struct dd_point *p)
{
	struct walk w = { .d = d, .prog = prog, .rest = p->at[0], .left = PATHS };
	struct dd_point own = *p;

	w.root = cbpf_lift(d, a, prog);
	if (w.root == DD_NONE)
		return DD_NONE;
	compare(&w, &own);
	dd_paths(d, w.root, UINT32_MAX, compare_path, &w);
	BUG_ON(cbpf_lift(d, a, prog) != w.root && dd_size(d) < NODES);
	return w.root;
}

/* Bytes: a call, then instructions; the second half is another program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sock_filter insns[INSNS_MAX];
	struct dd_point p = { { 0 } }, where;
	size_t n = size < 56 ? 0 : (size - 56) / sizeof(*insns), half;

	if (n < 2)
		return 0;
	n = n < INSNS_MAX ? n : INSNS_MAX;
	memcpy(p.at, data + 8, 48);
	memcpy(&p.at[DD_CALL], data, 8);
	memcpy(insns, data + 56, n * sizeof(*insns));
	half = insns[0].jf % 4 ? n : n - n / 2; /* mostly one whole program */
	struct arena *a = arena_new(NULL);
	struct dd *d = dd_new(a, NODES);
	struct cbpf x = { .insns = insns, .n = half, .big_endian = size & 1 };
	mend_all(&x);
	dd_node root = check_program(a, d, &x, &p);
	if (half < n) {
		struct cbpf y = { .insns = insns + half,
				  .n = n - half,
				  .big_endian = x.big_endian };
		mend_all(&y);
		dd_node other = check_program(a, d, &y, &p);
		if (root != DD_NONE && other != DD_NONE && dd_differ_at(d, root, other, &where))
			BUG_ON(verdict_eq(dd_eval_at(d, root, &where),
					  dd_eval_at(d, other, &where)));
	}
	arena_free(a);
	return 0;
}
