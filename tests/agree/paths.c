/* SPDX-License-Identifier: Apache-2.0 */
/* Names: that come to mean something else, that are made anew, long, deep, odd, and reached in all ways. */
#include <dirent.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "case.h"

#define EXCHANGE 2

static int at2(const char *dir, const char *name, unsigned long flags, unsigned long resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return (int)syscall(SYS_openat2, open(dir, O_PATH), name, &how, sizeof(how));
}

static int exchange(const char *a, const char *b)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE);
}

static int retarget(void)
{
	return unlink("current") || symlink("b", "current");
}

static int made(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	return fd < 0 || close(fd);
}

/* ---- directories that move ---- */

static int dir_renamed_gone(void)
{
	return mkdir("q1", 0700) || rename("q1", "q2") || rmdir("q2");
}

static int dir_renamed_old(void)
{
	return rename("dir", "moved");
}

static int dir_renamed_twice(void)
{
	return rename("empty", "q2") || rename("q2", "q3") || rmdir("q3");
}

static int dir_over_dir(void)
{
	return rename("dir", "empty") || open("empty/in", O_RDONLY) < 0;
}

static int dir_exchanged(void)
{
	return exchange("a", "dir");
}

static int dir_exchanged_with_file(void)
{
	return exchange("dir", "file");
}

static int dir_moved_with_what_is_in_it(void)
{
	return made("dir/new") || rename("dir", "moved") || unlink("moved/new") ||
	       chmod("moved/in", 0600);
}

static int dir_renamed_by_descriptor(void)
{
	int d = open("dir", O_RDONLY | O_DIRECTORY);

	return mkdirat(d, "x", 0700) || renameat(d, "x", d, "y") || unlinkat(d, "y", AT_REMOVEDIR);
}

static int dir_renamed_with_slash(void)
{
	return mkdir("q1/", 0700) || rename("q1/", "q2/") || rmdir("q2/");
}

/* ---- names that lead elsewhere afterwards ---- */

static int link_retargeted_chmod(void)
{
	return chmod("current/f", 0600) || retarget();
}

static int link_retargeted_mkdir(void)
{
	return mkdir("current/new", 0700) || retarget();
}

static int link_retargeted_rename(void)
{
	return rename("current/f", "current/g") || retarget();
}

static int link_retargeted_chown(void)
{
	return chown("current/f", 0, 0) || retarget();
}

static int link_retargeted_truncate(void)
{
	return truncate("current/f", 1) || retarget();
}

static int link_retargeted_unlink(void)
{
	return unlink("current/f") || retarget();
}

static int link_retargeted_open(void)
{
	return open("current/f", O_RDWR) < 0 || retarget();
}

static int link_replaced_by_rename(void)
{
	return symlink("b", "next") || chmod("current/f", 0600) || rename("next", "current") ||
	       chmod("current/f", 0640);
}

static int last_link_retargeted_chmod(void)
{
	return chmod("link", 0600) || unlink("link") || symlink("other", "link");
}

static int parent_renamed_after_chmod(void)
{
	return chmod("dir/in", 0600) || rename("dir", "moved") || mkdir("dir", 0700);
}

static int cwd_renamed(void)
{
	return chdir("dir") || made("x") || rename("/d/dir", "/d/moved") || chmod("x", 0644) ||
	       unlink("x");
}

static int chdir_between(void)
{
	return chdir("a") || chmod("f", 0600) || chdir("../b") || chmod("f", 0600);
}

static int dotdot_through_link(void)
{
	return mkdir("dir/deep", 0700) || symlink("dir/deep", "far") || chmod("far/../in", 0600) ||
	       unlink("far");
}

/* ---- names made anew each time ---- */

static int random_hex(char hex[33])
{
	unsigned char r[16];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return 1;
	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", r[i]);
	return 0;
}

static int name_mkstemp_in_run(void)
{
	char name[] = "/run/lrn.XXXXXX";
	int fd = mkstemp(name);

	return fd < 0 || close(fd) || open(name, O_RDONLY) < 0 || unlink(name);
}

static int name_mkdtemp(void)
{
	char name[] = "/d/dir/t-XXXXXX";

	return !mkdtemp(name) || rmdir(name);
}

static int name_uuid(void)
{
	char hex[33], name[64];

	if (random_hex(hex))
		return 1;
	snprintf(name, sizeof(name), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		 hex + 20);
	return made(name) || unlink(name);
}

