/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/update.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/ask_apparmor.h"
#include "compiler/cmd/recordings.h"
#include "compiler/file/decide.h"
#include "compiler/fix/fix.h"
#include "compiler/tell/shown.h"
#include "grammar/apparmor_print.h"
#include "grammar/print.h"
#include "learn/propose.h"

enum { ERRNO_NOSYS = 38 };

struct update {
	struct session *s;
	const struct options *o;
	const struct policy *policy;
	struct aa_asking *q; /* NULL: it does not count on AppArmor */
	size_t kept;         /* facts that the policy's own rules refuse */
	const char *first;   /* of them, in words */
};

/* A rule of the policy says no: whoever wrote it is not to be overruled. */
static void keep_refused(struct update *u, const char *what)
{
	if (!u->kept++)
		u->first = what;
}

/* ---- calls ---- */

/* Does it pass? Of what a rule refuses by name it is said that it stays so. */
static bool passes(struct update *u, const struct recorded_call *c, const uint64_t args[6])
{
	struct call call = { .audit_arch = arch_info(c->arch)->audit,
			     .nr = c->nr + arch_info(c->arch)->nr_base };
	const struct syscall_info *sys = syscall_by_nr(c->arch, c->nr);
	struct decision_why why;
	struct verdict v;

	memcpy(call.args, args, sizeof(call.args));
	v = policy_eval(u->policy, &call, &why);
	if (v.kind == VERDICT_ALLOW || v.kind == VERDICT_LOG)
		return true;
	/* Its flags lie in memory; libcs fall back to clone. A proposal says it so, too. */
	if (sys && !strcmp(sys->name, "clone3") && v.kind == VERDICT_ERRNO &&
	    v.data == ERRNO_NOSYS && propose_refuses_clone3(c))
		return true;
	if (why.by != BY_RULE)
		return false;
	keep_refused(u, sys ? sys->name : "a call without a name");
	return true;
}

static bool cut_values(struct update *u, struct recorded_call *c, struct recorded_arg *arg)
{
	int of = recording_args_of(c->arch, c->nr);
	size_t left = 0;

	vec_each(&arg->values, v) {
		uint64_t args[6] = { 0 };

		args[arg->index] = v->value;
		if (of >= 0) {
			args[arg->index] = v->value >> 32;
			args[of] = (uint32_t)v->value;
		}
		if (!passes(u, c, args))
			arg->values.v[left++] = *v;
	}
	arg->values.n = left;
	arg->ones = arg->zeros = 0;
	vec_each(&arg->values, v) {
		arg->ones |= v->value;
		arg->zeros |= ~v->value;
	}
	return left;
}

static bool network_allowed(struct update *u, const uint64_t args[3])
{
	bool allowed = false;

	if (!(u->policy->layers & LAYER_APPARMOR))
		return true;
	vec_each(&u->policy->networks, n) {
		if ((n->family >= 0 && (uint64_t)n->family != args[0]) ||
		    (n->type >= 0 && (uint64_t)n->type != (args[1] & 0xf)) ||
		    (n->protocol >= 0 && (uint64_t)n->protocol != args[2]))
			continue;
		if (n->action >= RULE_DENY) {
			keep_refused(u, "a socket");
			return true;
		}
		allowed = true;
	}
	return allowed;
}

static bool cut_tuples(struct update *u, struct recorded_call *c)
{
	bool calls = u->policy->layers & LAYER_SECCOMP;
	size_t left = 0;

	vec_each(&c->tuples, t) {
		uint64_t args[6] = { t->args[0], t->args[1], t->args[2] };

		if (!network_allowed(u, t->args) || (calls && !passes(u, c, args)))
			c->tuples.v[left++] = *t;
	}
	c->tuples.n = left;
	return left;
}

