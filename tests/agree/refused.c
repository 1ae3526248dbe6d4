/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that fail when the kernel has asked already whether they may be made: with the answer no they fail otherwise. */
#include <linux/elf.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "case.h"
#include "child.h"

static int failed(long result, int error)
{
	return result != -1 || errno != error;
}

/* ---- names ---- */

static int rmdir_of_a_full_one(void)
{
	return failed(rmdir("dir"), ENOTEMPTY);
}

static int rename_over_a_full_one(void)
{
	return failed(rename("empty", "dir"), ENOTEMPTY);
}

static int link_of_a_directory(void)
{
	return failed(link("dir", "hard"), EPERM);
}

static int unlink_of_a_directory(void)
{
	return failed(unlink("empty"), EISDIR);
}

static int cut_directory(void)
{
	return failed(truncate("dir", 0), EISDIR);
}

/* Of a file system that is read-only the kernel asks nobody. */
static int made_read_only(void)
{
	return failed(mkdir("empty/x", 0700), EROFS) ||
	       failed(open("empty/y", O_CREAT | O_RDWR, 0600), EROFS) ||
	       failed(unlink("empty/z"), EROFS) || failed(chmod("empty/z", 0600), EROFS);
}

static int read_only_setup(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, NULL) || put("/d/empty/z", "z") ||
	       mount(NULL, "/d/empty", NULL, MS_REMOUNT | MS_RDONLY, NULL);
}

static int room_for_no_more(void)
{
	char big[64];
	int n = 0;

	while (n < 9 && (snprintf(big, sizeof(big), "empty/%d", n), !mkdir(big, 0700)))
		n++;
	return n == 9 || errno != ENOSPC;
}

static int no_room_setup(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, "nr_inodes=4");
}

static int rename_between_file_systems(void)
{
	return failed(rename("file", "empty/file"), EXDEV) ||
	       failed(link("file", "empty/l"), EXDEV);
}

static int tmpfs_setup(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, NULL);
}

/* ---- what is open, and is mapped ---- */

static int lock_that_another_has_alone(void)
{
	char c;
	int ready[2], fd;
	pid_t pid;

	if (pipe(ready))
		return 1;
	pid = fork();
	if (!pid) {
		if (flock(open("/d/other", O_RDONLY), LOCK_SH) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	if (read(ready[0], &c, 1) != 1)
		return 2;
	fd = open("/d/other", O_RDONLY);
	return failed(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK) || put_down(pid);
}

static int record_lock_that_another_has(void)
{
	struct flock all = { .l_type = F_WRLCK }, some = { .l_type = F_RDLCK };
	int fd = open("other", O_RDWR), two = open("other", O_RDONLY);

	return fcntl(fd, F_OFD_SETLK, &all) || failed(fcntl(two, F_OFD_SETLK, &some), EAGAIN);
}

static int lease_of_an_open_file(void)
{
	int two = open("file", O_RDWR), fd = open("file", O_RDONLY);

	return two < 0 || failed(fcntl(fd, F_SETLEASE, F_RDLCK), EAGAIN);
}

static int map_over_another(void)
{
	int fd = open("file", O_RDONLY);
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return failed((long)mmap(p, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED_NOREPLACE,
				 fd, 0),
		      EEXIST);
}

static int protect_half(void)
{
	int fd = open("file", O_RDONLY);
	char *p = mmap(NULL, 12288, PROT_READ, MAP_PRIVATE, fd, 0);

	return p == MAP_FAILED || munmap(p + 4096, 4096) ||
	       failed(mprotect(p, 12288, PROT_READ | PROT_EXEC), ENOMEM);
}

/* ---- programs ---- */

static int program_without_format(void)
{
	return failed(execl("/d/file", "file", NULL), ENOEXEC);
}

static int rights_setup(void)
{
	return chmod("/d/file", 0755);
}

static int script_without_interpreter(void)
{
	return failed(execl("/d/script", "script", NULL), ENOENT);
}

static int script_setup(void)
{
	return put("/d/script", "#!/d/no/interpreter\n") || chmod("/d/script", 0755);
}

static int script_of_itself(void)
{
	return failed(execl("/d/script", "script", NULL), ELOOP);
}

static int script_of_itself_setup(void)
{
	return put("/d/script", "#!/d/script\n") || chmod("/d/script", 0755);
}

/* ---- sockets ---- */

static socklen_t named(struct sockaddr_un *a, const char *name)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strcpy(a->sun_path, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
}

static int connect_where_nobody_listens(void)
{
	struct sockaddr_un a;
	socklen_t n = named(&a, "dir/s");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), to = socket(AF_UNIX, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&a, n) ||
	       failed(connect(to, (struct sockaddr *)&a, n), ECONNREFUSED);
}

static int bind_twice(void)
{
	struct sockaddr_un a, b;
	socklen_t n = named(&a, "one"), m = named(&b, "two");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&a, n) ||
	       failed(bind(fd, (struct sockaddr *)&b, m), EINVAL);
}