static int name_hex(void)
{
	char hex[33], name[64];

	if (random_hex(hex))
		return 1;
	snprintf(name, sizeof(name), "blob-%s", hex);
	return made(name) || unlink(name);
}

static int name_time(void)
{
	char name[64];

	snprintf(name, sizeof(name), "at-%ld", (long)time(NULL));
	return made(name) || unlink(name);
}

static int name_pid(void)
{
	char name[64];

	snprintf(name, sizeof(name), "lock.%d", (int)getpid());
	return made(name) || unlink(name);
}

static int name_pid_kept(void)
{
	char name[64];

	snprintf(name, sizeof(name), "worker-%d.log", (int)getpid());
	return made(name);
}

static int name_pid_directory(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/srv/app-%d", (int)getpid());
	return mkdir(name, 0700) || chdir(name) || made("state");
}

static int name_pid_renamed(void)
{
	char name[64];

	snprintf(name, sizeof(name), "queue.%d", (int)getpid());
	return made("new") || rename("new", name);
}

static int name_mkstemp_with_suffix(void)
{
	char name[] = "/srv/up-XXXXXX.part";
	int fd = mkstemps(name, 5);

	return fd < 0 || rename(name, "/srv/up.done");
}

/* ---- deep and long ---- */

static int down(const char *step, int n, int make)
{
	for (int i = 0; i < n; i++)
		if ((make && mkdir(step, 0700)) || chdir(step))
			return 1;
	return 0;
}

static int deep_letters(void)
{
	return down("x", 150, 1) || made("f");
}

static int deep_words(void)
{
	return down("a-directory-of-some-length", 60, 1) || made("f") || chmod("f", 0600);
}

static int deep_rename(void)
{
	return down("x", 120, 1) || made("f") || rename("f", "g") || rename("g", "/d/g");
}

static int deep_by_one_name(void)
{
	char name[512] = "";

	for (int i = 0; i < 110; i++) {
		strcat(name, i ? "/y" : "y");
		if (mkdir(name, 0700))
			return 1;
	}
	return made(strcat(name, "/f")) || unlink(name);
}

#define LONG                                                                                       \
	"a-name-that-is-as-long-as-it-can-be-and-then-some-more-of-it-so-that-a-few-fill-a-page"

static int long_names(void)
{
	return down(LONG LONG, 23, 1) || open(".", O_RDONLY | O_DIRECTORY) < 0;
}

static int long_total(void)
{
	return down(LONG LONG, 26, 1) || made("f");
}

static int long_total_rename(void)
{
	return down(LONG LONG, 26, 1) || made("f") || rename("f", "g") || unlink("g");
}

static int long_component(void)
{
	char name[256];

	memset(name, 'n', 255);
	name[255] = 0;
	return made(name) || unlink(name);
}

/* ---- odd bytes ---- */

static int odd(const char *name)
{
	return made(name) || chmod(name, 0644) || open(name, O_RDONLY) < 0;
}

static int odd_newline(void)
{
	return odd("new\nline");
}

static int odd_quote(void)
{
	return odd("a \"quoted\" name");
}

static int odd_star(void)
{
	return odd("star*and?[set]{a,b}");
}

static int odd_bytes(void)
{
	return odd("\x80\xff\xc3");
}

static int odd_backslash(void)
{
	return odd("back\\slash\\x0a");
}

static int odd_variable(void)
{
	return odd("@{PROC}") || odd("${X}");
}

static int odd_deleted(void)
{
	return odd("name (deleted)");
}

static int odd_hash_comma(void)
{
	return odd("#a, b") || odd(" lead") || odd("trail ");
}

/* ---- other ways to a file ---- */

static int dirfd_ways(void)
{
	int d = open("dir", O_PATH);
	char text[16];

	return openat(d, "in", O_RDONLY) < 0 || mkdirat(d, "m", 0700) || symlinkat("in", d, "s") ||
	       linkat(d, "in", d, "l", 0) || renameat(d, "l", d, "r") ||
	       fchmodat(d, "r", 0600, 0) || fchownat(d, "r", 0, 0, 0) ||
	       mknodat(d, "p", S_IFIFO | 0600, 0) || readlinkat(d, "s", text, sizeof(text)) < 0 ||
	       unlinkat(d, "r", 0) || unlinkat(d, "m", AT_REMOVEDIR);
}

static int by_fchdir(void)
{
	return fchdir(open("dir", O_RDONLY | O_DIRECTORY)) || chmod("in", 0600) || made("x");
}

