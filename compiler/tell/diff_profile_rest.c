/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities and limits of two profiles. */
#include "compiler/base/bug.h"
#include "compiler/tell/accessed.h"
#include "compiler/tell/diff_profiles.h"
#include "compiler/tell/diff_rules.h"

/* ---- capabilities ---- */

struct caps_line { /* capabilities that change alike, by the same rules */
	struct profile_told is;
	uint64_t caps;
};

struct caps_lines {
	VEC(struct caps_line) list;
};

static void add_cap(struct profiles *c, struct caps_lines *lines, unsigned cap,
		    const struct profile_told *told)
{
	uint64_t bit = UINT64_C(1) << cap;

	vec_each(&lines->list, l)
		if (profile_same_told(&l->is, told)) {
			l->caps |= bit;
			return;
		}
	vec_push(c->arena, &lines->list, ((struct caps_line){ *told, bit }));
}

static void compare_cap(struct profiles *c, struct caps_lines *lines, unsigned cap)
{
	struct aa_rule asked = { .class = AA_CLASS_CAPABILITY, .caps = UINT64_C(1) << cap };
	struct aa_access access = {
		.kind = AA_ACCESS_RULE, .class = AA_CLASS_CAPABILITY, .perms = 1, .rule = &asked
	};
	struct aa_verdict a = aa_ask(&c->a.q, &access, FILE_OTHER);
	struct aa_verdict b = aa_ask(&c->b.q, &access, FILE_OTHER);
	struct profile_told now = { .kind = RESOURCE_CAPABILITIES,
				    .a = profile_said_of(&a),
				    .b = profile_said_of(&b) };

	now.change = profile_change(c, &now.a, &now.b);
	if (now.change != CHANGE_NR)
		add_cap(c, lines, cap, &now);
}

void compare_profile_capabilities(struct profiles *c)
{
	struct caps_lines lines = { .list = { .n = 0 } };

	c->out->resource_kinds |= 1u << RESOURCE_CAPABILITIES;
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
		compare_cap(c, &lines, cap);
	vec_each(&lines.list, l) {
		bool in[CAPABILITY_NR];
		unsigned first = 0;
		for (unsigned i = CAPABILITY_NR; i-- > 0;) {
			in[i] = l->caps >> i & 1;
			first = in[i] ? i : first;
		}
		struct diff_resource r = profile_row(c, &l->is);
		r.about = capability_names(c->arena, in);
		r.access = arena_printf(c->arena, "cap %s", capability_name(first));
		profile_add(c, r);
	}
}

/* ---- limits ---- */

/* The last of a resource is the one that holds (parser_yacc.y, rlimits); NULL: none. */
static const struct aa_rule *limit_of(const struct aa_asking *q, int resource)
{
	const struct aa_rule *last = NULL;

	vec_each(&q->rules, r)
		if ((*r)->class == AA_CLASS_RLIMIT && (*r)->limit.resource == resource)
			last = *r;
	return last;
}

static uint64_t limit_value(const struct aa_rule *r)
{
	return r ? r->limit.value : UINT64_MAX;
}

static const char *limit_words(struct arena *a, uint64_t value)
{
	return value == UINT64_MAX ? "no limit" : arena_printf(a, "at most %ju", (uintmax_t)value);
}

void compare_profile_limits(struct profiles *c)
{
	for (int i = 0; i < LIMITS; i++) {
		struct aa_limit_form form;
		struct profile_said x = { .by = limit_of(&c->a.q, i) };
		struct profile_said y = { .by = limit_of(&c->b.q, i) };
		uint64_t a = limit_value(x.by), b = limit_value(y.by);
		if (x.by || y.by)
			c->out->resource_kinds |= 1u << RESOURCE_LIMITS;
		if (a == b)
			continue;
		aa_limit_form(i, &form);
		profile_add(c, (struct diff_resource){
				       .change = b > a ? CHANGE_LOOSER : CHANGE_TIGHTER,
				       .kind = RESOURCE_LIMITS,
				       .about = arena_printf(c->arena, "limit %s", form.name),
				       .a = limit_words(c->arena, a),
				       .b = limit_words(c->arena, b),
				       .by_a = profile_by(c, &c->a, &x),
				       .by_b = profile_by(c, &c->b, &y) });
	}
}
