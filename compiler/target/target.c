/* SPDX-License-Identifier: Apache-2.0 */
/* The table of targets: which there are, which are meant, and compiling a policy to them. */
#include "compiler/target/target.h"

#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/target/start.h"

static const struct target targets[] = {
#define TARGET(name, layer, suffix, how, write, check, what)                                       \
	{ #name, LAYER_##layer, suffix, TARGET_##how, write, check, what },
#include "compiler/target/targets.def"
#undef TARGET
};

_Static_assert(ARRAY_SIZE(targets) < 30, "a bit for each, and TARGETS_ALL");

const struct target *target_at(size_t i)
{
	return i < ARRAY_SIZE(targets) ? &targets[i] : NULL;
}

/* ---- sets of them ---- */

unsigned targets_how(unsigned how)
{
	unsigned set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if ((targets[i].how & how) == how)
			set |= TARGET_BIT(i);
	return set;
}

unsigned targets_in(unsigned layers)
{
	unsigned set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (targets[i].layer & layers)
			set |= TARGET_BIT(i);
	return set;
}

unsigned targets_of(unsigned asked, unsigned layers)
{
	if (asked && !(asked & TARGETS_ALL))
		return asked;
	return targets_in(layers) & (~targets_how(TARGET_NAMED) | asked);
}

static unsigned find(struct str word)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		if (str_is(word, targets[i].name))
			return TARGET_BIT(i);
	return str_is(word, "all") ? TARGETS_ALL : 0;
}

int targets_read(const char *list, unsigned *set, struct str *wrong)
{
	do {
		*wrong = (struct str){ list, strcspn(list, ",") };
		unsigned found = find(*wrong);
		if (!found)
			return -EINVAL;
		*set |= found;
		list += wrong->n + (list[wrong->n] == ',');
	} while (*list);
	return 0;
}

void targets_print(struct buf *out, unsigned set, const char *last)
{
	unsigned left = set & (TARGET_BIT(ARRAY_SIZE(targets)) - 1), all = left;

	for (size_t i = 0; left; i++) {
		if (!(left & TARGET_BIT(i)))
			continue;
		if (left != all && left == TARGET_BIT(i))
			buf_printf(out, " %s ", last);
		else if (left != all)
			buf_puts(out, ", ");
		buf_puts(out, targets[i].name);
		left &= ~TARGET_BIT(i);
	}
}

/* ---- compiling ---- */

static const char *layer_name(unsigned layer)
{
	return layer == LAYER_APPARMOR ? "apparmor" : "seccomp";
}

static int check_layers(struct compilation *c, const struct policy *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		const struct target *t = &targets[i];
		if (!(c->targets & TARGET_BIT(i)) || c->targets & TARGETS_ALL ||
		    p->layers & t->layer)
			continue;
		struct diag *d =
			diag_add(c->diags, DIAG_PL206, policy_header_span(p, AST_HEADER_LAYERS),
				 "policy '" PRISTR "' does not count on %s, which -t %s asks for",
				 STRARG(p->name), layer_name(t->layer), t->name);
		diag_help(c->diags, d, "add %s to its `layers` line", layer_name(t->layer));
	}
	return c->diags->errors ? -1 : 0;
}

/* The policy with the conditions that the environment leaves open. */
static const struct policy *kept_policy(const struct compilation *c, const struct policy *p)
{
	for (size_t i = 0; c->kept && i < c->kept->list.n; i++)
		if (str_eq(c->kept->list.v[i]->name, p->name))
			return c->kept->list.v[i];
	return p;
}

int targets_write(struct compilation *c, const struct policy *p)
{
	unsigned set = targets_of(c->targets, p->layers);

	if (check_layers(c, p))
		return -1;
	if (p->layers & LAYER_SECCOMP)
		target_check_start(c, p, set & targets_how(TARGET_CONTAINER));
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		const struct target *t = &targets[i];
		if (set & TARGET_BIT(i) &&
		    t->write(c, t, t->how & TARGET_KEEPS_WHEN ? kept_policy(c, p) : p))
			return -1;
	}
	return 0;
}
