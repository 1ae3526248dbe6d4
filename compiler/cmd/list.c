/* SPDX-License-Identifier: Apache-2.0 */
/* pale list: the names that policies may say, one a line or as JSON. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/suggest.h"
#include "compiler/base/json_write.h"
#include "compiler/cmd/options.h"
#include "compiler/file/setlist.h"
#include "compiler/target/target.h"

struct list_options {
	bool json;
	int arch;                /* -1: all */
	const char *const *sets; /* --sets */
};

typedef int list_fn(struct session *s, const struct list_options *o, const char *what,
		    struct json_writer *w);

static void put_release(struct buf *out, uint16_t since)
{
	if (since)
		buf_printf(out, "%u.%u", since >> 8, since & 0xff);
	else
		buf_puts(out, "-");
}

/* ---- sets ---- */

static int list_sets(struct session *s, const struct list_options *o, const char *what,
		     struct json_writer *w)
{
	struct set_list list;
	int err = set_list_read(s, o->sets, &list);

	(void)what;
	if (err) {
		session_report(s);
		return EXIT_SYSTEM;
	}
	vec_each(&list.sets, set) {
		struct str summary = set_summary(set);
		if (!o->json) {
			buf_printf(w->out, "%-16s %3zu calls  " PRISTR "\n", set->name,
				   set_count_calls(set), STRARG(summary));
			continue;
		}
		json_line(w, "\n    ");
		json_open(w, NULL, '{');
		json_text(w, "name", set->name);
		json_text(w, "file", set->source->name);
		json_number(w, "calls", set_count_calls(set));
		json_string(w, "summary", summary);
		json_close(w, '}');
	}
	return session_report(s) ? EXIT_FOUND : EXIT_OK;
}

/* ---- system calls ---- */

static const char *const kind_names[ARG_KIND_NR] = {
	[ARG_NUMBER] = "number",    [ARG_FD] = "fd",       [ARG_POINTER] = "pointer",
	[ARG_ENUM] = "enum",        [ARG_FLAGS] = "flags", [ARG_ENUM_FLAGS] = "enum-flags",
	[ARG_POLY] = "polymorphic",
};

