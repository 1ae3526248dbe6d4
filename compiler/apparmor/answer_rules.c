/* SPDX-License-Identifier: Apache-2.0 */
/* What rules of any class but files add up to. */
#include <string.h>

#include "compiler/apparmor/answer_parts.h"
#include "compiler/apparmor/weigh.h"

/* ---- the rules that speak ---- */

/* Of a rule that speaks: of this socket option it says but how it is logged (answer_objects.c). */
static bool says_nothing(const struct aa_asking *q, const struct aa_rule *r,
			 const struct aa_access *access)
{
	return r->class == AA_CLASS_UNIX && access->class == AA_CLASS_UNIX &&
	       aa_is_mediated(q, AA_CLASS_UNIX) && q->target.release < AA_RELEASE_4_1_2 &&
	       !(r->perms & access->perms);
}

/*
 * A unix rule that becomes a network rule loses its priority (af_unix.cc, downgrade_rule); of a
 * network rule that becomes a unix rule a deny is quiet where it says audit (parser_yacc.y).
 */
static struct aa_prefix weigh(const struct aa_asking *q, const struct aa_rule *r,
			      const struct aa_access *access)
{
	bool fine = aa_is_mediated(q, AA_CLASS_UNIX);
	struct aa_prefix p = aa_weigh(q->target.release, r);

	if (r->class == AA_CLASS_UNIX && !fine)
		p.priority = 0;
	if (r->class == AA_CLASS_NETWORK && access->class == AA_CLASS_UNIX && fine &&
	    p.mode == AA_MODE_DENY)
		p.audit = !p.audit;
	if (says_nothing(q, r, access))
		p.mode = AA_MODE_ALLOW;
	return p;
}

/* Does x go before y? */
static int compare_rules(const struct aa_asking *q, const struct aa_rule *x,
			 const struct aa_rule *y, const struct aa_access *access)
{
	struct aa_prefix xp = weigh(q, x, access), yp = weigh(q, y, access);
	int order = aa_compare_weights(&xp, &yp);

	if (order || xp.mode != AA_MODE_ALLOW)
		return order;
	return aa_rule_is_exact(q, x, access) - aa_rule_is_exact(q, y, access);
}

/* One permission is asked for: the rules that no other one goes before are what it gets. */
static struct halves sum_rules(const struct aa_asking *q, const struct aa_access *access,
			       struct aa_verdict *v)
{
	struct aa_halves h = { .allow = 0 };
	const struct aa_rule *top = NULL;
	bool first = true;

	vec_each(&v->rules, r)
		if (!top || compare_rules(q, r->rule, top, access) > 0)
			top = r->rule;
	vec_each(&v->rules, r) {
		struct aa_prefix p = weigh(q, r->rule, access);
		if (compare_rules(q, r->rule, top, access))
			continue;
		if (r->bits & AA_SAYS_NOTHING) {
			bool deny = r->rule->prefix.mode == AA_MODE_DENY;
			*(deny ? &h.quiet : &h.audit) |= access->perms;
			h.varies |= deny && q->target.release == AA_RELEASE_4_1 ? access->perms : 0;
			continue;
		}
		r->role = first ? AA_ROLE_DECIDES : AA_ROLE_AGREES;
		first = false;
		aa_add_weight(&h, &p, access->perms);
	}
	return (struct halves){ .allow = h.allow,
				.deny = h.deny,
				.audit = h.audit,
				.quiet = h.quiet,
				.prompt = h.prompt,
				.varies = h.varies & h.allow };
}

static void speak(const struct aa_asking *q, const struct aa_rule *r, unsigned bits,
		  struct aa_verdict *v)
{
	if (bits)
		vec_push(q->arena, &v->rules,
			 ((struct aa_spoken){ r, NULL, bits, AA_ROLE_OUTRANKED }));
}

/* ---- change_profile ---- */

static bool is_granted(const struct aa_verdict *v)
{
	return v->outcome == AA_ALLOWED || v->outcome == AA_ALLOWED_AUDITED;
}

/* Without a program to execute a rule is about all of these. */
static bool is_program(struct str path)
{
	return path.n > 1 && path.p[0] == '/' && path.p[1] != '/';
}

static bool text_says(const struct aa_asking *q, const struct aa_text *t, struct str s)
{
	return t->glob ? glob_match(q->arena, t->glob, s) : !t->word;
}

static bool exec_says(const struct aa_asking *q, const struct aa_change_rule *c, struct str path)
{
	return c->exec.word ? text_says(q, &c->exec, path) : is_program(path);
}

