/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Random policies as text, the same for the same seed. Made from the tables, so that every
 * architecture and call there is takes part: several arguments, every operator, constants at
 * the edges of 16, 32 and 64 bits, signed, masked, sets, ranges and bit tests, whole registers,
 * calls by number, overlapping rules of several verdicts with data, conditions on the
 * environment, levels around the release a call came with.
 */
#include <stdio.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"

enum {                  /* what the policies may hold */
       GEN_WHEN = 1,    /* conditions on the environment, `when arch` */
       GEN_NUMBERS = 2, /* #470 */
       GEN_LARGE = 4,   /* hundreds of rules now and then */
       GEN_ALL = GEN_WHEN | GEN_NUMBERS | GEN_LARGE,
       /*
	* What JSON can say: one entry stands for all architectures, so rules mean the same on each
	* of them (one in thirty policies does not care); verdicts have a place for their data; the
	* machine's own architecture is listed.
	*/
       GEN_JSON = 8,
       GEN_ENVIRONMENT = 16, /* JSON: `when` capability, kernel, host: includes and excludes */
       GEN_STUB = 32, /* JSON: for runc, which answers ENOSYS to what is beyond the profile */
       GEN_LIST = 64, /* JSON: one list of architectures for all machines, of one byte order */
};

struct gen {
	uint64_t random;
	struct buf *out;
	unsigned flags;
	unsigned arches;   /* listed */
	bool refuses;      /* the default does: `deny` is legal */
	bool product;      /* the condition at hand is on several arguments, for JSON */
	uint64_t same;     /* JSON: rules on one call look at the same arguments: chosen by this */
	bool alike;        /* rules mean the same on all architectures */
	bool mux_refused;  /* socketcall and ipc are ENOSYS: what they make may be conditional */
	uint64_t seen[32]; /* constants used before: they meet again in other rules */
	unsigned nseen;
	uint32_t data_seed; /* errno, trap and trace data are one a call: else rules contradict */
};

static inline uint64_t gen_next(struct gen *g)
{
	uint64_t x = g->random += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static inline unsigned gen_below(struct gen *g, unsigned n)
{
	return (unsigned)((gen_next(g) >> 32) * n >> 32);
}

static inline bool gen_chance(struct gen *g, unsigned percent)
{
	return gen_below(g, 100) < percent;
}

static inline unsigned gen_arch_count(unsigned arches)
{
	return (unsigned)__builtin_popcount(arches);
}

static inline enum arch gen_arch_at(unsigned arches, unsigned n)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a) && n-- == 0)
			return (enum arch)a;
	BUG("no such architecture");
}

static inline enum arch gen_arch_of(struct gen *g, unsigned arches)
{
	return gen_arch_at(arches, gen_below(g, gen_arch_count(arches)));
}

static inline unsigned gen_subset(struct gen *g, unsigned arches)
{
	unsigned some = 0;

	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a) && gen_chance(g, 50))
			some |= ARCH_BIT(a);
	return some ? some : ARCH_BIT(gen_arch_of(g, arches));
}

static inline void gen_arch_names(struct gen *g, unsigned arches)
{
	for (unsigned i = 0; i < gen_arch_count(arches); i++)
		buf_printf(g->out, "%s%s", i ? ", " : "", arch_info(gen_arch_at(arches, i))->name);
}

/* ---- values ---- */

struct gen_operand {
	char name[64];
	unsigned width; /* the least of all architectures */
	bool is_signed; /* on all of them: negative values are legal */
	bool half;      /* on some of them: the top bit must stay clear */
	bool by_sign;   /* is_signed, or flags in a signed parameter: the top bit is legal and least
		       */
	bool some_sign; /* some parameter is signed, flags or not */
	bool bits;      /* masks and bit tests are legal */
	uint64_t enum_mask; /* but not these bits, one by one; all or none */
	const char *domain;
	unsigned arches;
};

