// SPDX-License-Identifier: Apache-2.0
/*
 * Attacks: each a real attempt at something a confined program has no business doing. Used to
 * show that it succeeds without a filter and is refused under one.
 *
 * Freestanding on purpose (no libc, no start-up calls): under any policy it needs nothing but
 * write and exit, so that what is refused is the attack and not the attacker.
 *
 *	attack NAME...   tries those, one line each: "NAME ok", "NAME refused EPERM",
 *	                 or "NAME unprepared ERRNO" where a call it needs first failed and the
 *	                 attacked call itself was not refused either
 *	attack all       tries those that return even where the policy kills foreign calls
 *	attack list      names and what each is; those marked ! end in a kill under `foreign`
 *
 * x86_64 only: foreign.i386 and foreign.x32 are about its two other call tables.
 */
#include <asm/unistd_64.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <stddef.h>
#include <stdint.h>

#define CLONE_ANY 0x11 /* SIGCHLD */
#define AT_FDCWD  (-100)
#define EBADF     9
#define EFAULT    14
#define EINVAL    22

static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define CALL(nr, a, b, c, d, e, f)                                                                 \
	call6((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

void *memset(void *p, int c, size_t n);
void *memset(void *p, int c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((volatile char *)p)[i] = (char)c;
	return p;
}

/* ---- the attacks: what the kernel said, 0 or more is success ---- */

static long try_ptrace(void)
{
	return CALL(__NR_ptrace, 0 /* PTRACE_TRACEME */, 0, 0, 0, 0, 0);
}

static long try_vsock(void)
{
	return CALL(__NR_socket, 40, 1, 0, 0, 0, 0);
}

static long try_packet(void)
{
	return CALL(__NR_socket, 17, 3 /* SOCK_RAW */, 0x0300 /* ETH_P_ALL */, 0, 0, 0);
}

static long try_raw(void)
{
	return CALL(__NR_socket, 2, 3 /* SOCK_RAW */, 1 /* IPPROTO_ICMP */, 0, 0, 0);
}

static long try_audit_netlink(void)
{
	return CALL(__NR_socket, 16, 3 /* SOCK_RAW */, 9 /* NETLINK_AUDIT */, 0, 0, 0);
}

static long try_userns_unshare(void)
{
	return CALL(__NR_unshare, CLONE_NEWUSER, 0, 0, 0, 0, 0);
}

static long end_child(long pid)
{
	if (pid == 0) {
		CALL(__NR_exit_group, 0, 0, 0, 0, 0, 0);
		for (;;)
			__builtin_trap();
	}
	if (pid > 0)
		CALL(__NR_wait4, pid, 0, 0x40000000 /* __WALL */, 0, 0, 0);
	return pid;
}

static long try_userns_clone(void)
{
	return end_child(CALL(__NR_clone, CLONE_NEWUSER | CLONE_ANY, 0, 0, 0, 0, 0));
}

static long try_userns_clone3(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = 17 };

	return end_child(CALL(__NR_clone3, &args, sizeof(args), 0, 0, 0, 0));
}

static long try_bpf(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	return CALL(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr), 0, 0, 0);
}

/* A file system context and its detached mount: nothing becomes visible to others. */
static long try_fsopen(void)
{
	return CALL(__NR_fsopen, "tmpfs", 0, 0, 0, 0, 0);
}

/* In a mount namespace of its own where that is allowed; taken away again at once. */
static long try_mount(void)
{
	CALL(__NR_unshare, CLONE_NEWNS, 0, 0, 0, 0, 0);
	long ret = CALL(__NR_mount, "none", "/tmp", "tmpfs", 0, 0, 0);
	if (ret == 0)
		CALL(__NR_umount2, "/tmp", 2 /* MNT_DETACH */, 0, 0, 0, 0);
	return ret;
}

static long try_setns(void)
{
	long fd = CALL(__NR_openat, AT_FDCWD, "/proc/self/ns/net", 0, 0, 0, 0);

	return CALL(__NR_setns, fd, CLONE_NEWNET, 0, 0, 0, 0);
}

static long try_add_key(void)
{
	return CALL(__NR_add_key, "user", "pale", "x", 1, KEY_SPEC_PROCESS_KEYRING, 0);
}

static long try_keyctl(void)
{
	return CALL(__NR_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1, 0, 0, 0);
}

static long try_perf(void)
{
	struct perf_event_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.type = PERF_TYPE_SOFTWARE;
	attr.size = sizeof(attr);
	attr.config = PERF_COUNT_SW_TASK_CLOCK;
	return CALL(__NR_perf_event_open, &attr, 0, -1, -1, 0, 0);
}

struct iov {
	void *p;
	size_t n;
};

