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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INSNS_MAX = 256, NODES = 1 << 14, PATHS = 200 };

static const uint16_t codes[] = {
	BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN,
	BPF_LD | BPF_IMM, BPF_LDX | BPF_IMM, BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX,
	BPF_RET | BPF_K, BPF_RET | BPF_A, BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA,
	BPF_ALU | BPF_NEG, BPF_JMP | BPF_JA, BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JGT | BPF_K,
	BPF_JMP | BPF_JGE | BPF_K, BPF_JMP | BPF_JSET | BPF_K, BPF_JMP | BPF_JEQ | BPF_X,
	BPF_ALU | BPF_ADD | BPF_K, BPF_ALU | BPF_DIV | BPF_X, BPF_ALU | BPF_AND | BPF_K,
	BPF_ALU | BPF_XOR | BPF_X, BPF_ALU | BPF_LSH | BPF_X, BPF_ALU | BPF_RSH | BPF_K,
};

/* Whatever the check objects to here is put right. */
static void mend(struct sock_filter *f, size_t left)
{
	if (!cbpf_code_allowed(f->code))
		f->code = codes[f->code % ARRAY_SIZE(codes)];
	if (f->code == (BPF_JMP | BPF_JA)) {
		f->k %= (uint32_t)left;
	} else if (BPF_CLASS(f->code) == BPF_JMP) {
		f->jt = (uint8_t)(f->jt % left);
		f->jf = (uint8_t)(f->jf % left);
	} else if (f->code == (BPF_LD | BPF_W | BPF_ABS)) {
		f->k = f->k % sizeof(struct seccomp_data) & ~3u;
	} else if (f->code == BPF_ST || f->code == BPF_STX || f->code == (BPF_LD | BPF_MEM) ||
		   f->code == (BPF_LDX | BPF_MEM)) {
		f->k %= BPF_MEMWORDS;
	} else if (f->code == (BPF_ALU | BPF_DIV | BPF_K)) {
		f->k |= !f->k;
	} else if (f->code == (BPF_ALU | BPF_LSH | BPF_K) || f->code == (BPF_ALU | BPF_RSH | BPF_K)) {
		f->k %= 32;
	}
}

/* Reads of scratch words that nothing was written to become constants. */
static void mend_all(struct cbpf *prog)
{
	struct sock_filter *last = &prog->insns[prog->n - 1];
	size_t at;

	for (size_t i = 0; i + 1 < prog->n; i++)
		mend(&prog->insns[i], prog->n - 1 - i);
	last->code = BPF_RET | (last->code == (BPF_RET | BPF_A) ? BPF_A : BPF_K);
	while (cbpf_check(prog->insns, prog->n, &at))
		prog->insns[at].code = BPF_CLASS(prog->insns[at].code) | BPF_IMM;
}

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
		struct cbpf y = { .insns = insns + half, .n = n - half, .big_endian = x.big_endian };
		mend_all(&y);
		dd_node other = check_program(a, d, &y, &p);
		if (root != DD_NONE && other != DD_NONE && dd_differ_at(d, root, other, &where))
			BUG_ON(verdict_eq(dd_eval_at(d, root, &where), dd_eval_at(d, other, &where)));
	}
	arena_free(a);
	return 0;
}
