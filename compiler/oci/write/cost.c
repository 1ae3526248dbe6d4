/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a condition costs. libseccomp builds one comparison of the number after another, calls without
 * conditions first (src/db.c: priority), where it is not asked for a tree, which runc does from 1.2 on
 * and crun never does (libcrun/seccomp.c). The kernel keeps no answer of a call with a condition, so
 * each runs the whole list.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/write/writer.h"

enum { COSTLY = 100 }; /* instructions; a tree takes some 25 */

/*
 * 1 % or more of the calls of a server, of a compiler or of an interpreter (tests/bench/traces), and
 * their likes.
 */
static const char *const often[] = {
	"brk",    "clock_nanosleep", "close",        "epoll_ctl",      "epoll_pwait", "epoll_wait",
	"fcntl",  "fstat",           "futex",        "ioctl",          "lseek",       "madvise",
	"mmap",   "mprotect",        "munmap",       "newfstatat",     "openat",      "poll",
	"ppoll",  "pread64",         "pwrite64",     "read",           "recvfrom",    "recvmsg",
	"sendto", "sendmsg",         "rt_sigaction", "rt_sigprocmask", "write",       "writev",
};

static bool is_made_often(const struct syscall_info *sys)
{
	for (size_t i = 0; i < ARRAY_SIZE(often); i++)
		if (!strcmp(sys->name, often[i]))
			return true;
	return false;
}

/* The longest way to an answer that lets the call pass, of those that its entries name. */
static unsigned steps_of(const struct oci_name *name, enum arch a, const struct cbpf *prog)
{
	unsigned most = 0;

	vec_each(&name->pieces, p) {
		struct call c = { .audit_arch = arch_info(a)->audit,
				  .nr = oci_number(name->sys, a) };
		unsigned steps;
		if (verdict_refuses(p->cube.c.verdict) || !oci_has_conditions(p))
			continue;
		memcpy(c.args, p->cube.c.value, sizeof(c.args));
		if (p->cube.ordered)
			c.args[p->cube.arg] = p->cube.bound;
		for (size_t i = 0; i < p->list.n; i++)
			c.args[p->list.v[i].arg] = p->list.v[i].value;
		cbpf_run(prog, &c, &steps);
		most = steps > most ? steps : most;
	}
	return most;
}

bool oci_builds_list(const struct oci_runtime *rt)
{
	return rt->kind == OCI_CRUN || rt->version < OCI_VERSION(1, 2, 0);
}

void oci_tell_cost(struct writer *w, enum arch host, const struct cbpf *prog)
{
	const struct oci_runtime *rt = &w->opt->runtime;
	const struct oci_name *costly = NULL;
	unsigned most = COSTLY, steps;
	size_t many = 0;

	if (w->opt->is_question)
		return;
	vec_each(&w->names, name) {
		if (!oci_builds_list(rt) || name->sys->nr[host] < 0 || !is_made_often(name->sys))
			continue;
		steps = steps_of(name, host, prog);
		many += steps > COSTLY;
		if (steps <= most)
			continue;
		most = steps;
		costly = name;
	}
	if (!costly || oci_told(w, DIAG_PL247, oci_call_span(w, costly->sys)))
		return;
	const char *others = many > 1 ? arena_printf(w->arena, " (and %zu more that %s made often)",
						     many - 1, many == 2 ? "is" : "are") :
					"";
	struct diag *d = diag_add(
		w->ds, DIAG_PL247, oci_call_span(w, costly->sys),
		"'%s'%s runs up to %u instructions of the filter that libseccomp builds on %s: with %s a call "
		"with a condition comes behind all others",
		costly->sys->name, others, most, arch_info(host)->name,
		rt->kind == OCI_CRUN ? "crun" : "runc before 1.2");
	diag_help(w->ds, d,
		  "runc from 1.2 on builds a tree ('--runtime docker-28.5'); or decide the call "
		  "without a condition");
}
