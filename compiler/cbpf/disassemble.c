/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listing for people: index, instruction with absolute targets, and what it looks at. What A
 * holds is followed in text order and forgotten where a jump lands, unless all ways in agree.
 */
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/cbpf.h"

/* What the accumulator holds: an offset into seccomp_data, maybe masked since. */
struct held {
	enum { HELD_UNREACHED, HELD_WORD, HELD_OTHER } kind;
	uint32_t offset;
	uint32_t mask;
};

struct listing {
	const struct cbpf *prog;
	struct held held[CBPF_MAX];
	uint32_t audit[CBPF_MAX]; /* the architecture that the way here has tested for; 0: none */
	struct buf *out;
};

static void join_held(struct listing *l, size_t at, struct held h, uint32_t audit)
{
	if (at >= l->prog->n)
		return;
	struct held *to = &l->held[at];
	if (to->kind == HELD_UNREACHED) {
		*to = h;
		l->audit[at] = audit;
		return;
	}
	if (to->kind != h.kind || to->offset != h.offset || to->mask != h.mask)
		*to = (struct held){ HELD_OTHER, 0, 0 };
	if (l->audit[at] != audit)
		l->audit[at] = 0;
}

static struct held step_held(const struct sock_filter *f, struct held h)
{
	if (f->code == (BPF_LD | BPF_W | BPF_ABS))
		return (struct held){ HELD_WORD, f->k, UINT32_MAX };
	if (f->code == (BPF_ALU | BPF_AND | BPF_K) && h.kind == HELD_WORD)
		return (struct held){ HELD_WORD, h.offset, h.mask & f->k };
	if (BPF_CLASS(f->code) == BPF_LD || BPF_CLASS(f->code) == BPF_ALU ||
	    f->code == (BPF_MISC | BPF_TXA))
		return (struct held){ HELD_OTHER, 0, 0 };
	return h;
}

/* Jumps only go forward: one pass over the text sees every way in before the place itself. */
static void follow(struct listing *l)
{
	join_held(l, 0, (struct held){ HELD_OTHER, 0, 0 }, 0);
	for (size_t i = 0; i < l->prog->n; i++) {
		const struct sock_filter *f = &l->prog->insns[i];
		struct held h = l->held[i];
		uint32_t audit = l->audit[i];
		if (h.kind == HELD_UNREACHED || BPF_CLASS(f->code) == BPF_RET ||
		    !cbpf_code_allowed(f->code))
			continue;
		if (BPF_CLASS(f->code) != BPF_JMP) {
			join_held(l, i + 1, step_held(f, h), audit);
			continue;
		}
		if (BPF_OP(f->code) == BPF_JA) {
			join_held(l, i + 1 + f->k, h, audit);
			continue;
		}
		bool arch = f->code == (BPF_JMP | BPF_JEQ | BPF_K) && h.kind == HELD_WORD &&
			    h.offset == offsetof(struct seccomp_data, arch);
		join_held(l, i + 1 + f->jt, h, arch ? f->k : audit);
		join_held(l, i + 1 + f->jf, h, audit);
	}
}

static void print_word(struct buf *b, const struct cbpf *prog, uint32_t offset)
{
	if (offset == offsetof(struct seccomp_data, nr)) {
		buf_puts(b, "nr");
	} else if (offset == offsetof(struct seccomp_data, arch)) {
		buf_puts(b, "arch");
	} else if (offset < offsetof(struct seccomp_data, args)) {
		buf_printf(b, "ip.%s", !(offset & 4) == prog->big_endian ? "high" : "low");
	} else {
		uint32_t o = offset - (uint32_t)offsetof(struct seccomp_data, args);
		buf_printf(b, "arg%u.%s", o / 8, !(o & 4) == prog->big_endian ? "high" : "low");
	}
}

static void print_operand(struct buf *b, const struct sock_filter *f)
{
	if (BPF_SRC(f->code) == BPF_X)
		buf_puts(b, "x");
	else
		buf_printf(b, "#%#x", f->k);
}

static const char *alu_name(uint16_t code)
{
	switch (BPF_OP(code)) {
	case BPF_ADD: return "add";
	case BPF_SUB: return "sub";
	case BPF_MUL: return "mul";
	case BPF_DIV: return "div";
	case BPF_OR: return "or";
	case BPF_AND: return "and";
	case BPF_LSH: return "lsh";
	case BPF_RSH: return "rsh";
	case BPF_XOR: return "xor";
	}
	return "neg";
}

static const char *jump_name(uint16_t code)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ: return "jeq";
	case BPF_JGT: return "jgt";
	case BPF_JGE: return "jge";
	}
	return "jset";
}

static void print_load(struct buf *b, const struct sock_filter *f)
{
	buf_puts(b, BPF_CLASS(f->code) == BPF_LDX ? "ldx " : "ld ");
	switch (BPF_MODE(f->code)) {
	case BPF_ABS: buf_printf(b, "[%u]", f->k); return;
	case BPF_LEN: buf_puts(b, "len"); return;
	case BPF_IMM: buf_printf(b, "#%#x", f->k); return;
	default: buf_printf(b, "M[%u]", f->k);
	}
}

