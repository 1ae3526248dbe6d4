/* SPDX-License-Identifier: Apache-2.0 */
/*
 * above ACTION CALL ... -- CMD [ARG...]: executes CMD under a filter that answers these calls
 * without asking the kernel. ACTION: fake (an errno of 0: success, to the caller), an errno's
 * number, or kill. CALL: NR, or NR,ARG,VALUE (the low 32 bits of that argument).
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct sock_filter insns[512];
static unsigned short n;

static void add(unsigned short code, unsigned k, unsigned char yes, unsigned char no)
{
	insns[n++] = (struct sock_filter){ code, yes, no, k };
}

static void add_call(const char *text, unsigned action)
{
	unsigned nr, arg, value;
	int got = sscanf(text, "%u,%u,%u", &nr, &arg, &value);

	if (got != 1 && got != 3)
		exit(2);
	add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	add(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, got == 3 ? 3 : 1);
	if (got == 3) {
		add(BPF_LD | BPF_W | BPF_ABS,
		    (unsigned)offsetof(struct seccomp_data, args) + 8 * arg, 0, 0);
		add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	}
	add(BPF_RET | BPF_K, action, 0, 0);
}

int main(int argc, char **argv)
{
	unsigned action = argc < 2                 ? 0 :
			  !strcmp(argv[1], "kill") ? SECCOMP_RET_KILL_PROCESS :
						     SECCOMP_RET_ERRNO | (unsigned)atoi(argv[1]);
	int i = 2;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		add_call(argv[i], action);
	add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	struct sock_fprog prog = { n, insns };
	/* Without no_new_privs where that can be: who is root may do without. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	     prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog)))
		return 3;
	execv(argv[i + 1], argv + i + 1);
	return 3;
}
