/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte for the release, then lines "NAME=VALUE VALUE ...", "+=" adding: variables open to the
 * same values, or the same fault, in whatever order they are asked for; no two values are alike,
 * from 5.0 on they stand in the order of their bytes; all are within their bounds, and hold no
 * variable of those that are declared.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/apparmor/vars.h"
#include "compiler/base/bug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str until(struct str *rest, const char *ends)
{
	size_t n = 0;

	while (n < rest->n && !(rest->p[n] && strchr(ends, rest->p[n])))
		n++;
	struct str s = { rest->p, n };
	n += n < rest->n;
	*rest = (struct str){ rest->p + n, rest->n - n };
	return s;
}

static void declare(struct aa_vars *vars, struct str line)
{
	struct str name = until(&line, "=");
	bool add = name.n > 1 && name.p[name.n - 1] == '+';
	struct aa_var *var;

	name.n -= add;
	if (!name.n || memchr(line.p, 0, line.n))
		return;
	var = add ? aa_vars_find(vars, name) : NULL;
	if (!var)
		var = aa_vars_declare(vars, name);
	while (line.n) {
		struct str value = until(&line, " ");

		vec_push(vars->arena, &var->values, glob_unescape(vars->arena, value));
	}
}

static void read_all(struct aa_vars *vars, struct str text)
{
	while (text.n)
		declare(vars, until(&text, "\n"));
}

static int by_bytes(const void *x, const void *y)
{
	return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static void check_opened(const struct aa_vars *vars, const struct aa_var *var)
{
	size_t bytes = 0, n = var->opened.n;
	struct str *sorted = arena_alloc(vars->arena, (n + 1) * sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		sorted[i] = var->opened.v[i];
	qsort(sorted, n, sizeof(*sorted), by_bytes);
	for (size_t i = 0; i < n; i++) {
		size_t at = 0;
		struct str name, value = var->opened.v[i];

		BUG_ON(i && str_cmp(sorted[i - 1], sorted[i]) >= 0);
		BUG_ON(vars->strict && !str_eq(sorted[i], value));
		bytes += value.n;
		while ((name = aa_vars_next(value, &at)).n)
			BUG_ON(aa_vars_find(vars, name));
	}
	BUG_ON(n > AA_VALUES_MAX || bytes > GLOB_OPENED_MAX);
}

static void same(const struct aa_var *one, const struct aa_var *two)
{
	/* What all of them cost is bounded, too, and then the first ones are opened. */
	if (one->fault == AA_OPEN_TOO_MANY || two->fault == AA_OPEN_TOO_MANY)
		return;
	BUG_ON(!one->fault != !two->fault);
	if (one->fault)
		return;
	BUG_ON(one->opened.n != two->opened.n);
	for (size_t i = 0; i < one->opened.n; i++)
		BUG_ON(!str_eq(one->opened.v[i], two->opened.v[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct aa_vars vars[2] = { { .arena = a, .turn = 1 }, { .arena = a, .turn = 1 } };
	struct str text = { (const char *)data + 1, size ? size - 1 : 0 };

	for (unsigned i = 0; size && i < 2; i++) {
		vars[i].strict = *data & 1;
		read_all(&vars[i], text);
	}
	size_t n = vars[0].list.n;
	for (size_t i = 0; i < n; i++) {
		aa_vars_open(&vars[0], vars[0].list.v[i]);
		aa_vars_open(&vars[1], vars[1].list.v[n - 1 - i]);
	}
	for (size_t i = 0; i < n; i++) {
		struct aa_var *var = vars[0].list.v[i];

		same(var, vars[1].list.v[i]);
		if (!var->fault)
			check_opened(&vars[0], var);
		if (var->values.n)
			aa_vars_expand(&vars[0], var->values.v[0]);
	}
	arena_free(a);
	return 0;
}