/* Is something of it refused? Only that stays of it. */
static bool cut_call(struct update *u, struct recorded_call *c)
{
	static const uint64_t none[6];
	bool refused = false;

	if (c->tuples.n)
		return cut_tuples(u, c);
	if (!(u->policy->layers & LAYER_SECCOMP) || !syscall_by_nr(c->arch, c->nr))
		return false;
	if (!c->args.n)
		return !passes(u, c, none);
	vec_each(&c->args, arg)
		refused |= cut_values(u, c, arg);
	return refused;
}

static bool cut_calls(struct update *u, struct recording *r)
{
	size_t left = 0;

	for (size_t i = 0; i < r->calls.n; i++) {
		enum arch a = r->calls.v[i].arch;

		if (!(u->policy->arches & ARCH_BIT(a))) {
			struct diag *d = diag_add(u->s->diags, DIAG_PL428,
						  policy_header_span(u->policy, AST_HEADER_ARCH),
						  "the recording has calls of %s, which the policy "
						  "does not list",
						  arch_info(a)->name);
			diag_help(u->s->diags, d, "add it to `arch`, then update again");
			return false;
		}
		if (cut_call(u, &r->calls.v[i]))
			r->calls.v[left++] = r->calls.v[i];
	}
	r->calls.n = left;
	return true;
}

/* ---- resources ---- */

static bool denied_by_rule(const struct aa_verdict *v)
{
	vec_each(&v->rules, r)
		if (r->role == AA_ROLE_DECIDES && r->rule && r->rule->prefix.mode != AA_MODE_ALLOW)
			return true;
	return false;
}

static unsigned lacking_perms(struct update *u, const struct recorded_file *f,
			      enum aa_access_kind kind, unsigned perms)
{
	struct aa_access access = { .kind = kind,
				    .who = f->owned ? FILE_OWNER : FILE_WHO_NR,
				    .path = f->path,
				    .perms = perms };
	unsigned lacking = 0;

	for (int who = 0; perms && who < FILE_WHO_NR; who++) {
		struct aa_verdict v;

		if (f->owned && who != FILE_OWNER)
			continue;
		v = aa_ask(u->q, &access, (enum file_who)who);
		if (v.outcome < AA_ASKS)
			continue;
		if (denied_by_rule(&v))
			keep_refused(u, str_safe_of(u->s->arena, f->path));
		else
			lacking |= v.lacking ? v.lacking & perms : perms;
	}
	return lacking;
}

static void cut_files(struct update *u, struct recording *r)
{
	size_t left = 0;

	vec_each(&r->files, f) {
		unsigned lacking = 0;

		if (!u->q)
			continue;
		lacking = lacking_perms(u, f, AA_ACCESS_OPEN, f->perms & ~(unsigned)PERM_X);
		lacking |= lacking_perms(u, f, AA_ACCESS_EXEC, f->perms & PERM_X);
		if (!lacking)
			continue;
		f->perms = lacking;
		r->files.v[left++] = *f;
	}
	r->files.n = left;
}

static bool capability_allowed(struct update *u, unsigned cap)
{
	bool allowed = !(u->policy->layers & LAYER_APPARMOR) && !u->policy->says_caps;

	vec_each(&u->policy->caps, c) {
		if (c->cap != cap)
			continue;
		if (c->action >= RULE_DENY) {
			keep_refused(u, capability_name(cap));
			return true;
		}
		allowed = true;
	}
	return allowed;
}

/* peer: as a policy names it; "" and what is of any. */
static bool signal_allowed(struct update *u, int sig, bool send, struct str peer)
{
	bool allowed = !u->q;

	vec_each(&u->policy->signals, s) {
		if ((s->signal >= 0 && s->signal != sig) || !(send ? s->send : s->receive))
			continue;
		if (s->action >= RULE_DENY && !s->peer.n) {
			keep_refused(u, send ? "a signal sent" : "a signal received");
			return true;
		}
		allowed |= s->action < RULE_DENY && (!s->peer.n || str_eq(s->peer, peer));
	}
	return allowed;
}

