/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles, hats and children: names (parser_yacc.y, profile_base; parser_misc.c, parse_label),
 * what of them is there twice, and the variables that their words hold (parser_variable.c).
 */
#include "compiler/apparmor/expand_parts.h"

#include <string.h>

/* ---- names that are there twice ---- */

static uint64_t name_hash(const struct aa_profile *p, const void *group)
{
	uint64_t h = hash_bytes(HASH_START, &p->parent, sizeof(p->parent));

	h = hash_bytes(h, &group, sizeof(group));
	h = hash_bytes(h, p->ns.p, p->ns.n);
	return hash_bytes(h, p->name.p, p->name.n);
}

/* Is its file among those on the way to it? The first of them is no file of the library. */
static bool includes_itself(const struct expanding *x, const struct aa_profile *p)
{
	const struct source *own = source_of(x->ds->sources, p->stmt->head);

	for (const struct aa_from *f = p->from; f && own; f = f->parent) {
		const struct source *by = source_of(x->ds->sources, f->include->span);
		if (by && str_eq(by->text, own->text))
			return true;
	}
	return false;
}

static void enter_name(struct expanding *x, const struct aa_profile *p, const void *group)
{
	uint64_t hash = name_hash(p, group);
	struct table_walk walk = table_start(hash);
	size_t at;

	while ((at = table_next(&x->names, &walk)) != TABLE_END) {
		const struct aa_profile *other = x->named.v[at].profile;
		if (other->parent != p->parent || x->named.v[at].group != group ||
		    !str_eq(other->ns, p->ns) || !str_eq(other->name, p->name))
			continue;
		bool cycle = includes_itself(x, p) || includes_itself(x, other);
		struct diag *d = aax_tell(
			x, DIAG_PL363, p->stmt->head, p->from, "the profile '%s' is there twice%s",
			aax_shown(x, p->name), cycle ? ": its file includes itself" : "");
		if (cycle) {
			diag_help(x->ds, d, "take the include out that leads back to the file");
			return;
		}
		diag_note(x->ds, d, other->stmt->head, "it is here, too");
		diag_help(x->ds, d, "give one of them another name");
		return;
	}
	table_add(x->arena, &x->names, hash, x->named.n);
	vec_push(x->arena, &x->named, ((struct named){ p, group }));
}

/* ---- profiles ---- */

static bool profile_fits(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	struct diag *d;

	if (scope->depth >= AA_PROFILE_DEPTH) {
		d = aax_tell(x, DIAG_PL004, s->head, scope->from,
			     "more than %d profiles inside one another", AA_PROFILE_DEPTH);
		diag_help(x->ds, d, "write them beside each other");
		return false;
	}
	if (x->named.n < AA_PROFILES_MAX)
		return true;
	if (!x->stopped) {
		d = aax_tell(x, DIAG_PL353, s->head, scope->from,
			     "more than %d profiles in one file, with its includes",
			     AA_PROFILES_MAX);
		diag_help(x->ds, d, "every child includes its files anew: include fewer");
	}
	x->stopped = true;
	return false;
}

void aax_add_profile(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	struct aa_profile *p = ARENA_NEW(x->arena, struct aa_profile);
	struct aa_seen seen = { 0 };
	struct level level = { 0 };
	bool in_block = scope->profile && scope->block && scope->reach == AA_REACH_LIVE;
	struct scope inner = { .profile = p,
			       .reach = in_block ? AA_REACH_LOST : scope->reach,
			       .level = &level,
			       .seen = &seen,
			       .from = scope->from,
			       .depth = scope->depth + 1 };

	if (!scope->profile && !x->first)
		x->first = s;
	if (!profile_fits(x, s, scope))
		return;
	p->stmt = s;
	p->from = scope->from;
	p->parent = scope->profile;
	p->reach = inner.reach;
	p->header = ARENA_NEW(x->arena, struct aa_header);
	p->ns = p->name = STR(""); /* as they stay where the head is wrong */
	x->rd.from = scope->from;
	if (aa_header_read(&x->rd, s, scope->profile != NULL, p->header)) {
		p->ns = p->header->ns;
		p->name = p->header->name;
		p->hat = p->header->hat;
		p->attachment = p->header->attachment.word;
		enter_name(x, p, scope->group);
		if (in_block)
			diag_help(x->ds,
				  aax_tell(x, DIAG_PL360, s->head, scope->from,
					   "AppArmor's parser drops a profile inside a block"),
				  "write it outside of the block");
	}
	if (p->parent)
		vec_push(x->arena, &p->parent->children, p);
	else
		vec_push(x->arena, &x->p->profiles, p);
	x->walk(x, s->body, &inner);
}

