/* SPDX-License-Identifier: Apache-2.0 */
/* Ways that lead by another process, into another root, or by calls of 32 bits and by ones that are new. */
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "case.h"
#include "child.h"

/* ---- names that lead by a child ---- */

static const char *of(pid_t pid, const char *what)
{
	static char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	return path;
}

static int by_stat(void)
{
	struct stat st;
	pid_t pid = sleeper();

	return stat(of(pid, "exe"), &st) || put_down(pid);
}

static int by_stat_of_a_descriptor(void)
{
	struct stat st;
	pid_t pid = sleeper();

	return stat(of(pid, "fd/0"), &st) || put_down(pid);
}

static int by_stat_of_a_namespace(void)
{
	struct stat st;
	pid_t pid = sleeper();

	return stat(of(pid, "ns/net"), &st) || put_down(pid);
}

static int by_lstat_alone(void)
{
	struct stat st;
	pid_t pid = sleeper();

	return lstat(of(pid, "exe"), &st) || put_down(pid);
}

static int by_access(void)
{
	pid_t pid = sleeper();

	return access(of(pid, "cwd/file"), R_OK) || put_down(pid);
}

static int by_chdir(void)
{
	pid_t pid = sleeper();

	return chdir(of(pid, "cwd")) || open("file", O_RDONLY) < 0 || put_down(pid);
}

static int by_chroot(void)
{
	pid_t pid = sleeper();

	return chroot(of(pid, "root")) || put_down(pid);
}

static int by_statfs(void)
{
	struct statfs st;
	pid_t pid = sleeper();

	return statfs(of(pid, "cwd"), &st) || put_down(pid);
}

static int by_rename(void)
{
	pid_t pid = sleeper();

	return rename(of(pid, "cwd/other"), "moved") || put_down(pid);
}

static int by_mkdir(void)
{
	pid_t pid = sleeper();

	return mkdir(of(pid, "root/d/made"), 0700) || put_down(pid);
}

static int by_exec(void)
{
	pid_t pid = sleeper(), other = fork();

	if (!other) {
		execl(of(pid, "exe"), "x", "/script", NULL);
		_exit(1);
	}
	return ended(other, 0) || put_down(pid);
}

static int by_watch(void)
{
	pid_t pid = sleeper();

	return inotify_add_watch(inotify_init(), of(pid, "cwd"), IN_CREATE) < 0 || put_down(pid);
}

static int by_times(void)
{
	pid_t pid = sleeper();

	return utimensat(AT_FDCWD, of(pid, "cwd/file"), NULL, 0) || put_down(pid);
}

static int by_socket(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	pid_t pid = sleeper();

	strcpy(a.sun_path, of(pid, "cwd/sock"));
	return bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a)) ||
	       put_down(pid);
}

static int by_directory_and_link(void)
{
	char text[64];
	pid_t pid = sleeper();
	int fd = open(of(pid, ""), O_RDONLY | O_DIRECTORY);

	return fd < 0 || readlinkat(fd, "exe", text, sizeof(text)) < 0 || put_down(pid);
}

static int by_directory_and_open(void)
{
	pid_t pid = sleeper();
	int fd = open(of(pid, ""), O_PATH | O_DIRECTORY);

	return fd < 0 || openat(fd, "cwd/file", O_RDONLY) < 0 || put_down(pid);
}

static int by_working_directory(void)
{
	char text[64];
	pid_t pid = sleeper();

	return chdir(of(pid, "fd")) || readlink("0", text, sizeof(text)) < 0 || put_down(pid);
}

static int by_parent(void)
{
	pid_t pid = fork();
	char text[64];

	if (!pid)
		_exit(readlink(of(getppid(), "exe"), text, sizeof(text)) < 0 ||
		      open(of(getppid(), "cwd/file"), O_RDONLY) < 0);
	return ended(pid, 0);
}

static int by_symbolic_link(void)
{
	pid_t pid = sleeper();

	return symlink(of(pid, "cwd"), "there") || open("there/file", O_RDONLY) < 0 ||
	       put_down(pid);
}

static int by_thread(void)
{
	char text[64], what[32];
	pid_t pid = sleeper();

	snprintf(what, sizeof(what), "task/%d/exe", (int)pid);
	return readlink(of(pid, what), text, sizeof(text)) < 0 || put_down(pid);
}