static bool signal_known(struct update *u, const struct signalled *s)
{
	struct str peer = { "", 0 };

	if (s->peer == SIGNAL_OURS) {
		peer = STR("@{profile_name}");
		return signal_allowed(u, s->signal, true, peer) &&
		       signal_allowed(u, s->signal, false, peer);
	}
	if (s->peer == SIGNAL_LABEL)
		peer = str_c(generalize_escape(u->s->arena, s->who));
	return signal_allowed(u, s->signal, s->sent, peer);
}

/* What is known of those that calls were told to send, before what was seen of it is cut. */
static void cut_signals(struct update *u, struct recording *r)
{
	size_t left = 0;

	r->exists_known |= recording_signal_seen(r, 0) || signal_allowed(u, 0, true, STR(""));
	for (unsigned sig = 1; sig < 65; sig++)
		if (recording_signal_seen(r, (int)sig) ||
		    signal_allowed(u, (int)sig, true, STR("")))
			r->sent_known |= UINT64_C(1) << (sig - 1);
	vec_each(&r->signals, s)
		if (!signal_known(u, &s->what))
			r->signals.v[left++] = *s;
	r->signals.n = left;
}

/* Those that the policy has, and what it denies: which stays so. */
static void know_rules(struct update *u, struct recording *r)
{
	r->rules_known.n = 0;
	r->no_rules = !(u->policy->layers & LAYER_APPARMOR);
	vec_each(&u->policy->others, own) {
		BUF_AUTO out = { 0 };
		struct str text;

		aa_print_head(&out, (*own)->origin->stmt->rule);
		text = (struct str){ buf_keep(u->s->arena, &out), out.n };
		vec_push(u->s->arena, &r->rules_known, text);
		vec_each(&r->rules, rule)
			if ((*own)->prefix.mode == AA_MODE_DENY && str_eq(rule->text, text))
				keep_refused(u, str_safe_of(u->s->arena, text));
	}
}

static void cut_resources(struct update *u, struct recording *r)
{
	size_t left = 0;

	cut_files(u, r);
	know_rules(u, r);
	vec_each(&r->caps, c)
		if (!capability_allowed(u, c->cap))
			r->caps.v[left++] = *c;
	r->caps.n = left;
	cut_signals(u, r);
}

/* ---- the text ---- */

static bool load(struct update *u, const char *path, struct input *in)
{
	struct input_options opt = { 0 };
	struct access_of of;

	if (environment_options(u->o, &opt.resolve))
		return false;
	if (input_load(u->s, path, &opt, in))
		return false;
	if (in->format != INPUT_PALE || in->unit) {
		diag_help(u->s->diags,
			  diag_add(u->s->diags, DIAG_PL428, NO_SPAN, "'%s' is no policy",
				   str_safe(u->s->arena, path)),
			  "'pale import' makes one of it");
		return false;
	}
	u->policy = input_policy(u->s, in, u->o->at[OPT_POLICY].text);
	if (!u->policy || apparmor_asking_policy(u->s, u->o, u->policy, &of))
		return false;
	u->q = ARENA_NEW(u->s->arena, struct aa_asking);
	if (of.q)
		*u->q = *of.q;
	else
		u->q = NULL;
	return true;
}

static const struct ast_stmt *policy_stmt(const struct input *in, const struct policy *p)
{
	for (const struct ast_stmt *st = in->ast->stmts; st; st = st->next)
		if (st->kind == AST_STMT_POLICY && str_eq(st->name.text, p->name))
			return st;
	return NULL;
}

/* What is missing, as statements in the layout that `pale fmt` has. */
static void print_missing(struct update *u, const struct recording *r, struct buf *out)
{
	struct propose_options opt = { .name = "p", .only_facts = true };
	struct ast_file *file = propose(u->s->arena, r, &opt, u->s->diags);
	static const char head[] = "policy p {\n", foot[] = "}\n";
	BUF_AUTO whole = { 0 };

	if (!file->stmts->body)
		return;
	file->stmts->leading = NULL;
	ast_print(&whole, file);
	if (whole.failed)
		arena_no_memory(u->s->arena);
	BUG_ON(whole.n < sizeof(head) + sizeof(foot) || !str_starts(str_c(whole.p), head));
	buf_putc(out, '\n');
	buf_add(out, whole.p + sizeof(head) - 1, whole.n - (sizeof(head) - 1) - (sizeof(foot) - 1));
}

