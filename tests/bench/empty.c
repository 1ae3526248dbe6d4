/* SPDX-License-Identifier: Apache-2.0 */
/*
 * empty TRACEPOINT...: an empty BPF program at each of them, "ready", and so until its input ends. What a
 * recorder's programs cost beyond these is their own doing; what these cost nobody can go below.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int attach(const char *name)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insns = (uintptr_t)insns,
		.insn_cnt = sizeof(insns) / sizeof(*insns),
		.license = (uintptr_t) "GPL",
	};
	union bpf_attr open = { .raw_tracepoint.name = (uintptr_t)name };
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));

	if (fd < 0)
		return -1;
	open.raw_tracepoint.prog_fd = (uint32_t)fd;
	return (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &open, sizeof(open));
}

int main(int argc, char **argv)
{
	char c;

	for (int i = 1; i < argc; i++)
		if (attach(argv[i]) < 0) {
			perror(argv[i]);
			return 1;
		}
	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