/* ---- variables in words ---- */

static void tell_undeclared(struct expanding *x, struct span sp, const struct aa_from *from,
			    struct str name)
{
	struct suggest s;
	struct diag *d =
		aax_tell(x, DIAG_PL234, sp, from, "AppArmor's variable '@{%s}' is never declared",
			 aax_shown(x, name));
	bool near = diag_suggest_start(x->ds, &s, name);

	if (near)
		vec_each(&x->vars.list, v)
			suggest_offer(&s, (*v)->name);
	if (near && s.best.p)
		diag_help(x->ds, d, "did you mean '@{" PRISTR "}'?", STRARG(s.best));
	else
		diag_help(x->ds, d,
			  "include <tunables/global> in front of the first profile, or "
			  "declare it there");
}

static const char *why(enum aa_open_fault fault)
{
	static const char *const says[] = {
		[AA_OPEN_UNDECLARED] = "is never declared",
		[AA_OPEN_BOOLEAN] = "is a boolean",
		[AA_OPEN_RECURSIVE] = "leads back to it",
		[AA_OPEN_BAD_NAME] = "has '@{', and no variable's name behind it",
		[AA_OPEN_TOO_MANY] = "makes them more than 10000, or more than 64 KiB",
	};

	return says[fault];
}

static void tell_faulty(struct expanding *x, struct span sp, const struct aa_from *from,
			struct aa_var *var)
{
	bool recursive;
	struct diag *d;

	if (var->told)
		return;
	var->told = true;
	recursive = !var->boolean && var->fault == AA_OPEN_RECURSIVE;
	if (var->boolean)
		d = aax_tell(x, DIAG_PL356, sp, from, "'${%s}' is a boolean, and has no values",
			     aax_shown(x, var->name));
	else
		d = aax_tell(x, DIAG_PL356, sp, from,
			     "the values of '@{%s}' cannot be had: '@{%s}' %s",
			     aax_shown(x, var->name), aax_shown(x, var->culprit), why(var->fault));
	if (recursive)
		diag_rule(x->ds, d, DIAG_AP107);
	diag_note(x->ds, d, var->span, "declared here");
	diag_help(x->ds, d, "write what is meant in its place");
}

/* From 5.0 on "@{" begins a variable whatever stands in it; what is behind "@{a,b}" is not read. */
static bool text_is_fine(struct expanding *x, struct span sp, struct str *text,
			 const struct aa_from *from)
{
	bool comma;
	struct str odd = aa_vars_odd(*text, &comma);
	struct diag *d;

	if (odd.p && comma)
		text->n = (size_t)(odd.p - text->p);
	if (!odd.p || comma)
		return true;
	d = aax_tell(x, DIAG_PL356, sp, from, "'%s' is no variable's name", aax_shown(x, odd));
	diag_help(x->ds, d, "write '\\@' where no variable is meant");
	return false;
}

static void check_word(struct expanding *x, const struct aa_word *w, const struct aa_from *from)
{
	struct str text = w->text, name;
	size_t at = 0;

	if (!memchr(text.p, '@', text.n) && !memchr(text.p, '\\', text.n))
		return;
	if (memchr(text.p, '\\', text.n))
		text = glob_unescape(x->arena, text);
	if (x->vars.strict && !text_is_fine(x, w->span, &text, from))
		return;
	while ((name = aa_vars_next(text, &at)).n) {
		struct aa_var *var = aa_vars_find(&x->vars, name);
		if (!var)
			tell_undeclared(x, w->span, from, name);
		else if (aa_vars_open(&x->vars, var))
			tell_faulty(x, w->span, from, var);
	}
}

static void check_item(struct expanding *x, const struct aa_item *i, const struct aa_from *from)
{
	if (i->kind == AA_WORD || i->kind == AA_ARROW)
		check_word(x, &i->word, from);
	for (const struct aa_word *w = i->values; w; w = w->next)
		check_word(x, w, from);
	for (const struct aa_item *c = i->conds; c; c = c->next)
		check_item(x, c, from);
}

static bool has_letter(const struct aa_item *i, char c)
{
	return i->kind == AA_WORD && !i->word.quoted && memchr(i->word.text.p, c, i->word.text.n);
}

