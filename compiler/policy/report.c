/* SPDX-License-Identifier: Apache-2.0 */
/* Reporting on what is resolved, each thing once; and what all steps read alike. */
#include <errno.h>
#include <string.h>

#include "compiler/policy/resolve.h"

/* Was this hash there already? Puts it in. */
static bool seen_before(struct arena *a, struct table *seen, uint64_t h)
{
	struct table_walk w = table_start(h);

	if (table_next(seen, &w) != TABLE_END)
		return true;
	table_add(a, seen, h, 0);
	return false;
}

struct diag *resolve_report(struct resolver *r, enum diag_id id, struct span sp, const char *fmt,
			    ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *text = arena_vprintf(r->arena, fmt, ap);
	va_end(ap);
	uint64_t h = hash_bytes(HASH_START, &id, sizeof(id));
	h = hash_bytes(h, &sp, sizeof(sp));
	h = hash_bytes(h, text, strlen(text));
	if (seen_before(r->arena, &r->seen, h)) {
		struct diag *d =
			ARENA_NEW(r->arena, struct diag); /* takes help and notes to nowhere */
		d->severity = SEVERITY_INFO;              /* never counted, so never uncounted */
		return d;
	}
	return diag_add(r->ds, id, sp, "%s", text);
}

void resolve_too_large(struct resolver *r, struct span sp, int most, const char *what,
		       const char *way)
{
	diag_help(r->ds, resolve_report(r, DIAG_PL145, sp, "more than %d %s", most, what), "%s",
		  way);
}

int resolve_version(struct str s, uint16_t *out)
{
	const char *dot = s.n ? memchr(s.p, '.', s.n) : NULL;
	uint64_t major, minor;

	if (!dot)
		return -EINVAL;
	struct str left = { s.p, (size_t)(dot - s.p) };
	struct str right = { dot + 1, s.n - left.n - 1 };
	if (str_u64(left, &major) < 0 || str_u64(right, &minor) < 0 || major > 255 || minor > 255)
		return -EINVAL;
	*out = KERNEL_VERSION_OF(major, minor);
	return 0;
}
