/* SPDX-License-Identifier: Apache-2.0 */
/* pale explain: every rule that speaks of a call or a path, and which of them wins. */
#include <getopt.h>
#include <string.h>

#include "compiler/apparmor/apparmor.h"
#include "compiler/base/bug.h"
#include "compiler/cmd/decided.h"
#include "compiler/cmd/explain_bpf.h"
#include "grammar/parse.h"

static const char help[] =
	"usage: pale explain FILE CALL|PATH\n\n"
	"Every rule that matches or could match a call (on each listed architecture) or a path,\n"
	"with its place, and which of them decides. Arguments that are not given may be anything:\n"
	"'socket' lists all rules on socket, 'socket(AF_INET)' those that such a call can meet.\n"
	"Of a BPF program: each answer that such calls get, the instructions that give it, and which\n"
	"other calls are answered alike.\n\n"
	"  --arch A        one architecture only\n"
	"  --policy NAME   which policy of a file that holds several\n"
	"  --caps LIST --kernel VERSION --host ARCH    what `when` asks about\n"
	"  --sets DIR      where sets are found\n";

enum matching { MATCHES_NEVER, MATCHES_MAYBE, MATCHES_ALWAYS };

/* ---- calls ---- */

/* The arguments that were given, as a condition on the whole registers. */
static const struct cond *given_cond(struct arena *a, const struct written_call *w)
{
	const struct cond *all = NULL;

	for (uint8_t i = 0; i < 6; i++) {
		if (!(w->given >> i & 1))
			continue;
		struct cond *c = ARENA_NEW(a, struct cond);
		c->kind = COND_CMP;
		c->cmp = (struct cmp){ .arg = i, .width = 64, .op = CMP_EQ, .mask = UINT64_MAX,
				       .value = w->call.args[i] };
		if (all) {
			struct cond *both = ARENA_NEW(a, struct cond);
			*both = (struct cond){ .kind = COND_AND, .left = all, .right = c };
			all = both;
		} else {
			all = c;
		}
	}
	return all;
}

static enum matching match_rule(struct arena *a, const struct call_rule *r,
				const struct cond *given)
{
	uint64_t args[6];

	if (!r->cond)
		return MATCHES_ALWAYS;
	if (cond_overlap(given, r->cond, args) == 0)
		return MATCHES_NEVER;
	struct cond *not = ARENA_NEW(a, struct cond);
	*not = (struct cond){ .kind = COND_NOT, .left = r->cond };
	/* Too hard to tell counts as "may": nothing is claimed that was not shown. */
	return cond_overlap(given, not, args) == 0 ? MATCHES_ALWAYS : MATCHES_MAYBE;
}

static void put_rules(struct session *s, const struct policy *p, enum arch arch,
		      const struct written_call *w, struct buf *out)
{
	const struct cond *given = given_cond(s->arena, w);
	struct decision_why why = { .by = policy_knows(p, arch, w->call.nr) ? BY_DEFAULT : BY_UNKNOWN,
				    .arch = arch };
	struct verdict rest = why.by == BY_DEFAULT ? p->dflt[arch] : p->unknown[arch];
	const struct call_rule *winner = NULL;
	bool maybe = false;
	size_t i, end;

	/* Sorted by verdict: the first that always matches decides unless one before it does. */
	policy_calls_of(p, arch, w->call.nr, &i, &end);
	for (; i < end; i++) {
		const struct call_rule *r = &p->calls.v[i];
		enum matching m = match_rule(s->arena, r, given);
		const char *role = m == MATCHES_NEVER ? "no match"
				   : winner && verdict_eq(winner->verdict, r->verdict) ? "agrees"
				   : winner ? "outranked"
				   : m == MATCHES_MAYBE ? "if it matches" : "decides";
		if (!winner && m == MATCHES_ALWAYS)
			winner = r;
		maybe |= m == MATCHES_MAYBE;
		buf_printf(out, "  %-13s  ", role);
		verdict_print(out, r->verdict);
		buf_puts(out, "  ");
		put_rule(out, s->sources, r->origin);
		buf_putc(out, '\n');
	}
	if (winner)
		return;
	buf_printf(out, "  %-13s  ", maybe ? "otherwise" : "decides");
	verdict_print(out, rest);
	buf_puts(out, "  ");
	put_decided(out, s->sources, p, &why);
	buf_putc(out, '\n');
}

static int explain_call(struct session *s, const struct policy *p, const char *text, int only,
			struct buf *out)
{
	struct source *src = source_add(s->sources, "<call>", str_c(text));
	struct ast_call_args *c = pale_parse_call(s->arena, src, s->diags);
	const struct syscall_info *sys;
	unsigned shown = 0;

	if (!c)
		return -1;
	sys = c->by_number ? NULL : syscall_by_name(c->name.text);
	for (int a = 0; a < ARCH_NR; a++) {
		struct written_call w;
		if (only >= 0 ? a != only : !(p->arches & ARCH_BIT(a)))
			continue;
		/* Where the call does not exist there is nothing to say, unless it was asked for. */
		if (only < 0 && sys && sys->nr[a] < 0)
			continue;
		shown++;
		if (policy_call_read(s->arena, c, (enum arch)a, &w, s->diags) < 0)
			return -1;
		buf_printf(out, "%s on %s\n", text, arch_info((enum arch)a)->name);
		if (p->arches & ARCH_BIT(a)) {
			put_rules(s, p, (enum arch)a, &w, out);
			continue;
		}
		buf_printf(out, "  %-13s  ", "decides");
		verdict_print(out, p->foreign);
		buf_puts(out, "  ");
		put_header(out, s->sources, p, AST_HEADER_FOREIGN, "foreign", p->foreign);
		buf_putc(out, '\n');
	}
	if (!shown) { /* says what is wrong with the name, or where it exists */
		struct written_call w;
		for (int a = 0; a < ARCH_NR && !s->diags->errors; a++)
			if (p->arches & ARCH_BIT(a))
				policy_call_read(s->arena, c, (enum arch)a, &w, s->diags);
		return -1;
	}
	return 0;
}

