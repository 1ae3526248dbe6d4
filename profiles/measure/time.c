/* SPDX-License-Identifier: Apache-2.0 */
/*
 * set time: ask for the time and sleep. Run by novdso, which takes the vDSO away: on a machine
 * whose clock the vDSO cannot read, libc makes these calls.
 */
#include <sched.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec ts = { 0, 1000 };
	struct timeval tv;

	time(NULL);
	gettimeofday(&tv, NULL);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	clock_getres(CLOCK_MONOTONIC, &ts);
	sched_getcpu();
	ts = (struct timespec){ 0, 1000 };
	nanosleep(&ts, NULL);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	usleep(1);
	return 0;
}
