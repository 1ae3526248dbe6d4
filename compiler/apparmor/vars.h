/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The variables of one text, @{V} and ${B}, which share their names: declared, added to, opened as
 * apparmor_parser does it (variable.cc, symtab.cc of 5.0.2; parser_symtab.c before). Nothing here
 * tells: who reads the statements knows the places and the words.
 */
#include "compiler/automata/glob.h"
#include "compiler/rules/profile.h"
#include "compiler/base/table.h"

enum {
	AA_VARS_MAX = 1000,      /* variables of one text */
	AA_VALUES_MAX = 10000,   /* values, where variables in values multiply them */
	AA_SPENT_MAX = 64 << 20, /* bytes of all that is opened for one text */
};

enum aa_open_fault {
	AA_OPEN_FINE,
	AA_OPEN_UNDECLARED, /* a variable in its values is not declared */
	AA_OPEN_BOOLEAN,    /* it, or one in its values, is a boolean */
	AA_OPEN_RECURSIVE,  /* it is reached from its own values */
	AA_OPEN_BAD_NAME,   /* "@{1}": from 5.0 on */
	AA_OPEN_TOO_MANY,   /* AA_VALUES_MAX, GLOB_OPENED_MAX, AA_SPENT_MAX */
};

struct aa_var {
	struct str name;
	bool boolean, value; /* ${B}; what it is set to */
	bool frozen; /* opened: what is added later changes nothing (5.0, expand_variable) */
	bool own;    /* of one profile: @{profile_name} */
	bool gone;   /* was one's own: it is not declared */
	bool busy;   /* being opened */
	bool told;   /* what is wrong with its values was told */
	unsigned
		turn; /* of the vars, when it was opened last; what holds one of a profile is opened anew */
	enum aa_open_fault fault;
	struct str culprit; /* the variable that is at fault */
	struct span span;   /* of the declaration */
	const struct aa_from *from;
	VEC(struct str) values; /* as declared, unescaped */
	VEC(struct str) opened; /* no two alike, in the order that their parser has them in */
};

struct aa_vars {
	struct arena *arena;
	VEC(struct aa_var *) list;
	struct table by_name;
	unsigned turn; /* +1 whenever a profile's own variables change */
	size_t spent;
	bool strict; /* 5.0: "@{" begins a variable whatever stands in it, values are sorted */
	bool folds; /* aa_vars_expand(): as before 5.0 values behind slashes alone lose theirs, too */
};

struct aa_var *aa_vars_find(const struct aa_vars *vars, struct str name);
/* The variable of this name with nothing in it, where there is one already, too. */
struct aa_var *aa_vars_declare(struct aa_vars *vars, struct str name);

/* Opens it: var->opened, or what is at fault, which var->culprit names. */
enum aa_open_fault aa_vars_open(struct aa_vars *vars, struct aa_var *var);

/*
 * The first variable in a text behind *at, which is put behind it; its name, n 0: there is none
 * more. "@{a,b}" is none, which glob.h's readers of text know, too.
 */
struct str aa_vars_next(struct str text, size_t *at);

/*
 * The first "@{...}" that is no variable's name; p NULL: none. comma: it reads as an alternation,
 * which the parser leaves as it is (variable.cc, extract_variable and is_var).
 */
struct str aa_vars_odd(struct str text, bool *comma);

/*
 * A name or attachment with its variables opened, several values as {a,b}: what the parser makes
 * of it (variable.cc, expand_by_alternation). Those not declared, or faulty, stay as they are.
 */
struct str aa_vars_expand(struct aa_vars *vars, struct str text);