static int looked(const char *what)
{
	char text[64];
	pid_t pid = sleeper();
	int fd = open(of(pid, what), O_RDONLY);

	return fd < 0 || read(fd, text, sizeof(text)) < 0 || put_down(pid);
}

static int look_syscall(void)
{
	return looked("syscall");
}

static int look_stack(void)
{
	return looked("stack");
}

static int look_pagemap(void)
{
	return looked("pagemap");
}

static int look_statm_status(void)
{
	return looked("statm") || looked("status") || looked("mountinfo") || looked("limits") ||
	       looked("cgroup") || looked("comm");
}

static int look_task_maps(void)
{
	char what[32];
	pid_t pid = sleeper();
	int fd;

	snprintf(what, sizeof(what), "task/%d/maps", (int)pid);
	fd = open(of(pid, what), O_RDONLY);
	return fd < 0 || put_down(pid);
}

static int look_listed_descriptors(void)
{
	pid_t pid = sleeper();
	DIR *d = opendir(of(pid, "fd"));
	struct dirent *e;
	struct stat st;
	int n = 0;

	while (d && (e = readdir(d)))
		n += !fstatat(dirfd(d), e->d_name, &st, 0);
	return n < 3 || put_down(pid);
}

static int clear_refs(void)
{
	pid_t pid = sleeper();
	int fd = open(of(pid, "clear_refs"), O_WRONLY);

	return fd < 0 || write(fd, "1", 1) != 1 || put_down(pid);
}

static int slack_set(void)
{
	pid_t pid = sleeper();
	int fd = open(of(pid, "timerslack_ns"), O_RDWR);

	return fd < 0 || write(fd, "50000", 5) != 5 || put_down(pid);
}

/* ---- descriptors of processes ---- */

static int signal_by_proc_directory(void)
{
	pid_t pid = sleeper();
	int fd = open(of(pid, ""), O_RDONLY | O_DIRECTORY);

	return syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) ||
	       syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) || ended(pid, SIGTERM);
}

static int signal_to_a_thread(void)
{
	pid_t pid = sleeper();

	return syscall(SYS_tgkill, pid, pid, 0) || syscall(SYS_tkill, pid, SIGTERM) ||
	       ended(pid, SIGTERM);
}

static int signal_continues(void)
{
	pid_t pid = sleeper();

	return kill(pid, SIGSTOP) || waitpid(pid, NULL, WUNTRACED) != pid || kill(pid, SIGCONT) ||
	       put_down(pid);
}

static int limits_of_a_child(void)
{
	struct {
		uint64_t now, most;
	} l;
	pid_t pid = sleeper();

	return syscall(SYS_prlimit64, pid, 7, NULL, &l) ||
	       syscall(SYS_prlimit64, pid, 7, &l, NULL) || put_down(pid);
}

/* ---- programs and memory ---- */

static int program_checked(void)
{
	/* AT_EXECVE_CHECK, since Linux 6.14 */
	char *none[] = { NULL };
	long r = syscall(SYS_execveat, AT_FDCWD, "/d/tool", none, none, 0x10000);

	return r && errno != EINVAL;
}

static int script_checked(void)
{
	char *none[] = { NULL };
	int fd = open("/d/script", O_RDONLY);
	long r = syscall(SYS_execveat, fd, "", none, none, 0x10000 | AT_EMPTY_PATH);

	return r && errno != EINVAL;
}

static int tool(void)
{
	return put("/d/script", "#!/d/tool\n") || chmod("/d/script", 0755) ||
	       put("/d/tool", "\177ELF") || chmod("/d/tool", 0755);
}

static int memory_shared_executable(void)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700);

	return shmat(id, NULL, SHM_EXEC) == (void *)-1 || shmctl(id, IPC_RMID, NULL);
}

static int map_again_elsewhere(void)
{
	int fd = open("file", O_RDONLY);
	char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		return 1;
	p = mremap(p, 4096, 8192, MREMAP_MAYMOVE);
	return p == MAP_FAILED || mprotect(p + 4096, 4096, PROT_READ | PROT_EXEC);
}

/* ---- 32 bits ---- */