/* One text that holds both: '[^a]' takes the NUL between them, too. */
static bool pair_says(const struct aa_asking *q, const struct aa_text *t, struct str path,
		      struct str label)
{
	return t->glob && t->glob->has & GLOB_HAS_NEGATED &&
	       glob_match(q->arena, t->glob, aa_pair(q->arena, path, label));
}

/*
 * What the kernel looks up in the file rules' automaton (domain.c: aa_change_profile,
 * profile_onexec): a label, for now or for an execution, the program, the program with the label.
 * A rule is compiled to one text of each, whatever it names (parser_regex.c, process_dfa_entry).
 */
enum change_part { CHANGE_NOW, CHANGE_LABEL, CHANGE_PROGRAM, CHANGE_PAIR };

static bool is_exact(const struct aa_asking *q, const struct aa_text *t)
{
	return t->word && t->glob && aa_is_exact(q->target.release, t->glob);
}

static int compare_ways(const struct aa_asking *q, const struct aa_rule *x, const struct aa_rule *y)
{
	struct aa_prefix xp = aa_weigh(q->target.release, x), yp = aa_weigh(q->target.release, y);
	int order = aa_compare_weights(&xp, &yp);

	if (order || xp.mode != AA_MODE_ALLOW)
		return order;
	return (is_exact(q, &x->change.exec) && is_exact(q, &x->change.target)) -
	       (is_exact(q, &y->change.exec) && is_exact(q, &y->change.target));
}

/*
 * Of the program with its label rules that name a program are ways to execute it, safe or unsafe: one
 * without patterns goes before those with some, and parsers refuse others that disagree.
 */
static enum aa_environment environment_of(const struct aa_asking *q, const struct aa_verdict *v)
{
	const struct aa_rule *top = NULL;

	vec_each(&v->rules, r)
		if (r->rule->change.exec.word && (!top || compare_ways(q, r->rule, top) > 0))
			top = r->rule;
	vec_each(&v->rules, r)
		if (r->rule->change.unsafe && !compare_ways(q, r->rule, top) &&
		    aa_weigh(q->target.release, r->rule).mode == AA_MODE_ALLOW)
			return AA_ENVIRONMENT_UNSAFE;
	return AA_ENVIRONMENT_SAFE;
}

static struct aa_verdict ask_part(const struct aa_asking *q, const struct aa_access *access,
				  enum change_part part, struct str label)
{
	struct aa_verdict v = { .exec = { .target = { "", 0 } } };
	struct str path = access->change.exec;

	vec_each(&q->rules, r) {
		const struct aa_change_rule *c = &(*r)->change;
		bool speaks = false;
		if ((*r)->class != AA_CLASS_CHANGE_PROFILE)
			continue;
		switch (part) {
		case CHANGE_NOW: speaks = text_says(q, &c->target, label); break;
		case CHANGE_LABEL:
			speaks = text_says(q, &c->target, label) || exec_says(q, c, label);
			break;
		case CHANGE_PROGRAM:
			speaks = exec_says(q, c, path) || text_says(q, &c->target, path);
			break;
		case CHANGE_PAIR:
			speaks = (exec_says(q, c, path) && text_says(q, &c->target, label)) ||
				 pair_says(q, &c->exec, path, label) ||
				 pair_says(q, &c->target, path, label);
			break;
		}
		speak(q, *r, speaks ? access->perms : 0, &v);
	}
	struct halves h = sum_rules(q, access, &v);
	aa_conclude(q, access->perms, &h, &v);
	if (part == CHANGE_PAIR)
		v.environment = environment_of(q, &v);
	return v;
}

/* Up to the next "//&" of a label of several profiles. */
static struct str component(struct str label, size_t from)
{
	size_t end = from;

	while (end < label.n && (label.n - end < 3 || memcmp(label.p + end, "//&", 3) != 0))
		end++;
	return (struct str){ label.p + from, end - from };
}

/* Of several profiles: the whole label, or else each of them (domain.c, label_match). */
static struct aa_verdict ask_label(const struct aa_asking *q, const struct aa_access *access,
				   enum change_part part)
{
	struct str label = access->change.target;
	struct aa_verdict whole = ask_part(q, access, part, label), v = whole;
	bool stacked = label.n && label.p[0] == '&', unsafe = false;

