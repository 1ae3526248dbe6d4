/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Between the files that write a unit's policy. */
#include "compiler/systemd/filter.h"
#include "compiler/systemd/settings.h"
#include "compiler/tables/tables.h"

struct unit_call {
	bool in;   /* the list has it */
	int error; /* UNIT_UNSAID: what SystemCallErrorNumber= says */
	struct span by;
};

struct unit_calls {
	struct unit_call *calls; /* by syscall_index(); NULL: there is no list */
	enum systemd_release release;
	bool allows; /* it says what passes, or is logged; else what does not */
	struct span by;
};

struct unit_writer {
	struct inner_text out;
	unsigned arches; /* ARCH_BIT() */
	int error;       /* SystemCallErrorNumber= */
	struct unit_calls filter, log;
	struct span by; /* the setting at hand */
};

/* ---- put.c ---- */

/* Past the list the call meets its answer, which is newer than those of the other filters. */
bool unit_refuses(const struct unit_writer *w, const struct syscall_info *s);
/* by: NO_SPAN where it stands nowhere in the unit itself. */
void unit_put_text(struct unit_writer *w, const char *text, struct span by);
void unit_put_arches(struct unit_writer *w, unsigned arches);
void unit_put_rule(struct unit_writer *w, unsigned arches, const struct syscall_info *s,
		   const char *verdict, const char *condition, struct span by);
/* A rule, "errno EPERM" CALL "(flags has CLONE_NEWNS)", unless SystemCallFilter= refuses the call. */
void unit_put(struct unit_writer *w, unsigned arches, const char *call, const char *verdict,
	      const char *condition);

/* The same of a condition on "reg ARGUMENT": libseccomp has x32's registers hold 32 bits. */
void unit_put_register(struct unit_writer *w, unsigned arches, const char *call,
		       const char *verdict, const char *condition);

/* The rules of all settings but the lists of calls (protect.c). */
void unit_put_settings(struct unit_writer *w, const struct deployment *d);
/* Capabilities (bit: number) that some of them take from the bounding set, whatever CapabilityBoundingSet= says. */
uint64_t unit_settings_take(const struct deployment *d);
