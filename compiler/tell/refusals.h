/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How `pale run --verify` and `--count` tell what was refused. */
#include "compiler/file/session.h"
#include "compiler/enforce/enforce.h"

/* By default, by unknown, by rule, by foreign apart; the most frequent first. */
void refusals_text(struct session *s, const struct policy *p, const struct enforce_report *report,
		   bool verify, struct buf *out);
void refusals_json(struct session *s, const struct policy *p, const struct enforce_report *report,
		   int status, struct buf *out);
