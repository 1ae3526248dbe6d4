/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine's libseccomp makes of a profile: the rules are handed over as runc does
 * (libcontainer/seccomp/seccomp_linux.go), in a child with a time limit, since
 * seccomp_rule_add() can take minutes and is not ours to trust.
 */
#include <byteswap.h>
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compiler/oci/runtime/library.h"
#include "compiler/oci/runtime/runtime.h"

enum { CHILD_REFUSED = 10, CHILD_NO_NATIVE, CHILD_NO_MEMORY, CHILD_NOT_WRITTEN, CHILD_EXISTS };

/* libseccomp's tokens are AUDIT_ARCH_*, but for x32, which has none of its own. */
static uint32_t scmp_arch(enum arch a)
{
	return a == ARCH_X32 ? SCMP_ARCH_X32 : arch_info(a)->audit;
}

static struct scmp_arg_cmp scmp_arg(const struct oci_arg *a)
{
	static const enum scmp_compare ops[OCI_OP_NR] = {
		[OCI_NE] = SCMP_CMP_NE,
		[OCI_LT] = SCMP_CMP_LT,
		[OCI_LE] = SCMP_CMP_LE,
		[OCI_EQ] = SCMP_CMP_EQ,
		[OCI_GE] = SCMP_CMP_GE,
		[OCI_GT] = SCMP_CMP_GT,
		[OCI_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};

	if (a->op == OCI_MASKED_EQ)
		return (struct scmp_arg_cmp){ a->index, ops[a->op], a->mask, a->value };
	return (struct scmp_arg_cmp){ a->index, ops[a->op], a->value, 0 };
}

/*
 * Rules go by the numbers of the machine that the library was built for. There a few names
 * share one pseudo number (sys_debug_setcontext has switch_endian's on x86_64): what libseccomp
 * does with them on their own machine cannot be seen from here.
 */
static bool name_is_distinct(const char *name)
{
	char *back = seccomp_syscall_resolve_num_arch(seccomp_arch_native(),
						      seccomp_syscall_resolve_name(name));
	bool same = back && !strcmp(back, name);

	free(back);
	return same;
}

/*
 * In an order of their own: a name without a number here gets a pseudo number, as in runc.
 * `own`: the filter is for the machine that this runs on.
 */
static int add_rule(scmp_filter_ctx ctx, const struct oci_profile *p, const struct oci_rule *r,
		    bool own)
{
	struct scmp_arg_cmp args[6];
	char name[64];
	const struct oci_entry *e = &p->entries.v[r->entry];

	if (r->handed.n >= sizeof(name) || r->nwritten > 6 || verdict_eq(e->verdict, p->dflt))
		return 0;
	memcpy(name, r->handed.p, r->handed.n);
	name[r->handed.n] = '\0';
	int nr = seccomp_syscall_resolve_name(name);
	if (nr == __NR_SCMP_ERROR || (!own && !name_is_distinct(name)))
		return 0;
	for (uint32_t i = 0; i < r->nwritten; i++)
		args[i] = scmp_arg(&r->written[i]);
	return seccomp_rule_add_array(ctx, verdict_to_ret(e->verdict), nr, r->nwritten, args);
}

/* libseccomp has other errors for memory that failed as well; malloc(3) leaves its own behind. */
static int refused(int err)
{
	return err == -ENOMEM || errno == ENOMEM ? CHILD_NO_MEMORY : CHILD_REFUSED;
}

/* libseccomp does not look at every malloc(3) and follows the null pointer (2.5.4). */
static void on_fault(int sig)
{
	(void)sig;
	_exit(refused(-EINVAL));
}

/*
 * Those that go before rules.v[before], *i of them having gone. With x32 declared libseccomp 2.5 may
 * then leave out the load of the call's number, so that no rule holds (src/gen_bpf.c).
 */
static int add_strangers(scmp_filter_ctx ctx, const struct oci_profile *p, size_t before, size_t *i,
			 const struct environment *env, bool own)
{
	int err = 0;

	for (; !err && *i < p->strangers.n && p->strangers.v[*i].before <= before; ++*i) {
		const struct oci_rule *r = &p->strangers.v[*i].rule;
		if (oci_gate_open(p->entries.v[r->entry].gate, env))
			err = add_rule(ctx, p, r, own);
	}
	return err;
}

static int refusal(int err)
{
	return err == -EEXIST ? CHILD_EXISTS : refused(err);
}

static int build(const struct oci_child *c, const struct oci_profile *p,
		 const struct environment *env)
{
	enum arch native = c->native;
	size_t strangers = 0;
	int fd = c->fd;

	signal(SIGSEGV, on_fault);
	errno = 0;
	scmp_filter_ctx ctx = seccomp_init(verdict_to_ret(p->dflt));

	if (!ctx)
		return CHILD_NO_MEMORY;
	if (c->tree)
		seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	bool own = seccomp_arch_native() == scmp_arch(native);
	if (!own) {
		/* Another machine's: its own architecture replaces ours. Ours goes first, as no
		 * filter has both byte orders. One that this libseccomp does not know is refused. */
		if (seccomp_arch_remove(ctx, seccomp_arch_native()) ||
		    seccomp_arch_add(ctx, scmp_arch(native)))
			return CHILD_NO_NATIVE;
	}
	for (int a = 0; a < ARCH_NR; a++) {
		int err = p->arches & ARCH_BIT(a) ? seccomp_arch_add(ctx, scmp_arch((enum arch)a)) :
						    0;
		if (err && err != -EEXIST)
			return refused(err);
	}
	for (size_t i = 0; i < p->rules.n; i++) {
		const struct oci_rule *r = &p->rules.v[i];
		int err = add_strangers(ctx, p, i, &strangers, env, own);
		if (err)
			return refusal(err);
		if (!r->handed.n || !oci_gate_open(p->entries.v[r->entry].gate, env))
			continue;
		/* Where it is, for whoever asks why it does not go on; the program overwrites it. */
		if (pwrite(fd, &(uint32_t){ (uint32_t)i }, sizeof(uint32_t), 0) < 0)
			return CHILD_NOT_WRITTEN;
		err = add_rule(ctx, p, r, own);
		if (err)
			return refusal(err);
	}
	int err = add_strangers(ctx, p, p->rules.n, &strangers, env, own);
	if (err)
		return refusal(err);
	err = seccomp_export_bpf(ctx, fd);
	if (!err)
		return 0;
	return err == -ENOMEM || errno == ENOMEM ? CHILD_NO_MEMORY : CHILD_NOT_WRITTEN;
}

/*
 * Until the child has ended, at most limit_ms: 1; 0: time is over; or -errno, such as where no
 * pidfd is to be had, without which nobody could keep the time.
 */
static int await_end(pid_t pid, unsigned limit_ms)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), ready;

	if (fd < 0)
		return -errno;
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	do
		ready = poll(&poller, 1, (int)limit_ms);
	while (ready < 0 && errno == EINTR);
	int err = ready < 0 ? -errno : ready;
	close(fd);
	return err;
}