static inline uint64_t gen_ones(unsigned width)
{
	return width >= 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static inline uint64_t gen_edge(struct gen *g, unsigned width)
{
	unsigned bit = gen_below(g, width);
	uint64_t one = UINT64_C(1) << bit;

	switch (gen_below(g, 10)) {
	case 0: return gen_below(g, 4);
	case 1: return one;
	case 2: return one - 1;
	case 3: return one + 1;
	case 4: return gen_ones(width) - gen_below(g, 3);
	case 5: /* around the sign, around the words */
		return (UINT64_C(1) << (width - 1)) - 1 + gen_below(g, 3);
	case 6:
		return (UINT64_C(1) << (width == 64 && gen_chance(g, 60) ? 32 : 15)) - 1 +
		       gen_below(g, 3);
	case 7: return gen_ones(width) << bit;
	case 8: return gen_next(g) & gen_next(g) & gen_next(g);
	}
	return gen_next(g) >> (63 - bit);
}

/* A value that may stand where an operand is compared; bits: as a mask. */
static inline uint64_t gen_value(struct gen *g, const struct gen_operand *o, bool bits)
{
	uint64_t v = g->nseen && gen_chance(g, 40) ?
			     g->seen[gen_below(g, g->nseen)] + gen_below(g, 3) - 1 :
			     gen_edge(g, o->width);

	v &= gen_ones(o->width);
	if ((bits || !o->is_signed) && o->half)
		v &= gen_ones(o->width - 1);
	g->seen[g->nseen < ARRAY_SIZE(g->seen) ? g->nseen++ : gen_below(g, ARRAY_SIZE(g->seen))] =
		v;
	return v;
}

static inline int64_t gen_signed(const struct gen_operand *o, uint64_t v)
{
	uint64_t sign = UINT64_C(1) << (o->width - 1);

	return (int64_t)((v ^ sign) - sign);
}

static inline void gen_number(struct gen *g, uint64_t v)
{
	if (gen_chance(g, 50))
		buf_printf(g->out, "%llu", (unsigned long long)v);
	else
		buf_printf(g->out, "0x%llx", (unsigned long long)v);
}

static inline void gen_put(struct gen *g, const struct gen_operand *o, uint64_t v)
{
	if (o->is_signed && gen_signed(o, v) < 0)
		buf_printf(g->out, "-%llu", 0 - (unsigned long long)gen_signed(o, v));
	else
		gen_number(g, v);
}

/* A named constant of the operand's domain; false: it has none that every architecture knows. */
static inline bool gen_constant(struct gen *g, const struct gen_operand *o)
{
	const struct domain_info *d = o->domain ? domain_find(o->domain) : NULL;

	if (!d || !d->rows)
		return false;
	const struct constant_row row = constant_at(d->first + gen_below(g, (unsigned)d->rows));
	if ((row.arches & o->arches) != o->arches)
		return false;
	for (unsigned i = 0; i < gen_arch_count(o->arches); i++)
		if (row.value[gen_arch_at(o->arches, i)] & ~gen_ones(o->width - o->half) ||
		    (g->alike &&
		     row.value[gen_arch_at(o->arches, i)] != row.value[gen_arch_at(o->arches, 0)]))
			return false;
	bool word = row.brief[0] < '0' || row.brief[0] > '9'; /* MAP_32BIT's is a number */
	buf_puts(g->out, word && gen_chance(g, 50) ? row.brief : row.name);
	return true;
}

static inline void gen_some_value(struct gen *g, const struct gen_operand *o)
{
	if (!gen_chance(g, 30) || !gen_constant(g, o))
		gen_put(g, o, gen_value(g, o, false));
}

/* ---- conditions ---- */

static inline void gen_set(struct gen *g, const struct gen_operand *o)
{
	unsigned n =
		gen_chance(g, 2) && g->flags & GEN_LARGE ? gen_below(g, 200) : 1 + gen_below(g, 5);

	buf_printf(g->out, "%s in { ", o->name);
	for (unsigned i = 0; i <= n; i++) {
		buf_puts(g->out, i ? ", " : "");
		if (gen_chance(g, 60)) {
			gen_some_value(g, o);
			continue;
		}
		uint64_t x = gen_value(g, o, false), y = gen_value(g, o, false);
		bool swap = o->by_sign ? gen_signed(o, x) > gen_signed(o, y) : x > y;
		gen_put(g, o, swap ? y : x);
		buf_puts(g->out, "..");
		gen_put(g, o, swap ? x : y);
	}
	buf_puts(g->out, " }");
}

/* Never 0; an enumeration under flags is left out of it, or whole in it. */
static inline uint64_t gen_mask(struct gen *g, const struct gen_operand *o, bool whole)
{
	uint64_t m = gen_value(g, o, true) & ~o->enum_mask;

	if (o->enum_mask && whole && gen_chance(g, 50))
		m |= o->enum_mask;
	if (!m) /* the lowest bit that may be asked for; of 16 bits always one is */
		m = (o->enum_mask + 1) & ~o->enum_mask;
	return m;
}

static inline void gen_bits(struct gen *g, const struct gen_operand *o)
{
	static const char *const words[] = { "has", "has any", "lacks" };

	if (gen_chance(g, 50)) {
		buf_printf(g->out, "%s %s ", o->name, words[gen_below(g, 3)]);
		gen_number(g, gen_mask(g, o, false));
		return;
	}
	uint64_t m = gen_mask(g, o, true);
	static const char *const ops[] = { "==", "!=", "==", "<", "<=", ">", ">=" };
	unsigned op = g->product && gen_chance(g, 95) ? 0 : gen_below(g, ARRAY_SIZE(ops));
	uint64_t v = gen_value(g, o, true);
	buf_printf(g->out, "(%s & ", o->name);
	gen_number(g, m);
	if (gen_chance(g, 15)) {
		buf_puts(g->out, ") in { ");
		gen_number(g, v & m);
		buf_puts(g->out, ", ");
		gen_number(g, gen_next(g) & m);
		buf_puts(g->out, " }");
		return;
	}
	if (o->some_sign && m & ~gen_ones(o->width - 1)) /* what a mask leaves has no sign */
		op = op % 3;
	else if (o->some_sign)
		v &= gen_ones(o->width - 1);
	buf_printf(g->out, ") %s ", ops[op]);
	gen_number(g, op < 3 ? v & m : v);
}

static inline void gen_comparison(struct gen *g, const struct gen_operand *o)
{
	static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=", "==" };

	if (o->bits && gen_chance(g, 30)) {
		gen_bits(g, o);
	} else if (g->product && gen_chance(g, 96)) {
		buf_printf(g->out, "%s == ", o->name);
		gen_some_value(g, o);
	} else if (gen_chance(g, 25)) {
		gen_set(g, o);
	} else {
		buf_printf(g->out, "%s %s ", o->name, ops[gen_below(g, ARRAY_SIZE(ops))]);
		gen_some_value(g, o);
	}
}

static inline void gen_condition(struct gen *g, const struct gen_operand *o, unsigned n,
				 unsigned depth)
{
	g->product = g->flags & GEN_JSON && n > 1;
	if (depth == 0 || gen_chance(g, 40)) {
		gen_comparison(g, &o[gen_below(g, n)]);
		return;
	}
	bool negate = gen_chance(g, g->product ? 5 : 20),
	     both = gen_chance(g, g->product ? 95 : 60);
	unsigned parts = 2 + gen_below(g, 2);
	buf_puts(g->out, negate ? "not (" : "(");
	for (unsigned i = 0; i < parts; i++) {
		buf_puts(g->out, !i ? "" : both ? " and " : " or ");
		gen_condition(g, o, n, depth - 1);
	}
	buf_puts(g->out, ")");
}

/* ---- operands ---- */

/* x32 registers have 64 bits in the kernel, and 32 in libseccomp's filters. */
static inline bool gen_is_cut(unsigned arches, unsigned width)
{
	return width > 32 && arches & ARCH_BIT(ARCH_X32);
}

/* Is the parameter the same on all of these architectures, as far as one JSON entry goes? */
static inline bool gen_is_alike(const struct syscall_info *s, const char *name, unsigned arches)
{
	int first = -1, width = 0, sign = 0;

	for (unsigned i = 0; i < gen_arch_count(arches); i++) {
		enum arch a = gen_arch_at(arches, i);
		unsigned n;
		const struct arg_info *args = syscall_args(s, a, &n);
		int at = syscall_arg_find(s, a, str_c(name));
		if (at < 0 || (unsigned)at >= n)
			return false;
		int bits = args[at].width < arch_info(a)->bits ? args[at].width :
								 (int)arch_info(a)->bits;
		if (i && (at != first || args[at].is_signed != sign || (bits != width && sign) ||
			  (bits != width && (bits < 32 || width < 32))))
			return false;
		first = at;
		sign = args[at].is_signed;
		width = bits > width ? bits : width;
	}
	for (unsigned i = 0; i < gen_arch_count(arches); i++)
		if (width > 32 && arch_info(gen_arch_at(arches, i))->bits == 32)
			return false;
	return !gen_is_cut(arches, (unsigned)width);
}

/* The argument by this name on all of these architectures; false: it cannot be compared there. */
static inline bool gen_operand_of(const struct syscall_info *s, const char *name, unsigned arches,
				  struct gen_operand *o)
{
	*o = (struct gen_operand){
		.width = 64, .is_signed = true, .bits = true, .by_sign = true, .arches = arches
	};
	snprintf(o->name, sizeof(o->name), "%s", name);
	for (unsigned i = 0, first = 0; i < gen_arch_count(arches); i++) {
		enum arch a = gen_arch_at(arches, i);
		unsigned n;
		const struct arg_info *args = syscall_args(s, a, &n);
		int at = syscall_arg_find(s, a, str_c(name));
		if (at < 0 || (unsigned)at >= n || args[at].kind == ARG_POINTER)
			return false;
		unsigned width =
			args[at].width < arch_info(a)->bits ? args[at].width : arch_info(a)->bits;
		bool flags = args[at].kind == ARG_FLAGS || args[at].kind == ARG_ENUM_FLAGS;
		o->is_signed &= args[at].is_signed && !flags;
		o->by_sign &= args[at].is_signed;
		o->some_sign |= args[at].is_signed;
		o->half |= args[at].is_signed && !flags;
		first = i ? first : args[at].is_signed;
		o->half |= first != args[at].is_signed || (i && width != o->width);
		o->bits &= args[at].kind != ARG_ENUM && args[at].kind != ARG_FD;
		o->width = width < o->width ? width : o->width;
		if (i && o->enum_mask != (args[at].kind == ARG_ENUM_FLAGS ? args[at].enum_mask : 0))
			return false;
		o->enum_mask = args[at].kind == ARG_ENUM_FLAGS ? args[at].enum_mask : 0;
		o->domain = args[at].domain;
	}
	return true;
}

static inline void gen_register(struct gen *g, struct gen_operand *o, unsigned arches)
{
	*o = (struct gen_operand){ .width = 64, .bits = true, .arches = arches };
	snprintf(o->name, sizeof(o->name), "reg arg%u", gen_below(g, 6));
}

/* What conditions on this call may speak of; s NULL: a call by number. */
static inline unsigned gen_new_operands(struct gen *g, const struct syscall_info *s,
					unsigned arches, struct gen_operand o[4])
{
	unsigned n = 0, nargs, want = 1 + gen_below(g, gen_chance(g, 80) ? 2 : 4);
	bool regs = gen_chance(g, 15);

	/* JSON's budget is entries: two ordered arguments are a product of blocks. */
	if (g->flags & GEN_JSON)
		want = gen_chance(g, 70) ? 1 : gen_chance(g, 85) ? 2 : 3;
	for (unsigned tries = 0; tries < 8 && n < want; tries++) {
		enum arch a = gen_arch_of(g, arches);
		bool narrow = false;
		for (unsigned i = 0; i < gen_arch_count(arches); i++)
			narrow |= arch_info(gen_arch_at(arches, i))->bits == 32;
		bool reg = (regs || gen_chance(g, 10)) &&
			   !(g->alike && (narrow || gen_is_cut(arches, 64)));
		if (reg) {
			gen_register(g, &o[n++], arches);
		} else if (!s) {
			o[n] = (struct gen_operand){ .width = 64, .bits = true, .arches = arches };
			for (unsigned i = 0; i < gen_arch_count(arches); i++)
				if (arch_info(gen_arch_at(arches, i))->bits < o[n].width)
					o[n].width = arch_info(gen_arch_at(arches, i))->bits;
			snprintf(o[n++].name, sizeof(o[0].name), "arg%u", gen_below(g, 6));
		} else {
			const struct arg_info *args = syscall_args(s, a, &nargs);
			const struct arg_info *arg = nargs ? &args[gen_below(g, nargs)] : NULL;
			const char *name = !arg                            ? NULL :
					   arg->alias && gen_chance(g, 50) ? arg->alias :
									     arg->name;
			n += name && (!g->alike || gen_is_alike(s, name, arches)) &&
			     gen_operand_of(s, name, arches, &o[n]);
		}
	}
	return n;
}

static inline unsigned gen_operands(struct gen *g, const struct syscall_info *s, unsigned arches,
				    struct gen_operand o[4])
{
	uint64_t stream = g->random;

	if (!g->same)
		return gen_new_operands(g, s, arches, o);
	g->random = g->same;
	unsigned n = gen_new_operands(g, s, arches, o);
	g->random = stream;
	return n;
}

/* ---- rules ---- */

static inline unsigned gen_data(const struct gen *g, const char *call, const char *kind, unsigned n)
{
	uint32_t h = g->data_seed;

	for (const char *p = call; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return ((h ^ (unsigned char)*kind) * 2654435761u >> 8) & (n - 1);
}

static inline void gen_errno(struct gen *g, unsigned n)
{
	static const char *const names[] = { "EPERM",  "EACCES",  "EINVAL",
					     "ENOSYS", "ENOTSUP", "EDEADLK" };

	/* The last three are not the same number on all architectures. */
	if (n % 3)
		buf_printf(g->out, "errno %s", names[n / 4 % (g->alike ? 3 : ARRAY_SIZE(names))]);
	else
		buf_printf(g->out, "errno %u", n % 4 || g->alike ? n & 4095 : 4095);
}

/*
 * The same data for the same call: two errnos that overlap would be a contradiction. Hence also
 * `deny` for some calls only, which then have no other refusal with data.
 */
static inline void gen_verdict(struct gen *g, const char *call)
{
	unsigned pick = gen_below(g, 12);

	if (g->refuses && pick >= 5 && pick <= 8 && gen_data(g, call, "deny", 4) == 0) {
		buf_puts(g->out, "deny");
		return;
	}
	switch (pick) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4: buf_puts(g->out, "allow"); break;
	case 5:
	case 6: gen_errno(g, gen_data(g, call, "errno", 4096)); break;
	case 7: buf_puts(g->out, gen_chance(g, 50) ? "kill" : "kill-thread"); break;
	case 8:
		if (g->flags & GEN_JSON) /* which has no place for the data of a trap */
			buf_puts(g->out, "trap");
		else
			buf_printf(g->out, "trap %u", gen_data(g, call, "trap", 65536));
		break;
	case 9: buf_printf(g->out, "trace %u", gen_data(g, call, "Trace", 65536)); break;
	case 10: buf_puts(g->out, "log"); break;
	case 11: buf_puts(g->out, g->flags & GEN_JSON ? "allow" : "notify"); break;
	}
}

static inline unsigned gen_has(const struct syscall_info *s)
{
	unsigned arches = 0;

	for (int a = 0; a < ARCH_NR; a++)
		if (s->nr[a] >= 0)
			arches |= ARCH_BIT(a);
	return arches;
}

static inline bool gen_is_multiplexer(const struct syscall_info *s)
{
	return !strcmp(s->name, "socketcall") || !strcmp(s->name, "ipc");
}

static inline bool gen_is_multiplexed(const struct syscall_info *s, unsigned arches)
{
	const char *mux;
	unsigned sel;

	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a) && !multiplexed_by(s, (enum arch)a, &mux, &sel))
			return true;
	return false;
}

