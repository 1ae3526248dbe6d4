/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tries accesses under AppArmor profiles that are loaded, and prints what the kernel said.
 *
 *	accesses <LINES       a line each: PROFILE, owner|other, OPERATION, its words; TAB between them
 *
 * Prints a line each: 0 or the name of the errno, and what the operation has to tell (exec: the
 * label and AT_SECURE). Each is a child of its own: it makes what the access needs while it is not
 * confined, changes into the profile, tries. What a child finds comes back in shared memory and
 * pipes, which no profile mediates. `owner` says whether the files are root's, as the process is.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 12, PEERS_MAX = 64, OTHER_UID = 1000 };

static struct found {
	int error;
	char text[200];
} * found;

struct probe {
	const char *profile;
	bool owner;
	const char *arg[WORDS_MAX];
	int fd;
	pid_t pid; /* of the process that it is done to, if any */
};

static _Noreturn void broken(const char *what)
{
	found->error = -1;
	snprintf(found->text, sizeof(found->text), "%s: %m", what);
	_exit(0);
}

static int number(const char *s)
{
	return (int)strtol(s, NULL, 0);
}

/* ---- profiles ---- */

static void become(const char *profile)
{
	char text[256];
	int fd, n = snprintf(text, sizeof(text), "changeprofile %s", profile);

	if (!strcmp(profile, "unconfined"))
		return;
	fd = open("/proc/thread-self/attr/current", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		broken("the profile");
	close(fd);
}

/* A process that waits under a profile till its pipe ends, with all signals blocked. */
static pid_t waiter(const char *profile, uid_t uid, int *end)
{
	int ready[2], stop[2];
	char c;
	pid_t pid;

	if (pipe(ready) || pipe(stop))
		broken("pipe");
	pid = fork();
	if (!pid) {
		sigset_t all;
		close(stop[1]);
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		become(profile);
		if (uid && setresuid(uid, uid, uid))
			broken("setresuid");
		prctl(PR_SET_DUMPABLE, 1);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		while (read(stop[0], &c, 1) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	close(ready[1]);
	close(stop[0]);
	if (read(ready[0], &c, 1) != 1)
		broken("the other process");
	close(ready[0]);
	*end = stop[1];
	return pid;
}

/* ---- files ---- */

static void make_parents(const char *path)
{
	char dir[256];

	for (size_t i = 1; path[i] && i < sizeof(dir); i++)
		if (path[i] == '/') {
			memcpy(dir, path, i);
			dir[i] = '\0';
			mkdir(dir, 0777);
		}
}

static void give(const struct probe *p, const char *path)
{
	if (!p->owner && lchown(path, OTHER_UID, OTHER_UID))
		broken("chown");
}

/* What the access before left behind. */
static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	if (at->level && strcmp(path, "/t/.program"))
		remove(path);
	return 0;
}

static void need_file(struct probe *p, const char *path)
{
	int fd;

	make_parents(path);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0777);
	if (fd < 0 || ftruncate(fd, 4096) || fchmod(fd, 0777))
		broken(path);
	close(fd);
	give(p, path);
}

static void need_one(struct probe *p)
{
	need_file(p, p->arg[0]);
}

static void need_free(struct probe *p)
{
	make_parents(p->arg[0]);
}

/* mkdir's and rmdir's path ends with a slash. */
static void without_slash(const char *path, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)strlen(path) - 1, path);
}

static void need_no_folder(struct probe *p)
{
	char path[256];

	without_slash(p->arg[0], path, sizeof(path));
	make_parents(path);
}

static void need_folder(struct probe *p)
{
	char path[256];

	without_slash(p->arg[0], path, sizeof(path));
	make_parents(path);
	if (mkdir(path, 0777) || chmod(path, 0777))
		broken(path);
	give(p, path);
}

static void need_source(struct probe *p)
{
	make_parents(p->arg[0]);
	need_file(p, p->arg[1]);
}

static int try_open(struct probe *p)
{
	bool r = strchr(p->arg[1], 'r'), w = strpbrk(p->arg[1], "wa");
	int flags = r && w ? O_RDWR : w ? O_WRONLY : O_RDONLY;

	return open(p->arg[0], flags | (strchr(p->arg[1], 'a') ? O_APPEND : 0));
}

