/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitrary bytes as a program: reading, checking and listing never crash, and what the checker
 * takes ends in a verdict within its length. Its first 56 bytes are a call, too.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/cbpf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(const uint8_t *data, size_t size, const struct call *c)
{
	struct arena *a = arena_new(NULL);
	struct sources *ss = sources_new(a);
	struct diags *ds = diags_new(a, ss);
	struct source *src = source_add(ss, "fuzz", (struct str){ (const char *)data, size });
	struct cbpf prog;
	unsigned steps;
	BUF_AUTO text = { 0 };
	BUF_AUTO again = { 0 };

	int err = cbpf_read(a, src, &prog, ds);
	BUG_ON((err != 0) != (ds->errors != 0));
	if (err == 0) {
		cbpf_run(&prog, c, &steps);
		BUG_ON(steps == 0 || steps > prog.n);
		if (cbpf_const_allow(&prog, c->audit_arch, c->nr))
			BUG_ON(cbpf_run(&prog, c, NULL) != 0x7fff0000);
		cbpf_write(&prog, &again);
		BUG_ON(again.n != size || memcmp(again.p, data, size));
	}
	if (prog.n)
		cbpf_disassemble(&prog, &text);
	arena_free(a);
}

/* Wild operands of right instructions: what is left of an input goes here. */
static void check_insns(const uint8_t *data, size_t size, const struct call *c)
{
	struct sock_filter insns[512];
	size_t n = size / sizeof(*insns);
	size_t at;

	n = n < 512 ? n : 512;
	memcpy(insns, data, n * sizeof(*insns));
	for (size_t i = 0; i < n; i++)
		insns[i].code &= 0xff;
	if (n)
		insns[n - 1] = (struct sock_filter){ .code = BPF_RET | BPF_A };
	const char *why = cbpf_check(insns, n, &at);
	struct cbpf prog = { .insns = insns, .n = n, .big_endian = size & 1 };
	if (!why)
		cbpf_run(&prog, c, NULL);
	else
		BUG_ON(n && at >= n);
	BUF_AUTO text = { 0 };
	cbpf_disassemble(&prog, &text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct call c = { .audit_arch = 0xc000003e, .nr = 1 };
	size_t taken = size > sizeof(c) ? sizeof(c) : 0;

	memcpy(&c, data, taken);
	check_bytes(data, size, &c);
	check_insns(data + taken, size - taken, &c);
	return 0;
}
