/* SPDX-License-Identifier: Apache-2.0 */
/* What the arguments of calls were, as evidence: whether or not a rule bounds them. */
#include <string.h>
#include <sys/stat.h>

#include <linux/sched.h>

#include "compiler/policy/spell.h"
#include "grammar/ast_build.h"
#include "grammar/print.h"
#include "learn/proposal.h"
#include "learn/sockopt.h"

enum { LISTED = 8 }; /* combinations of flags that are listed, where nothing hangs on them */

/* How to read the value of an argument: it may be an address, and the value what stood there. */
struct reading {
	const char *name;
	struct spell_as as;
	bool flags;
	bool is_option;  /* by its level, which stands in the value's upper half */
	bool has_signal; /* the lowest byte is one: clone's */
};

static struct reading reading_of(const struct recorded_call *c, unsigned index)
{
	const char *domain = recording_args_in(c->arch, c->nr);
	unsigned nargs;
	const struct arg_info *arg =
		&syscall_args(syscall_by_nr(c->arch, c->nr), c->arch, &nargs)[index];

	if (domain)
		return (struct reading){
			.name = "flags",
			.as = { .domain = domain, .kind = ARG_FLAGS, .width = 64, .arch = c->arch },
			.flags = true
		};
	return (struct reading){ .name = arg->name,
				 .as = spell_argument(arg, c->arch),
				 .flags = arg->kind == ARG_FLAGS,
				 .is_option = recording_args_of(c->arch, c->nr) >= 0,
				 .has_signal = arg->domain && !strcmp(arg->domain, "clone") };
}

static void put_value(struct buf *out, const struct reading *as, uint64_t v)
{
	uint64_t low = as->has_signal ? v & CSIGNAL : 0;
	const char *name = low ? constant_name("signal", low, as->as.arch) : NULL;
	struct spelling s;

	if (as->is_option) {
		sockopt_put(out, v, as->as.arch);
		return;
	}
	if (as->as.domain && !strcmp(as->as.domain, "mode")) { /* kinds have bits in common */
		name = constant_name("mode", v & S_IFMT, as->as.arch);
		buf_printf(out, name && v & S_IFMT ? "%s|0%llo" : "%.0s0%llo", name ? name : "",
			   (unsigned long long)(name ? v & ~(uint64_t)S_IFMT : v));
		return;
	}
	if (name)
		v -= low;
	if (!name || v) {
		spell(&as->as, v, &s);
		spell_text(out, &s);
	}
	if (name)
		buf_printf(out, "%s%s", v ? "|" : "", name);
}

static void put_bits(struct buf *out, const struct reading *as, uint64_t bits)
{
	struct spelling s;

	spell_bits(&as->as, bits, &s);
	spell_text(out, &s);
}

/*
 * Values that the table has no name for, where it means to have them all (of ioctl's commands
 * every driver has its own): newer than it, or nobody's.
 */
static void note_nameless(struct proposal *p, struct ast_comment **to, const struct reading *as,
			  const struct recorded_arg *seen)
{
	BUF_AUTO text = { 0 };

	if (!as->as.domain || as->is_option || !strcmp(as->as.domain, "ioctl"))
		return;
	vec_each(&seen->values, v) {
		struct spelling s;

		spell(&as->as, as->has_signal ? v->value & ~(uint64_t)CSIGNAL : v->value, &s);
		if (!s.has_number || !s.number)
			continue;
		buf_puts(&text, text.n ? ", " : "");
		ast_number_text(&text, s.number);
	}
	if (text.n)
		ast_comment_add(p->a, to,
				"without a name here, so newer than Linux %u.%u or nobody's: %s",
				tables_level >> 8, tables_level & 0xff, text.p);
}

/* "prot was PROT_READ 16x, ..." */
static void note_list(struct proposal *p, struct ast_comment **to, struct buf *text,
		      const struct reading *as, const struct recorded_arg *seen)
{
	buf_puts(text, " was");
	vec_each(&seen->values, v) {
		if (text->n > 80) {
			ast_comment_add(p->a, to, "%s", text->p);
			text->n = 0;
			buf_putc(text, ' ');
		}
		buf_putc(text, ' ');
		put_value(text, as, v->value);
		buf_printf(text, " %llux%s", (unsigned long long)v->count,
			   v + 1 < seen->values.v + seen->values.n ? "," : "");
	}
	ast_comment_add(p->a, to, "%s", text->p);
}

/* "flags had O_CLOEXEC always, O_CREAT|O_WRONLY at times, in 12 combinations" */
static void note_flags(struct proposal *p, struct ast_comment **to, struct buf *text,
		       const struct reading *as, const struct recorded_arg *seen)
{
	uint64_t always = seen->ones & ~seen->zeros, at_times = seen->ones & seen->zeros;

	buf_puts(text, " had ");
	if (always) {
		put_bits(text, as, always);
		buf_printf(text, " always%s", at_times ? ", " : "");
	}
	if (at_times) {
		put_bits(text, as, at_times);
		buf_puts(text, " at times");
	}
	ast_comment_add(p->a, to, "%s, in %s%zu combinations", text->p,
			seen->unbounded ? "more than " : "", seen->values.n);
}

void propose_note_values(struct proposal *p, struct ast_comment **to, const struct recorded_call *c,
			 const struct value_note *how)
{
	vec_each(&c->args, seen) {
		struct reading as = reading_of(c, seen->index);
		bool is_rule = (int)seen->index == how->bounded;
		BUF_AUTO text = { 0 };

		if (!seen->values.n && !seen->unbounded)
			continue;
		buf_printf(&text, "%s%s%s", how->prefix ? how->prefix : "", how->prefix ? " " : "",
			   as.name);
		if (as.flags && !is_rule && (seen->unbounded || seen->values.n > LISTED))
			note_flags(p, to, &text, &as, seen);
		else if (seen->unbounded)
			ast_comment_add(p->a, to, "%s: more than %d different values%s", text.p,
					RECORDING_VALUES_MAX, is_rule ? ", so not bounded" : "");
		else
			note_list(p, to, &text, &as, seen);
		if (is_rule && !seen->unbounded)
			note_nameless(p, to, &as, seen);
	}
}