static int try_create(struct probe *p)
{
	return open(p->arg[0], O_CREAT | O_EXCL | O_WRONLY, 0777);
}

/* Of a file that somebody unconfined opened the kernel asks nothing: it is opened here, too. */
static int try_map(struct probe *p)
{
	int fd = open(p->arg[0], O_RDONLY);

	return fd < 0 || mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0;
}

static int try_lock(struct probe *p)
{
	int fd = open(p->arg[0], O_RDONLY);

	return fd < 0 ? -1 : flock(fd, LOCK_SH);
}

static int try_lock_all(struct probe *p)
{
	int fd = open(p->arg[0], O_RDONLY);

	return fd < 0 ? -1 : flock(fd, LOCK_EX);
}

static int try_unlink(struct probe *p)
{
	return unlink(p->arg[0]);
}

static int try_mkdir(struct probe *p)
{
	return mkdir(p->arg[0], 0777);
}

static int try_rmdir(struct probe *p)
{
	return rmdir(p->arg[0]);
}

static int try_chmod(struct probe *p)
{
	return chmod(p->arg[0], 0775);
}

static int try_chown(struct probe *p)
{
	return chown(p->arg[0], (uid_t)-1, (gid_t)-1);
}

static int try_truncate(struct probe *p)
{
	return truncate(p->arg[0], 1);
}

static int try_symlink(struct probe *p)
{
	return symlink("/none", p->arg[0]);
}

static int try_fifo(struct probe *p)
{
	return mknod(p->arg[0], S_IFIFO | 0777, 0);
}

static int try_rename(struct probe *p)
{
	return rename(p->arg[1], p->arg[0]);
}

static int try_link(struct probe *p)
{
	return link(p->arg[1], p->arg[0]);
}

/* ---- exec ---- */

enum { TELL_FD = 100, STOP_FD = 101 };

/* What is executed: says whether libc is to distrust its environment, waits to be looked at. */
static int executed(void)
{
	char c = getauxval(AT_SECURE) ? 's' : 'p';

	if (write(TELL_FD, &c, 1) != 1)
		return 1;
	while (read(STOP_FD, &c, 1) < 0 && errno == EINTR)
		;
	return 0;
}

static void need_program(struct probe *p)
{
	make_parents(p->arg[0]);
	if (chown("/t/.program", p->owner ? 0 : OTHER_UID, 0) || link("/t/.program", p->arg[0]))
		broken(p->arg[0]);
}

static void label_of(pid_t pid, char *out, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/attr/current", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, out, size - 1);
	if (n <= 0)
		broken("the label");
	out[n - (out[n - 1] == '\n')] = '\0';
	close(fd);
}

/* In the new child; comes back where it was refused. */
static int exec_there(struct probe *p, bool onexec)
{
	char *const argv[] = { (char *)p->arg[0], (char *)"-x", NULL };
	char *const envp[] = { NULL };
	char text[256];
	int n, fd = -1;

	if (onexec)
		fd = open("/proc/thread-self/attr/exec", O_WRONLY | O_CLOEXEC);
	become(p->profile);
	if (onexec) {
		n = snprintf(text, sizeof(text), "exec %s", p->arg[1]);
		if (write(fd, text, (size_t)n) != n)
			return errno;
	}
	execve(p->arg[0], argv, envp);
	return errno;
}

static int exec_and_look(struct probe *p, bool onexec)
{
	int tell[2], stop[2], status = 0;
	char c = 0, label[128];
	pid_t pid;

	if (pipe(tell) || pipe(stop))
		broken("pipe");
	found->error = 0;
	pid = fork();
	if (!pid) {
		close(stop[1]);
		dup2(tell[1], TELL_FD);
		dup2(stop[0], STOP_FD);
		close(tell[1]);
		found->error = exec_there(p, onexec);
		_exit(0);
	}
	close(tell[1]);
	if (read(tell[0], &c, 1) == 1) {
		label_of(pid, label, sizeof(label));
		snprintf(found->text, sizeof(found->text), "%s %c", label, c);
	}
	close(stop[1]);
	waitpid(pid, &status, 0);
	if (!c && WIFSIGNALED(status))
		snprintf(found->text, sizeof(found->text), "killed");
	errno = found->error;
	return errno ? -1 : 0;
}

static int try_exec(struct probe *p)
{
	return exec_and_look(p, false);
}