/* Some call of the listed architectures. Numbers around the edges of the tables, too. */
static inline const struct syscall_info *gen_call(struct gen *g, char name[32])
{
	static const unsigned numbers[] = {
		0,   1,   222, 335, 336,  423,  424,    470,     471,        472,       511,
		512, 547, 548, 999, 1000, 4000, 0xffff, 0x10000, 0x3ffffffe, 0x3fffffff
	};

	if (g->flags & GEN_NUMBERS && gen_chance(g, 12)) {
		snprintf(name, 32, "#%u", numbers[gen_below(g, ARRAY_SIZE(numbers))]);
		return NULL;
	}
	for (;;) {
		const struct syscall_info *s = syscall_at(gen_below(g, (unsigned)syscall_count()));
		if (!(gen_has(s) & g->arches) || gen_is_multiplexer(s))
			continue;
		snprintf(name, 32, "%s", s->name);
		return s;
	}
}

/* One rule on a call; dataless: beside rules that carry data of their own. */
static inline void gen_rule(struct gen *g, const struct syscall_info *s, const char *name,
			    unsigned arches, bool dataless)
{
	static const char *const verdicts[] = { "allow", "log", "kill", "kill-thread", "notify" };

	struct gen_operand o[4];
	unsigned n = gen_chance(g, 80) ? gen_operands(g, s, arches, o) : 0;

	if (s && !g->mux_refused && gen_is_multiplexed(s, arches)) {
		buf_printf(g->out, "allow %s; ", name);
		return;
	}
	if (dataless)
		buf_puts(g->out, verdicts[gen_below(g, g->flags & GEN_JSON ? 4 : 5)]);
	else
		gen_verdict(g, name);
	buf_printf(g->out, " %s", name);
	if (n) {
		buf_puts(g->out, "(");
		gen_condition(g, o, n, gen_below(g, g->flags & GEN_JSON ? (n > 1 ? 2 : 3) : 4));
		if (gen_chance(g, g->flags & GEN_JSON ? 5 : 20)) {
			buf_puts(g->out, ", ");
			gen_condition(g, o, n, gen_below(g, 2));
		}
		buf_puts(g->out, ")");
	}
	buf_puts(g->out, "; ");
}

