/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness FILTER: what a filter, as holdfilter read it from the kernel, answers to real calls, a line
 * each on stdin, "x86_64 NUMBER ARG..." or "i386 NUMBER ARG..." (all in hex): "passes", "errno N",
 * "trap" or "dies". Nothing is carried out: an older filter answers what passes.
 * witness FILTER COMMAND...: the command under it.
 */
#include <inttypes.h>

#include "compiler/base/bug.h"
#include "tests/sim/kernel.h"

static struct sock_filter insns[4096];

static struct cbpf read_filter(const char *path)
{
	struct cbpf f = { .insns = insns };
	FILE *in = fopen(path, "rb");

	if (!in || !(f.n = fread(insns, sizeof(*insns), 4096, in))) {
		perror(path);
		exit(3);
	}
	fclose(in);
	return f;
}

static _Noreturn void execute(const struct cbpf *f, char **argv)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || attach(f->insns, f->n)) {
		perror("witness: attach");
		exit(3);
	}
	execv(argv[0], argv);
	perror(argv[0]);
	exit(126);
}

static bool read_call(struct batch *b, char *line)
{
	struct call *c = &b->calls[b->n];
	char *at;

	if (!(at = strchr(line, ' ')) || b->n == 4096)
		return false;
	c->audit_arch = strncmp(line, "i386 ", 5) ? AUDIT_X86_64 : AUDIT_I386;
	c->nr = (uint32_t)strtoul(at, &at, 16);
	for (int i = 0; i < 6; i++)
		c->args[i] = strtoull(at, &at, 16);
	b->n++;
	return true;
}

int main(int argc, char **argv)
{
	struct batch *b = batch_new();
	char line[256];

#ifndef __x86_64__
	return 77;
#endif
	if (argc < 2)
		return 2;
	struct cbpf f = read_filter(argv[1]);
	if (argc > 2)
		execute(&f, argv + 2);
	while (fgets(line, sizeof(line), stdin))
		if (!read_call(b, line))
			return 2;
	while (!run_child(b, &marker, &f) && b->done < b->n)
		b->done++;
	if (b->attach) {
		printf("not attached: %s\n", strerror(b->attach));
		return 1;
	}
	for (size_t i = 0; i < b->n; i++) {
		struct reading r = b->readings[i];
		if (r.kind == READ_ERRNO && r.value == MARKER)
			puts("passes");
		else if (r.kind == READ_ERRNO)
			printf("errno %d\n", r.value);
		else
			puts(r.kind == READ_TRAP ? "trap" : "dies");
	}
	return 0;
}
