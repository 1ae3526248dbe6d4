/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens where glibc does not look at a refusal: ignored mask|lock|exit|group. Prints
 * "well", or what became of it: "blocked" (a thread with signals blocked that its maker had
 * not), "asleep" (a waiter that the unlock did not wake), "alive" (a thread, a process, that
 * did not end). A child does it; its parent sees how it stands and ends it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int ready;
static char blocked[80];

static void read_line(const char *path, const char *key, char *out, size_t size)
{
	FILE *f = fopen(path, "re");

	*out = 0;
	while (f && fgets(out, (int)size, f) && strncmp(out, key, strlen(key)) != 0)
		*out = 0;
	if (f)
		fclose(f);
}

static void *look(void *unused)
{
	(void)unused;
	read_line("/proc/thread-self/status", "SigBlk", blocked, sizeof(blocked));
	return NULL;
}

static void *take(void *unused)
{
	(void)unused;
	ready = (int)syscall(SYS_gettid);
	pthread_mutex_lock(&mutex);
	ready = -1;
	return NULL;
}

static void *rest(void *unused)
{
	(void)unused;
	ready = 1;
	while (pause())
		;
	return NULL;
}

/* Stale bytes where the signal mask is going to stand. */
static void __attribute__((noinline)) stain(void)
{
	volatile char stack[4096];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0x41;
}

static int do_mask(void)
{
	pthread_t t;

	for (int i = 0; i < 2; i++) { /* the first one sets more up, over the bytes */
		stain();
		if (pthread_create(&t, NULL, look, NULL) || pthread_join(t, NULL))
			return 2;
	}
	return strspn(strchr(blocked, ':') + 1, "\t0") < 17; /* sixteen zeros */
}

/* The child's own part ends with 0 where all is well, and does not end where it is not. */
static int do_thread(void *(*fn)(void *), int join)
{
	pthread_t t;

	if (pthread_create(&t, NULL, fn, NULL))
		return 2;
	if (join)
		pthread_join(t, NULL);
	while (!join && !ready)
		;
	return 0;
}

static int is_waiting(void)
{
	char path[64], where[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/wchan", ready);
	read_line(path, "futex", where, sizeof(where));
	return *where != 0;
}

static int do_lock(void)
{
	pthread_t t;

	pthread_mutex_lock(&mutex);
	if (pthread_create(&t, NULL, take, NULL))
		return 2;
	while (!ready || !is_waiting())
		;
	pthread_mutex_unlock(&mutex);
	/* It runs at once, or never. */
	for (int i = 0; i < 200 && ready > 0; i++)
		usleep(1000);
	_exit(ready < 0 ? 0 : 1);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int status = 0, tries;
	pid_t child = fork();

	if (!child) {
		if (!strcmp(what, "mask"))
			exit(do_mask());
		if (!strcmp(what, "lock"))
			do_lock();
		exit(!strcmp(what, "exit") ? do_thread(look, 1) : do_thread(rest, 0));
	}
	for (tries = 0; tries < 500 && waitpid(child, &status, WNOHANG) == 0; tries++)
		usleep(1000);
	if (tries == 500) {
		kill(child, SIGKILL);
		puts("alive");
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
		puts(!strcmp(what, "mask") ? "blocked" : "asleep");
	} else {
		puts(WIFEXITED(status) && !WEXITSTATUS(status) ? "well" : "odd");
	}
	fflush(stdout);
	return 0;
}
