/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What AppArmor has classes of beside files: `classes` lists the cases, `classes CASE...` does them, in
 * the working directory. What the kernel does not let it do is said and left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;

static void must(const char *what, long result)
{
	if (result >= 0)
		return;
	printf("%s: %s\n", what, strerror(errno));
	failed = 1;
}

/* A child that waits until it is killed, and has made a call. */
static pid_t waiting_child(void)
{
	int ready[2];
	char c;
	pid_t pid;

	must("pipe", pipe(ready));
	pid = fork();
	if (!pid) {
		must("write", write(ready[1], "", 1));
		for (;;)
			pause();
	}
	must("read", read(ready[0], &c, 1));
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void read_of(const char *file)
{
	pid_t pid = waiting_child();
	char path[64], byte;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY);
	must(path, fd);
	if (strcmp(file, "mem") != 0)
		must("read", read(fd, &byte, 1));
	close(fd);
	end(pid);
}

static void proc_environ(void)
{
	read_of("environ");
}

static void proc_mem(void)
{
	read_of("mem");
}

static void proc_maps(void)
{
	read_of("maps");
}

static void traceme(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(1); /* pale traces it */
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSTOPPED(status)) {
		ptrace(PTRACE_CONT, pid, 0, 0);
		waitpid(pid, &status, 0);
	}
}

static void seize(void)
{
	pid_t pid = waiting_child();

	ptrace(PTRACE_SEIZE, pid, 0, 0); /* refused where pale traces it */
	end(pid);
}

static void vm_read(void)
{
	pid_t pid = waiting_child();
	static char there = 1;
	char here;
	struct iovec local = { &here, 1 }, remote = { &there, 1 };

	must("process_vm_readv", process_vm_readv(pid, &local, 1, &remote, 1, 0));
	end(pid);
}

static void proc_exe(void)
{
	pid_t pid = waiting_child();
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	must(path, readlink(path, text, sizeof(text)));
	end(pid);
}

static void proc_root(void)
{
	read_of("root/proc/version");
}

static void proc_namespace(void)
{
	pid_t pid = waiting_child();
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/ns/uts", (int)pid, (int)pid);
	must(path, open(path, O_RDONLY));
	end(pid);
}

/* None of these asks: of itself, and what everybody may see of others. */
static void proc_free(void)
{
	char text[256];

	must("exe", readlink("/proc/self/exe", text, sizeof(text)));
	snprintf(text, sizeof(text), "/proc/%d/ns/uts", (int)getpid());
	must("ns", open(text, O_RDONLY));
	read_of("cmdline");
}

static void get_fd(void)
{
	pid_t pid = waiting_child();
	long fd = syscall(SYS_pidfd_open, pid, 0);

	must("pidfd_open", fd);
	must("pidfd_getfd", syscall(SYS_pidfd_getfd, fd, 0, 0));
	end(pid);
}

static void compare(void)
{
	pid_t pid = waiting_child();

	must("kcmp", syscall(SYS_kcmp, getpid(), pid, 0, 0, 0));
	end(pid);
}

static void exists(void)
{
	must("kill 0", kill(getpid(), 0));
}

/* A queue's name is the whole machine's, where two of these may run at once. */
static const char *own_queue(void)
{
	const char *name = getenv("QUEUE");

	return name ? name : "/pale-classes";
}

static void queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	mqd_t q = mq_open(own_queue(), O_CREAT | O_RDWR, 0600, &attr);

	must("mq_open", q);
	if (q >= 0)
		mq_close(q);
	must("mq_unlink", mq_unlink(own_queue()));
}

static void queue_read(void)
{
	must("mq_open", mq_open("/pale-classes-2", O_CREAT | O_RDONLY, 0600, NULL));
	must("mq_unlink", mq_unlink("/pale-classes-2"));
}

static void ring(void)
{
	struct io_uring_params p = { .flags = IORING_SETUP_SQPOLL };
	long fd = syscall(SYS_io_uring_setup, 4, &p);

	must("io_uring_setup", fd);
	if (fd >= 0)
		close((int)fd);
}

static void in_child(void (*what)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		failed = 0;
		what();
		fflush(stdout);
		_exit(failed);
	}
	waitpid(pid, &status, 0);
	failed |= status != 0;
}

static void do_userns(void)
{
	must("unshare", unshare(CLONE_NEWUSER));
}

static void userns(void)
{
	in_child(do_userns);
}

static void do_mounts(void)
{
	must("unshare", unshare(CLONE_NEWNS));
	must("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir("m", 0700);
	mkdir("b", 0700);
	mkdir("c", 0700);
	must("tmpfs", mount("none", "m", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k"));
	must("mkdir", mkdir("m/d", 0700));
	must("bind", mount("m/d", "b", NULL, MS_BIND, NULL));
	must("remount",
	     mount(NULL, "b", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NODEV | MS_NOSUID, NULL));
	must("move", mount("b", "c", NULL, MS_MOVE, NULL));
	must("umount", umount2("c", MNT_DETACH));
}

static void mounts(void)
{
	in_child(do_mounts);
}

static void do_pivot(void)
{
	must("unshare", unshare(CLONE_NEWNS));
	must("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir("root", 0700);
	must("tmpfs", mount("root", "root", "tmpfs", 0, NULL));
	must("mkdir", mkdir("root/old", 0700));
	must("pivot_root", syscall(SYS_pivot_root, "root", "root/old"));
	must("chdir", chdir("/"));
	must("umount", umount2("/old", MNT_DETACH));
}

static void pivot(void)
{
	in_child(do_pivot);
}

static void do_move_new(void)
{
	int fs, mnt;

	must("unshare", unshare(CLONE_NEWNS));
	must("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir("n", 0700);
	fs = fsopen("tmpfs", 0);
	must("fsopen", fs);
	must("fsconfig", fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	mnt = fsmount(fs, 0, 0);
	must("fsmount", mnt);
	must("move_mount", move_mount(mnt, "", AT_FDCWD, "n", MOVE_MOUNT_F_EMPTY_PATH));
}

static void move_new(void)
{
	in_child(do_move_new);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "proc_environ", proc_environ },
	{ "proc_mem", proc_mem },
	{ "proc_maps", proc_maps },
	{ "traceme", traceme },
	{ "seize", seize },
	{ "vm_read", vm_read },
	{ "proc_exe", proc_exe },
	{ "proc_root", proc_root },
	{ "proc_namespace", proc_namespace },
	{ "proc_free", proc_free },
	{ "get_fd", get_fd },
	{ "compare", compare },
	{ "exists", exists },
	{ "queue", queue },
	{ "queue_read", queue_read },
	{ "ring", ring },
	{ "userns", userns },
	{ "mounts", mounts },
	{ "pivot", pivot },
	{ "move_new", move_new },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc < 2)
			puts(cases[i].name);
		for (int k = 1; k < argc; k++)
			if (!strcmp(argv[k], cases[i].name))
				cases[i].run();
	}
	return failed;
}