static void put_args_json(struct json_writer *w, const struct syscall_info *c, enum arch a)
{
	unsigned n;
	const struct arg_info *args = syscall_args(c, a, &n);

	json_open(w, arch_info(a)->name, '[');
	for (unsigned i = 0; i < n; i++) {
		json_open(w, NULL, '{');
		json_text(w, "name", args[i].name);
		json_optional(w, "alias", args[i].alias);
		json_optional(w, "kind", kind_names[args[i].kind]);
		json_number(w, "width", args[i].width);
		json_bool(w, "signed", args[i].is_signed);
		json_optional(w, "domain", args[i].domain);
		if (args[i].kind == ARG_ENUM_FLAGS)
			json_number(w, "mask", args[i].enum_mask);
		json_optional(w, "source", args[i].source);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_since_json(struct json_writer *w, const struct syscall_info *c, enum arch a)
{
	BUF_AUTO release = { 0 };

	put_release(&release, c->since[a]);
	json_string(w, arch_info(a)->name, (struct str){ release.p, release.n });
}

static void put_call_json(struct json_writer *w, const struct syscall_info *c)
{
	json_line(w, "\n    ");
	json_open(w, NULL, '{');
	json_text(w, "name", c->name);
	json_open(w, "numbers", '{');
	for (enum arch a = 0; a < ARCH_NR; a++)
		if (c->nr[a] >= 0)
			json_number(w, arch_info(a)->name,
				    (unsigned)c->nr[a] + arch_info(a)->nr_base);
	json_close(w, '}');
	json_open(w, "since", '{');
	for (enum arch a = 0; a < ARCH_NR; a++)
		if (c->nr[a] >= 0 && c->since[a])
			put_since_json(w, c, a);
	json_close(w, '}');
	json_open(w, "arguments", '{');
	for (enum arch a = 0; a < ARCH_NR; a++)
		if (c->nr[a] >= 0)
			put_args_json(w, c, a);
	json_close(w, '}');
	json_close(w, '}');
}

static void put_call_text(struct buf *out, const struct syscall_info *c)
{
	buf_printf(out, "%-28s", c->name);
	for (enum arch a = 0; a < ARCH_NR; a++) {
		if (c->nr[a] < 0)
			buf_printf(out, " %7s", "-");
		else
			buf_printf(out, " %7d", c->nr[a]);
	}
	buf_puts(out, "\n");
}

static int list_syscalls(struct session *s, const struct list_options *o, const char *what,
			 struct json_writer *w)
{
	struct buf *out = w->out;

	(void)s;
	(void)what;
	if (!o->json && o->arch < 0) {
		buf_printf(out, "%-28s", "# name");
		for (enum arch a = 0; a < ARCH_NR; a++)
			buf_printf(out, " %7s", arch_info(a)->name);
		buf_puts(out, "\n");
	}
	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *c = syscall_at(i);
		if (o->arch >= 0 && c->nr[o->arch] < 0)
			continue;
		if (o->json) {
			put_call_json(w, c);
		} else if (o->arch >= 0) {
			buf_printf(out, "%-28s %u\n", c->name,
				   (unsigned)c->nr[o->arch] +
					   arch_info((enum arch)o->arch)->nr_base);
		} else {
			put_call_text(out, c);
		}
	}
	return EXIT_OK;
}

/* ---- constants ---- */

/* What differs from the value on `a` (ARCH_NR: all), architectures of one value together. */
static void put_other_values(struct buf *out, const struct constant_row *c, enum arch a)
{
	unsigned done = 0;

	for (enum arch b = 0; b < ARCH_NR; b++) {
		if (!(c->arches & ~done & ARCH_BIT(b)) ||
		    (a != ARCH_NR && c->value[b] == c->value[a]))
			continue;
		buf_puts(out, ",");
		for (enum arch other = b; other < ARCH_NR; other++) {
			if (!(c->arches & ARCH_BIT(other)) || c->value[other] != c->value[b])
				continue;
			buf_printf(out, " %s", arch_info(other)->name);
			done |= ARCH_BIT(other);
		}
		buf_printf(out, " %#llx", (unsigned long long)c->value[b]);
	}
}

static void put_constant_text(struct buf *out, const struct constant_row *c, enum arch a)
{
	uint64_t v = c->value[a];

	buf_printf(out, "%-20s %-40s ", c->domain, c->name);
	if (!(c->arches & ARCH_BIT(a)))
		buf_printf(out, "not on %s", arch_info(a)->name);
	else if (v > INT64_MAX)
		buf_printf(out, "%lld", (long long)v);
	else
		buf_printf(out, v < 10 ? "%llu" : "%#llx", (unsigned long long)v);
	put_other_values(out, c, c->arches & ARCH_BIT(a) ? a : ARCH_NR);
	buf_puts(out, "\n");
}

static void put_constant_json(struct json_writer *w, const struct constant_row *c)
{
	json_line(w, "\n    ");
	json_open(w, NULL, '{');
	json_text(w, "domain", c->domain);
	json_text(w, "name", c->name);
	json_text(w, "short", c->brief);
	json_open(w, "values", '{');
	for (enum arch a = 0; a < ARCH_NR; a++)
		if (c->arches & ARCH_BIT(a))
			json_signed(w, arch_info(a)->name, (int64_t)c->value[a]);
	json_close(w, '}');
	json_close(w, '}');
}

static int list_constants(struct session *s, const struct list_options *o, const char *what,
			  struct json_writer *w)
{
	enum arch a = o->arch < 0 ? (enum arch)arch_native() : (enum arch)o->arch;

	if (what && !domain_find(what)) {
		struct suggest near;
		suggest_start(&near, str_c(what));
		for (size_t i = 0; i < domain_count(); i++)
			suggest_offer(&near, str_c(domain_at(i)->name));
		diag_add(s->diags, DIAG_PL148, NO_SPAN, "no domain '%s' of constants" PRINEAR, what,
			 NEARARG(near));
		return EXIT_FOUND;
	}
	for (size_t i = 0; i < constant_count(); i++) {
		const struct constant_row c = constant_at(i);
		if (what && strcmp(c.domain, what) != 0)
			continue;
		if (o->json)
			put_constant_json(w, &c);
		else
			put_constant_text(w->out, &c, a);
	}
	return EXIT_OK;
}

/* ---- targets ---- */

static int list_targets(struct session *s, const struct list_options *o, const char *what,
			struct json_writer *w)
{
	const struct target *t;

	(void)s;
	(void)what;
	for (size_t i = 0; (t = target_at(i)); i++) {
		if (!o->json) {
			buf_printf(w->out, "%-10s %s\n", t->name, t->what);
			continue;
		}
		json_line(w, "\n    ");
		json_open(w, NULL, '{');
		json_text(w, "name", t->name);
		json_text(w, "what", t->what);
		json_close(w, '}');
	}
	return EXIT_OK;
}

/* ---- the command ---- */

static const struct {
	const char *name;
	list_fn *run;
} subjects[] = {
	{ "sets", list_sets },
	{ "syscalls", list_syscalls },
	{ "constants", list_constants },
	{ "targets", list_targets },
};

static int run_subject(struct session *s, const struct list_options *o, size_t subject,
		       const char *what)
{
	BUF_AUTO out = { 0 };
	struct json_writer w = { .out = &out };

	if (o->json) {
		json_open(&w, NULL, '{');
		json_line(&w, "\n  ");
		json_open(&w, subjects[subject].name, '[');
	}
	int status = subjects[subject].run(s, o, what, &w);
	if (o->json) {
		json_line(&w, "\n  ");
		json_close(&w, ']');
		json_line(&w, "\n");
		json_close(&w, '}');
		buf_putc(&out, '\n');
	}
	if ((status == EXIT_OK || subjects[subject].run == list_sets) &&
	    write_output(NULL, &out, 0))
		status = EXIT_SYSTEM;
	return status;
}

static int list(struct session *s, const struct options *o)
{
	const struct list_options l = {
		.json = o->at[OPT_FORMAT].word == 1,
		.arch = o->at[OPT_ARCH].given ? (int)o->at[OPT_ARCH].arch : -1,
		.sets = o->at[OPT_SETS].list.v,
	};
	char **what = o->operands;

	if (!o->n)
		return usage_error(o->command, "say what: sets, syscalls, constants or targets");
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		if (strcmp(what[0], subjects[i].name) != 0)
			continue;
		bool domain = subjects[i].run == list_constants && o->n == 2;
		if (o->n > 1 && !domain)
			return usage_error(o->command, "'%s' is too much", what[1]);
		return run_subject(s, &l, i, domain ? what[1] : NULL);
	}
	struct suggest near;
	suggest_start(&near, str_c(what[0]));
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		suggest_offer(&near, str_c(subjects[i].name));
	return usage_error(o->command,
			   "cannot list '%s'; sets, syscalls, constants or targets" PRINEAR,
			   what[0], NEARARG(near));
}

int cmd_list(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;

	session_open(&s);
	int status = options_read(&s, argc, argv, &o);
	return session_end(&s, status < 0 ? list(&s, &o) : status);
}
