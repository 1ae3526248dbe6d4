/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/tunables.h"

#include <string.h>

static bool skip(const char **p, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(*p, prefix, n) != 0)
		return false;
	*p += n;
	return true;
}

/* "[0-9]*", which stands for a number here, and nothing else of its component's. */
static bool skip_number(const char **p)
{
	const char *at = *p;

	if (!skip(&at, "[0-9]*") || (*at && *at != '/'))
		return false;
	*p = at;
	return true;
}

static void name_process(struct buf *out, const char *p)
{
	buf_puts(out, "@{PROC}/");
	if (skip_number(&p)) {
		buf_puts(out, "@{pid}");
		if (skip(&p, "/task/")) {
			buf_puts(out, "/task/");
			if (skip_number(&p))
				buf_puts(out, "@{tid}");
		}
	}
	buf_puts(out, p);
}

/* Is that component the directory of an architecture, as *-linux-gnu* is? */
static bool is_multiarch(struct str s)
{
	static const char gnu[] = "-linux-gnu";
	const char *at = memmem(s.p, s.n, gnu, sizeof(gnu) - 1);

	return at && at > s.p && !memchr(s.p, '\\', s.n) && !memchr(s.p, '*', s.n);
}

static bool name_library(struct buf *out, const char *glob)
{
	const char *p = glob, *end;

	if (!skip(&p, "/usr/lib/") && !skip(&p, "/lib/"))
		return false;
	end = strchr(p, '/');
	if (!end || !is_multiarch((struct str){ p, (size_t)(end - p) }))
		return false;
	buf_add(out, glob, (size_t)(p - glob));
	buf_printf(out, "@{multiarch}%s", end);
	return true;
}

const char *tunables_name(struct arena *a, const char *glob, bool owned, bool *home)
{
	BUF_AUTO out = { 0 };
	const char *p = glob;

	*home = false;
	if (skip(&p, "/proc/")) {
		name_process(&out, p);
	} else if (skip(&p, "/run/")) {
		buf_printf(&out, "@{run}/%s", p);
	} else if (owned && skip(&p, "/home/") && strchr(p, '/') && strchr(p, '/')[1]) {
		*home = true;
		buf_printf(&out, "@{HOME}%s", strchr(p, '/'));
	} else if (!name_library(&out, glob)) {
		return glob;
	}
	return buf_keep(a, &out);
}
