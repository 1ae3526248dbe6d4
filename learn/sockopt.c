/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/sockopt.h"

#include <string.h>
#include <sys/socket.h>

#include "compiler/base/bug.h"
#include "compiler/policy/spell.h"
#include "grammar/ast_build.h"

enum { ORDINARY_MAX = 24 };

enum by { BY_ANY, BY_STREAM, BY_LEVEL };

static const struct level {
	const char *name, *domain;
	enum by by;
	const char *ordinary[ORDINARY_MAX + 1]; /* ends with NULL */
} levels[] = {
#define LEVEL(level, domain, by, ...) { level, domain, by, { __VA_ARGS__, NULL } },
#include "learn/sockopt.def"
#undef LEVEL
};

static const struct level *level_of(uint64_t level, enum arch a)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		uint64_t value;

		if (!constant_find("sol", str_c(levels[i].name), a, &value) && value == level)
			return &levels[i];
	}
	return NULL;
}

const char *sockopt_domain(uint64_t level, enum arch a)
{
	const struct level *l = level_of(level, a);

	return l ? l->domain : NULL;
}

/* Options have a name only by their level, which the language's reader does not look at: not of another number. */
static void spell_option(uint64_t value, enum arch a, struct spelling *out)
{
	struct spell_as as = { .domain = sockopt_domain(value >> 32, a),
			       .kind = ARG_ENUM,
			       .width = 32,
			       .is_signed = true,
			       .arch = a };

	spell(&as, (uint32_t)value, out);
	for (size_t i = 0; out->n && (i = constant_named(str_c(out->names[0]), i)) != SIZE_MAX;
	     i++) {
		const struct constant_row row = constant_at(i);

		if (row.arches & ARCH_BIT(a) && row.value[a] != (uint32_t)value)
			spell_number(&as, (uint32_t)value, out);
	}
}

static void spell_level(uint64_t value, enum arch a, struct spelling *out)
{
	struct spell_as as = {
		.domain = "sol", .kind = ARG_ENUM, .width = 32, .is_signed = true, .arch = a
	};

	spell(&as, value >> 32, out);
}

void sockopt_put(struct buf *out, uint64_t value, enum arch a)
{
	struct spelling s;

	spell_level(value, a, &s);
	spell_text(out, &s);
	buf_putc(out, ' ');
	spell_option(value, a, &s);
	spell_text(out, &s);
}

/* ---- conditions ---- */

struct options { /* of one level, and of all before it */
	struct proposal *p;
	enum arch arch;
	const struct arg_info *level, *option;
	struct ast_cond *all;
	uint64_t at; /* the level, as in a value */
	struct ast_value *list, **tail;
};

static void end_level(struct options *o)
{
	struct ast_cond *level, *option;
	struct spelling s;

	if (!o->list)
		return;
	spell_level(o->at, o->arch, &s);
	level = ast_cmp_new(o->p->a, o->level->name, false, AST_CMP_EQ, NULL,
			    spell_tree(o->p->a, &s));
	option = ast_cmp_new(o->p->a, o->option->name, false,
			     o->list->next ? AST_CMP_IN : AST_CMP_EQ, NULL, o->list);
	o->all = ast_cond_join(o->p->a, AST_COND_OR, o->all,
			       ast_cond_join(o->p->a, AST_COND_AND, level, option));
	o->list = NULL;
}

/* Those of a level behind one another. */
static void add_option(struct options *o, uint64_t value)
{
	struct spelling s;

	if (value >> 32 != o->at >> 32)
		end_level(o);
	o->at = value;
	if (!o->list)
		o->tail = &o->list;
	spell_option(value, o->arch, &s);
	*o->tail = spell_tree(o->p->a, &s);
	o->tail = &(*o->tail)->next;
}

static struct options options_of(struct proposal *p, const struct recorded_call *c)
{
	unsigned nargs;
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);
	const struct arg_info *args = syscall_args(s, c->arch, &nargs);
	int of = recording_args_of(c->arch, c->nr);

	BUG_ON(of < 1 || (unsigned)of >= nargs);
	return (struct options){
		.p = p, .arch = c->arch, .level = &args[of - 1], .option = &args[of]
	};
}

struct ast_cond *sockopt_cond(struct proposal *p, const struct recorded_call *c,
			      const struct recorded_arg *seen)
{
	struct options o = options_of(p, c);

	if (!seen || seen->unbounded)
		return NULL;
	vec_each(&seen->values, v)
		add_option(&o, v->value);
	end_level(&o);
	return o.all;
}

static bool is_brought(const struct proposal *p, enum by by, uint64_t level, enum arch a)
{
	vec_each(&p->r->calls, c) {
		if (c->arch != a)
			continue;
		vec_each(&c->tuples, t)
			if (by == BY_STREAM && (t->args[0] == AF_INET || t->args[0] == AF_INET6) &&
			    (t->args[1] & 0xf) == SOCK_STREAM)
				return true;
		if (recording_args_of(a, c->nr) < 0)
			continue;
		vec_each(&c->args, seen)
			vec_each(&seen->values, v)
				if (by == BY_LEVEL && v->value >> 32 == level)
					return true;
	}
	return by == BY_ANY;
}

static bool was_seen(const struct recorded_arg *seen, uint64_t value)
{
	vec_each(&seen->values, v)
		if (v->value == value)
			return true;
	return false;
}

struct ast_cond *sockopt_ordinary(struct proposal *p, const struct recorded_call *c,
				  const struct recorded_arg *seen)
{
	struct options o = options_of(p, c);

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		uint64_t level, option;

		if (constant_find("sol", str_c(levels[i].name), c->arch, &level) ||
		    !is_brought(p, levels[i].by, level, c->arch))
			continue;
		for (const char *const *name = levels[i].ordinary; *name; name++)
			if (!constant_find(levels[i].domain, str_c(*name), c->arch, &option) &&
			    !(seen && was_seen(seen, trace_of(level, option))))
				add_option(&o, trace_of(level, option));
	}
	end_level(&o);
	return o.all;
}