/* Two errnos for one call, told apart by a bit. */
static inline void gen_split(struct gen *g, const struct syscall_info *s, const char *name,
			     unsigned arches)
{
	struct gen_operand o[4];
	unsigned n = gen_operands(g, s, arches, o);

	if (!n || !o[0].bits || (s && !g->mux_refused && gen_is_multiplexed(s, arches)))
		return;
	uint64_t bit = gen_mask(g, &o[0], false);
	const char *kind = gen_chance(g, 50)                        ? "errno" :
			   g->flags & GEN_JSON || gen_chance(g, 50) ? "trace" :
								      "trap";
	for (unsigned i = 0; i < 2; i++) {
		buf_printf(g->out, "%s %u %s(%s %s ", kind, 100 + i, name, o[0].name,
			   i ? "has" : "lacks");
		gen_number(g, bit & -bit);
		buf_puts(g->out, ", ");
		gen_condition(g, o, n, gen_below(g, g->flags & GEN_JSON ? 1 : 3));
		buf_puts(g->out, "); ");
	}
}

/* ---- the environment ---- */

static inline void gen_when(struct gen *g, unsigned depth)
{
	static const char *const versions[] = { "3.0", "4.8", "5.9", "5.10", "6.18", "255.255" };
	static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=" };

	if (depth && gen_chance(g, 40)) {
		buf_puts(g->out, gen_chance(g, 30) ? "not (" : "(");
		gen_when(g, depth - 1);
		buf_puts(g->out, gen_chance(g, 50) ? " and " : " or ");
		gen_when(g, depth - 1);
		buf_puts(g->out, ")");
		return;
	}
	switch (gen_below(g, 3)) {
	case 0:
		buf_printf(g->out, "capability %s", capability_name(gen_below(g, CAPABILITY_NR)));
		break;
	case 1:
		buf_printf(g->out, "kernel %s %s", ops[gen_below(g, 6)], versions[gen_below(g, 6)]);
		break;
	case 2:
		buf_puts(g->out, "host ");
		gen_arch_names(g, gen_subset(g, (1u << ARCH_NR) - 1));
		break;
	}
}