	if (is_granted(&whole) || component(label, 0).n == label.n)
		return whole;
	for (size_t from = 0; from <= label.n;) {
		struct str one = component(label, from);
		const char *text = arena_printf(q->arena, "%s" PRISTR, stacked && from ? "&" : "",
						STRARG(one));
		from += one.n + 3;
		v = ask_part(q, access, part, str_c(text));
		if (!is_granted(&v))
			return whole;
		unsafe |= v.environment == AA_ENVIRONMENT_UNSAFE;
	}
	if (unsafe)
		v.environment = AA_ENVIRONMENT_UNSAFE;
	return v;
}

static struct aa_verdict ask_onexec(const struct aa_asking *q, const struct aa_access *access)
{
	struct aa_verdict v, program, pair;

	v = ask_label(q, access, CHANGE_LABEL);
	if (!is_granted(&v) && v.outcome != AA_ALLOWED_LOGGED)
		return v;
	/*
	 * profile_onexec() says "no change_onexec valid for executable" and returns no error: who
	 * may not is let through, in 6.1, 6.12 and 7.2. Only a program that may is looked at with
	 * its label.
	 */
	program = ask_part(q, access, CHANGE_PROGRAM, (struct str){ "", 0 });
	if (!is_granted(&program)) {
		v.why = "no rule lets this program change, and the kernel lets it pass for that";
		v.environment = AA_ENVIRONMENT_UNSAFE;
		return v;
	}
	pair = ask_label(q, access, CHANGE_PAIR);
	v.environment = pair.environment;
	return is_granted(&pair) && !is_granted(&v) ? v : pair;
}

/* Only what a pair's rules grant has the environment cleared: modes that let pass do not. */
static struct aa_verdict ask_change(const struct aa_asking *q, const struct aa_access *access)
{
	struct aa_verdict v;

	if (!access->change.exec.n)
		return ask_label(q, access, CHANGE_NOW);
	v = ask_onexec(q, access);
	if (v.outcome == AA_ALLOWED_LOGGED || q->profile->header->flags & AA_FLAG_UNCONFINED)
		v.environment = AA_ENVIRONMENT_UNSAFE;
	else if (!is_granted(&v))
		v.environment = AA_ENVIRONMENT_NONE;
	return v;
}

/* No rule is asked: the hat is there, or not (domain.c, change_hat). */
static struct aa_verdict ask_hat(const struct aa_asking *q, const struct aa_access *access)
{
	const struct aa_profile *p = q->profile, *of = p->header->hat && p->parent ? p->parent : p;
	struct aa_verdict v = { .outcome = AA_REFUSED, .exec = { .target = { "", 0 } } };

	if (aa_profile_is_open(q)) {
		v.why = "who is not confined has no hats";
		return v;
	}
	vec_each(&of->children, c)
		if ((*c)->hat && (*c)->reach == AA_REACH_LIVE &&
		    str_eq((*c)->name, access->change.target))
			v.outcome = AA_ALLOWED;
	if (v.outcome == AA_ALLOWED) {
		v.why = "no rule is asked for a hat of the profile's own";
		return v;
	}
	v.why = "the profile has no hat of this name";
	if (p->header->flags & AA_FLAG_COMPLAIN)
		v.outcome = AA_ALLOWED_LOGGED;
	return v;
}

/* ---- all else ---- */

/* Why no rule counts; NULL: they do (security/apparmor/ipc.c, profile_tracee_perm). */
static const char *unasked(const struct aa_asking *q, const struct aa_access *access)
{
	if (!aa_is_mediated(q, access->class) &&
	    !(access->class == AA_CLASS_UNIX && aa_is_mediated(q, AA_CLASS_NETWORK)))
		return "not mediated under this abi and these features: rules of it do not count";
	if (access->class == AA_CLASS_PTRACE && str_is(access->peer, "unconfined") &&
	    access->perms & (AA_PTRACE_TRACEDBY | AA_PTRACE_READBY))
		return "the kernel does not ask what is traced by a program that is unconfined";
	return NULL;
}

/*
 * A posix queue is a file then, of a mount that the program does not see: read and write are asked
 * for, to create it too is to write, and without the flag there is no path (kernels 6.1 to 7.3).
 */
static struct aa_verdict ask_queue_file(const struct aa_asking *q, const struct aa_access *access)
{
	const struct aa_header *h = q->profile->header;
	struct aa_verdict v = { .outcome = AA_ALLOWED, .exec = { .target = { "", 0 } } }, other;
	unsigned perms = access->perms == AA_MQUEUE_READ ? PERM_R : PERM_W;
	const char *path;

