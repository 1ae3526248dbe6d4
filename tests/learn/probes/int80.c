/* SPDX-License-Identifier: Apache-2.0 */
/* getpid by int $0x80: number 20 of i386, which is writev among x86_64's. 7 times. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
#ifdef __x86_64__
	for (int i = 0; i < 7; i++) {
		long ret;

		__asm__ volatile("int $0x80"
				 : "=a"(ret)
				 : "a"(20)
				 : "memory", "r8", "r9", "r10", "r11");
		if (ret != getpid())
			return 1; /* no i386 emulation in this kernel */
	}
	return 0;
#else
	return 1;
#endif
}
