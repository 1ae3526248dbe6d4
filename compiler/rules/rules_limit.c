/* SPDX-License-Identifier: Apache-2.0 */
/* `set rlimit NAME <= VALUE [UNIT],` (parser_yacc.y, TOK_RLIMIT; parser_misc.c, time_units). */
#include <string.h>

#include "compiler/rules/rules_read.h"
#include "compiler/base/bug.h"

enum { LIMIT_CPU = 0, LIMIT_NOFILE = 7, LIMIT_NICE = 13, LIMIT_RTTIME = 15, LIMIT_NR = 16 };
enum { NICE_MIN = -20, NICE_MAX = 19 };

#define SECOND INT64_C(1000000)

static const struct {
	const char *word;
	int64_t microseconds;
} units[] = {
#define UNIT(word, us) { word, us },
#include "compiler/rules/classes.def"
};

/* What a limit counts. */
enum counts { COUNTS_BYTES, COUNTS_TIME, COUNTS_THINGS, COUNTS_NICE };

/* Of time or of size: on a later line than its number, too. */
static bool is_unit(struct str word)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (str_is(word, units[i].word))
			return true;
	return word.n && strchr("KMG", word.p[0]) &&
	       (word.n == 1 || (word.n == 2 && word.p[1] == 'B'));
}

static enum counts what_counts(int resource)
{
	/* fsize data stack core rss, memlock, as, msgqueue */
	static const unsigned bytes =
		1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 8 | 1u << 9 | 1u << 12;

	if (resource == LIMIT_NICE)
		return COUNTS_NICE;
	if (resource == LIMIT_CPU || resource == LIMIT_RTTIME)
		return COUNTS_TIME;
	return bytes & 1u << resource ? COUNTS_BYTES : COUNTS_THINGS;
}

static void limit_name(int n, char out[16])
{
	const char *full = constant_name("rlimit", (uint64_t)n, ARCH_X86_64);
	size_t skip = strlen("RLIMIT_"), k;

	BUG_ON(!full || strlen(full) < skip || strlen(full) - skip > 15);
	for (k = 0; full[skip + k]; k++)
		out[k] = (char)(full[skip + k] | 0x20);
	out[k] = 0;
}

/*
 * The parser reads 63 bits, counts microseconds of cpu in as many, refuses to give less than one of
 * what it counts time in, and stores a nice of -20..19 as 0..39, which is what the kernel takes.
 */
void aa_limit_form(int resource, struct aa_limit_form *out)
{
	BUG_ON(resource < 0 || resource >= LIMIT_NR);
	limit_name(resource, out->name);
	out->least = 0;
	out->most = INT64_MAX;
	if (what_counts(resource) == COUNTS_TIME)
		out->least = 1;
	if (resource == LIMIT_CPU)
		out->most = INT64_MAX / SECOND;
	if (resource == LIMIT_NICE)
		out->most = NICE_MAX - NICE_MIN;
}

void aa_limit_put(struct buf *out, int resource, uint64_t value)
{
	struct aa_limit_form form;

	aa_limit_form(resource, &form);
	buf_printf(out, "set rlimit %s <= ", form.name);
	if (value == UINT64_MAX)
		buf_puts(out, "infinity");
	else if (resource == LIMIT_NICE)
		buf_printf(out, "%d", (int)value + NICE_MIN);
	else
		buf_printf(out, "%ju%s", (uintmax_t)value,
			   resource == LIMIT_CPU    ? "s" :
			   resource == LIMIT_RTTIME ? "us" :
						      "");
}

static bool read_name(struct aa_read *r)
{
	struct str name = r->at->word.text;
	struct suggest s;
	struct diag *d;
	char known[16];

	for (int n = 0; n < LIMIT_NR; n++) {
		limit_name(n, known);
		if (!str_is(name, known) && !(n == LIMIT_NOFILE && str_is(name, "ofile")))
			continue;
		r->rule->limit.resource = n;
		aa_next(r);
		return true;
	}
	d = aa_fault(r, DIAG_PL136, r->at->span, "no limit is called '%s'", aa_safe(r->rd, name));
	if (!diag_suggest_start(r->rd->diags, &s, name))
		return false;
	for (int n = 0; n < LIMIT_NR; n++) {
		limit_name(n, known);
		suggest_offer(&s, str_c(arena_strdup(r->rd->arena, known)));
	}
	if (!diag_suggest(r->rd->diags, d, r->at->span, &s))
		diag_help(r->rd->diags, d,
			  "names are as in setrlimit(2), in small letters: nofile");
	return false;
}

/* ---- the number ---- */

struct number {
	int64_t value;
	const struct aa_item *item;
	const struct aa_item *unit; /* NULL: none */
};

static bool tell_number(struct aa_read *r, const struct number *n, const char *why,
			const char *help)
{
	const struct aa_item *at = n->unit && !strcmp(why, "has no such unit") ? n->unit : n->item;
	char name[16];

	limit_name(r->rule->limit.resource, name);
	diag_help(r->rd->diags, aa_fault(r, DIAG_PL344, at->span, "the limit '%s' %s", name, why),
		  "%s", help);
	return false;
}

/*
 * strtoll() in base 0: what begins with 0 is octal, and ends where it is not; what is too large
 * is the largest there is.
 */
