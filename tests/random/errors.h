/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is wrong with a random case, for the tables and for people. */
#include <stdio.h>

#include "compiler/base/bug.h"
#include "compiler/base/diag.h"

static inline void print_errors(const struct diags *ds)
{
	BUF_AUTO b = { 0 };

	vec_each(&ds->list, d)
		if ((*d)->severity == SEVERITY_ERROR)
			diag_print_text(ds, *d, false, &b);
	fputs(b.p ? b.p : "", stdout);
}

static inline enum diag_id first_error(const struct diags *ds)
{
	vec_each(&ds->list, d)
		if ((*d)->severity == SEVERITY_ERROR)
			return (*d)->id;
	BUG("an error that is not kept");
}
