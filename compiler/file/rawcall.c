/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/rawcall.h"

#include <stdbool.h>

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

static bool read_digits(struct str w, uint64_t *out)
{
	uint64_t v = 0;

	if (w.n > 2 && w.p[0] == '0' && (w.p[1] == 'x' || w.p[1] == 'X')) {
		if (w.n > 18)
			return false;
		for (size_t i = 2; i < w.n; i++) {
			int d = hex_digit(w.p[i]);
			if (d < 0)
				return false;
			v = v << 4 | (unsigned)d;
		}
		*out = v;
		return true;
	}
	for (size_t i = 0; i < w.n; i++) {
		unsigned d = (unsigned char)w.p[i] - '0';
		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return w.n > 0;
}

/* Decimal, hex or negative; a negative one down to -2^63. */
static bool read_number(struct str w, uint64_t *out)
{
	bool negative = w.n && w.p[0] == '-';

	if (negative)
		w = (struct str){ w.p + 1, w.n - 1 };
	if (!read_digits(w, out) || (negative && *out > UINT64_C(1) << 63))
		return false;
	if (negative)
		*out = 0 - *out;
	return true;
}

const char *rawcall_read(struct str line, enum arch *arch, struct call *c)
{
	const char *p = line.p, *end = line.p + line.n;
	uint64_t nr = 0;

	for (unsigned field = 0; field < 8; field++) {
		p = skip_blanks(p, end);
		const char *word = p;
		while (p < end && *p != ' ' && *p != '\t' && *p != '\r')
			p++;
		struct str w = { word, (size_t)(p - word) };
		if (!w.n)
			return "a line is ARCH NR A0 A1 A2 A3 A4 A5";
		if (!field) {
			int a = arch_find(w);
			if (a < 0)
				return "no architecture has this name";
			*arch = (enum arch)a;
		} else if (!read_number(w, field == 1 ? &nr : &c->args[field - 2])) {
			return "not a number, or one of more than 64 bits";
		}
	}
	if (skip_blanks(p, end) != end)
		return "more than eight fields";
	if (nr > UINT32_MAX && nr < UINT64_C(0xffffffff80000000))
		return "numbers of calls have 32 bits";
	c->audit_arch = arch_info(*arch)->audit;
	c->nr = (uint32_t)nr;
	/* x32's numbers may be written with their bit or, as in the table, without. */
	if (*arch == ARCH_X32 && c->nr < arch_info(ARCH_X32)->nr_base)
		c->nr += arch_info(ARCH_X32)->nr_base;
	return NULL;
}