static long try_process_vm(void)
{
	char from[4] = "abc", to[4];
	struct iov local = { to, 4 }, remote = { from, 4 };
	long pid = CALL(__NR_getpid, 0, 0, 0, 0, 0, 0);

	return CALL(__NR_process_vm_readv, pid, &local, 1, &remote, 1, 0);
}

static long try_personality(void)
{
	return CALL(__NR_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */, 0, 0, 0, 0, 0);
}

static long try_io_uring(void)
{
	char params[120];

	memset(params, 0, sizeof(params));
	return CALL(__NR_io_uring_setup, 1, params, 0, 0, 0, 0);
}

static long try_userfaultfd(void)
{
	return CALL(__NR_userfaultfd, 0, 0, 0, 0, 0, 0);
}

static long try_pidfd_getfd(void)
{
	long pid = CALL(__NR_getpid, 0, 0, 0, 0, 0, 0);
	long fd = CALL(__NR_pidfd_open, pid, 0, 0, 0, 0, 0);

	return CALL(__NR_pidfd_getfd, fd, 1, 0, 0, 0, 0);
}

/* Reopens a file by its handle, as a container does that leaves its root (CVE-2014-6407). */
static long try_open_by_handle(void)
{
	struct {
		uint32_t bytes;
		int32_t type;
		char handle[128];
	} h;
	int32_t mount = 0;

	memset(&h, 0, sizeof(h));
	h.bytes = sizeof(h.handle);
	long dir = CALL(__NR_openat, AT_FDCWD, "/", 0200000 /* O_DIRECTORY */, 0, 0, 0);
	long made =
		CALL(__NR_name_to_handle_at, dir, "", &h, &mount, 0x1000 /* AT_EMPTY_PATH */, 0);
	return CALL(__NR_open_by_handle_at, made < 0 ? -1 : dir, &h, 0, 0, 0, 0);
}

/* Types a letter into a terminal of its own. */
static long try_tiocsti(void)
{
	long fd = CALL(__NR_openat, AT_FDCWD, "/dev/ptmx", 02 | 0400, 0, 0, 0);

	return CALL(__NR_ioctl, fd, 0x5412 /* TIOCSTI */, "x", 0, 0, 0);
}

static long try_kcmp(void)
{
	long pid = CALL(__NR_getpid, 0, 0, 0, 0, 0, 0);

	return CALL(__NR_kcmp, pid, pid, 0 /* KCMP_FILE */, 1, 1, 0);
}

static long try_chroot(void)
{
	return CALL(__NR_chroot, "/", 0, 0, 0, 0, 0);
}

static long try_memfd(void)
{
	return CALL(__NR_memfd_create, "pale", 1, 0, 0, 0, 0);
}

static long try_fanotify(void)
{
	return CALL(__NR_fanotify_init, 0, 0, 0, 0, 0, 0);
}

static long try_syslog(void)
{
	char text[64];

	return CALL(__NR_syslog, 3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof(text), 0, 0, 0);
}

/* getpid through the 32-bit gate: nr 20 means writev to a filter that forgets to ask. */
static long try_i386(void)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20L) : "r8", "r9", "r10", "r11", "memory");
	return (int32_t)ret;
}

/* getpid by its x32 number. */
static long try_x32(void)
{
	return CALL(0x40000000 | __NR_getpid, 0, 0, 0, 0, 0, 0);
}

/*
 * In an order in which none spoils the next: what changes the process for good (a user
 * namespace takes the capabilities over the old one away) comes last.
 */