static int64_t parse_number(struct str s)
{
	bool minus = s.n && s.p[0] == '-';
	size_t at = minus;
	unsigned base = at + 1 < s.n && s.p[at] == '0' ? 8 : 10;
	int64_t v = 0;

	for (; at < s.n && s.p[at] >= '0' && (unsigned)(s.p[at] - '0') < base; at++) {
		int digit = s.p[at] - '0';

		if (__builtin_mul_overflow(v, (int64_t)base, &v) ||
		    __builtin_add_overflow(v, minus ? -digit : digit, &v))
			return minus ? INT64_MIN : INT64_MAX;
	}
	return v;
}

static bool same_number(struct str s, int64_t v)
{
	BUF_AUTO b = { 0 };

	buf_printf(&b, "%jd", (intmax_t)v);
	return b.p && str_is(s, b.p);
}

/* ---- what it gives ---- */

static void store(struct aa_read *r, const struct number *n, uint64_t value, bool exact)
{
	r->rule->limit.value = value;
	if (exact)
		return;
	diag_help(r->rd->diags,
		  aa_misread(r, n->item->span, "the parser makes %ju of this", (uintmax_t)value),
		  "write a number in decimal that fits 63 bits");
}

static bool give_bytes(struct aa_read *r, const struct number *n, bool exact)
{
	uint64_t scale = 1;
	uint64_t value;

	if (n->value < 0)
		return tell_number(r, n, "is not negative", "write 0 or more");
	if (n->unit) {
		struct str u = n->unit->word.text;

		scale = str_is(u, "K") || str_is(u, "KB") ? UINT64_C(1) << 10 :
			str_is(u, "M") || str_is(u, "MB") ? UINT64_C(1) << 20 :
			str_is(u, "G") || str_is(u, "GB") ? UINT64_C(1) << 30 :
							    0;
	}
	if (!scale)
		return tell_number(r, n, "has no such unit", "write KB, MB, GB, or none for bytes");
	value = (uint64_t)n->value * scale;
	store(r, n, value, exact && value / scale == (uint64_t)n->value && value <= INT64_MAX);
	return true;
}

static bool give_time(struct aa_read *r, const struct number *n, bool exact)
{
	bool cpu = r->rule->limit.resource == LIMIT_CPU;
	int64_t base = cpu ? SECOND : 1, scale = base, us;

	if (n->value < 0)
		return tell_number(r, n, "is not negative", "write 0 or more");
	if (!n->unit) {
		store(r, n, (uint64_t)n->value, exact);
		return true;
	}
	scale = 0;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (str_is(n->unit->word.text, units[i].word))
			scale = units[i].microseconds;
	if (!scale)
		return tell_number(r, n, "has no such unit",
				   "write us, ms, s, min, hours, days or weeks");
	us = (int64_t)((uint64_t)n->value * (uint64_t)scale);
	if (us < base)
		return tell_number(r, n,
				   cpu ? "is one second at least" : "is one microsecond at least",
				   "write more, or 'infinity'");
	store(r, n, (uint64_t)(us / base),
	      exact && (uint64_t)us / (uint64_t)scale == (uint64_t)n->value && us % base == 0);
	return true;
}

static bool give(struct aa_read *r, const struct number *n)
{
	bool exact = same_number(n->item->word.text, n->value);

	switch (what_counts(r->rule->limit.resource)) {
	case COUNTS_BYTES: return give_bytes(r, n, exact);
	case COUNTS_TIME: return give_time(r, n, exact);
	case COUNTS_THINGS:
		if (n->unit)
			return tell_number(r, n, "has no such unit", "write the number alone");
		if (n->value < 0)
			return tell_number(r, n, "is not negative", "write 0 or more");
		store(r, n, (uint64_t)n->value, exact);
		return true;
	case COUNTS_NICE:
		if (n->unit)
			return tell_number(r, n, "has no such unit", "write the number alone");
		if (n->value < NICE_MIN || n->value > NICE_MAX)
			return tell_number(r, n, "is out of range", "nice values are -20 to 19");
		store(r, n, (uint64_t)(n->value - NICE_MIN), exact);
		return true;
	}
	return false;
}

static bool is_number(struct str s)
{
	size_t at = s.n && s.p[0] == '-';
	size_t begin = at;

	while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9')
		at++;
	return at == s.n && at > begin;
}

void aa_read_rlimit(struct aa_read *r)
{
	struct number n = { 0, NULL, NULL };
	bool infinity;

	if (!aa_item_is(r->at, "rlimit")) {
		aa_unexpected(r, "'rlimit'");
		return;
	}
	r->keyword = "set rlimit";
	aa_next(r);
	if (!aa_is_word(r->at)) {
		aa_unexpected(r, "the name of a limit");
		return;
	}
	if (!read_name(r))
		return;
	if (!r->at || r->at->kind != AA_LE) {
		aa_unexpected(r, "'<='");
		return;
	}
	aa_next(r);
	n.item = r->at;
	infinity = aa_item_is(r->at, "infinity");
	if (!aa_is_word(r->at) || (!infinity && !is_number(r->at->word.text))) {
		aa_unexpected(r, "a number or 'infinity'");
		return;
	}
	aa_next(r);
	if (aa_is_word(r->at) && (is_unit(r->at->word.text) || !aa_missing_comma(r, r->at))) {
		n.unit = r->at;
		aa_next(r);
	}
	if (r->failed || r->at)
		return;
	n.value = parse_number(n.item->word.text);
	if (infinity)
		r->rule->limit.value = UINT64_MAX;
	else
		give(r, &n);
}
