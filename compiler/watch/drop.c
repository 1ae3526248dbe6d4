/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/watch/drop.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *watch_drop(int *err)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0 } };

	/* Ambient ones go with the permitted (capabilities(7)). */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		*err = errno;
		return "no_new_privs";
	}
	if (syscall(SYS_capset, &h, none)) {
		*err = errno;
		return "capset(2)";
	}
	return NULL;
}
