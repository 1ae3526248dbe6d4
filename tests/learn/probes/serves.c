/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server with one client, itself: `serves WAY [WAIT]`. It makes getpriority(2) while it starts alone,
 * getrusage(2) when it serves, sysinfo(2) in both; what else WAY brings stands below.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int listener, client;
static const char *way;

static int is(const char *name)
{
	return !strcmp(way, name);
}

static void both(void)
{
	struct sysinfo info;

	sysinfo(&info);
}

static void starts(void)
{
	getpriority(PRIO_PROCESS, 0);
	both();
}

static void serves(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	both();
}

static void nap(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void listen_here(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(a);

	listener = socket(AF_INET, SOCK_STREAM, 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&a, n) || listen(listener, 8) ||
	    getsockname(listener, (struct sockaddr *)&a, &n) ||
	    connect(client, (struct sockaddr *)&a, n))
		exit(3);
}

/* Not for a socket that listens, and so no end of the start. */
static void wait_elsewhere(void)
{
	struct pollfd p = { .fd = client, .events = POLLIN };
	struct timeval none = { 0, 0 };
	int e = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN };
	fd_set set;

	poll(&p, 1, 0);
	FD_ZERO(&set);
	FD_SET(client, &set);
	select(client + 1, &set, NULL, NULL, &none);
	epoll_ctl(e, EPOLL_CTL_ADD, client, &ev);
	epoll_wait(e, &ev, 1, 0);
	close(e);
}

static void wait_epoll(void)
{
	int e = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN };

	epoll_ctl(e, EPOLL_CTL_ADD, listener, &ev);
	epoll_wait(e, &ev, 1, -1);
}

static void wait_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(listener, &set);
	select(listener + 1, &set, NULL, NULL, NULL);
}

static void say_ready(const char *text)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct iovec piece = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr msg = {
		.msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &piece, .msg_iovlen = 1
	};
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);

	strncpy(a.sun_path, getenv("NOTIFY_SOCKET"), sizeof(a.sun_path) - 1);
	if (sendmsg(s, &msg, 0) < 0)
		exit(4);
	close(s);
}

static void take_one(void)
{
	close(accept(listener, NULL, NULL));
}

/* By whichever way: the wait alone, before anything is accepted. */
static void wait_here(void)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	if (is("accept"))
		take_one();
	else if (is("epoll"))
		wait_epoll();
	else if (is("poll"))
		poll(&p, 1, -1);
	else if (is("select"))
		wait_select();
	else if (is("ready"))
		say_ready("STATUS=up\nREADY=1\n");
	else if (is("signal"))
		kill(getppid(), SIGUSR2);
	if (is("signal") || is("after"))
		nap(6000); /* who looks at the border may be late on a busy machine */
}

static void *other_thread(void *arg)
{
	(void)arg;
	nap(2000);
	sched_get_priority_max(SCHED_FIFO); /* in a thread that did not wait for anybody */
	return NULL;
}

/* Workers serve; who made them only waits for them, and makes sched_get_priority_min(2) behind that. */
static int with_worker(void)
{
	pid_t pid = fork();

	if (!pid) {
		starts();
		take_one();
		serves();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	sched_get_priority_min(SCHED_FIFO);
	return 0;
}

static int with_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, other_thread, NULL);
	take_one();
	serves();
	pthread_join(t, NULL);
	return 0;
}

/* What one that serves starts, serves: itself anew, which makes sched_get_priority_min(2). */
static int with_program(char *self)
{
	pid_t pid;

	take_one();
	serves();
	pid = fork();
	if (!pid)
		execl(self, self, "child", (char *)NULL);
	waitpid(pid, NULL, 0);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	way = argv[1];
	if (is("child")) {
		sched_get_priority_min(SCHED_FIFO);
		return 0;
	}
	listen_here();
	starts();
	if (is("client"))
		return 0;
	if (is("worker"))
		return with_worker();
	if (is("thread"))
		return with_thread();
	if (is("program"))
		return with_program(argv[0]);
	if (is("ready"))
		say_ready("STATUS=READY=1 is not said yet\n");
	wait_elsewhere();
	wait_here();
	serves();
	if (!is("accept"))
		take_one();
	return 0;
}
