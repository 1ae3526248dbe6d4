/* SPDX-License-Identifier: Apache-2.0 */
/* Names that lead by another process and do not begin with /proc: wherever they begin, by whatever links. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "case.h"
#include "child.h"

static const char *of(pid_t pid, const char *what)
{
	static char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	return path;
}

static int held(pid_t pid, const char *what)
{
	return open(of(pid, what), O_PATH | O_DIRECTORY);
}

/* ---- where they begin ---- */

static int from_directory_looked_at(void)
{
	struct stat st;
	struct statx stx;
	char text[64];
	pid_t pid = sleeper();
	int d = held(pid, ""), fds = held(pid, "fd");

	return fstatat(d, "cwd/file", &st, 0) || statx(d, "root", 0, STATX_INO, &stx) ||
	       faccessat(d, "cwd/file", R_OK, 0) || readlinkat(d, "exe", text, sizeof(text)) < 0 ||
	       fstatat(fds, "0", &st, 0) || utimensat(d, "cwd/file", NULL, 0) || put_down(pid);
}

static int from_directory_changed(void)
{
	pid_t pid = sleeper();
	int d = held(pid, "");

	return mkdirat(d, "cwd/made", 0700) || renameat(d, "cwd/made", AT_FDCWD, "moved") ||
	       renameat(AT_FDCWD, "moved", d, "cwd/back") ||
	       unlinkat(d, "cwd/back", AT_REMOVEDIR) ||
	       linkat(AT_FDCWD, "file", d, "cwd/hard", 0) || symlinkat("any", d, "cwd/soft") ||
	       fchmodat(d, "cwd/hard", 0600, 0) || fchownat(d, "cwd/hard", 0, 0, 0) ||
	       mknodat(d, "root/d/fifo", S_IFIFO | 0600, 0) || put_down(pid);
}

static int from_directory_opened(void)
{
	struct {
		uint64_t flags, mode, resolve;
	} how = { O_RDONLY, 0, 0 };
	pid_t pid = sleeper();
	int d = held(pid, "task");
	char name[32];

	snprintf(name, sizeof(name), "%d/cwd/file", (int)pid);
	return openat(d, name, O_RDONLY) < 0 ||
	       syscall(SYS_openat2, d, name, &how, sizeof(how)) < 0 ||
	       openat(d, "../cwd/none", O_RDONLY) >= 0 || put_down(pid);
}

static int from_directory_executed(void)
{
	pid_t pid = sleeper(), other;
	int d = held(pid, "");
	char name[] = "x", script[] = "/script", *words[] = { name, script, NULL },
	     *none[] = { NULL };

	other = fork();
	if (!other) {
		syscall(SYS_execveat, d, "exe", words, none, 0);
		_exit(1);
	}
	return ended(other, 0) || put_down(pid);
}

static int from_working_directory(void)
{
	struct stat st;
	pid_t pid = sleeper();

	return chdir(of(pid, "")) || stat("cwd/file", &st) || chmod("cwd/file", 0600) ||
	       access("root/d/file", R_OK) || open("root/d/other", O_RDWR) < 0 ||
	       truncate("cwd/other", 4096) || mkdir("cwd/made", 0700) || put_down(pid);
}

static int from_working_directory_held(void)
{
	char text[64];
	pid_t pid = sleeper();

	return fchdir(held(pid, "fd")) || readlink("0", text, sizeof(text)) < 0 || put_down(pid);
}

/* ---- by which links ---- */

static int by_a_link_to_a_link(void)
{
	struct stat st;
	pid_t pid = sleeper();

	return symlink(of(pid, "cwd"), "one") || symlink("one", "two") ||
	       symlink("two/dir", "three") || stat("three/in", &st) || lstat("one", &st) ||
	       rename("three/in", "two/out") || put_down(pid);
}

static int by_a_link_of_a_thread(void)
{
	struct stat st;
	char name[64];
	pid_t pid = sleeper();

	snprintf(name, sizeof(name), "task/%d/cwd", (int)pid);
	return symlink(of(pid, name), "one") || stat("one/file", &st) || put_down(pid);
}

