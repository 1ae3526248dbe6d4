/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds a file, one that it appends to, sockets and a thread that sleeps in pause(), all of directory
 * argv[1], says "ready" and does what its standard input says: 't' getsid() in a new thread, 'c'
 * getpgid() in a child that writes the file "child", 'd' the same in a child that stays until the
 * input ends. Ends with 7.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void *sleep_on(void *arg)
{
	while (pause())
		;
	return arg;
}

static void *in_thread(void *arg)
{
	(void)arg;
	return (void *)(long)getsid(0);
}

static void child(int stays)
{
	char c;

	if (fork()) {
		if (!stays)
			wait(NULL);
		return;
	}
	if (getpgid(0) < 0 || open("child", O_WRONLY | O_CREAT, 0600) < 0)
		_exit(1);
	while (stays && read(0, &c, 1) > 0)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	pthread_t t;
	int fd;
	char c;

	if (argc < 2 || chdir(argv[1]) || open("log", O_WRONLY | O_APPEND | O_CREAT, 0600) < 0 ||
	    open("in", O_RDONLY) < 0)
		return 1;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/sock", argv[1]);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) < 0 ||
	    pthread_create(&t, NULL, sleep_on, NULL) || write(1, "ready\n", 6) != 6)
		return 1;
	while (read(0, &c, 1) == 1) {
		if (c == 't' && !pthread_create(&t, NULL, in_thread, NULL))
			pthread_join(t, NULL);
		else if (c == 'c' || c == 'd')
			child(c == 'd');
		if (write(1, "did\n", 4) != 4)
			return 1;
	}
	return 7;
}
