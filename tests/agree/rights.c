/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to files beyond reading them: maps, locks, links, owners, appending, cutting, and what no hook sees. */
#include <linux/fs.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <utime.h>

#include "case.h"

static int record_lock(const char *name, int flags, int command, short type)
{
	struct flock l = { .l_type = type };
	int fd = open(name, flags);

	return fd < 0 || fcntl(fd, command, &l);
}

static void *mapped(const char *name, int flags, int prot, int kind)
{
	return mmap(NULL, 8192, prot, kind, open(name, flags), 0);
}

/* ---- maps ---- */

static int map_exec(void)
{
	return mapped("file", O_RDONLY, PROT_READ | PROT_EXEC, MAP_PRIVATE) == MAP_FAILED;
}

static int map_then_exec(void)
{
	char *p = mapped("file", O_RDONLY, PROT_READ, MAP_PRIVATE);

	return p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int map_second_page_exec(void)
{
	char *p = mapped("file", O_RDONLY, PROT_READ, MAP_SHARED);

	return p == MAP_FAILED || mprotect(p + 4096, 4096, PROT_EXEC);
}

static int map_two_files_exec(void)
{
	char *p = mapped("file", O_RDONLY, PROT_READ, MAP_PRIVATE);
	void *q = mmap(p + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, open("other", O_RDONLY),
		       0);

	return p == MAP_FAILED || q == MAP_FAILED || mprotect(p, 8192, PROT_READ | PROT_EXEC);
}

static int map_pkey_exec(void)
{
	char *p = mapped("file", O_RDONLY, PROT_READ, MAP_PRIVATE);

	return p == MAP_FAILED || syscall(SYS_pkey_mprotect, p, 4096, PROT_READ | PROT_EXEC, -1);
}

static int map_read_implies_exec(void)
{
	return personality(READ_IMPLIES_EXEC) < 0 ||
	       mapped("file", O_RDONLY, PROT_READ, MAP_PRIVATE) == MAP_FAILED;
}

static int map_write_exec(void)
{
	return mapped("file", O_RDWR, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE) ==
	       MAP_FAILED;
}

static int map_closed_then_exec(void)
{
	int fd = open("file", O_RDONLY);
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);

	return close(fd) || unlink("file") || mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int map_synced(void)
{
	char *p = mapped("file", O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED);

	return p == MAP_FAILED || (*p = 1) != 1 || msync(p, 4096, MS_SYNC);
}

/* ---- locks ---- */

static int lock_flock_ex(void)
{
	return flock(open("file", O_RDONLY), LOCK_EX);
}

static int lock_flock_sh(void)
{
	int fd = open("file", O_RDONLY);

	return flock(fd, LOCK_SH) || flock(fd, LOCK_UN);
}

static int lock_flock_made(void)
{
	return flock(open("lk", O_RDONLY | O_CREAT | O_NOCTTY, 0666), LOCK_EX | LOCK_NB);
}

static int lock_flock_directory(void)
{
	return flock(open("dir", O_RDONLY | O_DIRECTORY), LOCK_EX);
}

static int lock_upgraded(void)
{
	int fd = open("file", O_RDONLY);

	return flock(fd, LOCK_SH) || flock(fd, LOCK_EX);
}

static int lock_read(void)
{
	return record_lock("file", O_RDONLY, F_SETLK, F_RDLCK);
}

static int lock_write(void)
{
	return record_lock("file", O_RDWR, F_SETLKW, F_WRLCK);
}

static int lock_write_refused(void)
{
	return !record_lock("file", O_RDONLY, F_SETLK, F_WRLCK);
}

static int lock_ofd_read(void)
{
	return record_lock("file", O_RDWR, F_OFD_SETLKW, F_RDLCK);
}

static int lock_ofd_write(void)
{
	return record_lock("file", O_WRONLY, F_OFD_SETLK, F_WRLCK);
}

static int lock_asked(void)
{
	return record_lock("file", O_RDONLY, F_GETLK, F_WRLCK);
}

static int lock_lease_read(void)
{
	return fcntl(open("file", O_RDONLY), F_SETLEASE, F_RDLCK);
}

static int lock_lease_write(void)
{
	return fcntl(open("file", O_RDONLY), F_SETLEASE, F_WRLCK);
}

static int lock_by_child(void)
{
	int fd = open("file", O_RDONLY), status = 1;

	if (!fork())
		_exit(flock(fd, LOCK_EX));
	return wait(&status) < 0 || status;
}

static int lock_deleted(void)
{
	int fd = open("file", O_RDONLY);

	return unlink("file") || flock(fd, LOCK_EX);
}

static int lock_after_rename(void)
{
	int fd = open("file", O_RDONLY);

	return rename("file", "moved") || flock(fd, LOCK_EX);
}

/* ---- hard links ---- */

static int link_read(void)
{
	return link("file", "new") || open("new", O_RDONLY) < 0;
}

static int link_write(void)
{
	return link("file", "new") || open("new", O_WRONLY) < 0;
}

static int link_only(void)
{
	return link("file", "new");
}

static int link_and_unlink(void)
{
	return link("file", "new") || unlink("new");
}

static int link_then_rename(void)
{
	return link("file", "new") || rename("new", "newer");
}

static int link_chain(void)
{
	return link("file", "one") || link("one", "two") || open("two", O_RDWR) < 0;
}

static int link_followed(void)
{
	return linkat(AT_FDCWD, "link", AT_FDCWD, "new", AT_SYMLINK_FOLLOW);
}

static int link_of_symlink(void)
{
	return link("link", "new");
}

static int link_by_descriptor(void)
{
	return linkat(open("file", O_RDWR), "", AT_FDCWD, "new", AT_EMPTY_PATH) || unlink("new");
}

static int link_by_proc(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", open("file", O_RDONLY));
	return linkat(AT_FDCWD, path, AT_FDCWD, "new", AT_SYMLINK_FOLLOW) || unlink("new");
}

static int link_of_nameless(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	return write(fd, "x", 1) != 1 || linkat(fd, "", AT_FDCWD, "new", AT_EMPTY_PATH);
}

static int nameless_alone(void)
{
	int fd = open("dir", O_TMPFILE | O_RDWR | O_EXCL, 0600);

	return write(fd, "x", 1) != 1;
}

/* ---- appending, cutting ---- */

static int append_only(void)
{
	return write(open("file", O_WRONLY | O_APPEND), "x", 1) != 1;
}

static int append_and_read(void)
{
	return write(open("file", O_RDWR | O_APPEND), "x", 1) != 1;
}

static int append_made(void)
{
	return write(open("log", O_WRONLY | O_APPEND | O_CREAT, 0600), "x", 1) != 1;
}

static int append_cut(void)
{
	return ftruncate(open("file", O_WRONLY | O_APPEND), 0);
}

static int append_cleared(void)
{
	int fd = open("file", O_WRONLY | O_APPEND);

	return fcntl(fd, F_SETFL, 0) || write(fd, "x", 1) != 1;
}

static int append_cut_by_flag(void)
{
	return open("file", O_WRONLY | O_APPEND | O_TRUNC) < 0;
}

static int append_and_written(void)
{
	return open("file", O_WRONLY | O_APPEND) < 0 || open("file", O_WRONLY) < 0;
}

static int append_fallocated(void)
{
	return posix_fallocate(open("file", O_RDWR | O_APPEND), 0, 32768);
}

static int cut_by_reader(void)
{
	return open("file", O_RDONLY | O_TRUNC) < 0;
}

static int cut_by_name(void)
{
	return truncate("link", 10);
}

static int cut_by_creat(void)
{
	return creat("file", 0600) < 0;
}

static int made_by_reader(void)
{
	return open("made", O_RDONLY | O_CREAT, 0600) < 0;
}

static int made_exists(void)
{
	return open("file", O_RDONLY | O_CREAT, 0600) < 0;
}

static int open_mode_three(void)
{
	return open("file", O_WRONLY | O_RDWR) < 0;
}

/* ---- owners ---- */

static int owner_temporary(void)
{
	int fd = open("t", O_RDWR | O_CREAT | O_EXCL, 0600);

	return write(fd, "x", 1) != 1 || unlink("t");
}

static int owner_renamed(void)
{
	return open("t", O_WRONLY | O_CREAT, 0600) < 0 || rename("t", "file");
}

static int owner_chmod(void)
{
	return open("file", O_RDONLY) < 0 || chmod("file", 0600);
}

static int owner_given_away(void)
{
	return open("file", O_RDWR) < 0 || chown("file", 65534, 65534) || open("file", O_RDWR) < 0;
}

static int owner_taken(void)
{
	return chown("other", 65534, 65534) || open("other", O_RDONLY) < 0 ||
	       lchown("other", 0, 0) || open("other", O_RDONLY) < 0;
}

static int owner_of_another(void)
{
	return setuid(65534) || open("file", O_RDONLY) < 0;
}

static int owner_of_two_users(void)
{
	int status = 1;

	if (open("file", O_RDONLY) < 0)
		return 1;
	if (!fork())
		_exit(setuid(65534) || open("file", O_RDONLY) < 0);
	return wait(&status) < 0 || status;
}

static int owner_by_fsuid(void)
{
	return chmod("/d", 0777) || syscall(SYS_setfsuid, 65534) < 0 ||
	       open("/d/mine", O_WRONLY | O_CREAT, 0600) < 0;
}

/* ---- what has a hook that is easily forgotten, or none ---- */

static int mode_by_descriptor(void)
{
	return fchmod(open("file", O_RDONLY), 0600) || fchown(open("other", O_RDONLY), 0, 0);
}

static int mode_of_symlink(void)
{
	return fchownat(AT_FDCWD, "link", 0, 0, AT_SYMLINK_NOFOLLOW);
}

static int mode_by_empty_path(void)
{
	return fchownat(open("file", O_PATH), "", 0, 0, AT_EMPTY_PATH);
}

static int mode_of_directory(void)
{
	return chmod("empty", 0700) || chown("empty/", 0, 0) || rmdir("empty");
}

static int times(void)
{
	return utimensat(AT_FDCWD, "file", NULL, 0) || futimens(open("other", O_RDONLY), NULL) ||
	       utime("dir", NULL);
}

static int attributes(void)
{
	char text[8];

	setxattr("file", "user.x", "1", 1, 0);
	getxattr("file", "user.x", text, sizeof(text));
	return listxattr("file", NULL, 0) < 0;
}

static int watched(void)
{
	int fd = inotify_init1(0);

	return inotify_add_watch(fd, "dir", IN_ALL_EVENTS) < 0;
}

static int watched_by_fanotify(void)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);

	return fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "dir") < 0;
}