static long int80(long nr, const void *a, long b, long c)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(0L), "D"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

static void *low(const void *what, size_t n)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		       -1, 0);

	return p == MAP_FAILED ? NULL : memcpy(p, what, n);
}

/* mmap of i386 takes all in a structure. */
static int int80_map(void)
{
	uint32_t words[6] = { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0, 0 };

	words[4] = (uint32_t)open("file", O_RDONLY);
	return (int)int80(90, low(words, sizeof(words)), 0, 0) >= -4095 &&
	       (int)int80(90, low(words, sizeof(words)), 0, 0) < 0;
}

/* socketcall(2) */
static int int80_socket_bound(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/d/sock80" };
	uint32_t make[3] = { AF_UNIX, SOCK_STREAM, 0 }, name[3] = { 0, 0, sizeof(a) };
	int fd = (int)int80(102, (void *)1, (long)low(make, sizeof(make)), 0);

	name[0] = (uint32_t)fd;
	name[1] = (uint32_t)(uintptr_t)low(&a, sizeof(a));
	return fd < 0 || (int)int80(102, (void *)2, (long)low(name, sizeof(name)), 0) != 0;
}

static int int80_socket_raw(void)
{
	uint32_t make[3] = { AF_INET, SOCK_RAW, 1 };

	return (int)int80(102, (void *)1, (long)low(make, sizeof(make)), 0) < 0;
}

/* chown of 16 bits, truncate, ftruncate64, umount */
static int int80_changes(void)
{
	int fd = open("/d/other", O_RDWR);

	return (int)int80(182, low("/d/file", 8), 0, 0) ||
	       (int)int80(92, low("/d/file", 8), 4096, 0) ||
	       (int)int80(194, (void *)(intptr_t)fd, 8192, 0) ||
	       (int)int80(94, (void *)(intptr_t)fd, 0600, 0) ||
	       (int)int80(15, low("/d/a/f", 7), 0600, 0);
}

static int int80_locks(void)
{
	struct {
		int16_t type, whence;
		int32_t start, len, pid;
	} l = { F_WRLCK, 0, 0, 0, 0 };
	int fd = open("/d/other", O_RDWR);

	return (int)int80(55, (void *)(intptr_t)fd, 6 /* F_SETLK */, (long)low(&l, sizeof(l))) ||
	       (int)int80(143, (void *)(intptr_t)open("/d/file", O_RDONLY), 2 /* LOCK_EX */, 0);
}

static int int80_mount(void)
{
	return (int)int80(21, low("t", 2), (long)low("/d/empty", 9), (long)low("tmpfs", 6)) ||
	       (int)int80(22, low("/d/empty", 9), 0, 0);
}

static int int80_looks(void)
{
	pid_t pid = sleeper();
	int bad = (int)int80(26, (void *)16 /* PTRACE_ATTACH */, pid, 0) != 0;

	if (!bad)
		bad = waitpid(pid, NULL, 0) != pid || (int)int80(26, (void *)17, pid, 0);
	return put_down(pid) || bad;
}

/* ---- names that change under a call ---- */

static int link_retargeted_bind(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "current/s" };

	return bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a)) ||
	       unlink("current") || symlink("b", "current");
}

static int link_retargeted_symlink(void)
{
	return symlink("x", "current/l") || link("current/f", "current/h") || unlink("current") ||
	       symlink("b", "current");
}

static int link_retargeted_mknod(void)
{
	return mkfifo("current/p", 0600) || unlink("current") || symlink("b", "current");
}

static int link_retargeted_mount(void)
{
	return mount("t", "current", "tmpfs", 0, NULL) || unlink("current") ||
	       symlink("b", "current") || umount2("a", 0);
}

static int link_retargeted_root(void)
{
	return chroot("current") || open("/f", O_RDONLY) < 0 || unlink("/f");
}

/* ---- mounts by newer calls ---- */

static int mount_moved_by_name(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, NULL) ||
	       syscall(429, AT_FDCWD, "/d/empty", AT_FDCWD, "/d/dir", 0) || umount2("/d/dir", 0);
}

