/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The two questions that libapparmor is asked; its header names macros as pale's rules do. */
#include <stdbool.h>

bool libapparmor_enabled(void);
/* The next execve of this thread changes to that profile. 0, or -1 and errno (aa_change_onexec(3)). */
int libapparmor_onexec(const char *profile);