static inline void gen_group(struct gen *g)
{
	char name[32];
	const struct syscall_info *s = gen_call(g, name);
	unsigned arches = s ? g->arches & gen_has(s) : g->arches;
	unsigned rules = 1 + gen_below(g, g->flags & GEN_JSON ? 2 : 3);
	bool split = gen_chance(g, 15);

	/* What no rule matches is listed as well: `not a == 1` times `not b == 2` are thousands. */
	g->same = g->flags & GEN_JSON && gen_chance(g, 98) ? gen_next(g) : 0;
	for (unsigned i = 0; i < rules; i++) {
		unsigned some = arches;
		bool when = g->flags & (GEN_WHEN | GEN_ENVIRONMENT) && gen_chance(g, 12);
		bool only = g->flags & GEN_WHEN && gen_chance(g, 20);
		buf_puts(g->out, "\n\t");
		if (only) {
			some = gen_subset(g, arches);
			buf_puts(g->out, "when arch ");
			gen_arch_names(g, some);
			buf_puts(g->out, " { ");
		}
		if (when) {
			buf_puts(g->out, "when ");
			gen_when(g, 2);
			buf_puts(g->out, " { ");
		}
		if (split && i == 0)
			gen_split(g, s, name, some);
		else
			gen_rule(g, s, name, some, split);
		buf_puts(g->out, when ? "} " : "");
		buf_puts(g->out, only ? "} " : "");
	}
}

