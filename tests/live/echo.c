// SPDX-License-Identifier: Apache-2.0
/*
 * A small static server, as a workload: echoes what each connection sends, one child each,
 * until SIGTERM. usage: echo PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t done;

static void on_signal(int sig)
{
	done = sig == SIGTERM;
}

static void serve(int fd)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			break;
}

int main(int argc, char **argv)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sigaction action = { .sa_handler = on_signal };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc != 2 || fd < 0)
		return 2;
	sa.sin_port = htons((in_port_t)atoi(argv[1]));
	sigaction(SIGTERM, &action, NULL);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 16))
		return 1;
	while (!done) {
		int c = accept(fd, NULL, NULL);
		if (c < 0)
			continue;
		pid_t pid = fork();
		if (!pid) {
			serve(c);
			_exit(0);
		}
		close(c);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