static int try_onexec(struct probe *p)
{
	return exec_and_look(p, true);
}

static int try_change(struct probe *p)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "changeprofile %s", p->arg[0]);

	return write(p->fd, text, (size_t)n) == n ? 0 : -1;
}

static void need_attr(struct probe *p)
{
	p->fd = open("/proc/thread-self/attr/current", O_WRONLY | O_CLOEXEC);
	if (p->fd < 0)
		broken("attr/current");
}

/* ---- capabilities ---- */

static void need_capability(struct probe *p)
{
	static const struct rlimit none = { 0, 0 }, few = { 900, 900 };
	const char *cap = p->arg[0];

	p->owner = false;
	p->arg[1] = "/t/capable";
	if (!strcmp(cap, "chown"))
		p->owner = true;
	need_file(p, p->arg[1]);
	p->fd = open(p->arg[1], O_RDONLY | O_CLOEXEC);
	if (!strcmp(cap, "dac_override"))
		chmod(p->arg[1], 0);
	if (!strcmp(cap, "ipc_lock"))
		setrlimit(RLIMIT_MEMLOCK, &none);
	if (!strcmp(cap, "sys_resource"))
		setrlimit(RLIMIT_NOFILE, &few);
	if (!strcmp(cap, "net_bind_service") || !strcmp(cap, "net_admin"))
		p->fd = socket(AF_INET, SOCK_STREAM, 0);
}

static int use_bind(const struct probe *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(80),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return bind(p->fd, (struct sockaddr *)&to, sizeof(to));
}

static int use_net_admin(const struct probe *p)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_mtu = 65536 };

	return ioctl(p->fd, SIOCSIFMTU, &lo);
}

static int use_resource(const struct probe *p)
{
	static const struct rlimit more = { 950, 950 };

	(void)p;
	return setrlimit(RLIMIT_NOFILE, &more);
}

static int use_time(const struct probe *p)
{
	struct timespec now;

	(void)p;
	clock_gettime(CLOCK_REALTIME, &now);
	return clock_settime(CLOCK_REALTIME, &now);
}

static int use_bpf(const struct probe *p)
{
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	(void)p;
	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
}

static int use_ipc_lock(const struct probe *p)
{
	static char page[4096];

	(void)p;
	return mlock(page, sizeof(page));
}

#define USE(name, call)                                                                            \
	static int use_##name(const struct probe *p)                                               \
	{                                                                                          \
		(void)p;                                                                           \
		return (int)(call);                                                                \
	}

USE(chown, chown(p->arg[1], OTHER_UID, OTHER_UID))
USE(fowner, chmod(p->arg[1], 0700))
USE(dac_override, open(p->arg[1], O_WRONLY))
USE(setuid, setuid(OTHER_UID))
USE(setgid, setgid(OTHER_UID))
USE(setpcap, prctl(PR_CAPBSET_DROP, CAP_WAKE_ALARM))
USE(net_raw, socket(AF_INET, SOCK_RAW, IPPROTO_ICMP))
USE(sys_chroot, chroot("/"))
USE(sys_admin, sethostname("guest", 5))
USE(sys_boot, reboot(RB_DISABLE_CAD))
USE(sys_nice, setpriority(PRIO_PROCESS, 0, -5))
USE(sys_pacct, acct(NULL))
USE(mknod, mknod("/t/device", S_IFCHR | 0600, makedev(1, 3)) ? -1 : unlink("/t/device"))
USE(kill, kill(p->pid, 0))
USE(sys_ptrace, syscall(SYS_get_robust_list, p->pid, &(void *){ NULL }, &(size_t){ 0 }))
USE(lease, fcntl(p->fd, F_SETLEASE, F_RDLCK))

static const struct {
	const char *name;
	int (*use)(const struct probe *p);
} capabilities[] = {
	{ "chown", use_chown },
	{ "fowner", use_fowner },
	{ "dac_override", use_dac_override },
	{ "setuid", use_setuid },
	{ "setgid", use_setgid },
	{ "setpcap", use_setpcap },
	{ "net_raw", use_net_raw },
	{ "net_bind_service", use_bind },
	{ "net_admin", use_net_admin },
	{ "ipc_lock", use_ipc_lock },
	{ "sys_chroot", use_sys_chroot },
	{ "sys_admin", use_sys_admin },
	{ "sys_boot", use_sys_boot },
	{ "sys_nice", use_sys_nice },
	{ "sys_resource", use_resource },
	{ "sys_time", use_time },
	{ "sys_pacct", use_sys_pacct },
	{ "mknod", use_mknod },
	{ "bpf", use_bpf },
	{ "kill", use_kill },
	{ "sys_ptrace", use_sys_ptrace },
	{ "lease", use_lease },
};

