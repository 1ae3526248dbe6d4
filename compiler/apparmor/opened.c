/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/opened.h"

/* As apparmor_parser writes what has no path (parser_yacc.y, file_rule; all_rule.cc). */
static const struct glob *everything(struct arena *a)
{
	return glob_parse(a, STR("/{**,}"), GLOB_PATH, NULL, NULL);
}

static bool is_child(enum aa_exec e)
{
	return e == AA_EXEC_CX || e == AA_EXEC_CIX || e == AA_EXEC_CUX;
}

struct str aa_target_label(struct arena *a, const struct aa_profile *profile,
			   const struct aa_file_rule *f)
{
	const char *label;

	if (!f->target.word)
		return (struct str){ "", 0 };
	if (!is_child(f->exec))
		return f->target.glob ? f->target.glob->text : f->target.word->text;
	label = arena_printf(a, PRISTR "//" PRISTR, STRARG(profile->label),
			     STRARG(f->target.word->text));
	return str_c(label);
}

static struct aa_opened start(const struct aa_rule *r)
{
	return (struct aa_opened){
		.rule = r,
		.target = { "", 0 },
		.audit = r->prefix.audit,
		.owner = r->prefix.owner,
		.mode = r->prefix.mode,
		.priority = r->prefix.priority,
	};
}

/* All but x, and x two priorities below: any rule that says how to execute goes before it. */
static void open_all(struct arena *a, const struct aa_rule *r, struct aa_opened_list *out)
{
	struct aa_opened o = start(r);

	o.path = everything(a);
	o.perms = PERM_R | PERM_W | PERM_A | PERM_L | PERM_K | PERM_M;
	vec_push(a, &out->list, o);
	o.perms = PERM_X;
	o.exec = o.mode == AA_MODE_DENY ? AA_EXEC_BARE : AA_EXEC_IX;
	o.priority -= 2;
	vec_push(a, &out->list, o);
}

void aa_open_rule(struct arena *a, const struct aa_profile *profile, const struct aa_rule *r,
		  struct aa_opened_list *out)
{
	const struct aa_file_rule *f = &r->file;
	struct aa_opened o;

	if (r->class == AA_CLASS_ALL)
		open_all(a, r, out);
	if (r->class != AA_CLASS_FILE || (!f->all && !f->path.glob) ||
	    (f->link.word && !f->link.glob))
		return;
	o = start(r);
	o.path = f->all ? everything(a) : f->path.glob;
	o.link = f->link.glob;
	o.perms = r->perms;
	o.exec = f->exec;
	o.unsafe = f->unsafe;
	o.subset = f->subset;
	o.target = aa_target_label(a, profile, f);
	vec_push(a, &out->list, o);
}