static int protocol_that_is_none(void)
{
	return failed(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT) ||
	       failed(socket(AF_NETLINK, SOCK_RAW, 31), EPROTONOSUPPORT);
}

/* ---- mounts ---- */

static int mount_of_no_type(void)
{
	return failed(mount("t", "/d/empty", "nosuch", 0, NULL), ENODEV);
}

static int mount_of_a_bad_option(void)
{
	return failed(mount("t", "/d/empty", "tmpfs", 0, "nonsense=1"), EINVAL);
}

static int mount_that_is_none_again(void)
{
	return failed(mount(NULL, "/d/dir", NULL, MS_REMOUNT | MS_RDONLY, NULL), EINVAL) ||
	       failed(mount(NULL, "/d/dir", NULL, MS_SHARED, NULL), EINVAL) ||
	       failed(mount("/d/a", "/d/dir", NULL, MS_MOVE, NULL), EINVAL);
}

static int umount_of_none(void)
{
	return failed(umount2("/d/dir", 0), EINVAL);
}

static int umount_of_a_busy_one(void)
{
	return open("/d/empty/f", O_CREAT | O_RDWR, 0600) < 0 ||
	       failed(umount2("/d/empty", 0), EBUSY);
}

static int move_of_no_mount(void)
{
	return failed(syscall(429, AT_FDCWD, "/d/a", AT_FDCWD, "/d/b", 0), EINVAL);
}

/* ---- processes ---- */

static int trace_of_a_traced_one(void)
{
	pid_t pid = sleeper();

	return ptrace(PTRACE_SEIZE, pid, NULL, NULL) ||
	       failed(ptrace(PTRACE_SEIZE, pid, NULL, NULL), EPERM) ||
	       ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) || waitpid(pid, NULL, 0) != pid ||
	       ptrace(PTRACE_DETACH, pid, NULL, NULL) || put_down(pid);
}

static int memory_that_is_none(void)
{
	char here;
	struct iovec {
		void *p;
		size_t n;
	} a = { &here, 1 }, b = { NULL, 1 };
	pid_t pid = sleeper();

	return failed(syscall(SYS_process_vm_readv, pid, &a, 1, &b, 1, 0), EFAULT) || put_down(pid);
}

static int descriptor_that_is_none(void)
{
	pid_t pid = sleeper();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return failed(syscall(SYS_pidfd_getfd, fd, 999, 0), EBADF) || put_down(pid);
}

static int link_of_no_descriptor(void)
{
	char path[64], text[64];
	pid_t pid = sleeper();

	snprintf(path, sizeof(path), "/proc/%d/fd/999", (int)pid);
	return failed(readlink(path, text, sizeof(text)), ENOENT) || put_down(pid);
}

static const struct awkward cases[] = {
	CASE(rmdir_of_a_full_one),
	CASE(rename_over_a_full_one),
	CASE(link_of_a_directory),
	CASE(unlink_of_a_directory),
	CASE(cut_directory),
	SET_UP(made_read_only, read_only_setup),
	SET_UP(room_for_no_more, no_room_setup),
	SET_UP(rename_between_file_systems, tmpfs_setup),
	CASE(lock_that_another_has_alone),
	CASE(record_lock_that_another_has),
	CASE(lease_of_an_open_file),
	CASE(map_over_another),
	CASE(protect_half),
	SET_UP(program_without_format, rights_setup),
	SET_UP(script_without_interpreter, script_setup),
	SET_UP(script_of_itself, script_of_itself_setup),
	CASE(connect_where_nobody_listens),
	CASE(bind_twice),
	CASE(protocol_that_is_none),
	CASE(mount_of_no_type),
	CASE(mount_of_a_bad_option),
	CASE(mount_that_is_none_again),
	CASE(umount_of_none),
	SET_UP(umount_of_a_busy_one, tmpfs_setup),
	CASE(move_of_no_mount),
	CASE(trace_of_a_traced_one),
	CASE(memory_that_is_none),
	CASE(descriptor_that_is_none),
	CASE(link_of_no_descriptor),
};

CASES_MAIN(cases)
