/* SPDX-License-Identifier: Apache-2.0 */
/* lost: how many records audit has lost, as pale watch asks it; "-": it is not told. lost FILE: what that message says. */
#include <stdio.h>

#include "compiler/base/source.h"
#include "compiler/watch/kernel.h"

int main(int argc, char **argv)
{
	BUF_AUTO message = { 0 };
	uint64_t lost;
	bool known = argc > 1 ? !source_read(argv[1], 4096, &message) &&
					audit_read_status(message.p, message.n, &lost) :
				audit_lost_so_far(&lost);

	if (known)
		printf("%llu\n", (unsigned long long)lost);
	else
		printf("-\n");
	return 0;
}