static int asked_alone(void)
{
	struct statfs s;
	struct stat st;

	return stat("file", &st) || access("dir/in", R_OK) || statfs("/d", &s);
}

static int fifo(void)
{
	return mkfifo("p", 0600) || open("p", O_RDWR) < 0 || unlink("p");
}

static int device(void)
{
	return mknod("null", S_IFCHR | 0600, 1 << 8 | 3) || open("null", O_WRONLY) < 0;
}

static int copied_in_kernel(void)
{
	int in = open("file", O_RDONLY), out = open("dir/out", O_RDWR | O_CREAT, 0600);

	return sendfile(out, in, NULL, 100) != 100;
}

static int ioctl_flags(void)
{
	int flags = 0;

	ioctl(open("file", O_RDONLY), FS_IOC_GETFLAGS, &flags);
	return 0;
}

static int renamed_over(void)
{
	return rename("file", "other") || open("other", O_RDONLY) < 0;
}

static int renamed_onto_link(void)
{
	return rename("other", "link");
}

static int renamed_no_replace(void)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, "fresh", 1);
}

static int exchanged(void)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, "other", 2);
}

static int failed_attempts(void)
{
	return open("/etc/shadow/x", O_RDONLY) >= 0 || open("nothing", O_RDWR) >= 0 ||
	       !mkdir("dir", 0700) || !unlink("nothing") || !rmdir("dir");
}

