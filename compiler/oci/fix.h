/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What mends a profile, as fixes of a diagnostic: names and entries cut, names added. Where the
 * text cannot be edited so (a list that stands twice) nothing is noted. Proved by `pale lint --fix`.
 */
#include "compiler/base/group.h"
#include "compiler/oci/profile.h"

typedef VEC(struct span) span_list;

/* Names by their places; an entry of which none stays goes as a whole. */
void oci_fix_cut_names(const struct oci_profile *p, struct diags *ds, struct diag *d,
		       const span_list *names);
/* Every place of the words among names, of entries that `of` is true of; NULL: of all. */
void oci_fix_cut_words(const struct oci_profile *p, struct diags *ds, struct diag *d,
		       const struct group *words, bool (*of)(const struct oci_entry *e));
/* Conditions by their places. */
void oci_fix_cut_args(const struct oci_profile *p, struct diags *ds, struct diag *d,
		      const span_list *args);
/* Whatever value or key begins there, with its key or its comma. */
void oci_fix_cut_at(const struct oci_profile *p, struct diags *ds, struct diag *d, struct span at);
/* An entry, as JSON. */
void oci_fix_add_entry(const struct oci_profile *p, struct diags *ds, struct diag *d,
		       const char *entry);
/*
 * To the largest list of names that is allowed whatever the arguments and in every environment; an
 * entry of its own where there is none.
 */
void oci_fix_allow(const struct oci_profile *p, struct diags *ds, struct diag *d,
		   const struct group *names);
/* An entry that answers a call with this errno. */
void oci_fix_errno(const struct oci_profile *p, struct diags *ds, struct diag *d, const char *call,
		   unsigned err);
