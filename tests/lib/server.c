/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server as pale_load(3) has it: `server PORT-FILE [FILTER]`. It binds a port of 127.0.0.1, writes its number to the
 * file, starts a thread, loads FILTER where it has started, and answers a word a connection, until "quit".
 * What a word tries is tried in both threads, and answered with the two results.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int to_thread[2], from_thread[2];

/* The file lies in nobody's way: what is asked for is whether the call passes. */
static int try(const char *word)
{
	static char *const none[] = { NULL };

	if (!strcmp(word, "exec"))
		return execve("/nowhere", none, none) ? errno : 0;
	if (!strcmp(word, "listen"))
		return listen(-1, 1) ? errno : 0;
	if (!strcmp(word, "memory")) { /* more than is there, in a way that libcs do it */
		void *p = malloc(64 << 20);

		if (p)
			memset(p, 1, 64 << 20);
		free(p);
		return p ? 0 : ENOMEM;
	}
	return 0;
}

static void *other_thread(void *arg)
{
	char word[32];
	int result;

	while (read(to_thread[0], word, sizeof(word)) == sizeof(word)) {
		result = try(word);
		if (write(from_thread[1], &result, sizeof(result)) != sizeof(result))
			break;
	}
	return arg;
}

static int start(const char *port_file)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char made[4096];
	pthread_t t;
	FILE *f;

	if (s < 0 || bind(s, (struct sockaddr *)&a, n) || listen(s, 8) ||
	    getsockname(s, (struct sockaddr *)&a, &n) || pipe(to_thread) || pipe(from_thread) ||
	    pthread_create(&t, NULL, other_thread, NULL))
		return -1;
	snprintf(made, sizeof(made), "%s.new", port_file);
	f = fopen(made, "we");
	if (!f || fprintf(f, "%d", ntohs(a.sin_port)) < 0 || fclose(f) || rename(made, port_file))
		return -1;
	return s;
}

/* True: go on. */
static int answer(int c)
{
	char word[32] = "", text[64];
	int other = -1, mine, n;

	if (read(c, word, sizeof(word) - 1) <= 0)
		return 1;
	mine = try(word);
	if (write(to_thread[1], word, sizeof(word)) != sizeof(word) ||
	    read(from_thread[0], &other, sizeof(other)) != sizeof(other))
		return 0;
	n = snprintf(text, sizeof(text), "%s %d %d", word, mine, other);
	return write(c, text, (size_t)n) == n && strcmp(word, "quit");
}

int main(int argc, char **argv)
{
	int s = argc > 1 ? start(argv[1]) : -1, goes_on = 1, c, err;

	if (s < 0)
		return 2;
	err = argc > 2 ? pale_load_file(argv[2]) : 0;
	if (err) {
		fprintf(stderr, "server: %s\n", pale_load_error(err));
		return 3;
	}
	while (goes_on && (c = accept(s, NULL, NULL)) >= 0) {
		goes_on = answer(c);
		close(c);
	}
	return goes_on;
}
