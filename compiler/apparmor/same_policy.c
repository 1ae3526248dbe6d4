/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile and a policy, access by access. What is refused is refused alike by a deny and by want
 * of a rule; whether it is logged counts, and whether what is allowed is.
 */
#include <string.h>

#include "compiler/apparmor/objects.h"
#include "compiler/apparmor/to_policy.h"

struct comparing {
	struct arena *arena;
	struct diags *ds;
	const struct aa_asking *x, *y; /* the profile, and the policy */
	bool same;
};

static void tell(struct comparing *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct comparing *c, const char *fmt, ...)
{
	BUF_AUTO text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	c->same = false;
	diag_help(
		c->ds,
		diag_add(c->ds, DIAG_PL398, c->x->profile->stmt->head, "%s", text.p ? text.p : ""),
		"'pale explain' says by which rule; a policy has no priorities, and its name is "
		"its profile's label");
}

/* What no rule denies is asked for then. */
static bool asks(const struct comparing *c)
{
	return c->x->profile->header->flags & AA_FLAG_PROMPT;
}

static const char *word_of(unsigned allow, unsigned audit, unsigned quiet, unsigned bit)
{
	if (allow & bit)
		return audit & bit ? "allows it and logs that" : "allows it";
	return quiet & bit ? "refuses it without a word" : "refuses it";
}

/* ---- files ---- */

/* One half of an answer, in what shows. */
struct seen {
	unsigned allow, audit, quiet, deny, prompt, varies;
	struct aa_transition exec;
};

static struct seen seen_of(const struct comparing *c, const struct aa_answer *a, unsigned who)
{
	return (struct seen){ .allow = a->allow[who],
			      .audit = a->audit[who] & a->allow[who],
			      .quiet = a->quiet[who] & ~a->allow[who],
			      .deny = asks(c) ? a->deny[who] : 0,
			      .prompt = a->prompt[who],
			      .varies = a->varies[who] | a->audit_varies[who],
			      .exec = a->exec[who] };
}

/* Children of the profile are the policy's, by the name that it has. */
static bool same_target(const struct comparing *c, struct str x, struct str y)
{
	struct str a = c->x->profile->label, b = c->y->profile->label;

	if (str_eq(x, y))
		return true;
	return x.n > a.n + 2 && y.n > b.n + 2 && !memcmp(x.p, a.p, a.n) && !memcmp(y.p, b.p, b.n) &&
	       !memcmp(x.p + a.n, "//", 2) &&
	       str_eq((struct str){ x.p + a.n, x.n - a.n }, (struct str){ y.p + b.n, y.n - b.n });
}

static bool same_exec(const struct comparing *c, const struct aa_transition *x,
		      const struct aa_transition *y)
{
	return x->exec == y->exec && x->unsafe == y->unsafe && same_target(c, x->target, y->target);
}

/* The first permission that differs; 0: none does. */
static unsigned first_bit(const struct comparing *c, const struct seen *x, const struct seen *y)
{
	unsigned bits = (x->allow ^ y->allow) | (x->audit ^ y->audit) | (x->quiet ^ y->quiet) |
			(x->deny ^ y->deny) | (x->prompt ^ y->prompt) | (x->varies ^ y->varies);

	if (!same_exec(c, &x->exec, &y->exec))
		bits |= PERM_X;
	return bits & -bits;
}

static const char *letter(unsigned bit)
{
	static const char *const words[] = { "r", "w", "a", "l", "k", "m", "x", "l subset" };
	unsigned i = 0;

	while (i + 1 < sizeof(words) / sizeof(*words) && !(bit >> i & 1))
		i++;
	return words[i];
}

static bool compare_path(struct comparing *c, const struct machine_found *f)
{
	const struct aa_answer *a = aa_means_class(c->x->means.pool, f->a);
	const struct aa_answer *b = aa_means_class(c->y->means.pool, f->b);

	for (unsigned who = 0; who < FILE_WHO_NR; who++) {
		struct seen x = seen_of(c, a, who), y = seen_of(c, b, who);
		unsigned bit = first_bit(c, &x, &y);
		BUF_AUTO path = { 0 };
		if (!bit)
			continue;
		aa_access_put_path(&path, f->path);
		tell(c,
		     "no policy was found that means the same: of '%s', %s of %s, the profile %s "
		     "and the policy %s%s",
		     path.p ? path.p : "", letter(bit), who == FILE_OWNER ? "its owner" : "others",
		     word_of(x.allow, x.audit, x.quiet, bit),
		     word_of(y.allow, y.audit, y.quiet, bit),
		     bit == PERM_X && x.allow & y.allow & bit ? ", by another transition" : "");
		return false;
	}
	return true;
}

static void compare_files(struct comparing *c)
{
	const struct machine *a = &c->x->means.machine, *b = &c->y->means.machine;
	struct machine_walk w;

	if (a->start == b->start)
		return;
	w = machine_walk(c->arena, a, b, MACHINE_PATHS, true);
	vec_each(&w.found, f)
		if (!compare_path(c, f))
			return;
	tell(c, "whether a policy means the same of this profile's links is not decided");
}