/* Kills and reaps a child that does not end in limit_ms. Its status, or -errno. */
static int wait_child(pid_t pid, unsigned limit_ms)
{
	int status, ready = await_end(pid, limit_ms);

	if (ready <= 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (ready <= 0)
		return ready ? ready : -ETIMEDOUT;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		return -ETIMEDOUT;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return CHILD_NO_MEMORY; /* not our doing: the kernel's, where memory ends */
	return WIFEXITED(status) ? WEXITSTATUS(status) : CHILD_REFUSED;
}

/* Could libseccomp mean this by a `ret`? Only errno and trace carry data. */
static bool is_answer(uint32_t k)
{
	struct verdict v = verdict_from_ret(k);

	return verdict_to_ret(v) == k &&
	       (!v.data || v.kind == VERDICT_ERRNO || v.kind == VERDICT_TRACE);
}

static bool is_cut(size_t size)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	       size >= limit.rlim_cur;
}

/*
 * libseccomp writes the file in the byte order of the machine that the filter is for. Where
 * that is not the order of the machine that it runs on, the `ret`s which it puts in between
 * because a jump would be too long stay in the latter's (2.5.4): they are told by their values.
 */
static int read_program(struct arena *a, int fd, bool big_endian, struct cbpf *out)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	size_t size = (size_t)st.st_size;
	/* A write that a limit cuts short is no error to libseccomp (2.5.4, 2.6.0). */
	if (is_cut(size))
		return -EFBIG;
	struct sock_filter *insns = arena_alloc(a, size + 1);
	if (size % sizeof(*insns) || pread(fd, insns, size, 0) != (ssize_t)size)
		return -EIO;
	*out = (struct cbpf){ .insns = insns,
			      .n = size / sizeof(*insns),
			      .big_endian = big_endian };
	for (size_t i = 0; i < out->n && big_endian; i++) {
		insns[i].code = be16toh(insns[i].code);
		insns[i].k = be32toh(insns[i].k);
		if (BPF_CLASS(insns[i].code) == BPF_RET && !is_answer(insns[i].k) &&
		    is_answer(bswap_32(insns[i].k)))
			insns[i].k = bswap_32(insns[i].k);
	}
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void limit_time(unsigned seconds)
{
	struct rlimit limit = { .rlim_cur = seconds, .rlim_max = seconds + 1 };

	signal(SIGXCPU, SIG_DFL);
	if (seconds)
		setrlimit(RLIMIT_CPU, &limit);
}

