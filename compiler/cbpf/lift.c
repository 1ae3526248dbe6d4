/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forward: which machine states reach which instruction. A state is what A, X and the scratch
 * words hold, as interned words; what no path reads again is left out of it, so that paths
 * which differ in dead values only are one. Programs have no loops: instructions are visited
 * in order. Backward: each (instruction, state) is a diagram,
 *
 *	ret k          terminal(k)
 *	jmp t, f       test ? diagram(t) : diagram(f)
 *	other          diagram(next)
 */
#include "compiler/cbpf/lift.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/word.h"

enum {
	REG_A,
	REG_X,
	REG_MEM, /* and 15 more */
	REGS = REG_MEM + BPF_MEMWORDS,
	STATES_MAX = 1 << 18, /* over all instructions */
	STEPS_MAX = 1 << 22,  /* a second or so */
};

struct state {
	word_id reg[REGS]; /* WORD_NONE: dead */
};

struct point { /* an instruction in a state */
	uint32_t pc;
	uint32_t state;
	uint32_t next[2]; /* points; a jump: where it holds, where not; else next[0] */
	uint16_t op;      /* BPF_JEQ ...; 0: next[0] follows. As decided: constant tests are none */
	word_id x, y;     /* compared; y WORD_NONE: the instruction's own constant */
	dd_node node;
};

struct point_list {
	VEC(uint32_t) ids;
};

struct lifting {
	struct dd *dd;
	struct arena *arena;
	const struct cbpf *prog;
	struct words words;
	uint32_t *live; /* by instruction: registers that are read there or later, bits */
	VEC(struct state) states;
	VEC(uint32_t) known;       /* by state: registers that are not WORD_NONE, bits */
	VEC(uint32_t) state_table; /* open addressing, UINT32_MAX: free; n is its size */
	VEC(struct point) points;
	VEC(uint32_t) point_table; /* likewise */
	struct point_list *at;     /* by instruction */
	bool failed;
};

/* ---- which registers are read again ---- */

static uint32_t reads(const struct sock_filter *f)
{
	uint32_t mem = f->k < BPF_MEMWORDS ? 1u << (REG_MEM + f->k) : 0;

	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
	case BPF_LDX: return BPF_MODE(f->code) == BPF_MEM ? mem : 0;
	case BPF_ST: return 1u << REG_A;
	case BPF_STX: return 1u << REG_X;
	case BPF_ALU:
		if (BPF_OP(f->code) == BPF_NEG)
			return 1u << REG_A;
		return 1u << REG_A | (BPF_SRC(f->code) == BPF_X ? 1u << REG_X : 0);
	case BPF_JMP:
		if (BPF_OP(f->code) == BPF_JA)
			return 0;
		return 1u << REG_A | (BPF_SRC(f->code) == BPF_X ? 1u << REG_X : 0);
	case BPF_RET: return BPF_RVAL(f->code) == BPF_A ? 1u << REG_A : 0;
	case BPF_MISC: return BPF_MISCOP(f->code) == BPF_TAX ? 1u << REG_A : 1u << REG_X;
	}
	BUG("instruction class");
}

static uint32_t writes(const struct sock_filter *f)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
	case BPF_ALU: return 1u << REG_A;
	case BPF_LDX: return 1u << REG_X;
	case BPF_ST:
	case BPF_STX: return 1u << (REG_MEM + f->k);
	case BPF_MISC: return BPF_MISCOP(f->code) == BPF_TAX ? 1u << REG_X : 1u << REG_A;
	}
	return 0;
}

static void find_live(struct lifting *l)
{
	for (size_t pc = l->prog->n; pc-- > 0;) {
		const struct sock_filter *f = &l->prog->insns[pc];
		uint32_t after = 0;

		if (f->code == (BPF_JMP | BPF_JA))
			after = l->live[pc + 1 + f->k];
		else if (BPF_CLASS(f->code) == BPF_JMP)
			after = l->live[pc + 1 + f->jt] | l->live[pc + 1 + f->jf];
		else if (BPF_CLASS(f->code) != BPF_RET)
			after = l->live[pc + 1];
		l->live[pc] = (after & ~writes(f)) | reads(f);
	}
}

