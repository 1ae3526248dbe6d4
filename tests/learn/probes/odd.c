/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that are nobody's, garbage above 32 bits, an option that is nobody's, one argument with 100 values. */
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	syscall(900);
	syscall(5000);
	syscall(-1);
	syscall(SYS_prctl, PR_GET_DUMPABLE | 1L << 40, 0, 0, 0, 0);
	syscall(SYS_prctl, 9999, 0, 0, 0, 0);
	for (int i = 0; i < 100; i++)
		ioctl(-1, (unsigned long)0x5000 + (unsigned long)i, 0);
	return 0;
}
