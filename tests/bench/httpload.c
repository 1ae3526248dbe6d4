/* SPDX-License-Identifier: Apache-2.0 */
/* httpload PORT SECONDS: 4 keep-alive connections, one request at a time on each; prints requests a second. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static atomic_ulong done;
static atomic_bool over;
static int port;

static void *load(void *arg)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char buf[65536];

	(void)arg;
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		exit(1);
	while (!over) {
		if (write(fd, request, sizeof(request) - 1) != (ssize_t)sizeof(request) - 1)
			exit(1);
		/* The file is small: one read has the whole answer. */
		if (read(fd, buf, sizeof(buf)) <= 0)
			exit(1);
		done++;
	}
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	struct timespec ts = { 0, 0 };
	pthread_t t[4];

	if (argc < 3)
		return 2;
	port = atoi(argv[1]);
	ts.tv_sec = atol(argv[2]);
	for (int i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, load, NULL))
			return 1;
	nanosleep(&ts, NULL);
	over = true;
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	printf("%.0f\n", (double)done / (double)ts.tv_sec);
	return 0;
}