static int linked_directories(void)
{
	return symlink("current", "twice") || open("twice/f", O_RDWR) < 0 || made("twice/n") ||
	       unlink("twice/n");
}

static int dangling_link_made(void)
{
	return symlink("dir/later", "to") || open("to", O_WRONLY | O_CREAT, 0600) < 0;
}

static int resolve_beneath(void)
{
	return at2("dir", "in", O_RDONLY, RESOLVE_BENEATH) < 0;
}

static int resolve_in_root(void)
{
	return symlink("/in", "dir/abs") || at2("dir", "abs", O_RDWR, RESOLVE_IN_ROOT) < 0;
}

static int path_descriptor_reopened(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", open("file", O_PATH));
	return open(name, O_RDWR) < 0;
}

static int path_descriptor_chmod(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", open("link", O_PATH));
	return chmod(name, 0600);
}

static int deleted_file_reopened(void)
{
	char name[64];
	int fd = open("file", O_RDONLY);

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return unlink("file") || open(name, O_RDONLY) < 0;
}

static int by_handle(void)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .h = { .handle_bytes = MAX_HANDLE_SZ } };
	int id;

	if (name_to_handle_at(AT_FDCWD, "/tmp/h", &u.h, &id, 0))
		return 1;
	return open_by_handle_at(open("/tmp", O_RDONLY), &u.h, O_RDWR) < 0;
}

static int by_handle_setup(void)
{
	return mount("t", "/tmp", "tmpfs", 0, NULL) && errno != EBUSY ? 1 : put("/tmp/h", "h");
}

static int chroot_then_open(void)
{
	return chroot("/d/dir") || chdir("/") || open("/in", O_RDWR) < 0 || made("/made");
}

static int chroot_and_out(void)
{
	int d = open("/", O_RDONLY | O_DIRECTORY);

	return chroot("/d/dir") || fchdir(d) || chroot(".") || open("/d/other", O_RDONLY) < 0;
}

static int dev_fd(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", open("dir", O_RDONLY));
	return chdir(name) || open("in", O_RDONLY) < 0;
}

static int listed(void)
{
	DIR *d = opendir("dir");
	int n = 0;

	while (d && readdir(d))
		n++;
	return n != 3;
}

static const struct awkward cases[] = {
	CASE(dir_renamed_gone),
	CASE(dir_renamed_old),
	CASE(dir_renamed_twice),
	CASE(dir_over_dir),
	CASE(dir_exchanged),
	CASE(dir_exchanged_with_file),
	CASE(dir_moved_with_what_is_in_it),
	CASE(dir_renamed_by_descriptor),
	CASE(dir_renamed_with_slash),
	CASE(link_retargeted_chmod),
	CASE(link_retargeted_mkdir),
	CASE(link_retargeted_rename),
	CASE(link_retargeted_chown),
	CASE(link_retargeted_truncate),
	CASE(link_retargeted_unlink),
	CASE(link_retargeted_open),
	CASE(link_replaced_by_rename),
	CASE(last_link_retargeted_chmod),
	CASE(parent_renamed_after_chmod),
	CASE(cwd_renamed),
	CASE(chdir_between),
	CASE(dotdot_through_link),
	CASE(name_mkstemp_in_run),
	CASE(name_mkdtemp),
	CASE(name_uuid),
	CASE(name_hex),
	CASE(name_time),
	CASE(name_pid),
	CASE(name_pid_kept),
	CASE(name_pid_directory),
	CASE(name_pid_renamed),
	CASE(name_mkstemp_with_suffix),
	CASE(deep_letters),
	CASE(deep_words),
	CASE(deep_rename),
	CASE(deep_by_one_name),
	CASE(long_names),
	CASE(long_total),
	CASE(long_total_rename),
	CASE(long_component),
	CASE(odd_newline),
	CASE(odd_quote),
	CASE(odd_star),
	CASE(odd_bytes),
	CASE(odd_backslash),
	CASE(odd_variable),
	CASE(odd_deleted),
	CASE(odd_hash_comma),
	CASE(dirfd_ways),
	CASE(by_fchdir),
	CASE(linked_directories),
	CASE(dangling_link_made),
	CASE(resolve_beneath),
	CASE(resolve_in_root),
	CASE(path_descriptor_reopened),
	CASE(path_descriptor_chmod),
	CASE(deleted_file_reopened),
	SET_UP(by_handle, by_handle_setup),
	CASE(chroot_then_open),
	CASE(chroot_and_out),
	CASE(dev_fd),
	CASE(listed),
};

CASES_MAIN(cases)
