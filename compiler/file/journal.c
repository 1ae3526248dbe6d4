/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/journal.h"

#include "grammar/json.h"

static struct str bytes_of(struct arena *a, const struct json *array)
{
	char *text = ARENA_ARRAY(a, char, array->count + 1);
	size_t n = 0;

	for (const struct json *e = array->first; e; e = e->next)
		if (e->kind == JSON_NUMBER && e->is_u64 && e->u64 <= UINT8_MAX)
			text[n++] = (char)e->u64;
	return (struct str){ text, n };
}

static struct str text_of(const struct json *top, const char *key)
{
	const struct json *v = json_get(top, key);

	return v && v->kind == JSON_STRING ? v->text : (struct str){ "", 0 };
}

static enum journal_origin origin_of(const struct json *top)
{
	struct str transport = text_of(top, "_TRANSPORT");
	struct str facility = text_of(top, "SYSLOG_FACILITY");

	if (!transport.n)
		return JOURNAL_UNTOLD;
	if (str_is(transport, "audit"))
		return JOURNAL_KERNEL;
	if (str_is(transport, "kernel")) /* what programs write to /dev/kmsg is of another one */
		return !facility.n || str_is(facility, "0") ? JOURNAL_KERNEL : JOURNAL_PROGRAM;
	return str_starts(text_of(top, "SYSLOG_IDENTIFIER"), "dbus-") ||
			       str_starts(text_of(top, "_COMM"), "dbus-") ?
		       JOURNAL_BUS :
		       JOURNAL_PROGRAM;
}

bool journal_is(struct str line)
{
	return (line.n && (*line.p == '{' || *line.p == '\x1e')) || str_starts(line, "data: ");
}

bool journal_message(struct arena *a, struct str line, struct str *message,
		     enum journal_origin *from)
{
	struct sources *sources = sources_new(a);
	const struct json *top, *v;

	/* What json-seq and json-sse put before the object. */
	if (line.n && *line.p == '\x1e')
		line = (struct str){ line.p + 1, line.n - 1 };
	if (str_starts(line, "data: "))
		line = (struct str){ line.p + 6, line.n - 6 };
	if (!line.n || *line.p != '{')
		return false;
	top = json_parse(a, source_add(sources, "<line>", line), diags_new(a, sources));
	v = top && top->kind == JSON_OBJECT ? json_get(top, "MESSAGE") : NULL;
	if (v && v->kind == JSON_STRING)
		*message = v->text;
	else if (v && v->kind == JSON_ARRAY)
		*message = bytes_of(a, v);
	else
		return false;
	if (from)
		*from = origin_of(top);
	return true;
}

/* In a text a quote stands behind a backslash: what begins so is the object's own. */
uint64_t journal_serial(struct str line)
{
	static const char key[] = "\"_AUDIT_ID\":\"";
	const char *p = memmem(line.p, line.n, key, sizeof(key) - 1);
	uint64_t serial;

	if (!p)
		return 0;
	p += sizeof(key) - 1;
	const char *end = memchr(p, '"', (size_t)(line.p + line.n - p));
	if (!end || str_u64((struct str){ p, (size_t)(end - p) }, &serial))
		return 0;
	return serial;
}
