/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/vars.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static struct aa_var *find_any(const struct aa_vars *vars, struct str name)
{
	struct table_walk walk = table_start(hash_str(name));
	size_t at;

	while ((at = table_next(&vars->by_name, &walk)) != TABLE_END)
		if (str_eq(vars->list.v[at]->name, name))
			return vars->list.v[at];
	return NULL;
}

struct aa_var *aa_vars_find(const struct aa_vars *vars, struct str name)
{
	struct aa_var *var = find_any(vars, name);

	return var && !var->gone ? var : NULL;
}

struct aa_var *aa_vars_declare(struct aa_vars *vars, struct str name)
{
	struct aa_var *var = find_any(vars, name);

	if (var) {
		*var = (struct aa_var){ .name = var->name };
		return var;
	}
	var = ARENA_NEW(vars->arena, struct aa_var);
	var->name = (struct str){ str_dup(vars->arena, name), name.n };
	table_add(vars->arena, &vars->by_name, hash_str(name), vars->list.n);
	vec_push(vars->arena, &vars->list, var);
	return var;
}

struct str aa_vars_next(struct str text, size_t *at)
{
	struct str name;

	for (size_t i = *at; i < text.n; i++) {
		size_t n = text.p[i] == '@' ? glob_variable_at(text, i, &name) : 0;
		if (n) {
			*at = i + n;
			return name;
		}
		i += text.p[i] == '\\';
	}
	*at = text.n;
	return (struct str){ "", 0 };
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A letter; then letters, digits and '_', the first letter's equals looked at as it was. */
static bool is_odd(struct str name, bool *comma)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (is_letter(c) || (c != name.p[0] && (c == '_' || (c >= '0' && c <= '9'))))
			continue;
		*comma = c == ',' && c != name.p[0];
		return true;
	}
	return !name.n;
}

struct str aa_vars_odd(struct str text, bool *comma)
{
	size_t begin = SIZE_MAX;

	*comma = false;
	for (size_t i = 0; i < text.n; i++) {
		bool opens = text.p[i] == '@' && i + 1 < text.n && text.p[i + 1] == '{';
		if (text.p[i] == '}' && begin != SIZE_MAX) {
			struct str name = { text.p + begin + 2, i - begin - 2 };
			if (is_odd(name, comma))
				return (struct str){ text.p + begin, i + 1 - begin };
			begin = SIZE_MAX;
		}
		if (opens)
			begin = i;
		i += opens || text.p[i] == '\\';
	}
	return (struct str){ NULL, 0 };
}

/* ---- values ---- */

struct opening {
	struct aa_vars *vars;
	struct aa_var *var;
	VEC(struct str) work;
	size_t bytes; /* of all that is or was in `work` */
	bool own;
};

static enum aa_open_fault blame(struct opening *o, enum aa_open_fault fault, struct str culprit)
{
	o->var->fault = fault;
	o->var->culprit = culprit;
	return fault;
}

/* The value with each of the other's values at the place of "@{name}", which ends at `end`. */
static enum aa_open_fault put_values(struct opening *o, struct str value, size_t end,
				     const struct aa_var *inner)
{
	size_t front = end - inner->name.n - strlen("@{}");

	vec_each(&inner->opened, one) {
		size_t n = front + one->n + value.n - end;
		o->bytes += n + 1;
		o->vars->spent += n + 1;
		if (o->work.n + o->var->values.n >= AA_VALUES_MAX || o->bytes > GLOB_OPENED_MAX ||
		    o->vars->spent > AA_SPENT_MAX)
			return blame(o, AA_OPEN_TOO_MANY, inner->name);
		char *text = arena_alloc(o->vars->arena, n + 1);
		memcpy(text, value.p, front);
		memcpy(text + front, one->p, one->n);
		memcpy(text + front + one->n, value.p + end, value.n - end);
		vec_push(o->vars->arena, &o->work, ((struct str){ text, n }));
	}
	return AA_OPEN_FINE;
}

static bool plain_value(void *data, struct str name, struct str *value)
{
	struct opening *o = data;
	struct aa_var *inner = aa_vars_find(o->vars, name);

	if (!inner || inner->busy || aa_vars_open(o->vars, inner) || inner->opened.n != 1)
		return false;
	o->own |= inner->own || !inner->frozen;
	*value = inner->opened.v[0];
	return true;
}

static enum aa_open_fault open_value(struct opening *o, struct str value)
{
	size_t end = 0;
	struct str name, opened;
	struct aa_var *inner;
	bool comma;

