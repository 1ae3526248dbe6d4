/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says "ready" and waits for SIGTERM, SIGINT or SIGHUP: then it ends with 7. "deaf": not for them,
 * but after two minutes, as whoever was to kill it may have been killed itself.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	alarm(120);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	do
		if (sigwait(&set, &sig))
			return 1;
	while (argc > 1 && !strcmp(argv[1], "deaf"));
	return 7;
}