/* ---- forward ---- */

static size_t hash_state(const struct state *s)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < REGS; i++)
		h = (h ^ s->reg[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ h >> 29;
	return (size_t)(h ^ h >> 32);
}

static void states_grow(struct lifting *l)
{
	size_t size = l->state_table.n ? l->state_table.n * 2 : 256;

	l->state_table.v = ARENA_ARRAY(l->arena, uint32_t, size);
	l->state_table.n = l->state_table.cap = size;
	memset(l->state_table.v, 0xff, size * sizeof(uint32_t));
	for (size_t n = 0; n < l->states.n; n++) {
		size_t i = hash_state(&l->states.v[n]) & (size - 1);
		while (l->state_table.v[i] != UINT32_MAX)
			i = (i + 1) & (size - 1);
		l->state_table.v[i] = (uint32_t)n;
	}
}

static uint32_t intern_state(struct lifting *l, const struct state *s)
{
	size_t i = hash_state(s) & (l->state_table.n - 1);

	for (; l->state_table.v[i] != UINT32_MAX; i = (i + 1) & (l->state_table.n - 1))
		if (!memcmp(&l->states.v[l->state_table.v[i]], s, sizeof(*s)))
			return l->state_table.v[i];
	uint32_t known = 0;
	for (unsigned r = 0; r < REGS; r++)
		known |= (uint32_t)(s->reg[r] != WORD_NONE) << r;
	l->state_table.v[i] = (uint32_t)l->states.n;
	vec_push(l->arena, &l->states, *s);
	vec_push(l->arena, &l->known, known);
	if (l->states.n * 2 > l->state_table.n)
		states_grow(l);
	return (uint32_t)(l->states.n - 1);
}

static size_t hash_point(uint32_t pc, uint32_t state)
{
	uint64_t h = ((uint64_t)pc << 32 | state) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(h ^ h >> 32);
}

static void points_grow(struct lifting *l)
{
	size_t size = l->point_table.n ? l->point_table.n * 2 : 1024;

	l->point_table.v = ARENA_ARRAY(l->arena, uint32_t, size);
	l->point_table.n = l->point_table.cap = size;
	memset(l->point_table.v, 0xff, size * sizeof(uint32_t));
	for (size_t n = 0; n < l->points.n; n++) {
		size_t i = hash_point(l->points.v[n].pc, l->points.v[n].state) & (size - 1);
		while (l->point_table.v[i] != UINT32_MAX)
			i = (i + 1) & (size - 1);
		l->point_table.v[i] = (uint32_t)n;
	}
}

static uint32_t intern_point(struct lifting *l, uint32_t pc, uint32_t state)
{
	size_t i = hash_point(pc, state) & (l->point_table.n - 1);

	for (; l->point_table.v[i] != UINT32_MAX; i = (i + 1) & (l->point_table.n - 1)) {
		const struct point *p = &l->points.v[l->point_table.v[i]];
		if (p->pc == pc && p->state == state)
			return l->point_table.v[i];
	}
	if (l->points.n >= STATES_MAX) {
		l->failed = true;
		return 0;
	}
	l->point_table.v[i] = (uint32_t)l->points.n;
	vec_push(l->arena, &l->points, ((struct point){ .pc = pc, .state = state }));
	vec_push(l->arena, &l->at[pc].ids, (uint32_t)(l->points.n - 1));
	if (l->points.n * 2 > l->point_table.n)
		points_grow(l);
	return (uint32_t)(l->points.n - 1);
}

/* The point for this instruction in this state; dead registers are forgotten. */
static uint32_t reach(struct lifting *l, size_t pc, struct state s)
{
	for (unsigned i = 0; i < REGS; i++)
		if (!(l->live[pc] >> i & 1))
			s.reg[i] = WORD_NONE;
		else if (s.reg[i] == WORD_NONE)
			l->failed = true; /* the manager's budget: live, and not known */
	return intern_point(l, (uint32_t)pc, intern_state(l, &s));
}

/* The same without a change of state. */
static uint32_t reach_in(struct lifting *l, size_t pc, uint32_t state)
{
	if (l->known.v[state] == l->live[pc]) /* nothing to forget, nothing missing */
		return intern_point(l, (uint32_t)pc, state);
	return reach(l, pc, l->states.v[state]);
}

/* struct seccomp_data: nr, arch, then 64-bit values in the machine's byte order. */
static word_id load(struct lifting *l, uint32_t offset)
{
	if (offset == offsetof(struct seccomp_data, nr))
		return word_input(&l->words, DD_CALL, 0);
	if (offset == offsetof(struct seccomp_data, arch))
		return word_input(&l->words, DD_CALL, 32);
	bool second = offset & 4;
	enum dd_field f = DD_IP;
	if (offset >= offsetof(struct seccomp_data, args))
		f = (enum dd_field)((offset - offsetof(struct seccomp_data, args)) / 8);
	return word_input(&l->words, f, second == l->prog->big_endian ? 0 : 32);
}

static word_id loaded(struct lifting *l, const struct sock_filter *f, const struct state *s)
{
	switch (BPF_MODE(f->code)) {
	case BPF_ABS: return load(l, f->k);
	case BPF_LEN: return word_constant(&l->words, sizeof(struct seccomp_data));
	case BPF_IMM: return word_constant(&l->words, f->k);
	case BPF_MEM: return s->reg[REG_MEM + f->k];
	}
	BUG("load");
}

/* What the instruction leaves in the registers. */
static struct state step(struct lifting *l, const struct sock_filter *f, struct state s)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD: s.reg[REG_A] = loaded(l, f, &s); break;
	case BPF_LDX: s.reg[REG_X] = loaded(l, f, &s); break;
	case BPF_ST: s.reg[REG_MEM + f->k] = s.reg[REG_A]; break;
	case BPF_STX: s.reg[REG_MEM + f->k] = s.reg[REG_X]; break;
	case BPF_ALU:
		s.reg[REG_A] = word_alu(&l->words, BPF_OP(f->code), s.reg[REG_A],
					BPF_SRC(f->code) == BPF_X && BPF_OP(f->code) != BPF_NEG ?
						s.reg[REG_X] :
						word_constant(&l->words, f->k));
		break;
	case BPF_MISC:
		if (BPF_MISCOP(f->code) == BPF_TAX)
			s.reg[REG_X] = s.reg[REG_A];
		else
			s.reg[REG_A] = s.reg[REG_X];
		break;
	}
	return s;
}