	if (o->vars->strict && aa_vars_odd(value, &comma).p)
		return blame(o, AA_OPEN_BAD_NAME, o->var->name);
	opened = glob_put_plain(o->vars->arena, value, plain_value, o);
	if (opened.p != value.p) {
		o->bytes += opened.n + 1;
		o->vars->spent += opened.n + 1;
		value = opened;
	}
	name = aa_vars_next(value, &end);
	if (!name.n) {
		vec_push(o->vars->arena, &o->var->opened, value);
		return AA_OPEN_FINE;
	}
	inner = aa_vars_find(o->vars, name);
	if (!inner)
		return blame(o, AA_OPEN_UNDECLARED, name);
	if (inner->busy)
		return blame(o, AA_OPEN_RECURSIVE, inner->name);
	enum aa_open_fault fault = aa_vars_open(o->vars, inner);
	if (fault)
		return blame(o, fault,
			     inner->fault == AA_OPEN_BOOLEAN ? inner->name : inner->culprit);
	o->own |= inner->own || !inner->frozen;
	return put_values(o, value, end, inner);
}

static int by_bytes(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* In the order in which they were met, each once. */
static void drop_repeated(struct arena *a, struct aa_var *var)
{
	struct table met = { .n = 0 };
	size_t n = 0;

	vec_each(&var->opened, one) {
		struct table_walk it = table_start(hash_str(*one));
		size_t at;
		while ((at = table_next(&met, &it)) != TABLE_END)
			if (str_eq(var->opened.v[at], *one))
				break;
		if (at != TABLE_END)
			continue;
		table_add(a, &met, hash_str(*one), n);
		var->opened.v[n++] = *one;
	}
	var->opened.n = n;
}

/* From 5.0 on the parser keeps them in a std::set, before in a list, by whose order aliases go. */
static void make_set(struct aa_vars *vars, struct aa_var *var)
{
	if (vars->strict && var->opened.n)
		qsort(var->opened.v, var->opened.n, sizeof(*var->opened.v), by_bytes);
	if (var->opened.n > 1)
		drop_repeated(vars->arena, var);
}

enum aa_open_fault aa_vars_open(struct aa_vars *vars, struct aa_var *var)
{
	struct opening o = { .vars = vars, .var = var };

	if (var->boolean)
		return blame(&o, AA_OPEN_BOOLEAN, var->name);
	if (var->frozen || var->turn == vars->turn)
		return var->fault;
	var->fault = AA_OPEN_FINE;
	var->turn = vars->turn;
	var->busy = true;
	var->opened.n = 0;
	for (size_t i = 0, done = 0; i < var->values.n && !var->fault; i++) {
		open_value(&o, var->values.v[i]);
		for (; done < o.work.n && !var->fault; done++) {
			struct str value = o.work.v[done];
			open_value(&o, value);
		}
	}
	var->busy = false;
	if (!var->fault)
		make_set(vars, var);
	var->frozen = !o.own && !var->fault;
	return var->fault;
}

/* ---- names with variables ---- */

static struct str trim(struct str s, bool front, bool back)
{
	for (; front && s.n && s.p[0] == '/'; s.p++)
		s.n--;
	while (back && s.n && s.p[s.n - 1] == '/')
		s.n--;
	return s;
}

static bool all_slashes(struct str s)
{
	return !trim(s, true, false).n;
}

static void put_alternatives(struct buf *out, const struct aa_var *var, bool front, bool back)
{
	if (var->opened.n > 1)
		buf_putc(out, '{');
	vec_each(&var->opened, one) {
		struct str s = trim(*one, front, back);
		if (one != var->opened.v)
			buf_putc(out, ',');
		buf_add(out, s.p, s.n);
	}
	if (var->opened.n > 1)
		buf_putc(out, '}');
}

struct str aa_vars_expand(struct aa_vars *vars, struct str text)
{
	size_t at = 0, copied = 0;
	struct str name;
	BUF_AUTO out = { 0 };

	for (;;) {
		size_t before = at;
		name = aa_vars_next(text, &at);
		if (!name.n)
			break;
		struct aa_var *var = aa_vars_find(vars, name);
		if (!var || aa_vars_open(vars, var))
			continue;
		size_t begin = (size_t)(name.p - text.p) - strlen("@{");
		struct str prefix = { text.p + before, begin - before };
		bool front = prefix.n && prefix.p[prefix.n - 1] == '/' &&
			     (vars->folds || !all_slashes(prefix));
		buf_add(&out, text.p + copied, begin - copied);
		put_alternatives(&out, var, front, at < text.n && text.p[at] == '/');
		copied = at;
		if (out.n > GLOB_OPENED_MAX)
			break;
	}
	buf_add(&out, text.p + copied, text.n - copied);
	return (struct str){ buf_keep(vars->arena, &out), out.n };
}
