/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of a BPF machine on claims instead of bits, as circuits do it. */
#include "compiler/cbpf/word.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

#include "compiler/base/bug.h"

enum { WORK_MAX = 1 << 24 }; /* some tenths of a second */

static bool spend(struct words *w, size_t work)
{
	w->work += work;
	return w->work <= WORK_MAX;
}

/* ---- one copy of each ---- */

static size_t hash_bits(const dd_node bit[32])
{
	uint64_t h = 0;

	for (unsigned i = 0; i < 32; i++)
		h = (h ^ bit[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ h >> 31;
	return (size_t)(h ^ h >> 32);
}

static void words_grow(struct words *w)
{
	size_t size = w->table.n ? w->table.n * 2 : 64;

	w->table.v = ARENA_ARRAY(w->arena, word_id, size);
	w->table.n = w->table.cap = size;
	memset(w->table.v, 0xff, size * sizeof(word_id));
	for (size_t n = 0; n < w->list.n; n++) {
		size_t i = hash_bits(w->list.v[n].bit) & (size - 1);
		while (w->table.v[i] != WORD_NONE)
			i = (i + 1) & (size - 1);
		w->table.v[i] = (word_id)n;
	}
}

void words_init(struct words *w, struct dd *d, struct arena *a)
{
	*w = (struct words){ .dd = d, .arena = a };
	memset(w->inputs, 0xff, sizeof(w->inputs));
	words_grow(w);
}

/* Constant, where every bit is. */
static void classify(struct word *k)
{
	k->constant = true;
	k->value = 0;
	for (unsigned i = 0; i < 32; i++) {
		k->constant &= k->bit[i] == DD_FALSE || k->bit[i] == DD_TRUE;
		if (k->bit[i] == DD_TRUE)
			k->value |= 1u << i;
	}
}

static word_id intern(struct words *w, const struct word *k)
{
	for (unsigned i = 0; i < 32; i++)
		if (k->bit[i] == DD_NONE)
			return WORD_NONE;
	size_t i = hash_bits(k->bit) & (w->table.n - 1);
	for (; w->table.v[i] != WORD_NONE; i = (i + 1) & (w->table.n - 1))
		if (!memcmp(w->list.v[w->table.v[i]].bit, k->bit, sizeof(k->bit)))
			return w->table.v[i];
	w->table.v[i] = (word_id)w->list.n;
	vec_push(w->arena, &w->list, *k);
	classify(&w->list.v[w->list.n - 1]);
	if (w->list.n * 2 > w->table.n)
		words_grow(w);
	return (word_id)(w->list.n - 1);
}

word_id word_constant(struct words *w, uint32_t value)
{
	struct word k = { .plain = false };

	for (unsigned i = 0; i < 32; i++)
		k.bit[i] = value >> i & 1 ? DD_TRUE : DD_FALSE;
	return intern(w, &k);
}

word_id word_input(struct words *w, enum dd_field f, unsigned shift)
{
	struct word k = { .plain = true, .field = f, .shift = shift };
	word_id *known = &w->inputs[f][shift / 32];

	for (unsigned i = 0; i < 32 && *known == WORD_NONE; i++)
		k.bit[i] = dd_bit(w->dd, f, shift + i);
	if (*known == WORD_NONE)
		*known = intern(w, &k);
	return *known;
}

/* ---- arithmetic ---- */

static dd_node xor_of(struct dd *d, dd_node x, dd_node y)
{
	return y == DD_FALSE ? x : dd_choose(d, x, dd_not(d, y), y);
}

static dd_node majority(struct dd *d, dd_node x, dd_node y, dd_node z)
{
	return dd_or(d, dd_and(d, x, y), dd_and(d, z, dd_or(d, x, y)));
}

/* r = x + (y or ~y) + carry */
static dd_node add(struct dd *d, dd_node r[32], const dd_node x[32], const dd_node y[32],
		   bool minus)
{
	dd_node carry = minus ? DD_TRUE : DD_FALSE;

	for (unsigned i = 0; i < 32; i++) {
		dd_node b = minus ? dd_not(d, y[i]) : y[i], a = x[i];
		r[i] = xor_of(d, xor_of(d, a, b), carry);
		carry = majority(d, a, b, carry);
	}
	return carry;
}

static void choose_bits(struct dd *d, dd_node claim, dd_node r[32], const dd_node then[32],
			const dd_node otherwise[32])
{
	for (unsigned i = 0; i < 32; i++)
		r[i] = dd_choose(d, claim, then[i], otherwise[i]);
}

/* By 1, 2, 4, 8 and 16 places where y's low five bits say so: the kernel masks the count. */
static void shift(struct dd *d, dd_node r[32], const dd_node x[32], const dd_node y[32], bool left)
{
	memcpy(r, x, 32 * sizeof(*r));
	for (unsigned step = 0; step < 5; step++) {
		dd_node moved[32];
		unsigned by = 1u << step;
		for (unsigned i = 0; i < 32; i++) {
			if (left)
				moved[i] = i >= by ? r[i - by] : DD_FALSE;
			else
				moved[i] = i + by < 32 ? r[i + by] : DD_FALSE;
		}
		choose_bits(d, y[step], r, moved, r);
	}
}

static void multiply(struct dd *d, dd_node r[32], const dd_node x[32], const dd_node y[32])
{
	memset(r, 0, 32 * sizeof(*r)); /* DD_FALSE */
	for (unsigned i = 0; i < 32; i++) {
		dd_node part[32];
		for (unsigned k = 0; k < 32; k++)
			part[k] = k < i ? DD_FALSE : dd_and(d, x[k - i], y[i]);
		add(d, r, r, part, false);
	}
}

/*
 * Long division, most significant bit first. The remainder is kept below y, so one bit more
 * than 32 can only be lost where y's top bit is set; `over` is that bit.
 */
static void divide(struct dd *d, dd_node r[32], const dd_node x[32], const dd_node y[32])
{
	dd_node rest[32] = { DD_FALSE }, less[32], zero = DD_TRUE;

	for (unsigned i = 0; i < 32; i++)
		zero = dd_and(d, zero, dd_not(d, y[i]));
	for (unsigned i = 32; i-- > 0;) {
		dd_node over = rest[31];
		memmove(rest + 1, rest, 31 * sizeof(*rest));
		rest[0] = x[i];
		dd_node fits = dd_or(d, over, add(d, less, rest, y, true));
		fits = dd_choose(d, zero, DD_FALSE, fits);
		choose_bits(d, fits, rest, less, rest);
		r[i] = fits;
	}
}

static uint32_t alu(uint16_t op, uint32_t x, uint32_t y)
{
	switch (op) {
	case BPF_ADD: return x + y;
	case BPF_SUB: return x - y;
	case BPF_NEG: return 0 - x;
	case BPF_MUL: return x * y;
	case BPF_DIV: return y ? x / y : 0;
	case BPF_AND: return x & y;
	case BPF_OR: return x | y;
	case BPF_XOR: return x ^ y;
	case BPF_LSH: return x << (y & 31);
	case BPF_RSH: return x >> (y & 31);
	}
	BUG("operation");
}

/* What an operation costs, roughly, in operations on single bits. */
static size_t work_of(uint16_t op)
{
	if (op == BPF_MUL || op == BPF_DIV)
		return 32 * 32 * 8;
	return op == BPF_LSH || op == BPF_RSH ? 32 * 5 : 32 * 8;
}

word_id word_alu(struct words *w, uint16_t op, word_id x, word_id y)
{
	struct dd *d = w->dd;
	struct word k = { .plain = false };

	if (x == WORD_NONE || y == WORD_NONE || !spend(w, 1))
		return WORD_NONE;
	struct word a = w->list.v[x], b = w->list.v[y];
	if (a.constant && (b.constant || op == BPF_NEG))
		return word_constant(w, alu(op, a.value, b.value));
	if (!spend(w, work_of(op)))
		return WORD_NONE;
	for (unsigned i = 0; i < 32; i++)
		switch (op) {
		case BPF_AND: k.bit[i] = dd_and(d, a.bit[i], b.bit[i]); break;
		case BPF_OR: k.bit[i] = dd_or(d, a.bit[i], b.bit[i]); break;
		case BPF_XOR: k.bit[i] = xor_of(d, a.bit[i], b.bit[i]); break;
		}
	if (op == BPF_ADD || op == BPF_SUB)
		add(d, k.bit, a.bit, b.bit, op == BPF_SUB);
	else if (op == BPF_NEG)
		add(d, k.bit, w->list.v[word_constant(w, 0)].bit, a.bit, true);
	else if (op == BPF_LSH || op == BPF_RSH)
		shift(d, k.bit, a.bit, b.bit, op == BPF_LSH);
	else if (op == BPF_MUL)
		multiply(d, k.bit, a.bit, b.bit);
	else if (op == BPF_DIV)
		divide(d, k.bit, a.bit, b.bit);
	return intern(w, &k);
}

/* ---- tests ---- */

static dd_node equal(struct dd *d, const struct word *x, const struct word *y)
{
	dd_node r = DD_TRUE;

	/* From the least significant bit, as the diagram grows. */
	for (unsigned i = 0; i < 32 && r != DD_FALSE; i++)
		r = dd_and(d, dd_not(d, xor_of(d, x->bit[i], y->bit[i])), r);
	return r;
}

/* x > y, or x >= y with or_equal. */
static dd_node greater(struct dd *d, const struct word *x, const struct word *y, bool or_equal)
{
	dd_node r = or_equal ? DD_TRUE : DD_FALSE;

	for (unsigned i = 0; i < 32; i++)
		r = dd_choose(d, xor_of(d, x->bit[i], y->bit[i]), x->bit[i], r);
	return r;
}

static dd_node any_bit(struct dd *d, const struct word *x, const struct word *y)
{
	dd_node r = DD_FALSE;

	for (unsigned i = 0; i < 32; i++)
		r = dd_or(d, dd_and(d, x->bit[i], y->bit[i]), r);
	return r;
}

dd_node word_claim(struct words *w, uint16_t op, word_id x, word_id y)
{
	if (x == WORD_NONE || y == WORD_NONE || !spend(w, 32 * 3))
		return DD_NONE;
	const struct word *a = &w->list.v[x], *b = &w->list.v[y];
	switch (op) {
	case BPF_JEQ: return equal(w->dd, a, b);
	case BPF_JGT: return greater(w->dd, a, b, false);
	case BPF_JGE: return greater(w->dd, a, b, true);
	case BPF_JSET: return any_bit(w->dd, a, b);
	}
	BUG("jump");
}

bool word_tests(const struct words *w, uint16_t op, word_id x)
{
	return w->list.v[x].plain && op != BPF_JSET;
}

dd_node word_test(struct words *w, uint16_t op, word_id x, uint32_t k, dd_node then,
		  dd_node otherwise)
{
	const struct word *a = &w->list.v[x];

	if (!spend(w, 32))
		return DD_NONE;
	switch (op) {
	case BPF_JEQ: return dd_word_equal(w->dd, a->field, a->shift, k, then, otherwise);
	case BPF_JGE: return dd_word_at_least(w->dd, a->field, a->shift, k, then, otherwise);
	case BPF_JGT:
		if (k == UINT32_MAX)
			return otherwise;
		return dd_word_at_least(w->dd, a->field, a->shift, k + 1, then, otherwise);
	}
	BUG("jump");
}

dd_node word_choose(struct words *w, uint16_t op, word_id x, word_id y, dd_node then,
		    dd_node otherwise)
{
	if (x == WORD_NONE || y == WORD_NONE || !spend(w, 32))
		return DD_NONE;
	if (word_tests(w, op, x) && w->list.v[y].constant)
		return word_test(w, op, x, w->list.v[y].value, then, otherwise);
	return dd_choose(w->dd, word_claim(w, op, x, y), then, otherwise);
}

/* ---- return values ---- */

/* The verdict for every value of the low `bits` bits, those above being known. */
static dd_node data_verdict(struct words *w, const struct word *k, uint32_t ret, unsigned bits)
{
	if (!spend(w, 1))
		return DD_NONE;
	if (bits == 0)
		return dd_terminal(w->dd, verdict_from_ret(ret));
	dd_node claim = k->bit[bits - 1];
	if (claim == DD_FALSE)
		return data_verdict(w, k, ret, bits - 1);
	if (claim == DD_TRUE)
		return data_verdict(w, k, ret | 1u << (bits - 1), bits - 1);
	dd_node low = data_verdict(w, k, ret, bits - 1);
	dd_node high =
		low == DD_NONE ? DD_NONE : data_verdict(w, k, ret | 1u << (bits - 1), bits - 1);
	return dd_choose(w->dd, claim, high, low);
}

dd_node word_verdict(struct words *w, word_id x)
{
	if (x == WORD_NONE)
		return DD_NONE;
	struct word k = w->list.v[x], high = k;
	if (k.constant)
		return dd_terminal(w->dd, verdict_from_ret(k.value));
	memset(high.bit, 0, 16 * sizeof(high.bit[0]));
	/* Actions that the kernel does not know kill the process. */
	dd_node r = dd_terminal(w->dd, (struct verdict){ VERDICT_KILL_PROCESS, 0 });
	for (int kind = 0; kind < VERDICT_NR; kind++) {
		uint32_t action = verdict_to_ret((struct verdict){ (enum verdict_kind)kind, 0 });
		word_id c = word_constant(w, action);
		if (c == WORD_NONE)
			return DD_NONE;
		dd_node claim = equal(w->dd, &high, &w->list.v[c]);
		if (claim == DD_FALSE)
			continue;
		bool data = kind == VERDICT_TRAP || kind == VERDICT_ERRNO || kind == VERDICT_TRACE;
		r = dd_choose(w->dd, claim, data_verdict(w, &k, action, data ? 16 : 0), r);
	}
	return r;
}
