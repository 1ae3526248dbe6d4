/* SPDX-License-Identifier: Apache-2.0 */
/* Calls whose arguments say what they are used for; "new": a task by clone3 in namespaces of its own. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/quota.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

static int make_task(unsigned long long flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return pid < 0;
}

static void set_options(int fd)
{
	int one = 1;
	socklen_t n = sizeof(one);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, n);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, n);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, n);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &one, &n);
	getsockopt(fd, 300, 7, &one, &n);
	for (int i = 0; i < 40; i++)
		getsockopt(-1, SOL_IPV6, i, &one, &n);
}

static void send_many(int fd)
{
	struct sockaddr_in to[2] = { { .sin_family = AF_INET, .sin_port = htons(9) },
				     { .sin_family = AF_INET, .sin_port = htons(53) } };
	struct iovec v = { (void *)"msg_name={sa_family=AF_INET, sin_port=htons(7)", 46 };
	struct mmsghdr m[3];

	for (int i = 0; i < 3; i++)
		m[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = i < 2 ? &to[i] : NULL,
						      .msg_namelen = i < 2 ? sizeof(to[i]) : 0,
						      .msg_iov = &v,
						      .msg_iovlen = 1 } };
	for (int i = 0; i < 2; i++)
		to[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	syscall(SYS_sendmmsg, fd, m, 3, 0);
}

int main(int argc, char **argv)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC };
	unsigned action = SECCOMP_RET_ALLOW;
	struct rlimit l;

	(void)argv;
	if (argc > 1)
		return make_task(CLONE_NEWUTS | CLONE_NEWTIME);
	syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));
	syscall(SYS_openat2, AT_FDCWD, "/", NULL, sizeof(how));
	syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &l);
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &l);
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &l, NULL);
	syscall(SYS_fcntl, 0, F_GETFD);
	syscall(SYS_fcntl, 0, F_GETFL);
	syscall(SYS_fcntl, 0, F_GETFL);
	syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
	syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, NULL, 0);
	syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
	syscall(SYS_madvise, NULL, 0, 4);
	syscall(SYS_quotactl, QCMD(Q_GETFMT, GRPQUOTA), NULL, 0, NULL);
	set_options(socket(AF_INET, SOCK_STREAM, 0));
	for (int i = 0; i < 40; i++)
		syscall(SYS_semctl, -1, 0, 100 + i, 0);
	for (int i = 0; i < 10; i++)
		close(open("/", O_RDONLY | O_CLOEXEC | (i & 1 ? O_DIRECTORY : 0) |
					(i & 2 ? O_NONBLOCK : 0) | (i & 4 ? O_NOFOLLOW : 0) |
					(i & 8 ? O_NOATIME : 0)));
	send_many(socket(AF_INET, SOCK_DGRAM, 0));
	return make_task(CLONE_PARENT_SETTID | CLONE_CLEAR_SIGHAND);
}
