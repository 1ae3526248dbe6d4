/* SPDX-License-Identifier: Apache-2.0 */
/* How expanding tells: with the includes by which a statement came in. */
#include "compiler/apparmor/expand_parts.h"

const char *aax_shown(struct expanding *x, struct str name)
{
	BUF_AUTO out = { 0 };

	if (name.n > 200)
		name.n = 200; /* the excerpt shows the rest */
	buf_safe(&out, name);
	return buf_keep(x->arena, &out);
}

void aax_note_way(struct expanding *x, struct diag *d, const struct aa_from *from)
{
	enum { SHOWN = 3 };

	for (unsigned i = 0; from && i < SHOWN; i++, from = from->parent)
		diag_note(x->ds, d, from->include->span, "included here");
}

struct diag *aax_tell(struct expanding *x, enum diag_id id, struct span sp,
		      const struct aa_from *from, const char *fmt, ...)
{
	struct diag *d;
	va_list ap;
	BUF_AUTO text = { 0 };

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	d = diag_add(x->ds, id, sp, "%s", text.p ? text.p : "");
	aax_note_way(x, d, from);
	return d;
}

void aax_tell_newer(struct expanding *x, struct span sp, const struct aa_from *from,
		    const char *what, enum aa_release since)
{
	struct diag *d = aax_tell(x, DIAG_PL338, sp, from, "AppArmor %s does not have %s",
				  aa_release_name(x->p->target.release), what);

	diag_help(x->ds, d, "AppArmor %s is the first that has it", aa_release_name(since));
}

void aax_tell_joints(struct expanding *x, const struct aa_file *file, const struct aa_from *from)
{
	for (size_t i = 0; i < file->njoints; i++) {
		const struct aa_joint *j = &file->joints[i];
		enum aa_release since = j->test ? AA_RELEASE_5_0 : AA_RELEASE_4_0;
		struct str word = span_text(x->ds->sources, j->span);
		struct diag *d;

		if (x->p->target.release < since)
			continue;
		d = aax_tell(x, DIAG_PL393, j->span, from,
			     "since AppArmor %s its parser reads '%s' as one word",
			     aa_release_name(since), aax_shown(x, word));
		diag_help(
			x->ds, d, "%s",
			memchr(word.p, '\r', word.n) ?
				"end lines with '\\n' alone, or put a blank in front of their end" :
				"blanks belong around '{'");
	}
}