static int tree_with_attributes(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	long m = syscall(467 /* open_tree_attr */, AT_FDCWD, "/d/dir", OPEN_TREE_CLONE, &attr,
			 sizeof(attr));

	if (m < 0 && errno == ENOSYS)
		m = syscall(SYS_open_tree, AT_FDCWD, "/d/dir", OPEN_TREE_CLONE);
	return m < 0 ||
	       syscall(SYS_move_mount, m, "", AT_FDCWD, "/d/empty", MOVE_MOUNT_F_EMPTY_PATH) ||
	       umount2("/d/empty", MNT_DETACH);
}

static int mount_of_one_file(void)
{
	return mount("/d/file", "/d/other", NULL, MS_BIND, NULL) ||
	       open("/d/other", O_RDONLY) < 0 ||
	       mount(NULL, "/d/other", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) ||
	       umount2("/d/other", MNT_DETACH);
}

static int mount_by_descriptor(void)
{
	char path[64];
	int fd = open("/d/empty", O_RDONLY | O_DIRECTORY);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return mount("t", path, "tmpfs", MS_NODEV | MS_NOEXEC, NULL) || umount2("/d/empty", 0);
}

static int mount_without_source(void)
{
	return mount(NULL, "empty", "tmpfs", 0, NULL) || umount2("empty", UMOUNT_NOFOLLOW);
}

static int mount_relative(void)
{
	return chdir("empty") || mount("none", ".", "tmpfs", MS_NOATIME, NULL) ||
	       umount2(".", MNT_DETACH);
}

static int mount_with_all_below(void)
{
	return mount("t", "/d/dir", "tmpfs", 0, NULL) || mkdir("/d/dir/x", 0700) ||
	       mount("/d/dir", "/d/empty", NULL, MS_BIND | MS_REC, NULL) ||
	       mount(NULL, "/d/empty", NULL, MS_SLAVE | MS_REC, NULL) ||
	       umount2("/d/empty", MNT_DETACH) || umount2("/d/dir", 0);
}

static int mount_seen_again(void)
{
	int fs = (int)syscall(433 /* fspick */, AT_FDCWD, "/d/empty", 0);

	return fs < 0 || syscall(431 /* fsconfig */, fs, 0, "ro", NULL, 0) ||
	       syscall(431, fs, 7 /* RECONFIGURE */, NULL, NULL, 0);
}

static int seen_setup(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, NULL);
}

static const struct awkward cases[] = {
	CASE(by_stat),
	CASE(by_stat_of_a_descriptor),
	CASE(by_stat_of_a_namespace),
	CASE(by_lstat_alone),
	CASE(by_access),
	CASE(by_chdir),
	CASE(by_chroot),
	CASE(by_statfs),
	CASE(by_rename),
	CASE(by_mkdir),
	CASE(by_exec),
	CASE(by_watch),
	CASE(by_times),
	CASE(by_socket),
	CASE(by_directory_and_link),
	CASE(by_directory_and_open),
	CASE(by_working_directory),
	CASE(by_parent),
	CASE(by_symbolic_link),
	CASE(by_thread),
	CASE(look_syscall),
	CASE(look_stack),
	CASE(look_pagemap),
	CASE(look_statm_status),
	CASE(look_task_maps),
	CASE(look_listed_descriptors),
	CASE(clear_refs),
	CASE(slack_set),
	CASE(signal_by_proc_directory),
	CASE(signal_to_a_thread),
	CASE(signal_continues),
	CASE(limits_of_a_child),
	SET_UP(program_checked, tool),
	SET_UP(script_checked, tool),
	CASE(memory_shared_executable),
	CASE(map_again_elsewhere),
	CASE(int80_map),
	CASE(int80_socket_bound),
	CASE(int80_socket_raw),
	CASE(int80_changes),
	CASE(int80_locks),
	CASE(int80_mount),
	CASE(int80_looks),
	CASE(link_retargeted_bind),
	CASE(link_retargeted_symlink),
	CASE(link_retargeted_mknod),
	CASE(link_retargeted_mount),
	CASE(link_retargeted_root),
	CASE(mount_moved_by_name),
	CASE(tree_with_attributes),
	CASE(mount_of_one_file),
	CASE(mount_by_descriptor),
	CASE(mount_without_source),
	CASE(mount_relative),
	CASE(mount_with_all_below),
	SET_UP(mount_seen_again, seen_setup),
};

CASES_MAIN(cases)