/* Lines end as the file's own do: as its first one does. */
static void put_lines(struct buf *out, struct str lines, struct str file)
{
	const char *end = memchr(file.p, '\n', file.n);
	bool cr = end && end > file.p && end[-1] == '\r';

	for (size_t i = 0; i < lines.n; i++) {
		if (cr && lines.p[i] == '\n')
			buf_putc(out, '\r');
		buf_putc(out, lines.p[i]);
	}
}

/* The policy's text with the statements before its closing brace. */
static struct str insert(struct update *u, const struct input *in, struct str missing)
{
	const struct ast_stmt *st = policy_stmt(in, u->policy);
	struct str text = in->source->text;
	BUF_AUTO out = { 0 };
	size_t at;

	BUG_ON(!st);
	at = st->span.end - 1;
	buf_add(&out, text.p, at);
	if (at && text.p[at - 1] != '\n')
		put_lines(&out, STR("\n"), text);
	put_lines(&out, missing, text);
	buf_add(&out, text.p + at, text.n - at);
	return (struct str){ buf_keep(u->s->arena, &out), out.n };
}

static void cut(struct update *u, struct recording *r, bool *listed)
{
	u->kept = 0;
	*listed = cut_calls(u, r);
	if (*listed)
		cut_resources(u, r);
}

/* The new text is asked as the old one was: nothing may be missing any more. */
static bool prove(struct update *u, const char *path, const struct input *old, struct str text,
		  struct recording *r)
{
	struct update after = { .s = u->s, .o = u->o };
	BUF_AUTO missing = { 0 };
	struct input in = { 0 };
	bool listed;

	source_stand_in(u->s->sources, path, old->source, text);
	if (!load(&after, path, &in))
		return false;
	cut(&after, r, &listed);
	if (listed)
		print_missing(&after, r, &missing);
	if (listed && !missing.n)
		return true;
	diag_help(u->s->diags,
		  diag_add(u->s->diags, DIAG_PL428, NO_SPAN,
			   "'%s' would refuse some of it all the same: %s",
			   str_safe(u->s->arena, path), missing.p ? missing.p : "?"),
		  "nothing was written; 'pale explain' shows which rules speak of it");
	return false;
}

static void tell_kept(struct update *u)
{
	struct diag *d;

	if (!u->kept)
		return;
	d = diag_add(u->s->diags, DIAG_PL429, u->policy->span,
		     "%zu of what was recorded stays refused by rules of the policy: %s%s", u->kept,
		     u->first, u->kept > 1 ? ", ..." : "");
	diag_help(u->s->diags, d,
		  "'pale explain' shows the rule; change it by hand if it is wrong");
}

int policy_update(struct session *s, const struct options *o, const char *path, struct recording *r)
{
	struct update u = { .s = s, .o = o };
	BUF_AUTO missing = { 0 };
	BUF_AUTO out = { 0 };
	struct input in = { 0 };
	bool listed;
	struct str text;

	if (!load(&u, path, &in))
		return EXIT_FOUND;
	propose_imply(s->arena, r);
	cut(&u, r, &listed);
	if (!listed)
		return EXIT_FOUND;
	print_missing(&u, r, &missing);
	tell_kept(&u);
	text = missing.n ? insert(&u, &in, (struct str){ missing.p, missing.n }) : in.source->text;
	if (missing.n && !prove(&u, path, &in, text, r))
		return EXIT_FOUND;
	if (o->at[OPT_OUTPUT].given)
		buf_add(&out, text.p, text.n);
	else
		fix_put_diff(&out, s->arena, path, in.source->text, text);
	if (!out.n)
		return EXIT_OK;
	return write_output(o->at[OPT_OUTPUT].text, &out, 0644) ? EXIT_SYSTEM : EXIT_OK;
}