static bool is_path(const struct aa_item *i)
{
	return i->word.quoted || (i->word.text.n && strchr("/@", i->word.text.p[0]));
}

/*
 * Behind '->' of a file rule stands what a link leads to, or whom to change to on exec. Before 5.0
 * the second is it where the path stands in front (parser_yacc.y, frule).
 */
static bool is_link(const struct expanding *x, const struct aa_item *items)
{
	const struct aa_item *i = items;
	bool front;

	while (aa_item_is(i, "file") || aa_item_is(i, "safe") || aa_item_is(i, "unsafe"))
		i = i->next;
	if (!i || i->kind != AA_WORD || aa_item_is(i, "link"))
		return i != NULL;
	front = is_path(i);
	if (front && x->p->target.release < AA_RELEASE_5_0)
		return false;
	if (front)
		i = i->next;
	return i && has_letter(i, 'l') && !has_letter(i, 'x');
}

/* The parser opens no variables in the words of the other classes (their expand_variables). */
static bool opens(enum aa_class class)
{
	return class != AA_CLASS_CAPABILITY && class != AA_CLASS_NETWORK &&
	       class != AA_CLASS_USERNS && class != AA_CLASS_IO_URING && class != AA_CLASS_RLIMIT &&
	       class != AA_CLASS_ALL;
}

static void check_use(struct expanding *x, const struct aa_use *use)
{
	bool targets = use->class != AA_CLASS_FILE || is_link(x, use->stmt->items);

	if (use->reach != AA_REACH_LIVE || !opens(use->class))
		return;
	for (const struct aa_item *i = use->stmt->items; i; i = i->next)
		if (i->kind != AA_ARROW || targets)
			check_item(x, i, use->from);
}

/* ---- names, once all is read ---- */

static struct str join_label(struct expanding *x, const struct aa_profile *p)
{
	struct str name = aa_vars_expand(&x->vars, p->name);
	char *text;

	if (!p->parent)
		return name;
	text = arena_printf(x->arena, PRISTR "//" PRISTR, STRARG(p->parent->label), STRARG(name));
	return str_c(text);
}

/* A name that is a path is its own attachment (process_variables_in_name). */
static struct str attached_path(struct expanding *x, const struct aa_profile *p)
{
	struct str none = { NULL, 0 }, name;

	if (p->attachment)
		return aa_vars_expand(&x->vars, glob_unescape(x->arena, p->attachment->text));
	name = aa_vars_expand(&x->vars, p->name);
	if (!name.n || name.p[0] != '/')
		return none;
	/* Of "/a//b" the last part alone counts. */
	for (size_t i = name.n; i-- > 1;)
		if (name.p[i] == '/' && name.p[i - 1] == '/')
			return (struct str){ name.p + i + 1, name.n - i - 1 };
	return name;
}

/* What globs would take for signs is protected, but for what is so already. */
static struct str protect(struct arena *a, struct str s)
{
	BUF_AUTO out = { 0 };

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			buf_putc(&out, s.p[i++]);
		else if (s.p[i] && strchr("{}[]*?", s.p[i]))
			buf_putc(&out, '\\');
		buf_putc(&out, s.p[i]);
	}
	return (struct str){ buf_keep(a, &out), out.n };
}

static void set_own(struct expanding *x, const char *name, struct str value)
{
	struct aa_var *var = aa_vars_declare(&x->vars, str_c(name));

	var->own = true;
	vec_push(x->arena, &var->values, value);
}

/* A profile's own variables stand in place of those that the text declares with their names. */
struct kept {
	const char *name;
	struct aa_var was;
	bool there, ours;
};

static void keep(struct expanding *x, struct kept *k, const char *name, struct str value)
{
	struct aa_var *var = aa_vars_find(&x->vars, str_c(name));

	k->name = name;
	k->there = var != NULL;
	if (var)
		k->was = *var;
	k->ours = true;
	set_own(x, name, value);
}

static void give_back(struct expanding *x, const struct kept *k)
{
	if (!k->ours)
		return;
	struct aa_var *var = aa_vars_declare(&x->vars, str_c(k->name));
	if (k->there)
		*var = k->was;
	else
		var->gone = true;
}