static void print_insn(struct buf *b, const struct sock_filter *f, size_t at)
{
	if (!cbpf_code_allowed(f->code)) {
		buf_printf(b, "code %#x, %u, %u, #%#x", f->code, f->jt, f->jf, f->k);
		return;
	}
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
	case BPF_LDX: print_load(b, f); return;
	case BPF_ST:
	case BPF_STX:
		buf_printf(b, "%s M[%u]", BPF_CLASS(f->code) == BPF_ST ? "st" : "stx", f->k);
		return;
	case BPF_ALU:
		buf_puts(b, alu_name(f->code));
		if (BPF_OP(f->code) != BPF_NEG) {
			buf_putc(b, ' ');
			print_operand(b, f);
		}
		return;
	case BPF_JMP:
		if (BPF_OP(f->code) == BPF_JA) {
			buf_printf(b, "ja %zu", at + 1 + f->k);
			return;
		}
		buf_printf(b, "%s ", jump_name(f->code));
		print_operand(b, f);
		buf_printf(b, ", %zu, %zu", at + 1 + f->jt, at + 1 + f->jf);
		return;
	case BPF_RET:
		if (BPF_RVAL(f->code) == BPF_A)
			buf_puts(b, "ret a");
		else
			buf_printf(b, "ret #%#x", f->k);
		return;
	}
	buf_puts(b, BPF_MISCOP(f->code) == BPF_TAX ? "tax" : "txa");
}

/* "x86_64: getpid" for a test of the number; equal numbers of several ABIs: the first named. */
static void comment_nr(struct buf *b, uint32_t audit, uint32_t nr)
{
	uint32_t plain = nr;
	int arch = arch_of_call(audit, &plain);

	if (arch < 0)
		return;
	const struct syscall_info *s = syscall_by_nr((enum arch)arch, plain);
	if (s)
		buf_printf(b, " (%s %s)", arch_info((enum arch)arch)->name, s->name);
}

static void comment_arch(struct buf *b, uint32_t audit)
{
	const char *sep = " (";

	for (unsigned a = 0; a < ARCH_NR; a++) {
		if (arch_info((enum arch)a)->audit != audit)
			continue;
		buf_printf(b, "%s%s", sep, arch_info((enum arch)a)->name);
		sep = ", ";
	}
	if (sep[0] == ',')
		buf_putc(b, ')');
}

static void comment_test(const struct listing *l, size_t i, struct buf *b)
{
	static const char *const op[] = { "==", ">", ">=", "&" };
	const struct sock_filter *f = &l->prog->insns[i];
	struct held h = l->held[i];

	if (h.kind != HELD_WORD)
		return;
	if (h.mask != UINT32_MAX)
		buf_putc(b, '(');
	print_word(b, l->prog, h.offset);
	if (h.mask != UINT32_MAX)
		buf_printf(b, " & %#x)", h.mask);
	buf_printf(b, " %s ", op[(BPF_OP(f->code) >> 4) - 1]);
	if (BPF_SRC(f->code) == BPF_X)
		buf_puts(b, "x");
	else if (h.offset == offsetof(struct seccomp_data, nr))
		buf_printf(b, "%u", f->k);
	else
		buf_printf(b, "%#x", f->k);
	if (BPF_SRC(f->code) == BPF_X || h.mask != UINT32_MAX)
		return;
	if (h.offset == offsetof(struct seccomp_data, arch))
		comment_arch(b, f->k);
	else if (h.offset == offsetof(struct seccomp_data, nr) && l->audit[i])
		comment_nr(b, l->audit[i], f->k);
}

static void print_comment(const struct listing *l, size_t i, struct buf *b)
{
	const struct sock_filter *f = &l->prog->insns[i];

	if (!cbpf_code_allowed(f->code))
		buf_puts(b, "not for seccomp filters");
	else if (l->held[i].kind == HELD_UNREACHED)
		buf_puts(b, "never reached");
	else if (f->code == (BPF_LD | BPF_W | BPF_ABS))
		print_word(b, l->prog, f->k);
	else if (f->code == (BPF_RET | BPF_K))
		verdict_print(b, verdict_from_ret(f->k));
	else if (BPF_CLASS(f->code) == BPF_JMP && BPF_OP(f->code) != BPF_JA)
		comment_test(l, i, b);
}

static void print_line(const struct listing *l, size_t i)
{
	BUF_AUTO text = { 0 };
	BUF_AUTO comment = { 0 };

	print_insn(&text, &l->prog->insns[i], i);
	print_comment(l, i, &comment);
	if (comment.n)
		buf_printf(l->out, "%4zu: %-28s ; %s\n", i, text.p, comment.p);
	else
		buf_printf(l->out, "%4zu: %s\n", i, text.p ? text.p : "");
}

void cbpf_disassemble(const struct cbpf *prog, struct buf *out)
{
	struct listing l = { .prog = prog, .out = out };

	BUG_ON(prog->n > CBPF_MAX);
	follow(&l);
	for (size_t i = 0; i < prog->n; i++)
		print_line(&l, i);
}