static int terminal_refused(void)
{
	return open("/dev/tty", O_RDWR) >= 0;
}

static int fifo_without_reader(void)
{
	return mkfifo("/d/p", 0600) || open("/d/p", O_WRONLY | O_NONBLOCK) >= 0 || errno != ENXIO;
}

static int device_without_driver(void)
{
	return mknod("/d/dev", S_IFCHR | 0600, makedev(250, 77)) || open("/d/dev", O_RDWR) >= 0 ||
	       errno != ENXIO;
}

static int init_memory_refused(void)
{
	return setuid(65534) || open("/proc/1/mem", O_RDONLY) >= 0;
}

static int of_the_kernel(void)
{
	return open("/proc/sys/kernel/hostname", O_RDONLY) < 0 ||
	       open("/proc/self/status", O_RDONLY) < 0 ||
	       open("/proc/self/task/../maps", O_RDONLY) < 0 || open("/sys/kernel", O_RDONLY) < 0;
}

static const struct awkward cases[] = {
	CASE(map_exec),
	CASE(map_then_exec),
	CASE(map_second_page_exec),
	CASE(map_two_files_exec),
	CASE(map_pkey_exec),
	CASE(map_read_implies_exec),
	CASE(map_write_exec),
	CASE(map_closed_then_exec),
	CASE(map_synced),
	CASE(lock_flock_ex),
	CASE(lock_flock_sh),
	CASE(lock_flock_made),
	CASE(lock_flock_directory),
	CASE(lock_upgraded),
	CASE(lock_read),
	CASE(lock_write),
	CASE(lock_write_refused),
	CASE(lock_ofd_read),
	CASE(lock_ofd_write),
	CASE(lock_asked),
	CASE(lock_lease_read),
	CASE(lock_lease_write),
	CASE(lock_by_child),
	CASE(lock_deleted),
	CASE(lock_after_rename),
	CASE(link_read),
	CASE(link_write),
	CASE(link_only),
	CASE(link_and_unlink),
	CASE(link_then_rename),
	CASE(link_chain),
	CASE(link_followed),
	CASE(link_of_symlink),
	CASE(link_by_descriptor),
	CASE(link_by_proc),
	CASE(link_of_nameless),
	CASE(nameless_alone),
	CASE(append_only),
	CASE(append_and_read),
	CASE(append_made),
	CASE(append_cut),
	CASE(append_cleared),
	CASE(append_cut_by_flag),
	CASE(append_and_written),
	CASE(append_fallocated),
	CASE(cut_by_reader),
	CASE(cut_by_name),
	CASE(cut_by_creat),
	CASE(made_by_reader),
	CASE(made_exists),
	CASE(open_mode_three),
	CASE(owner_temporary),
	CASE(owner_renamed),
	CASE(owner_chmod),
	CASE(owner_given_away),
	CASE(owner_taken),
	CASE(owner_of_another),
	CASE(owner_of_two_users),
	CASE(owner_by_fsuid),
	CASE(mode_by_descriptor),
	CASE(mode_of_symlink),
	CASE(mode_by_empty_path),
	CASE(mode_of_directory),
	CASE(times),
	CASE(attributes),
	CASE(watched),
	CASE(watched_by_fanotify),
	CASE(asked_alone),
	CASE(fifo),
	CASE(device),
	CASE(copied_in_kernel),
	CASE(ioctl_flags),
	CASE(renamed_over),
	CASE(renamed_onto_link),
	CASE(renamed_no_replace),
	CASE(exchanged),
	CASE(failed_attempts),
	CASE(terminal_refused),
	CASE(fifo_without_reader),
	CASE(device_without_driver),
	CASE(init_memory_refused),
	CASE(of_the_kernel),
};

CASES_MAIN(cases)