static const struct attack {
	const char *name;
	const char *what;
	long (*try)(void);
	int foreign;  /* meets `foreign`, which kills: only by name */
	int wants_fd; /* EBADF says that the descriptor it needs could not be had */
} attacks[] = {
	{ "vsock", "socket(AF_VSOCK): talk to the hypervisor", try_vsock, 0, 0 },
	{ "packet", "socket(AF_PACKET, SOCK_RAW): sniff", try_packet, 0, 0 },
	{ "raw", "socket(AF_INET, SOCK_RAW): forge", try_raw, 0, 0 },
	{ "audit", "socket(AF_NETLINK, NETLINK_AUDIT)", try_audit_netlink, 0, 0 },
	{ "bpf", "bpf(BPF_MAP_CREATE)", try_bpf, 0, 0 },
	{ "fsopen", "fsopen(tmpfs)", try_fsopen, 0, 0 },
	{ "setns", "setns(CLONE_NEWNET)", try_setns, 0, 1 },
	{ "add_key", "add_key(user)", try_add_key, 0, 0 },
	{ "keyctl", "keyctl(KEYCTL_GET_KEYRING_ID)", try_keyctl, 0, 0 },
	{ "perf", "perf_event_open()", try_perf, 0, 0 },
	{ "process_vm", "process_vm_readv()", try_process_vm, 0, 0 },
	{ "io_uring", "io_uring_setup()", try_io_uring, 0, 0 },
	{ "userfaultfd", "userfaultfd()", try_userfaultfd, 0, 0 },
	{ "pidfd_getfd", "pidfd_getfd(): take a descriptor", try_pidfd_getfd, 0, 1 },
	{ "open_by_handle", "open_by_handle_at()", try_open_by_handle, 0, 1 },
	{ "tiocsti", "ioctl(TIOCSTI): type into a terminal", try_tiocsti, 0, 1 },
	{ "kcmp", "kcmp(KCMP_FILE)", try_kcmp, 0, 0 },
	{ "memfd", "memfd_create()", try_memfd, 0, 0 },
	{ "fanotify", "fanotify_init()", try_fanotify, 0, 0 },
	{ "syslog", "syslog(SYSLOG_ACTION_READ_ALL)", try_syslog, 0, 0 },
	{ "personality", "personality(ADDR_NO_RANDOMIZE)", try_personality, 0, 0 },
	{ "userns.clone", "clone(CLONE_NEWUSER)", try_userns_clone, 0, 0 },
	{ "userns.clone3", "clone3(CLONE_NEWUSER)", try_userns_clone3, 0, 0 },
	{ "mount", "mount(tmpfs)", try_mount, 0, 0 },
	{ "chroot", "chroot(/)", try_chroot, 0, 0 },
	{ "userns.unshare", "unshare(CLONE_NEWUSER)", try_userns_unshare, 0, 0 },
	{ "ptrace", "ptrace(PTRACE_TRACEME)", try_ptrace, 0, 0 },
	{ "foreign.i386", "int 0x80", try_i386, 1, 0 },
	{ "foreign.x32", "a call by its x32 number", try_x32, 1, 0 },
};

/* ---- output: one write a line ---- */

static const struct {
	int number;
	const char *name;
} errnos[] = {
	{ 1, "EPERM" },         { 2, "ENOENT" },           { 5, "EIO" },
	{ 9, "EBADF" },         { 12, "ENOMEM" },          { 13, "EACCES" },
	{ 14, "EFAULT" },       { 22, "EINVAL" },          { 25, "ENOTTY" },
	{ 38, "ENOSYS" },       { 93, "EPROTONOSUPPORT" }, { 94, "ESOCKTNOSUPPORT" },
	{ 97, "EAFNOSUPPORT" }, { 28, "ENOSPC" },          { 95, "EOPNOTSUPP" },
};

static size_t put(char *line, size_t n, const char *s)
{
	while (*s && n < 200)
		line[n++] = *s++;
	return n;
}

static size_t put_number(char *line, size_t n, unsigned long v)
{
	if (v > 9)
		n = put_number(line, n, v / 10);
	line[n++] = (char)('0' + v % 10);
	return n;
}

static size_t put_errno(char *line, size_t n, long e)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].number == e)
			return put(line, n, errnos[i].name);
	return put_number(line, n, (unsigned long)e);
}

static void say(char *line, size_t n)
{
	line[n++] = '\n';
	struct iov v = { line, n };
	if (CALL(__NR_write, 1, line, n, 0, 0, 0) < 0)
		CALL(__NR_writev, 1, &v, 1, 0, 0, 0);
}

static void run_attack(const struct attack *a)
{
	char line[256];
	size_t n = put(line, 0, a->name);
	long ret = a->try();

	if (ret >= 0) {
		n = put(line, n, " ok");
	} else {
		n = put(line, n, a->wants_fd && ret == -EBADF ? " unprepared " : " refused ");
		n = put_errno(line, n, -ret);
	}
	say(line, n);
}

static int equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static int run_named(const char *name)
{
	int found = 0;

	for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
		const struct attack *a = &attacks[i];
		char line[256];

		if (equal(name, "list")) {
			size_t n = put(line, 0, a->name);
			n = put(line, n, a->foreign ? " ! " : " - ");
			say(line, put(line, n, a->what));
		} else if (equal(name, a->name) || (equal(name, "all") && !a->foreign)) {
			run_attack(a);
		} else {
			continue;
		}
		found = 1;
	}
	return found;
}

__attribute__((used)) static void start(long *stack)
{
	char **argv = (char **)(stack + 1);
	int status = *stack > 1 ? 0 : 2;

	for (long i = 1; i < *stack; i++)
		if (!run_named(argv[i]))
			status = 2;
	CALL(__NR_exit_group, status, 0, 0, 0, 0, 0);
	CALL(__NR_exit, status, 0, 0, 0, 0, 0);
	for (;;) /* both refused */
		__builtin_trap();
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n");
