/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The journal's JSON (systemd.journal-fields(7), journalctl -o json, json-seq, json-sse): an
 * object a line, the record's text under "MESSAGE".
 */
#include "compiler/base/arena.h"
#include "compiler/base/str.h"

/* Whose message it is, as far as the object tells: by whom journald had it. */
enum journal_origin {
	JOURNAL_UNTOLD,  /* no _TRANSPORT */
	JOURNAL_KERNEL,  /* the kernel's log, or audit's */
	JOURNAL_BUS,     /* a program that calls itself dbus-... */
	JOURNAL_PROGRAM, /* another one, which may have written it to the kernel's log */
};

/* Does the line look like one of them? */
bool journal_is(struct str line);
/* The message of such a line, in the arena; false: no such object. Texts that are no UTF-8 stand
 * there as arrays of bytes. `from` may be NULL. */
bool journal_message(struct arena *a, struct str line, struct str *message,
		     enum journal_origin *from);
/* The number of audit's event (audit_stamp()), which is a field of its own there; 0: it has none. */
uint64_t journal_serial(struct str line);
