/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mediated CASE: in the current directory, where `file`, `other`, `link` (to file) and the
 * directories `dir` and `empty` are, one way to use files that AppArmor asks more for than the
 * mode of an open shows. 0 where every call succeeded. Several: each in a directory of its name.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXCHANGE 2

static int lock(int fd, int command, short type)
{
	struct flock l = { .l_type = type };

	return fd < 0 || fcntl(fd, command, &l);
}

static int exchange(const char *a, const char *b)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE);
}

static int flock_create(void)
{
	int fd = open("file", O_RDONLY | O_CREAT | O_NOCTTY, 0666);

	return fd < 0 || flock(fd, LOCK_EX);
}

static int flock_exclusive(void)
{
	return flock(open("file", O_RDONLY), LOCK_EX | LOCK_NB);
}

static int flock_shared(void)
{
	int fd = open("file", O_RDONLY);

	return flock(fd, LOCK_SH) || flock(fd, LOCK_UN);
}

static int flock_directory(void)
{
	return flock(open("dir", O_RDONLY | O_DIRECTORY), LOCK_EX);
}

static int fcntl_read(void)
{
	int fd = open("file", O_RDONLY);

	return lock(fd, F_SETLK, F_RDLCK) || lock(fd, F_SETLK, F_UNLCK);
}

static int fcntl_write(void)
{
	return lock(open("file", O_RDWR), F_SETLKW, F_WRLCK);
}

static int ofd_write(void)
{
	return lock(open("file", O_WRONLY), F_OFD_SETLK, F_WRLCK);
}

static int lease_read(void)
{
	return fcntl(open("file", O_RDONLY), F_SETLEASE, F_RDLCK);
}

static int lease_write(void)
{
	return fcntl(open("file", O_RDONLY), F_SETLEASE, F_WRLCK);
}

static int rename_gone_directory(void)
{
	return mkdir("d1", 0700) || rename("d1", "d2") || rmdir("d2");
}

static int rename_old_directory(void)
{
	return rename("dir", "moved");
}

static int rename_directory_twice(void)
{
	return rename("empty", "b") || rename("b", "c") || rmdir("c");
}

static int rename_file(void)
{
	return rename("file", "moved") || unlink("moved");
}

static int rename_over(void)
{
	return rename("file", "other");
}

static int exchange_files(void)
{
	return exchange("file", "other");
}

static int exchange_file_and_directory(void)
{
	return exchange("dir", "file");
}

static int link_read(void)
{
	return link("file", "new") || open("new", O_RDONLY) < 0;
}

static int link_write(void)
{
	return link("file", "new") || open("new", O_WRONLY) < 0;
}

static int link_then_rename(void)
{
	return link("file", "new") || rename("new", "newer");
}

static int link_chain(void)
{
	return link("file", "one") || link("one", "two") || open("two", O_RDWR) < 0;
}

static int link_symlink(void)
{
	return linkat(AT_FDCWD, "link", AT_FDCWD, "new", AT_SYMLINK_FOLLOW);
}

static int link_descriptor(void)
{
	return linkat(open("file", O_RDWR), "", AT_FDCWD, "new", AT_EMPTY_PATH) || unlink("new");
}

static int link_proc(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", open("file", O_RDONLY));
	return linkat(AT_FDCWD, path, AT_FDCWD, "new", AT_SYMLINK_FOLLOW) || unlink("new");
}

static int link_temporary(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	return write(fd, "x", 1) != 1 || linkat(fd, "", AT_FDCWD, "new", AT_EMPTY_PATH);
}

static int mprotect_file(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, open("file", O_RDONLY), 0);

	return p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int mprotect_part(void)
{
	char *p = mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED, open("file", O_RDONLY), 0);
	char *q = mmap(p + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, open("other", O_RDONLY),
		       0);

	return p == MAP_FAILED || q != p + 4096 || mprotect(p, 3 * 4096, PROT_EXEC);
}