/* A test of two constants is decided here, so that the branch not taken adds no state. */
static void visit_jump(struct lifting *l, uint32_t at, const struct sock_filter *f,
		       const struct state *s)
{
	size_t pc = l->points.v[at].pc;
	uint32_t state = l->points.v[at].state;
	word_id x = s->reg[REG_A], y = WORD_NONE;
	dd_node claim = DD_NONE;
	uint32_t next[2];

	if (x == WORD_NONE) {
		l->failed = true;
		return;
	}
	if (BPF_SRC(f->code) == BPF_X || !word_tests(&l->words, BPF_OP(f->code), x)) {
		y = BPF_SRC(f->code) == BPF_X ? s->reg[REG_X] : word_constant(&l->words, f->k);
		if (y == WORD_NONE) {
			l->failed = true;
			return;
		}
		if (l->words.list.v[x].constant && l->words.list.v[y].constant)
			claim = word_claim(&l->words, BPF_OP(f->code), x, y);
	}
	next[0] = claim == DD_FALSE ? 0 : reach_in(l, pc + 1 + f->jt, state);
	next[1] = claim == DD_TRUE ? 0 : reach_in(l, pc + 1 + f->jf, state);
	struct point *p = &l->points.v[at];
	p->next[0] = claim == DD_FALSE ? next[1] : next[0];
	p->next[1] = next[1];
	p->op = claim == DD_NONE ? BPF_OP(f->code) : 0;
	p->x = x;
	p->y = y;
}

