/* SPDX-License-Identifier: Apache-2.0 */
/* Tries something of every class that AppArmor mediates, whatever becomes of it; $OTHER: a process. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the kernel answers does not matter here: its log tells. */
static int tried;
#define TRY(call) (tried += (int)(long)(call) >= 0)

static void files(void)
{
	char byte[8];
	int fd;

	TRY(open("/etc/shadow", O_RDONLY));
	TRY(open("/data/new", O_WRONLY | O_CREAT, 0600));
	TRY(open("/data/log", O_WRONLY | O_APPEND));
	TRY(open("/data/others", O_RDONLY));
	TRY(open("/data/a \"b\"*[x]{y}\n\x80,", O_RDONLY));
	TRY(truncate("/data/log", 0));
	TRY(mkdir("/data/made", 0700));
	TRY(rmdir("/data/made"));
	TRY(link("/data/log", "/data/linked"));
	TRY(symlink("log", "/data/soft"));
	TRY(rename("/data/soft", "/data/soft2"));
	TRY(chmod("/data/log", 0600));
	TRY(readlink("/data/soft2", byte, sizeof(byte)));
	TRY(unlink("/data/linked"));
	fd = open("/data/read", O_RDONLY);
	TRY(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
	TRY(flock(fd, LOCK_EX | LOCK_NB));
}

static void sockets(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0q 1" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];

	TRY(bind(fd, (struct sockaddr *)&name, sizeof(name.sun_family) + 4));
	TRY(listen(fd, 1));
	TRY(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(socket(AF_NETLINK, SOCK_RAW, 0));
	TRY(socket(AF_PACKET, SOCK_RAW, 0));
}

static void mounts(void)
{
	TRY(mount("none", "/mnt", "tmpfs", MS_NOSUID, "size=1m"));
	TRY(mount("/data", "/mnt", NULL, MS_BIND, NULL));
	TRY(mount(NULL, "/mnt", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	TRY(mount(NULL, "/mnt", NULL, MS_PRIVATE | MS_REC, NULL));
	TRY(umount2("/mnt", 0));
	TRY(umount2("/mnt", MNT_DETACH));
	TRY(syscall(SYS_pivot_root, "/new", "/new/old"));
}

static void rest(pid_t other)
{
	struct io_uring_params ring = { .flags = IORING_SETUP_SQPOLL };
	pid_t child;

	TRY(sethostname("x", 1));
	TRY(kill(other, SIGUSR1));
	TRY(kill(other, 0));
	TRY(kill(other, 40));
	TRY(ptrace(PTRACE_ATTACH, other, NULL, NULL));
	child = fork();
	if (!child)
		_exit(unshare(CLONE_NEWUSER) < 0);
	waitpid(child, NULL, 0);
	TRY(syscall(SYS_io_uring_setup, 4, &ring));
	TRY(mq_open("/q1", O_CREAT | O_RDWR, 0600, NULL));
}

int main(int argc, char **argv)
{
	const char *other = getenv("OTHER");

	files();
	sockets();
	mounts();
	if (other)
		rest((pid_t)strtol(other, NULL, 10));
	if (argc > 1)
		execl(argv[1], argv[1], (char *)NULL);
	return 0;
}