/* ---- the policy ---- */

/* Machines with their own architecture, some with their compatible ones. */
static inline unsigned gen_machines(struct gen *g)
{
	unsigned some = 0, others = 0;

	for (int a = 0; a < ARCH_NR; a++) {
		int native = arch_find(str_c(arch_info((enum arch)a)->family));
		if (native == a && gen_chance(g, native == ARCH_X86_64 ? 70 : 100 / ARCH_NR))
			some |= ARCH_BIT(a);
		else if (native != a && some & ARCH_BIT(native) && gen_chance(g, 40))
			others |= ARCH_BIT(a);
	}
	/* MIPS has another ENOSYS than all others, and a profile has one default. */
	int mips = arch_find(STR("mips64el"));
	if (mips >= 0 && some & ~ARCH_BIT(mips))
		some &= ~ARCH_BIT(mips);
	/* A filter of libseccomp's has one byte order. */
	for (int a = 0; a < ARCH_NR && g->flags & GEN_LIST && g->alike; a++)
		if (arch_info((enum arch)a)->big_endian && some & ~ARCH_BIT(a))
			some &= gen_chance(g, 50) ? ARCH_BIT(a) : ~ARCH_BIT(a);
	for (int a = 0; a < ARCH_NR; a++)
		if (!(some & ARCH_BIT(arch_find(str_c(arch_info((enum arch)a)->family)))))
			others &= ~ARCH_BIT(a);
	return some ? some | others : ARCH_BIT(ARCH_X86_64);
}

