/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp filters that are a loader's own format already: would it take them, as they stand? */
#include <errno.h>
#include <linux/filter.h>
#include <string.h>

#include "compiler/cbpf/cbpf.h"
#include "compiler/cbpf/reach.h"
#include "compiler/oci/runtime/runtime.h"
#include "compiler/target/target.h"

enum {
	NODES = 1 << 22, /* of the diagram in which it is asked what reaches an instruction */
	CPU_S = 10,      /* for libseccomp */
};

/* ---- raw BPF ---- */

/* "3, 7..9": what is false, told as ranges; how many. */
static size_t put_unreached(struct buf *out, const bool *reached, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t last = i;
		if (reached[i])
			continue;
		while (last + 1 < n && !reached[last + 1])
			last++;
		buf_printf(out, last > i ? "%s%zu..%zu" : "%s%zu", count ? ", " : "", i, last);
		count += last - i + 1;
		i = last;
	}
	return count;
}

/* Answers that stand in the program and that no call gets. */
static void put_never(struct buf *out, const struct cbpf *prog, const bool *reached)
{
	const char *sep = "";

	for (size_t i = 0; i < prog->n; i++) {
		const struct sock_filter *f = &prog->insns[i];
		bool given = reached[i] || (f->code & 0x1f) != (BPF_RET | BPF_K);
		for (size_t k = 0; k < prog->n && !given; k++)
			given = (prog->insns[k].code & 0x1f) == (BPF_RET | BPF_K) &&
				prog->insns[k].k == f->k && (reached[k] || k < i);
		if (given)
			continue;
		buf_puts(out, *sep ? sep : "; never answered: ");
		verdict_print(out, verdict_from_ret(f->k));
		sep = ", ";
	}
}

static void tell_dead_code(struct diags *ds, const struct source *src, const struct cbpf *prog)
{
	bool *reached = ARENA_ARRAY(ds->arena, bool, prog->n);
	BUF_AUTO where = { 0 };

	if (cbpf_reach(dd_new(ds->arena, NODES), ds->arena, prog, reached) < 0) {
		struct diag *d = diag_add(ds, DIAG_PL285, NO_SPAN,
					  "%s: whether calls reach all instructions is not decided",
					  src->name);
		diag_help(ds, d, "'pale explain' shows those that decide a call");
		return;
	}
	size_t n = put_unreached(&where, reached, prog->n);
	if (!n)
		return;
	put_never(&where, prog, reached);
	struct diag *d = diag_add(ds, DIAG_PL284, NO_SPAN, "%s: no call reaches instruction%s %.*s",
				  src->name, n > 1 ? "s" : "", (int)where.n, where.p);
	diag_help(ds, d, "'pale import' and 'pale compile' write the same filter without them");
}

void asis_program(struct target_check *c, struct source *src)
{
	struct arena *a = c->diags->arena;
	struct cbpf prog;
	bool ok = cbpf_read(a, src, &prog, c->diags) == 0;

	if (ok)
		tell_dead_code(c->diags, src, &prog);
	target_answer(c, "bpf", ok ? TARGET_TAKES : TARGET_REFUSES,
		      ok ? arena_printf(a, "%zu instructions", prog.n) : "");
}

/* ---- JSON ---- */

void asis_profile(struct target_check *c, const struct source *src, struct str text,
		  const struct environment *env)
{
	static const char of[] = "libseccomp";
	struct arena *a = c->diags->arena;
	struct cbpf prog;
	const char *why = NULL;
	enum arch host = env->host_known ? env->host : (enum arch)arch_native();
	int err = oci_libseccomp(a, text, host, env, CPU_S, &prog, &why);

	if (!err) {
		target_answer(c, of, TARGET_TAKES, arena_printf(a, "%zu instructions", prog.n));
		return;
	}
	if (err != -EINVAL && err != -ETIMEDOUT && err != -EOPNOTSUPP) {
		diag_add(c->diags, DIAG_PL020, NO_SPAN,
			 "libseccomp could not be asked about '%s': %s", src->name, strerror(-err));
		target_answer(c, of, TARGET_UNASKED, "");
		return;
	}
	diag_add(c->diags, DIAG_PL143, NO_SPAN, "libseccomp does not load '%s': %s", src->name,
		 err == -ETIMEDOUT ? "it took more than 10 s of a processor" :
		 why               ? why :
				     strerror(-err));
	target_answer(c, of, TARGET_REFUSES, "");
}