/* lstat, readlink and what makes a link are no looks through it. */
static int by_links_that_are_not_followed(void)
{
	struct stat st;
	char text[64];
	pid_t pid = sleeper();

	return symlink(of(pid, "cwd"), "one") || lstat("one", &st) ||
	       readlink("one", text, sizeof(text)) < 0 || lchown("one", 0, 0) ||
	       rename("one", "two") || link("two", "three") || unlink("two") || put_down(pid);
}

static int by_itself_alone(void)
{
	struct stat st;
	char text[64], name[64];
	int d = held(getpid(), "");

	snprintf(name, sizeof(name), "task/%d/exe", (int)getpid());
	return symlink("/proc/self/cwd", "one") || stat("one/file", &st) ||
	       stat("/proc/thread-self/cwd", &st) || fstatat(d, "root", &st, 0) ||
	       readlinkat(d, name, text, sizeof(text)) < 0 || stat(of(getpid(), "cwd/file"), &st) ||
	       chdir("/proc/self/fd") || readlink("0", text, sizeof(text)) < 0;
}

static int seen;

static void *looks(void *arg)
{
	struct stat st;
	pid_t pid = *(pid_t *)arg;

	seen = !stat(of(pid, "cwd/file"), &st) && !stat(of(gettid(), "exe"), &st) &&
	       !stat(of(getpid(), "exe"), &st);
	return NULL;
}

static int by_a_thread(void)
{
	pthread_t t;
	pid_t pid = sleeper();

	return pthread_create(&t, NULL, looks, &pid) || pthread_join(t, NULL) || !seen ||
	       put_down(pid);
}

/* ---- by what else ---- */

static int by_sockets(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX }, b = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), g = socket(AF_UNIX, SOCK_DGRAM, 0);
	pid_t pid = sleeper();

	strcpy(a.sun_path, of(pid, "cwd/stream"));
	strcpy(b.sun_path, of(pid, "cwd/datagram"));
	return bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 1) ||
	       bind(g, (struct sockaddr *)&b, sizeof(b)) ||
	       connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a)) ||
	       sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&b,
		      sizeof(b)) != 1 ||
	       put_down(pid);
}

static int by_a_mount(void)
{
	pid_t pid = sleeper();

	return chdir(of(pid, "")) || mount("cwd/dir", "cwd/empty", NULL, MS_BIND, NULL) ||
	       umount2("root/d/empty", 0) || put_down(pid);
}

static int by_names_of_32_bits(void)
{
	pid_t pid = sleeper();
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		       -1, 0);
	long r;

	if (p == MAP_FAILED || chdir(of(pid, "")))
		return 1;
	strcpy(p, "cwd/file");
	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(33L), "b"(p), "c"(0L)
			 : "memory", "r8", "r9", "r10", "r11"); /* access */
	return (int)r || put_down(pid);
}

/* In another /proc, whose numbers are others. */
static int by_another_proc(void)
{
	pid_t first;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 1;
	first = fork();
	if (!first) {
		struct stat st;
		pid_t pid;

		if (mount("proc", "/proc", "proc", 0, NULL))
			_exit(2);
		pid = sleeper();
		_exit(chdir(of(pid, "")) || stat("cwd/file", &st) ||
		      stat("/proc/self/root/d/file", &st) || put_down(pid));
	}
	return ended(first, 0);
}

static int namespaces_looked_at(void)
{
	struct stat st;
	pid_t pid = sleeper();

	return stat("/proc/self/ns/net", &st) || fstatat(held(pid, "ns"), "uts", &st, 0) ||
	       put_down(pid);
}

static const struct awkward cases[] = {
	CASE(from_directory_looked_at),
	CASE(from_directory_changed),
	CASE(from_directory_opened),
	CASE(from_directory_executed),
	CASE(from_working_directory),
	CASE(from_working_directory_held),
	CASE(by_a_link_to_a_link),
	CASE(by_a_link_of_a_thread),
	CASE(by_links_that_are_not_followed),
	CASE(by_itself_alone),
	CASE(by_a_thread),
	CASE(by_sockets),
	CASE(by_a_mount),
	CASE(by_names_of_32_bits),
	CASE(by_another_proc),
	CASE(namespaces_looked_at),
};

CASES_MAIN(cases)