/* Division by a zero X ends the program with 0, which kills the thread. */
static bool divides(const struct sock_filter *f)
{
	return f->code == (BPF_ALU | BPF_DIV | BPF_X);
}

static void visit(struct lifting *l, uint32_t at)
{
	struct point p = l->points.v[at];
	const struct sock_filter *f = &l->prog->insns[p.pc];
	struct state s = l->states.v[p.state];

	if (BPF_CLASS(f->code) == BPF_RET) {
		p.node = BPF_RVAL(f->code) == BPF_A ? word_verdict(&l->words, s.reg[REG_A]) :
						      dd_terminal(l->dd, verdict_from_ret(f->k));
		l->failed |= p.node == DD_NONE;
		l->points.v[at] = p;
	} else if (f->code == (BPF_JMP | BPF_JA)) {
		uint32_t next = reach_in(l, p.pc + 1 + f->k, p.state);
		l->points.v[at].next[0] = next;
	} else if (BPF_CLASS(f->code) == BPF_JMP) {
		visit_jump(l, at, f, &s);
	} else {
		uint32_t next = reach(l, p.pc + 1, step(l, f, s));
		l->points.v[at].next[0] = next;
		l->points.v[at].x = s.reg[REG_X];
	}
}

/* ---- backward ---- */

static dd_node point_node(struct lifting *l, const struct point *p)
{
	const struct sock_filter *f = &l->prog->insns[p->pc];
	dd_node next = l->points.v[p->next[0]].node;

	if (divides(f)) {
		dd_node kill = dd_terminal(l->dd, (struct verdict){ VERDICT_KILL_THREAD, 0 });
		return word_choose(&l->words, BPF_JEQ, p->x, word_constant(&l->words, 0), kill,
				   next);
	}
	if (!p->op)
		return next;
	if (p->y == WORD_NONE)
		return word_test(&l->words, p->op, p->x, f->k, next, l->points.v[p->next[1]].node);
	return word_choose(&l->words, p->op, p->x, p->y, next, l->points.v[p->next[1]].node);
}

dd_node cbpf_lift(struct dd *d, struct arena *scratch, const struct cbpf *prog)
{
	struct lifting l = { .dd = d, .arena = scratch, .prog = prog };
	struct state start;

	BUG_ON(cbpf_check(prog->insns, prog->n, NULL));
	words_init(&l.words, d, scratch);
	l.live = ARENA_ARRAY(scratch, uint32_t, prog->n);
	l.at = ARENA_ARRAY(scratch, struct point_list, prog->n);
	states_grow(&l);
	points_grow(&l);
	find_live(&l);
	for (unsigned i = 0; i < REGS; i++) /* net/core/filter.c: A and X start as zero */
		start.reg[i] = word_constant(&l.words, 0);
	size_t aside = dd_put_aside(d, STEPS_MAX);
	reach(&l, 0, start);
	for (size_t pc = 0; pc < prog->n && !l.failed; pc++)
		for (size_t i = 0; i < l.at[pc].ids.n && !l.failed; i++)
			visit(&l, l.at[pc].ids.v[i]);
	for (size_t pc = prog->n; pc-- > 0 && !l.failed;)
		vec_each(&l.at[pc].ids, i) {
			struct point *p = &l.points.v[*i];
			if (BPF_CLASS(prog->insns[pc].code) != BPF_RET)
				p->node = point_node(&l, p);
			l.failed |= p->node == DD_NONE;
		}
	dd_give_back(d, aside);
	return l.failed ? DD_NONE : l.points.v[0].node;
}