/* attach_disconnected.path=@{V}: once it is opened it is a path (parser_variable.c). */
static void check_disconnected(struct expanding *x, const struct aa_profile *p, struct str path,
			       const struct aa_word *by)
{
	struct diag *d;

	if (!by || !memchr(path.p, '@', path.n))
		return;
	check_word(x, by, p->from);
	path = aa_vars_expand(&x->vars, path);
	if (!path.n || path.p[0] == '/' || path.p[0] == '@')
		return;
	d = aax_tell(x, DIAG_PL134, by->span, p->from, "the path '%s' is not absolute",
		     aax_shown(x, path));
	diag_help(x->ds, d, "a variable here has one value, which begins with '/'");
}

static void finish_profile(struct expanding *x, struct aa_profile *p)
{
	struct kept kept[3] = { 0 };
	const struct aa_word *name = p->header->name_glob.word;

	x->vars.turn++;
	p->label = p->name;
	if (!name || p->reach != AA_REACH_LIVE)
		return;
	check_word(x, name, p->from);
	if (p->attachment)
		check_word(x, p->attachment, p->from);
	p->label = join_label(x, p);
	p->attached = attached_path(x, p);
	keep(x, &kept[0], "profile_name", protect(x->arena, p->label));
	if (p->attached.p && x->p->target.release >= AA_RELEASE_5_0) {
		keep(x, &kept[1], "exec_path", p->attached);
		keep(x, &kept[2], "attach_path", p->attached);
	}
	x->vars.turn++;
	check_disconnected(x, p, p->header->disconnected, p->header->disconnected_by);
	check_disconnected(x, p, p->header->ipc, p->header->ipc_by);
	vec_each(&p->uses, use)
		check_use(x, use);
	for (size_t i = 3; i--;)
		give_back(x, &kept[i]);
}

static void finish_all(struct expanding *x, struct aa_profile *p)
{
	finish_profile(x, p);
	vec_each(&p->children, child)
		finish_all(x, *child);
}

/* The parser tells of a variable that no rule uses, and takes the file. */
static void check_unused(struct expanding *x)
{
	x->vars.turn++;
	vec_each(&x->vars.list, v) {
		struct diag *d;
		if ((*v)->boolean || (*v)->gone || (*v)->own || !aa_vars_open(&x->vars, *v) ||
		    (*v)->told)
			continue;
		if (str_is((*v)->culprit, "profile_name") || str_is((*v)->culprit, "exec_path") ||
		    str_is((*v)->culprit, "attach_path"))
			continue;
		d = diag_add_as(x->ds, DIAG_PL356, SEVERITY_WARNING, (*v)->span,
				"the values of '@{%s}' cannot be had: '@{%s}' %s",
				aax_shown(x, (*v)->name), aax_shown(x, (*v)->culprit),
				why((*v)->fault));
		if ((*v)->fault == AA_OPEN_RECURSIVE)
			diag_rule(x->ds, d, DIAG_AP107);
		aax_note_way(x, d, (*v)->from);
		diag_help(x->ds, d, "no rule uses it; one that does will be refused");
	}
}

/* Before 5.0 the parser declares it itself, and finds it declared (process_profile_variables). */
static void check_own_name(struct expanding *x)
{
	const struct aa_var *var = aa_vars_find(&x->vars, str_c("profile_name"));

	if (!var || x->p->target.release >= AA_RELEASE_5_0 || !x->p->profiles.n)
		return;
	struct diag *d = aax_tell(x, DIAG_PL355, var->span, var->from,
				  "'@{profile_name}' is a variable that the parser declares");
	diag_help(x->ds, d, "give it another name");
}

void aax_finish(struct expanding *x)
{
	check_own_name(x);
	vec_each(&x->p->profiles, p)
		finish_all(x, *p);
	if (!x->stopped)
		check_unused(x);
}

struct glob_variables aa_profile_variables(struct arena *a, const struct aa_policy *p,
					   const struct aa_profile *profile)
{
	static const char *const own[] = { "profile_name", "exec_path", "attach_path" };
	bool path = profile->attached.p && p->target.release >= AA_RELEASE_5_0;
	struct glob_variables out = { .by_5_0 = p->target.release >= AA_RELEASE_5_0 };

	vec_each(&p->variables.list, v)
		if (!str_is(v->name, own[0]) &&
		    !(path && (str_is(v->name, own[1]) || str_is(v->name, own[2]))))
			vec_push(a, &out.list, *v);
	for (size_t i = 0; i < (path ? 3 : 1); i++) {
		struct glob_variable one = { .name = str_c(own[i]) };
		vec_push(a, &one.values, i ? profile->attached : protect(a, profile->label));
		vec_push(a, &out.list, one);
	}
	return out;
}