static int try_capability(struct probe *p)
{
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++)
		if (!strcmp(capabilities[i].name, p->arg[0]))
			return capabilities[i].use(p);
	broken("no such capability");
}

/* ---- sockets, signals, ptrace ---- */

static int try_socket(struct probe *p)
{
	return socket(number(p->arg[0]), number(p->arg[1]), 0);
}

static int try_signal(struct probe *p)
{
	return kill(p->pid, number(p->arg[1]));
}

static int try_own_signal(struct probe *p)
{
	sigset_t all;

	(void)p;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	return kill(getpid(), number(p->arg[0]));
}

static int try_trace(struct probe *p)
{
	return (int)ptrace(PTRACE_SEIZE, p->pid, NULL, NULL);
}

static int try_read(struct probe *p)
{
	void *head;
	size_t n;

	return (int)syscall(SYS_get_robust_list, p->pid, &head, &n);
}

/* "@name" or a path. */
static socklen_t unix_name(const char *name, struct sockaddr_un *out)
{
	size_t n = strlen(name);

	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(out->sun_path, name, n);
	if (name[0] == '@')
		out->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] != '@'));
}

static int unix_bound(int type, const char *name)
{
	struct sockaddr_un at;
	socklen_t n = unix_name(name, &at);
	int fd = socket(AF_UNIX, type, 0);

	return fd < 0 || bind(fd, (struct sockaddr *)&at, n) ? -1 : fd;
}

static int unix_connected(const char *name)
{
	struct sockaddr_un at;
	socklen_t n = unix_name(name, &at);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&at, n);
}

static int try_pair(struct probe *p)
{
	int two[2];

	return socketpair(AF_UNIX, number(p->arg[0]), 0, two);
}

static int try_unix_bind(struct probe *p)
{
	return unix_bound(number(p->arg[0]), p->arg[1]);
}

static int try_unix_self(struct probe *p)
{
	int fd = unix_bound(SOCK_STREAM, p->arg[0]);

	return fd < 0 || listen(fd, 1) ? -1 : unix_connected(p->arg[0]);
}

/* Somebody who is not confined listens. */
static void need_listener(struct probe *p)
{
	p->fd = unix_bound(SOCK_STREAM, p->arg[0]);
	if (p->fd < 0 || listen(p->fd, 1))
		broken("a listener");
}

static int try_unix_connect(struct probe *p)
{
	return unix_connected(p->arg[0]);
}

/* How far a socket of inet comes: bind, listen, connect; its port is the second word. */
static int try_inet(struct probe *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)number(p->arg[1])),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	if (!strcmp(p->arg[0], "connect"))
		return connect(fd, (struct sockaddr *)&to, sizeof(to));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)))
		return -1;
	return strcmp(p->arg[0], "listen") ? 0 : listen(fd, 1);
}

static int try_queue(struct probe *p)
{
	return (int)syscall(SYS_mq_open, p->arg[0], O_CREAT | O_RDWR, 0600, NULL);
}

static int try_memfd(struct probe *p)
{
	int fd = (int)syscall(SYS_memfd_create, "m", 0);

	(void)p;
	return fd < 0 || ftruncate(fd, 4096) ||
			       mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ?
		       -1 :
		       0;
}

/* ---- mounts ---- */

/* In a namespace of its own, where nothing goes to others: /m/a /m/b are tmpfs, /m/c is none. */
static void need_mounts(struct probe *p)
{
	(void)p;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("m", "/m", "tmpfs", 0, NULL))
		broken("mounts");
	for (const char *const *dir = (const char *const[]){ "/m/a", "/m/b", "/m/c", "/m/d", NULL };
	     *dir; dir++)
		if (mkdir(*dir, 0777))
			broken(*dir);
	if (mount("a", "/m/a", "tmpfs", 0, NULL) || mount("b", "/m/b", "tmpfs", 0, NULL) ||
	    mkdir("/m/b/old", 0777) || mkdir("/m/a/in", 0777))
		broken("mounts");
}

