/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/enforce/libapparmor.h"

#include <sys/apparmor.h>

bool libapparmor_enabled(void)
{
	return aa_is_enabled() == 1;
}

int libapparmor_onexec(const char *profile)
{
	return aa_change_onexec(profile);
}
