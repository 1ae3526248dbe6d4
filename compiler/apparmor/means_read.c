/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as they were read, as file rules that add up. */
#include <string.h>

#include "compiler/apparmor/means.h"

struct adding {
	struct arena *arena;
	const struct aa_profile *profile;
	struct aa_files *out;
};

/* The texts from `at` on that a target has behind its first "//"; n 0: none. */
static struct str behind_slashes(struct str s, size_t *at)
{
	for (*at = 0; *at + 1 < s.n; ++*at)
		if (s.p[*at] == '/' && s.p[*at + 1] == '/')
			return (struct str){ s.p + *at + 2, s.n - *at - 2 };
	return (struct str){ "", 0 };
}

static bool is_local(enum aa_exec exec)
{
	return exec == AA_EXEC_CX || exec == AA_EXEC_CIX || exec == AA_EXEC_CUX;
}

static enum aa_exec local_of(enum aa_exec exec)
{
	return exec == AA_EXEC_PIX ? AA_EXEC_CIX :
	       exec == AA_EXEC_PUX ? AA_EXEC_CUX :
	       exec == AA_EXEC_PX  ? AA_EXEC_CX :
				     exec;
}

/* A profile's own name, without those it is in. */
static struct str own_name(const struct aa_profile *p)
{
	size_t skip = p->parent ? p->parent->label.n + 2 : 0;

	return skip < p->label.n ? (struct str){ p->label.p + skip, p->label.n - skip } : p->label;
}

/*
 * As the parser names them (add_named_transition): of cx a child's, though of a child's own the
 * parents are left out; the path itself is no name.
 */
static void set_target(struct adding *a, const struct aa_text *target, struct str path,
		       struct aa_opened *o)
{
	struct str name = glob_unescape(a->arena, target->word->text);
	struct str own = own_name(a->profile);
	size_t at;
	struct str sub = behind_slashes(name, &at);
	bool other = at > 1 || (at == 1 && (!own.n || own.p[0] != '/'));

	if (name.n && name.p[0] == ':') { /* of a namespace */
		o->target = name;
	} else if (sub.n && other && str_eq(sub, path)) {
		o->exec = local_of(o->exec);
	} else if (!is_local(o->exec)) {
		o->target = name;
	} else if (!str_eq(name, path)) {
		char *label = arena_printf(a->arena, PRISTR "//" PRISTR, STRARG(own), STRARG(name));
		o->target = (struct str){ label, strlen(label) };
	}
}

static struct aa_opened begin(const struct aa_rule *r)
{
	return (struct aa_opened){ .rule = r,
				   .audit = r->prefix.audit,
				   .owner = r->prefix.owner,
				   .mode = r->prefix.mode,
				   .priority = r->prefix.priority };
}

static const struct glob *everything(struct adding *a)
{
	static const char text[] = "/{**,}";

	if (!a->out->everything)
		a->out->everything = glob_parse(a->arena, (struct str){ text, sizeof(text) - 1 },
						GLOB_PATH, NULL, NULL);
	return a->out->everything;
}

static void add_file(struct adding *a, const struct aa_rule *r)
{
	const struct aa_file_rule *f = &r->file;
	struct aa_opened o = begin(r);

	o.perms = r->perms;
	o.exec = f->exec;
	o.unsafe = f->unsafe;
	o.subset = f->subset;
	o.path = f->path.word ? f->path.glob : everything(a);
	o.link = f->link.glob;
	if (!o.path || (f->link.word && !o.link))
		return; /* told: what is no glob has no meaning */
	if (f->target.word && o.perms & PERM_X && o.exec > AA_EXEC_BARE)
		set_target(a, &f->target,
			   f->path.word ? glob_unescape(a->arena, f->path.word->text) :
					  (struct str){ "/{**,}", 6 },
			   &o);
	vec_push(a->arena, &a->out->list, o);
}

/*
 * `all,` is a rule for what is not executed, and one, two priorities below, for ix (all_rule.cc; by
 * 4.1.8, which is newer than 5.0.2, one below).
 * A denied one denies the first of these to the owner alone.
 */
static void add_all(struct adding *a, const struct aa_rule *r)
{
	struct aa_opened o = begin(r);
	bool deny = o.mode == AA_MODE_DENY;

	o.path = everything(a);
	o.perms = PERM_R | PERM_W | PERM_A | PERM_L | PERM_K | PERM_M;
	o.owner = deny && o.owner == AA_OWNER_ANY ? AA_OWNER_ONLY : o.owner;
	vec_push(a->arena, &a->out->list, o);
	o.owner = r->prefix.owner;
	o.perms = PERM_X;
	o.exec = deny ? AA_EXEC_BARE : AA_EXEC_IX;
	o.priority -= a->out->release == AA_RELEASE_4_1_8 ? 1 : 2;
	vec_push(a->arena, &a->out->list, o);
}

void aa_files_add(struct arena *arena, const struct aa_rule *r, const struct aa_profile *p,
		  struct aa_files *out)
{
	struct adding a = { arena, p, out };

	if (r->class == AA_CLASS_FILE)
		add_file(&a, r);
	else if (r->class == AA_CLASS_ALL)
		add_all(&a, r);
}

struct str aa_target_label(struct arena *arena, const struct aa_profile *p,
			   const struct aa_file_rule *f)
{
	struct adding a = { arena, p, NULL };
	struct aa_opened o = { .exec = f->exec, .target = { "", 0 } };
	struct str path = f->path.word ? glob_unescape(arena, f->path.word->text) : STR("/{**,}");

	if (f->target.word)
		set_target(&a, &f->target, path, &o);
	return o.target;
}