static const char *some(const char *word)
{
	return strcmp(word, "-") ? word : NULL;
}

static int try_mount(struct probe *p)
{
	return mount(some(p->arg[0]), p->arg[1], some(p->arg[2]), strtoul(p->arg[3], NULL, 0),
		     some(p->arg[4]));
}

static int try_umount(struct probe *p)
{
	return umount2(p->arg[0], number(p->arg[1]));
}

static int try_pivot(struct probe *p)
{
	return (int)syscall(SYS_pivot_root, p->arg[0], p->arg[1]);
}

static int try_move_mount(struct probe *p)
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 0), tree;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -1;
	tree = (int)syscall(SYS_fsmount, fs, 0, 0);
	return tree < 0 ? -1 :
			  (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, p->arg[0],
				       MOVE_MOUNT_F_EMPTY_PATH);
}

static int try_mount_setattr(struct probe *p)
{
	uint64_t attr[4] = { MOUNT_ATTR_RDONLY, 0, 0, 0 };

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, p->arg[0], 0, attr, sizeof(attr));
}

/* ---- namespaces, io_uring ---- */

static int try_userns(struct probe *p)
{
	(void)p;
	return unshare(CLONE_NEWUSER);
}

static int try_sqpoll(struct probe *p)
{
	struct io_uring_params at = { .flags = IORING_SETUP_SQPOLL };

	(void)p;
	return (int)syscall(SYS_io_uring_setup, 2, &at);
}

static const struct io_uring_cqe *completion;

/* A ring with a request that is made with other credentials than the process's. */
static void need_ring(struct probe *p)
{
	struct io_uring_params at = { 0 };
	int who;
	char *rings;
	struct io_uring_sqe *e;

	p->fd = (int)syscall(SYS_io_uring_setup, 2, &at);
	who = (int)syscall(SYS_io_uring_register, p->fd, IORING_REGISTER_PERSONALITY, NULL, 0);
	rings = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, IORING_OFF_SQ_RING);
	e = mmap(NULL, at.sq_entries * sizeof(*e), PROT_READ | PROT_WRITE, MAP_SHARED, p->fd,
		 IORING_OFF_SQES);
	if (p->fd < 0 || who <= 0 || rings == MAP_FAILED || e == MAP_FAILED)
		broken("io_uring");
	*e = (struct io_uring_sqe){ .opcode = IORING_OP_NOP, .personality = (unsigned short)who };
	*(unsigned *)(void *)(rings + at.sq_off.array) = 0;
	*(unsigned *)(void *)(rings + at.sq_off.tail) = 1;
	completion = (const void *)(rings + at.cq_off.cqes);
}

/* The request is taken whatever becomes of it, and its completion says that. */
static int try_ring(struct probe *p)
{
	if (syscall(SYS_io_uring_enter, p->fd, 1, 0, 0, NULL, 0) != 1)
		return -1;
	errno = -completion->res;
	return errno ? -1 : 0;
}

/* Other credentials, and its own label. */
static int try_own_ring(struct probe *p)
{
	need_ring(p);
	return try_ring(p);
}

/* ---- which ---- */

enum against { ALONE, TO_PEER, FROM_PEER, TO_OTHER_USER };

