/* SPDX-License-Identifier: Apache-2.0 */
/* Each answer of a program to a call: which instructions give it, and who else gets it. */
#include "compiler/tell/explained.h"

#include <string.h>

#include "compiler/cbpf/lift.h"
#include "compiler/decision/compare.h"
#include "compiler/file/strace.h"
#include "grammar/parse.h"

enum { NAMES_SHOWN = 8, ANSWERS_MAX = 64 };

struct explaining {
	struct session *s;
	struct cbpf prog;
	struct dd *dd;
	dd_node root;
	struct str *lines; /* of the disassembly, by instruction */
	struct buf *out;
};

static bool same_answer(struct verdict x, struct verdict y)
{
	return verdict_eq(x, y);
}

static void split_lines(struct explaining *e, struct str text)
{
	e->lines = ARENA_ARRAY(e->s->arena, struct str, e->prog.n);
	for (size_t i = 0; i < e->prog.n && text.n; i++) {
		const char *nl = memchr(text.p, '\n', text.n);
		size_t n = nl ? (size_t)(nl - text.p) : text.n;
		e->lines[i] = (struct str){ text.p, n };
		text = (struct str){ text.p + n + (nl != NULL), text.n - n - (nl != NULL) };
	}
}

static void put_path(struct explaining *e, const struct dd_point *at)
{
	struct call c = { .audit_arch = (uint32_t)(at->at[DD_CALL] >> 32),
			  .nr = (uint32_t)at->at[DD_CALL] };
	bool *executed = ARENA_ARRAY(e->s->arena, bool, e->prog.n);

	memcpy(c.args, at->at, sizeof(c.args));
	cbpf_run_through(&e->prog, &c, executed);
	for (size_t i = 0; i < e->prog.n; i++)
		if (executed[i])
			buf_printf(e->out, "      " PRISTR "\n", STRARG(e->lines[i]));
}

static void put_answers(struct explaining *e, dd_node n, struct dd_point at)
{
	dd_node rest = DD_FALSE;
	bool depends = dd_fields(e->dd, n) != 0;

	for (unsigned i = 0; i < ANSWERS_MAX; i++) {
		struct dd_point p;
		dd_node todo = dd_not(e->dd, rest);
		if (todo == DD_NONE || !dd_witness(e->dd, todo, &p))
			return;
		for (unsigned k = 0; k < 6;
		     k++) /* what was given is fixed, and no longer looked at */
			at.at[k] |= p.at[k];
		at.at[DD_IP] = p.at[DD_IP];
		struct verdict v = dd_eval_at(e->dd, n, &at);
		rest = dd_or(e->dd, rest, dd_compare(e->dd, n, dd_terminal(e->dd, v), same_answer));
		buf_puts(e->out, depends ? "  it may be      " : "  decides        ");
		verdict_print(e->out, v);
		if (depends) {
			buf_puts(e->out, ", for example ");
			words_witness(e->out, &at);
		}
		buf_putc(e->out, '\n');
		/* The simulator takes the instruction pointer as zero. */
		if (!at.at[DD_IP])
			put_path(e, &at);
		for (unsigned k = 0; k < 6; k++)
			at.at[k] &= ~p.at[k];
	}
}

/* Other calls of the architecture with the same answers to all arguments. */
static void put_shared(struct explaining *e, enum arch a, uint32_t nr, dd_node n)
{
	const struct arch_info *info = arch_info(a);
	size_t shared = 0;

	buf_puts(e->out, "  answered alike:");
	for (uint32_t k = 0; k < syscall_end(a); k++) {
		const struct syscall_info *sys = syscall_by_nr(a, k);
		if (!sys || k + info->nr_base == nr ||
		    dd_call(e->dd, e->root, info->audit, k + info->nr_base) != n)
			continue;
		if (++shared <= NAMES_SHOWN)
			buf_printf(e->out, "%s %s", shared > 1 ? "," : "", sys->name);
	}
	if (shared > NAMES_SHOWN)
		buf_printf(e->out, " and %zu more", shared - NAMES_SHOWN);
	buf_puts(e->out, shared ? "\n" : " no other call\n");
}

static bool explain_on(struct explaining *e, const struct ast_call_args *c, const char *text,
		       enum arch a)
{
	struct written_call w;
	struct dd_point at = { { 0 } };

	if (policy_call_read(e->s->arena, c, a, &w, e->s->diags) < 0)
		return false;
	dd_node whole = dd_call(e->dd, e->root, w.call.audit_arch, w.call.nr), n = whole;
	at.at[DD_CALL] = DD_CALL_OF(w.call.audit_arch, w.call.nr);
	for (unsigned i = 0; i < 6; i++) {
		if (!(w.given >> i & 1))
			continue;
		at.at[i] = w.call.args[i];
		n = dd_fix(e->dd, n, (enum dd_field)i, UINT64_MAX, at.at[i]);
	}
	buf_printf(e->out, "%s on %s\n", str_safe(e->s->arena, text), arch_info(a)->name);
	put_answers(e, n, at);
	put_shared(e, a, w.call.nr, whole);
	return true;
}

static bool explain_all(struct explaining *e, const struct ast_call_args *c, const char *text,
			int only, unsigned arches)
{
	const struct syscall_info *sys = c->by_number ? NULL : syscall_by_name(c->name.text);
	unsigned shown = 0;

	for (int a = 0; a < ARCH_NR; a++) {
		if (only >= 0 ? a != only : !(arches & ARCH_BIT(a)) || (sys && sys->nr[a] < 0))
			continue;
		shown++;
		if (!explain_on(e, c, text, (enum arch)a))
			return false;
	}
	/* It says what is wrong with the name, or where it exists. */
	return shown || explain_on(e, c, text, (enum arch)arch_native());
}

int explain_program(struct session *s, const char *file, const char *text, int only,
		    struct buf *out)
{
	struct explaining e = { .s = s, .out = out, .dd = dd_new(s->arena, DECIDE_BUDGET) };
	struct decide_options opt = { .policy = NULL };
	struct decide d;
	BUF_AUTO listing = { 0 };
	struct ast_call_args *c = strace_parse(s, text);

	if (!c || decide_load(s, e.dd, file, &opt, &d))
		return -1;
	e.prog = d.prog;
	e.root = d.root;
	cbpf_disassemble(&e.prog, &listing);
	split_lines(&e, (struct str){ listing.p, listing.n });
	return explain_all(&e, c, text, only, d.arches) ? 0 : -1;
}
