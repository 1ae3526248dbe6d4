/* SPDX-License-Identifier: Apache-2.0 */
/* struct sock_filter[] to a file's bytes and back, in the byte order of the machine it is for. */
#include <string.h>

#include "compiler/cbpf/cbpf.h"

enum { INSN_BYTES = 8 };

static void put_insn(unsigned char *p, const struct sock_filter *f, bool big)
{
	for (unsigned i = 0; i < 2; i++)
		p[i] = (unsigned char)(f->code >> (big ? 8 - 8 * i : 8 * i));
	p[2] = f->jt;
	p[3] = f->jf;
	for (unsigned i = 0; i < 4; i++)
		p[4 + i] = (unsigned char)(f->k >> (big ? 24 - 8 * i : 8 * i));
}

static struct sock_filter get_insn(const unsigned char *p, bool big)
{
	struct sock_filter f = { .jt = p[2], .jf = p[3] };

	for (unsigned i = 0; i < 2; i++)
		f.code = (uint16_t)(f.code | p[i] << (big ? 8 - 8 * i : 8 * i));
	for (unsigned i = 0; i < 4; i++)
		f.k |= (uint32_t)p[4 + i] << (big ? 24 - 8 * i : 8 * i);
	return f;
}

void cbpf_write(const struct cbpf *prog, struct buf *out)
{
	for (size_t i = 0; i < prog->n; i++) {
		unsigned char bytes[INSN_BYTES];
		put_insn(bytes, &prog->insns[i], prog->big_endian);
		buf_add(out, bytes, sizeof(bytes));
	}
}

/*
 * Every code fits a byte and a program ends with a return, so one byte of the last code is
 * zero and tells the order. (The first instruction would not: LD IMM is 0.)
 */
static bool looks_big_endian(const unsigned char *p, size_t n)
{
	return p[(n - 1) * INSN_BYTES] == 0;
}

int cbpf_read(struct arena *a, struct source *src, struct cbpf *out, struct diags *ds)
{
	const unsigned char *p = (const unsigned char *)src->text.p;
	size_t n = src->text.n / INSN_BYTES;
	struct span all = { src->id, 0, 0 };
	struct diag *d;

	*out = (struct cbpf){ 0 };
	if (n == 0 || src->text.n % INSN_BYTES) {
		d = diag_add(ds, DIAG_PL201, all,
			     "%zu bytes are not a BPF program: instructions are 8 bytes each",
			     src->text.n);
		diag_help(ds, d,
			  "expected struct sock_filter[], as `pale compile -t bpf` writes it");
		return -1;
	}
	if (n > CBPF_MAX) {
		d = diag_add(ds, DIAG_PL201, all, "%zu instructions: the kernel takes at most %d",
			     n, CBPF_MAX);
		diag_help(ds, d, "split the filter in two: the kernel combines stacked filters");
		return -1;
	}
	out->big_endian = looks_big_endian(p, n);
	out->insns = ARENA_ARRAY(a, struct sock_filter, n);
	out->n = n;
	for (size_t i = 0; i < n; i++)
		out->insns[i] = get_insn(p + i * INSN_BYTES, out->big_endian);

	size_t at;
	const char *why = cbpf_check(out->insns, n, &at);
	if (!why)
		return 0;
	d = diag_add(ds, DIAG_PL201, all, "instruction %zu: %s", at, why);
	diag_help(ds, d, "the kernel refuses to attach this program");
	return -1;
}