static const struct operation {
	const char *name;
	void (*need)(struct probe *p);
	int (*try)(struct probe *p);
	enum against against; /* a process under the profile that the first word names */
	bool confines;        /* it changes into the profile itself */
} operations[] = {
	{ "open", need_one, try_open, ALONE, false },
	{ "create", need_free, try_create, ALONE, false },
	{ "map", need_one, try_map, ALONE, false },
	{ "lock", need_one, try_lock, ALONE, false },
	{ "lockall", need_one, try_lock_all, ALONE, false },
	{ "unlink", need_one, try_unlink, ALONE, false },
	{ "mkdir", need_no_folder, try_mkdir, ALONE, false },
	{ "rmdir", need_folder, try_rmdir, ALONE, false },
	{ "chmod", need_one, try_chmod, ALONE, false },
	{ "chown", need_one, try_chown, ALONE, false },
	{ "truncate", need_one, try_truncate, ALONE, false },
	{ "symlink", need_free, try_symlink, ALONE, false },
	{ "fifo", need_free, try_fifo, ALONE, false },
	{ "rename", need_source, try_rename, ALONE, false },
	{ "link", need_source, try_link, ALONE, false },
	{ "exec", need_program, try_exec, ALONE, true },
	{ "onexec", need_program, try_onexec, ALONE, true },
	{ "change", need_attr, try_change, ALONE, false },
	{ "cap", need_capability, try_capability, TO_OTHER_USER, false },
	{ "socket", NULL, try_socket, ALONE, false },
	{ "send", NULL, try_signal, TO_PEER, false },
	{ "receive", NULL, try_signal, FROM_PEER, false },
	{ "ownsignal", NULL, try_own_signal, ALONE, false },
	{ "trace", NULL, try_trace, TO_PEER, false },
	{ "tracedby", NULL, try_trace, FROM_PEER, false },
	{ "read", NULL, try_read, TO_PEER, false },
	{ "readby", NULL, try_read, FROM_PEER, false },
	{ "mount", need_mounts, try_mount, ALONE, false },
	{ "umount", need_mounts, try_umount, ALONE, false },
	{ "pivot", need_mounts, try_pivot, ALONE, false },
	{ "userns", NULL, try_userns, ALONE, false },
	{ "sqpoll", NULL, try_sqpoll, ALONE, false },
	{ "creds", need_ring, try_ring, ALONE, false },
	{ "owncreds", NULL, try_own_ring, ALONE, false },
	{ "pair", NULL, try_pair, ALONE, false },
	{ "unixbind", NULL, try_unix_bind, ALONE, false },
	{ "unixself", NULL, try_unix_self, ALONE, false },
	{ "unixconnect", need_listener, try_unix_connect, ALONE, false },
	{ "inet", NULL, try_inet, ALONE, false },
	{ "queue", NULL, try_queue, ALONE, false },
	{ "memfd", NULL, try_memfd, ALONE, false },
	{ "movemount", need_mounts, try_move_mount, ALONE, false },
	{ "mountattr", need_mounts, try_mount_setattr, ALONE, false },
};

static const struct operation *operation_of(const char *name)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		if (!strcmp(operations[i].name, name))
			return &operations[i];
	return NULL;
}

static _Noreturn void in_child(struct probe *p, const struct operation *op)
{
	const char *as = op->against == FROM_PEER ? p->arg[0] : p->profile;
	int end;

	if (op->against == TO_PEER)
		p->pid = waiter(p->arg[0], 0, &end);
	if (op->against == FROM_PEER)
		p->pid = waiter(p->profile, 0, &end);
	if (op->against == TO_OTHER_USER)
		p->pid = waiter("unconfined", OTHER_UID, &end);
	if (op->need)
		op->need(p);
	if (!op->confines)
		become(as);
	errno = 0;
	found->error = op->try(p) < 0 ? errno : 0;
	_exit(0);
}

static void probe_line(char *line)
{
	struct probe p = { .fd = -1 };
	const struct operation *op;
	unsigned n = 0;
	char *name, *save = NULL;
	int status = 0;
	pid_t pid;

	line[strcspn(line, "\n")] = '\0';
	p.profile = strtok_r(line, "\t", &save);
	name = strtok_r(NULL, "\t", &save);
	p.owner = name && !strcmp(name, "owner");
	name = strtok_r(NULL, "\t", &save);
	op = name ? operation_of(name) : NULL;
	while (n < WORDS_MAX && (p.arg[n] = strtok_r(NULL, "\t", &save)))
		n++;
	if (!op) {
		puts("no such operation");
		return;
	}
	*found = (struct found){ .error = -1 };
	fflush(stdout);
	nftw("/t", remove_one, 8, FTW_DEPTH | FTW_PHYS);
	pid = fork();
	if (!pid)
		in_child(&p, op);
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("killed %d\n", WTERMSIG(status));
	else
		printf("%s %s\n",
		       found->error < 0 ? "broken" :
		       found->error     ? strerrorname_np(found->error) :
					  "0",
		       found->text);
}

int main(int argc, char **argv)
{
	static char line[4096];

	if (argc > 1 && !strcmp(argv[1], "-x"))
		return executed();
	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	umask(0);
	while (fgets(line, sizeof(line), stdin))
		probe_line(line);
	return 0;
}