static int append(void)
{
	return write(open("file", O_WRONLY | O_APPEND), "x", 1) != 1;
}

static int append_and_read(void)
{
	return write(open("file", O_RDWR | O_APPEND), "x", 1) != 1;
}

static int append_truncate(void)
{
	return ftruncate(open("file", O_WRONLY | O_APPEND), 0);
}

static int append_cleared(void)
{
	int fd = open("file", O_WRONLY | O_APPEND);

	return fcntl(fd, F_SETFL, 0) || write(fd, "x", 1) != 1;
}

static int append_create(void)
{
	return write(open("file", O_WRONLY | O_APPEND | O_CREAT, 0600), "x", 1) != 1;
}

static int append_mapped(void)
{
	int fd = open("file", O_RDWR | O_APPEND);

	/* Refused by the kernel itself for a shared writable mapping: nothing to learn. */
	return mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED;
}

static int read_create(void)
{
	return open("made", O_RDONLY | O_CREAT, 0600) < 0;
}

static int read_truncate(void)
{
	return open("file", O_RDONLY | O_TRUNC) < 0;
}

static int openat2_create(void)
{
	struct open_how how = { .flags = O_RDONLY | O_CREAT, .mode = 0600 };

	return syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)) < 0;
}

static int chmod_directory(void)
{
	return chmod("empty", 0700) || rmdir("empty");
}

static int chown_symlink(void)
{
	return fchownat(AT_FDCWD, "link", getuid(), getgid(), AT_SYMLINK_NOFOLLOW);
}

static int chown_through_symlink(void)
{
	return fchownat(AT_FDCWD, "link", getuid(), getgid(), 0);
}

static int new_mounts(void)
{
	return unshare(CLONE_NEWNS);
}

static const struct {
	const char *name;
	int (*run)(void);
} cases[] = {
#define CASE(f)                                                                                    \
	{                                                                                          \
#f, f                                                                              \
	}
	CASE(flock_create),
	CASE(flock_exclusive),
	CASE(flock_shared),
	CASE(flock_directory),
	CASE(fcntl_read),
	CASE(fcntl_write),
	CASE(ofd_write),
	CASE(lease_read),
	CASE(lease_write),
	CASE(rename_gone_directory),
	CASE(rename_old_directory),
	CASE(rename_directory_twice),
	CASE(rename_file),
	CASE(rename_over),
	CASE(exchange_files),
	CASE(exchange_file_and_directory),
	CASE(link_read),
	CASE(link_write),
	CASE(link_then_rename),
	CASE(link_chain),
	CASE(link_symlink),
	CASE(link_descriptor),
	CASE(link_proc),
	CASE(link_temporary),
	CASE(mprotect_file),
	CASE(mprotect_part),
	CASE(append),
	CASE(append_and_read),
	CASE(append_truncate),
	CASE(append_cleared),
	CASE(append_create),
	CASE(append_mapped),
	CASE(read_create),
	CASE(read_truncate),
	CASE(openat2_create),
	CASE(chmod_directory),
	CASE(chown_symlink),
	CASE(chown_through_symlink),
	CASE(new_mounts),
};

static int run_case(const char *name)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(name, cases[i].name))
			return cases[i].run() != 0;
	return 2;
}

/* Each in the directory of its name, by a process of its own. */
static int run_cases(char **names)
{
	int failed = 0;

	for (; *names; names++) {
		int status = 0;
		pid_t pid = fork();

		if (!pid)
			_exit(chdir(*names) ? 3 : run_case(*names));
		if (waitpid(pid, &status, 0) != pid || status) {
			printf("%s failed: %d\n", *names, status);
			failed = 1;
		}
	}
	return failed;
}

int main(int argc, char **argv)
{
	if (argc > 2)
		return run_cases(argv + 1);
	if (argc > 1)
		return run_case(argv[1]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		puts(cases[i].name);
	return 0;
}
