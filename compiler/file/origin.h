/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Who wrote a line of a log. What the kernel's audit says reaches logs in a few forms, and any program
 * can log a text that looks like one of its records:
 *	[  1.2] audit: type=1400 audit(1.2:3): ...              the kernel's own log, dmesg
 *	Nov 29 04:00:00 host kernel: [ 1.2] audit: type=...     syslog, journald of the kernel's log
 *	type=AVC msg=audit(1.2:3): ...                          auditd, ausearch; " : " with ausearch -i
 *	Nov 29 04:00:00 host audit[7]: AVC ...                  journald of audit (journald-audit.c)
 */
#include <stdbool.h>

#include "compiler/base/str.h"

/* The type ("1400", "AVC") and where the record's text begins; false: the line has no such head. */
bool audit_head(struct str line, struct str *type, size_t *body);

/* The program that syslog names in front of a message, "dbus-daemon" of "host dbus-daemon[7]: "; the
 * message begins at *body. False: no message of a program. */
bool syslog_tag(struct str line, struct str *tag, size_t *body);
