/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What pale knows of a name: a call, a constant, a domain, a capability, a set. */
#include "compiler/file/setlist.h"

/* All that is called so, or "#59", the calls of that number. How many things that is. */
unsigned shown_put(struct buf *out, const struct sources *sources, const struct set_list *sets,
		   struct str name);
/* What an argument of a call is, by its name; false: it has no such one. */
bool shown_put_arg(struct buf *out, struct str call, struct str arg);
/* Says that there is none, with the nearest that is (PL148). */
void shown_unknown(struct diags *ds, const struct set_list *sets, struct str name);