	if (!(access->perms & (AA_MQUEUE_READ | AA_MQUEUE_WRITE | AA_MQUEUE_CREATE)) ||
	    aa_profile_is_open(q)) {
		v.why = "not mediated: the kernel asks for nothing";
		return v;
	}
	if (!(h->flags & AA_FLAG_ATTACH)) {
		v.outcome = h->flags & AA_FLAG_COMPLAIN ? AA_ALLOWED_LOGGED : AA_REFUSED;
		v.why = "no queues are mediated, but the file of this one has no path without the "
			"flag 'attach_disconnected'";
		return v;
	}
	path = arena_printf(q->arena, PRISTR PRISTR, STRARG(h->disconnected),
			    STRARG(access->mqueue.name));
	v = aa_path_verdict(q, aa_means_path(&q->means, str_c(path)), FILE_OTHER, perms);
	other = aa_path_verdict(q, aa_means_path(&q->means, str_c(path)), FILE_OWNER, perms);
	if (v.outcome != other.outcome)
		v.outcome = AA_VARIES;
	v.lacking = 0;
	v.why = arena_printf(q->arena, "no queues are mediated: its file is, as 'open %s %s'%s",
			     str_safe(q->arena, path), perms == PERM_R ? "r" : "w",
			     v.outcome == AA_VARIES ? ", by whose it is" : "");
	return v;
}

/* What no kernel matches, though a rule that speaks says it. */
static bool has_dropped(const struct aa_verdict *v)
{
	vec_each(&v->rules, r)
		if (r->rule->class == AA_CLASS_NETWORK && r->rule->conds.n &&
		    r->role != AA_ROLE_OUTRANKED)
			return true;
	return false;
}

static struct aa_verdict ask_class(const struct aa_asking *q, const struct aa_access *access)
{
	struct aa_verdict v = { .exec = { .target = { "", 0 } } };

	if (access->class == AA_CLASS_MQUEUE && access->mqueue.posix &&
	    !aa_is_mediated(q, AA_CLASS_MQUEUE))
		return ask_queue_file(q, access);
	v.why = unasked(q, access);
	if (v.why) {
		v.outcome = AA_ALLOWED;
		return v;
	}
	vec_each(&q->rules, r)
		speak(q, *r, aa_rule_says(q, *r, access), &v);
	struct halves h = sum_rules(q, access, &v);
	aa_conclude(q, access->perms, &h, &v);
	if (!v.why && has_dropped(&v))
		v.why = "what the rule says of addresses, interfaces and labels is dropped: no "
			"Linux up to 7.3 looks at it";
	else if (!v.why && access->class == AA_CLASS_UNIX && !aa_is_mediated(q, AA_CLASS_UNIX))
		v.why = "addresses and peers of unix sockets are not mediated under this abi and "
			"these features";
	/* capability.c kills before it looks whether to be quiet; lib.c, aa_check_perms, does not. */
	if (v.outcome != AA_KILLED && v.outcome != AA_REFUSED)
		return v;
	v.outcome =
		q->profile->header->flags & AA_FLAG_KILL && access->class == AA_CLASS_CAPABILITY ?
			AA_KILLED :
			AA_REFUSED;
	return v;
}

struct aa_verdict aa_ask_rules(const struct aa_asking *q, const struct aa_access *access)
{
	if (access->class != AA_CLASS_CHANGE_PROFILE)
		return ask_class(q, access);
	return access->perms == AA_ACCESS_HAT ? ask_hat(q, access) : ask_change(q, access);
}

bool aa_can_ask_rules(const struct aa_asking *q, const struct aa_access *access, struct diags *ds)
{
	enum aa_class class = access->class;

	if (class == AA_CLASS_PTRACE && !aa_is_mediated(q, class))
		return aa_unanswered(access, ds,
				     "without rules of ptrace the kernel asks for a capability",
				     "'cap sys_ptrace' is what it asks for");
	if ((class == AA_CLASS_USERNS || class == AA_CLASS_IO_URING) && aa_profile_is_open(q))
		return aa_unanswered(access, ds, "the profile's mode leaves this to the kernel",
				     "ask a profile that enforces");
	if (class == AA_CLASS_MQUEUE && access->mqueue.posix && !aa_is_mediated(q, class) &&
	    access->perms & AA_MQUEUE_OPEN)
		return aa_unanswered(access, ds, "the kernel asks what it is opened for",
				     "'mqueue read NAME', 'mqueue write NAME' are answered");
	if (class == AA_CLASS_NETWORK && q->target.addresses)
		return aa_unanswered(access, ds,
				     "this kernel matches addresses, which no Linux up to 7.3 does",
				     "features without af_inet are answered");
	return true;
}
