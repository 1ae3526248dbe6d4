/* SPDX-License-Identifier: Apache-2.0 */
/* Sends itself every signal that can be ignored: more of them than values are kept. */
#include <signal.h>
#include <unistd.h>

int main(void)
{
	for (int sig = 1; sig < 65; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP || signal(sig, SIG_IGN) == SIG_ERR)
			continue;
		kill(getpid(), sig);
	}
	return 0;
}
