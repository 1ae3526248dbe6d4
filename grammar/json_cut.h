/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Edits of JSON text as fixes of a diagnostic: elements and members are cut or added so that what
 * stands around them keeps its layout, and the text stays JSON.
 */
#include "grammar/json.h"

typedef VEC(const struct json *) json_list;

/* Elements of an array, or members of an object, with their commas: in the order of the text. */
void json_fix_cut(struct diags *ds, struct diag *d, const struct json *parent,
		  const json_list *cut);
/* Texts (JSON values) behind an array's last element, laid out as that one is. */
void json_fix_append(struct diags *ds, struct diag *d, const struct json *array,
		     const struct str *texts, size_t n);
/* A member ("\"key\": value") in front of an object's first one. */
void json_fix_member(struct diags *ds, struct diag *d, const struct json *object, const char *text);