/* ---- all else ---- */

static bool compare_object(struct comparing *c, const struct aa_objects *x,
			   const struct aa_objects *y, const struct machine_found *f)
{
	const struct aa_halves *a = aa_objects_class(x->pool, f->a);
	const struct aa_halves *b = aa_objects_class(y->pool, f->b);
	unsigned bits = aa_halves_differ(a, b) | (asks(c) ? a->deny ^ b->deny : 0);
	unsigned bit = bits & -bits;

	if (!bit)
		return true;
	if (x->class == AA_CLASS_CHANGE_PROFILE && bit == AA_ACCESS_UNSAFE)
		tell(c,
		     "no policy was found that means the same: of '%s' one of the two passes the "
		     "environment on, and the other clears it",
		     aa_objects_witness(c->arena, x->class, f->path, AA_ACCESS_CHANGE));
	else
		tell(c,
		     "no policy was found that means the same: of '%s' the profile %s and the "
		     "policy %s",
		     aa_objects_witness(c->arena, x->class, f->path, bit),
		     word_of(a->allow, a->audit, a->quiet, bit),
		     word_of(b->allow, b->audit, b->quiet, bit));
	return false;
}

/* Where one of the two alone has a class mediated, what it allows is logged there alone. */
static bool logs_all(const struct comparing *c, enum aa_class class)
{
	unsigned differ = c->x->target.mediated ^ c->y->target.mediated;

	return c->x->profile->header->flags & AA_FLAG_AUDIT && class != AA_CLASS_UNIX &&
	       differ >> class & 1;
}

static void compare_objects(struct comparing *c, struct aa_objects_pool *pool, enum aa_class class)
{
	struct aa_objects x = aa_objects_under(pool, c->x, class);
	struct aa_objects y = aa_objects_under(pool, c->y, class);
	struct machine_walk w;

	if (!x.decided || !y.decided) {
		tell(c, "what rules of %s are together is not decided", aa_class_name(class));
		return;
	}
	if (logs_all(c, class)) {
		tell(c,
		     "the profile's flag 'audit' logs what accesses of %s are allowed, and the abi "
		     "of one of the two alone has them mediated",
		     aa_class_name(class));
		return;
	}
	if (x.machine.start == y.machine.start)
		return;
	w = aa_objects_walk(c->arena, &x, &y, true);
	vec_each(&w.found, f)
		if (!compare_object(c, &x, &y, f))
			return;
	if (!w.decided)
		tell(c, "whether rules of %s mean the same is not decided", aa_class_name(class));
}

static void compare_caps(struct comparing *c)
{
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++) {
		struct aa_rule asked = { .class = AA_CLASS_CAPABILITY, .caps = UINT64_C(1) << cap };
		struct aa_access access = { .kind = AA_ACCESS_RULE,
					    .class = AA_CLASS_CAPABILITY,
					    .perms = 1,
					    .rule = &asked };
		struct aa_verdict x = aa_ask(c->x, &access, FILE_OTHER);
		struct aa_verdict y = aa_ask(c->y, &access, FILE_OTHER);
		if (x.outcome == y.outcome && x.quiet == y.quiet)
			continue;
		tell(c,
		     "no policy was found that means the same: of 'cap %s' the two answer "
		     "otherwise",
		     capability_name(cap));
		return;
	}
}

static uint64_t limit_of(const struct aa_asking *q, int resource)
{
	uint64_t value = UINT64_MAX;

	vec_each(&q->rules, r)
		if ((*r)->class == AA_CLASS_RLIMIT && (*r)->limit.resource == resource)
			value = (*r)->limit.value;
	return value;
}

static void compare_heads(struct comparing *c)
{
	struct str x = c->x->profile->attached, y = c->y->profile->attached;

	if (x.n != y.n || (x.n && !str_eq(x, y)))
		tell(c, "the policy would be attached to '%.*s', the profile is to '%.*s'",
		     (int)y.n, y.n ? y.p : "", (int)x.n, x.n ? x.p : "");
	for (int i = 0; i < 16; i++)
		if (limit_of(c->x, i) != limit_of(c->y, i))
			tell(c, "a limit would be another in the policy");
}

/* Of a class that one side's abi alone has mediated all is open on the other side. */
static bool is_compared(const struct comparing *c, enum aa_class class)
{
	unsigned x = c->x->target.mediated, y = c->y->target.mediated;

	return (x | y) >> class & 1 || (class == AA_CLASS_UNIX && (x | y) >> AA_CLASS_NETWORK & 1);
}

bool aa_means_same(struct arena *a, const struct aa_asking *profile, const struct aa_asking *policy,
		   struct diags *ds)
{
	struct comparing c = { a, ds, profile, policy, true };
	struct aa_objects_pool *pool = aa_objects_pool_new(a);

	compare_heads(&c);
	compare_files(&c);
	compare_caps(&c);
	for (unsigned class = 0; class < AA_CLASS_NR; class ++)
		if (aa_has_objects((enum aa_class) class) && is_compared(&c, (enum aa_class) class))
			compare_objects(&c, pool, (enum aa_class) class);
	return c.same;
}
