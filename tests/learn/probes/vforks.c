/* SPDX-License-Identifier: Apache-2.0 */
/* argv[1] children by vfork, each of which execs this program again as "child": one getsid each. */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int i, n; /* not on the stack that vfork shares */

int main(int argc, char **argv)
{
	n = argc > 1 ? atoi(argv[1]) : 100;
	if (argc > 1 && !strcmp(argv[1], "child"))
		return syscall(SYS_getsid, 0) < 0;
	for (i = 0; i < n; i++) {
		int status;
		pid_t pid = vfork();

		if (!pid) {
			execl("/proc/self/exe", "vforks", "child", (char *)NULL);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return 1;
	}
	return 0;
}
