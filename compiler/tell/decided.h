/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which line of a policy decided, as text: FILE:LINE:COLUMN: the text there. */
#include "compiler/file/decide.h"
#include "compiler/oci/runtime/runtime.h"

/* "web.pale:3:9", "<none>" */
void put_place(struct buf *out, const struct sources *sources, struct span sp);
/* "web.apparmor:3:9: /etc/passwd r,": the text on one line, and cut */
void put_text(struct buf *out, const struct sources *sources, struct span sp);
/* "web.pale:3:9: allow socket(domain == AF_INET)  (set 'x', used at web.pale:2:6)" */
void put_rule(struct buf *out, const struct sources *sources, const struct origin *o);
/* The rule or the header line. */
void put_decided(struct buf *out, const struct sources *sources, const struct policy *p,
		 const struct decision_why *why);
/* The header line, where the policy has one: "web.pale:3:5: layers seccomp;". */
bool put_header_line(struct buf *out, const struct sources *sources, const struct policy *p,
		     enum ast_header header);
/* Who does not count on seccomp filters no call: the `layers` line that says so. */
void put_unfiltered(struct buf *out, const struct sources *sources, const struct policy *p);
/* The header line, or that there is none. */
void put_header(struct buf *out, const struct sources *sources, const struct policy *p,
		enum ast_header header, const char *name, struct verdict v);

/* "; depends on libseccomp: 2.5.4 says ERRNO(1)" where this call is disputed, else nothing. */
void put_dispute(struct buf *out, const struct oci_disputes *disputes,
		 const struct environment *env, const struct call *c);
/*
 * What decided at a point: "web.pale:3:9: allow read", the JSON entry's place, or for a program
 * "fw.bpf: instruction 17: ret ALLOW". Capabilities, kernel and host of the point count.
 */
void decide_put_why(struct buf *out, const struct sources *sources, const struct decide *d,
		    const struct dd_point *at);
/* "libseccomp before 2.5.5 does not know the name 'cachestat'", or that none up to the newest does. */
void put_unknowing(struct buf *out, const struct syscall_info *sys, enum arch a);
/* Takes notes of it (SC153) out: for commands that say it at the call itself. */
void forget_disputes(struct diags *ds);