int oci_child_start(struct oci_child *c, const struct oci_profile *p, enum arch native,
		    const struct environment *env)
{
	c->native = native;
	c->fd = memfd_create("pale-filter", MFD_CLOEXEC);
	if (c->fd < 0)
		return -errno;
	c->started = now_ms();
	c->pid = fork();
	if (c->pid == 0) {
		limit_time(c->cpu_s);
		_exit(build(c, p, env));
	}
	if (c->pid > 0)
		return 0;
	int err = -errno;
	close(c->fd);
	return err;
}

int oci_child_finish(struct oci_child *c, struct arena *a, unsigned limit_ms, struct cbpf *out,
		     const char **why)
{
	uint64_t passed = now_ms() - c->started;
	int rc = wait_child(c->pid, passed < limit_ms ? limit_ms - (unsigned)passed : 0);

	if ((rc != CHILD_EXISTS && rc != -ETIMEDOUT) ||
	    pread(c->fd, &c->refused, sizeof(c->refused), 0) != sizeof(c->refused))
		c->refused = OCI_NO_RULE;
	if (rc == 0)
		rc = read_program(a, c->fd, arch_info(c->native)->big_endian, out);
	close(c->fd);
	if (rc == CHILD_NO_NATIVE)
		return -EOPNOTSUPP;
	if (rc == CHILD_NO_MEMORY)
		return -ENOMEM;
	if (rc == CHILD_NOT_WRITTEN)
		return is_cut(0) ? -EFBIG : -EIO;
	if (rc <= 0)
		return rc;
	*why = "libseccomp refuses one of the rules";
	return -EINVAL;
}

int oci_libseccomp(struct arena *a, struct str json, enum arch native,
		   const struct environment *env, unsigned cpu_s, struct cbpf *out,
		   const char **why)
{
	static const struct environment nothing;
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct source *src = source_add(sources, "<profile>", json);
	struct json *root = json_parse(a, src, ds);
	/* The newest words: what a runtime knows is not asked here. */
	struct oci_runtime newest = { .kind = OCI_RUNC,
				      .version = OCI_VERSION(255, 0, 0),
				      .libseccomp = OCI_VERSION(255, 0, 0) };
	struct oci_read_options opt = { .host_known = true, .host = native, .runtime = &newest };
	struct oci_profile p = { 0 };
	struct oci_child child = { .cpu_s = cpu_s };

	*why = "the text is no profile";
	if (!root || ds->errors)
		return -EINVAL;
	oci_parse(a, root, &opt, &p);
	if (!oci_report(&p, env, ds) || !p.has_default || p.lost)
		return -EINVAL;
	int rc = oci_child_start(&child, &p, native, env ? env : &nothing);
	return rc ? rc : oci_child_finish(&child, a, OCI_CHILD_MS, out, why);
}

unsigned oci_libseccomp_installed(void)
{
	const struct scmp_version *v = seccomp_version();
	unsigned version = v ? OCI_VERSION(v->major, v->minor, v->micro) : 0;

	/* Debian 12 patched calls up to Linux 6.7 into its 2.5.4. */
	if (version == OCI_VERSION(2, 5, 4) &&
	    seccomp_syscall_resolve_name("cachestat") != __NR_SCMP_ERROR)
		version |= LIBSECCOMP_DEBIAN12;
	return version;
}

bool oci_library_knows(enum arch a)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int err = ctx ? seccomp_arch_add(ctx, scmp_arch(a)) : 0;

	if (ctx)
		seccomp_release(ctx);
	return err != -EINVAL; /* -EDOM: of the other byte order */
}

bool oci_library_numbers(const struct syscall_info *sys, enum arch a)
{
	const char *mux;
	unsigned selector;

	/* Names behind socketcall and ipc have numbers below zero of their own there. */
	if (multiplexed_by(sys, a, &mux, &selector) == 0)
		return seccomp_syscall_resolve_name(sys->name) != __NR_SCMP_ERROR;
	bool own = !strcmp(arch_info(a)->family, arch_info((enum arch)arch_native())->family);
	return seccomp_syscall_resolve_name_arch(scmp_arch(a), sys->name) >= 0 &&
	       (own || name_is_distinct(sys->name));
}