/* ---- paths ---- */

static void put_perms(struct buf *out, const struct file_rule *f)
{
	static const struct {
		unsigned bit;
		char letter;
	} letters[] = { { PERM_M, 'm' }, { PERM_R, 'r' }, { PERM_W, 'w' },
			{ PERM_A, 'a' }, { PERM_L, 'l' }, { PERM_K, 'k' } };

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (f->perms & letters[i].bit)
			buf_putc(out, letters[i].letter);
	buf_puts(out, f->exec);
}

static bool is_denied(const struct file_rule *f)
{
	return f->action == RULE_DENY || f->action == RULE_QUIET_DENY;
}

static int explain_path(struct session *s, const struct policy *p, const char *text,
			struct buf *out)
{
	unsigned allowed = 0, denied = 0, owner = 0, unsure = 0;

	buf_printf(out, "%s\n", text);
	vec_each(&p->files, f) {
		bool variable = memmem(f->path.p, f->path.n, "@{", 2) != NULL;
		if (!variable && apparmor_glob_match(f->path, str_c(text)) != 1)
			continue;
		if (variable)
			unsure++;
		else if (is_denied(f))
			denied |= f->perms;
		else if (f->owner)
			owner |= f->perms;
		else
			allowed |= f->perms;
		buf_printf(out, "  %-13s  ", variable ? "may match" : is_denied(f) ? "denies"
					     : f->action == RULE_LOG ? "allows, logs" : "allows");
		put_perms(out, f);
		buf_puts(out, f->owner ? " (its owner)  " : "  ");
		put_rule(out, s->sources, f->origin);
		buf_putc(out, '\n');
	}
	struct file_rule rest = { .perms = allowed & ~denied };
	if (rest.perms & PERM_X)
		memcpy(rest.exec, "x", 2);
	buf_printf(out, "  %-13s  ", "in all");
	put_perms(out, &rest);
	if (!rest.perms)
		buf_puts(out, "nothing");
	rest.perms = owner & ~denied & ~allowed;
	memcpy(rest.exec, rest.perms & PERM_X ? "x" : "", rest.perms & PERM_X ? 2 : 1);
	if (rest.perms) {
		buf_puts(out, "; to its owner also ");
		put_perms(out, &rest);
	}
	buf_puts(out, unsure ? ", and what the variables above add\n" : "; all else is refused\n");
	if (!(p->layers & LAYER_APPARMOR))
		buf_puts(out, "  the policy does not count on AppArmor: nothing decides paths\n");
	return 0;
}

/* ---- the command ---- */

struct explain_options {
	struct input_options input;
	const char *policy;
	int arch;
};

static int read_options(struct session *s, int argc, char **argv, struct explain_options *o)
{
	static const struct option options[] = {
		{ "arch", required_argument, NULL, 'a' },
		{ "policy", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		SHARED_OPTIONS,
		{ 0 },
	};
	const struct command *self = command_find("explain");
	int c, index = 0;

	while ((c = getopt_long(argc, argv, "h", options, &index)) != -1) {
		switch (c) {
		case 'p':
			o->policy = optarg;
			break;
		case 'a':
			o->arch = arch_find(str_c(optarg));
			if (o->arch < 0)
				return usage_error(self, "unknown architecture '%s'", optarg);
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_OK;
		case OPTION_SHARED:
			c = environment_option(s, &o->input.resolve, options[index].name, optarg);
			if (c)
				return c;
			break;
		default:
			return usage_error(self, "see pale explain --help");
		}
	}
	if (optind + 2 != argc)
		return usage_error(self, "a FILE and one CALL or PATH are needed");
	return -1;
}

static int explain(struct session *s, const struct explain_options *o, const char *file,
		   const char *what)
{
	const struct policy *p;
	struct input in;
	BUF_AUTO out = { 0 };
	int status = input_load(s, file, &o->input, &in);

	if (status)
		return status;
	if (in.format == INPUT_BPF) {
		int answer = explain_program(s, file, what, o->arch, &out);
		if (!answer && output_write(NULL, out.p, out.n, 0))
			return EXIT_SYSTEM;
		return session_report(s) || answer ? EXIT_FOUND : EXIT_OK;
	}
	p = input_policy(s, &in, o->policy);
	if (!p)
		return EXIT_FOUND;
	int bad = what[0] == '/' ? explain_path(s, p, what, &out)
				 : explain_call(s, p, what, o->arch, &out);
	if (!bad && output_write(NULL, out.p, out.n, 0))
		return EXIT_SYSTEM;
	return session_report(s) || bad ? EXIT_FOUND : EXIT_OK;
}

int cmd_explain(int argc, char **argv)
{
	struct session s;
	struct explain_options o = { .arch = -1 };

	session_open(&s);
	int status = read_options(&s, argc, argv, &o);
	if (status < 0)
		status = explain(&s, &o, argv[optind], argv[optind + 1]);
	session_close(&s);
	return status;
}
