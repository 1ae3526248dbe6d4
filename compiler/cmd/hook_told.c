/* SPDX-License-Identifier: Apache-2.0 */
/* What a hook could not do: nobody sits at a terminal. */
#include <syslog.h>

#include "compiler/cmd/hook.h"

void hook_open_log(void)
{
	openlog("pale-hook", LOG_PID, LOG_DAEMON);
}

void hook_tell_all(struct session *s, const char *container)
{
	hook_open_log();
	vec_each(&s->diags->list, d) {
		int level = (*d)->severity == SEVERITY_ERROR ? LOG_ERR : LOG_WARNING;

		syslog(level, "container %s: %s%s%s", container, (*d)->text, (*d)->help ? "; " : "",
		       (*d)->help ? (*d)->help : "");
	}
	session_report(s);
}