/* How many programs does a policy of these need? */
static inline unsigned gen_families(unsigned arches)
{
	unsigned families = 0;

	for (unsigned i = 0; i < gen_arch_count(arches); i++) {
		const char *family = arch_family(gen_arch_at(arches, i), arches);
		unsigned same = 0;
		for (unsigned o = 0; o < i; o++)
			same += !strcmp(arch_family(gen_arch_at(arches, o), arches), family);
		families += !same;
	}
	return families;
}

static inline unsigned gen_arches(struct gen *g)
{
	unsigned all = (1u << ARCH_NR) - 1, some = ARCH_BIT(ARCH_X86_64);

	if (g->flags & GEN_JSON)
		return gen_machines(g);
	if (gen_chance(g, 35))
		return some | gen_subset(g, ARCH_BIT(ARCH_X32) | ARCH_BIT(ARCH_I386));
	if (gen_chance(g, 60))
		return ARCH_BIT(gen_arch_of(g, all));
	/* Some machines with what they are compatible with, or compatible ones alone. */
	do
		some = gen_subset(g, gen_subset(g, all));
	while (gen_families(some) > 3);
	return some;
}

/* A header's verdict: default (which says whether `deny` is legal), unknown, foreign. */
static inline bool gen_header(struct gen *g, const char *word, unsigned open)
{
	buf_printf(g->out, "\n\t%s ", word);
	if (gen_chance(g, open)) {
		static const char *const lets[] = { "allow", "log", "trace 7", "notify" };
		buf_puts(g->out, lets[gen_below(g, g->flags & GEN_JSON ? 3 : 4)]);
		buf_puts(g->out, ";");
		return false;
	}
	switch (gen_below(g, 6)) {
	case 0: buf_puts(g->out, "kill"); break;
	case 1: buf_puts(g->out, "kill-thread"); break;
	case 2: buf_printf(g->out, "trap %u", g->flags & GEN_JSON ? 0 : gen_below(g, 65536)); break;
	default:
		if (word[0] == 'f') /* foreign: of no architecture, so errnos have no names there */
			buf_printf(g->out, "errno %u", gen_below(g, 4096));
		else
			gen_errno(g, gen_below(g, 4096));
	}
	buf_puts(g->out, ";");
	return true;
}

/* Is a call of this level known on all of the listed architectures that have it, or on none? */
static inline bool gen_level_is_alike(const struct gen *g, uint16_t level)
{
	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *s = syscall_at(i);
		unsigned known = 0, has = gen_has(s) & g->arches;
		for (int a = 0; a < ARCH_NR; a++)
			if (has & ARCH_BIT(a) && s->since[a] <= level)
				known |= ARCH_BIT(a);
		if (known && known != has)
			return false;
	}
	return true;
}

