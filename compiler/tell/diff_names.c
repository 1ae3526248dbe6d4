/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of capabilities and of sockets as words: what is most of all is said by what is not. */
#include <string.h>

#include "compiler/tell/diff_rules.h"

static const char *join(struct arena *a, const char *list, const char *word)
{
	return arena_printf(a, "%s%s%s", list, *list ? ", " : "", word);
}

const char *capability_names(struct arena *a, const bool *in)
{
	unsigned n = 0;
	const char *list = "";

	for (unsigned i = 0; i < CAPABILITY_NR; i++)
		n += in[i];
	if (n == CAPABILITY_NR)
		return "every capability";
	bool most = n > CAPABILITY_NR / 2;
	for (unsigned i = 0; i < CAPABILITY_NR; i++)
		if (in[i] != most)
			list = join(a, list, capability_name(i));
	return arena_printf(a, most ? "every capability but %s" : "capability %s", list);
}

/* ---- sockets ---- */

static const char *constant_brief(struct arena *a, const char *domain, uint64_t value)
{
	const struct domain_info *d = domain_find(domain);

	for (size_t i = d->first; i < d->first + d->rows; i++) {
		const struct constant_row row = constant_at(i);
		if (row.value[arch_native()] == value)
			return row.brief;
	}
	return arena_printf(a, "%u", (unsigned)value);
}

static unsigned count(const bool *in, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += in[i];
	return sum;
}

static const char *type_names(struct arena *a, const bool *in, const bool *asked)
{
	unsigned n = count(in, TYPES), all = count(asked, TYPES);
	const char *list = "";

	if (n == all)
		return "";
	bool most = n > all / 2;
	for (unsigned t = 0; t < TYPES; t++)
		if (asked[t] && in[t] != most)
			list = join(a, list, constant_brief(a, "sock_type", t));
	return most ? arena_printf(a, "all but %s", list) : list;
}

struct families { /* of the same types */
	unsigned n;
	const char *list, *others; /* others: those that are asked about and are none of them */
};

static bool are_alike(const bool *in, const bool *asked, unsigned f, unsigned g)
{
	return !memcmp(in + f * TYPES, in + g * TYPES, TYPES) &&
	       !memcmp(asked + f * TYPES, asked + g * TYPES, TYPES);
}

static struct families families_like(struct arena *a, const bool *in, const bool *asked, unsigned f)
{
	struct families out = { .list = "", .others = "" };

	for (unsigned k = 0; k < FAMILIES; k++) {
		if (!count(asked + k * TYPES, TYPES))
			continue;
		if (are_alike(in, asked, f, k)) {
			out.list = join(a, out.list, constant_brief(a, "af", k));
			out.n++;
		} else {
			out.others = join(a, out.others, constant_brief(a, "af", k));
		}
	}
	return out;
}

static const char *family_names(struct arena *a, const struct families *f, unsigned all)
{
	if (f->n <= all / 2)
		return f->list;
	return *f->others ? arena_printf(a, "every family but %s", f->others) : "every family";
}

/* Families of the same types are one word: "inet, inet6 (stream)". */
const char *socket_names(struct arena *a, const bool *in, const bool *asked)
{
	bool told[FAMILIES] = { false };
	const char *text = "";
	unsigned all = 0;

	for (unsigned f = 0; f < FAMILIES; f++)
		all += count(asked + f * TYPES, TYPES) > 0;
	for (unsigned f = 0; f < FAMILIES; f++) {
		if (told[f] || !count(in + f * TYPES, TYPES))
			continue;
		const char *types = type_names(a, in + f * TYPES, asked + f * TYPES);
		struct families like = families_like(a, in, asked, f);
		const char *families = family_names(a, &like, all);
		for (unsigned k = f; k < FAMILIES; k++)
			told[k] |= are_alike(in, asked, f, k);
		text = join(a, text,
			    *types ? arena_printf(a, "%s (%s)", families, types) : families);
	}
	return arena_printf(a, "sockets: %s", text);
}