/*
 * Mostly 6.18, whose calls libseccomp knows; where one of them came later to an architecture
 * (memfd_secret to loongarch64), the newest of the tables: all calls are alike there.
 */
static inline void gen_level(struct gen *g)
{
	const struct syscall_info *s = syscall_at(gen_below(g, (unsigned)syscall_count()));
	uint16_t since = s->since[gen_arch_of(g, g->arches)], level = KERNEL_VERSION_OF(6, 18);

	if (!gen_chance(g, 40) && since > KERNEL_VERSION_OF(2, 6)) {
		unsigned minor = since & 0xff;
		if (minor && gen_chance(g, 50))
			minor--;
		level = KERNEL_VERSION_OF((unsigned)since >> 8, minor);
	}
	if (g->alike && !gen_level_is_alike(g, level))
		level = KERNEL_VERSION_OF(6, 18);
	if (g->alike && !gen_level_is_alike(g, level))
		level = tables_level;
	buf_printf(g->out, "\n\tlevel linux %u.%u;", level >> 8, level & 0xff);
}

static inline void gen_plain(struct gen *g, unsigned n)
{
	buf_puts(g->out, "\n\tallow ");
	for (unsigned i = 0; i < n; i++) {
		char name[32];
		gen_call(g, name);
		buf_printf(g->out, "%s%s", i ? ", " : "", name);
	}
	buf_puts(g->out, ";");
}

/* Refused, or allowed: then what they make is plainly allowed, too. */
static inline void gen_multiplexers(struct gen *g)
{
	static const char *const muxes[] = { "socketcall", "ipc" };

	g->mux_refused = gen_chance(g, 60);
	for (unsigned i = 0; i < 2; i++)
		if (gen_has(syscall_by_name(str_c(muxes[i]))) & g->arches &&
		    (g->mux_refused || g->flags & GEN_JSON))
			buf_printf(g->out, "\n\t%s %s;",
				   !g->mux_refused     ? "allow" :
				   g->flags & GEN_JSON ? "errno EPERM" :
							 "errno ENOSYS",
				   muxes[i]);
}

/*
 * What runc's stub answers, or a default that keeps it away. For programs: half the time as the
 * default, whose verdict stands at `verdict`; else every hole in the numbers shows.
 */
static inline void gen_unknown(struct gen *g, size_t verdict)
{
	if (!(g->flags & GEN_JSON) && gen_chance(g, 50)) {
		size_t n = g->out->n - verdict;
		buf_puts(g->out, "\n\tunknown");
		for (size_t i = 0; i < n; i++)
			buf_putc(g->out, g->out->p[verdict + i]);
	} else if (!(g->flags & GEN_STUB))
		gen_header(g, "unknown", g->flags & GEN_JSON ? 5 : 20);
	else if (gen_chance(g, 90))
		buf_puts(g->out, "\n\tunknown errno ENOSYS;");
	else
		gen_header(g, "unknown", 100);
}

/* Into out, which is emptied first. The policy is called r. */
static inline void gen_policy(uint64_t seed, unsigned flags, struct buf *out)
{
	struct gen g = { .random = seed, .out = out, .flags = flags };

	out->n = 0;
	g.alike = flags & GEN_JSON && !gen_chance(&g, 3);
	g.arches = gen_arches(&g);
	g.data_seed = (uint32_t)gen_next(&g);
	buf_puts(out, "policy r {\n\tlayers seccomp;\n\tarch ");
	gen_arch_names(&g, g.arches);
	buf_puts(out, ";");
	gen_level(&g);
	size_t header = out->n;
	g.refuses = gen_header(&g, "default", 20);
	gen_unknown(&g, header + strlen("\n\tdefault"));
	gen_header(&g, "foreign", 5);
	gen_multiplexers(&g);
	if (gen_chance(&g, 50))
		gen_plain(&g, 1 + gen_below(&g, flags & GEN_LARGE ? (gen_chance(&g, 5) ? 300 : 8) :
								    20));
	for (unsigned n = gen_below(&g, gen_chance(&g, 3) && flags & GEN_LARGE ? 60 : 7); n; n--)
		gen_group(&g);
	buf_puts(out, "\n}\n");
}
