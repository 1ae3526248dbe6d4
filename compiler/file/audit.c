/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/audit.h"

#include <stdio.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tables/tables.h"

/* Digits from *p on; false: there are none, or too many. */
static bool read_digits(const char **p, const char *end, uint64_t most, uint64_t *out)
{
	const char *begin = *p;

	for (*out = 0; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		if (*out > most / 10 - 1)
			return false;
		*out = *out * 10 + (uint64_t)(**p - '0');
	}
	return *p > begin;
}

bool audit_stamp(struct str line, uint64_t *ns, uint64_t *serial)
{
	static const char mark[] = "audit(";
	const char *p = memmem(line.p, line.n, mark, sizeof(mark) - 1);
	const char *end = line.p + line.n;
	uint64_t seconds, part = 0, unit = 1000000000;

	*ns = *serial = 0;
	if (!p)
		return false;
	p += sizeof(mark) - 1;
	if (!read_digits(&p, end, UINT64_MAX / 1000000000 - 100, &seconds) || p == end || *p != '.')
		return false;
	for (p++; p < end && *p >= '0' && *p <= '9' && unit > 1; p++) {
		unit /= 10;
		part += unit * (uint64_t)(*p - '0');
	}
	if (p == end || *p != ':')
		return false;
	p++;
	*ns = seconds * 1000000000 + part;
	(void)read_digits(&p, end, UINT64_MAX, serial);
	return true;
}

/* May a field begin behind this byte? auditd parts what it adds by 0x1d, and quotes a program's. */
static bool parts_fields(char c)
{
	return c == ' ' || c == '\t' || c == '\x1d' || c == '\'';
}

bool audit_field(struct str line, const char *key, struct str *out)
{
	size_t n = strlen(key);

	for (size_t i = 0; i + n < line.n; i++) {
		if ((i && !parts_fields(line.p[i - 1])) || memcmp(line.p + i, key, n) != 0 ||
		    line.p[i + n] != '=')
			continue;
		struct str v = { line.p + i + n + 1, line.n - i - n - 1 };
		bool quoted = v.n && *v.p == '"';
		if (quoted)
			v = (struct str){ v.p + 1, v.n - 1 };
		size_t end = 0;
		while (end < v.n && (quoted ? v.p[end] != '"' : v.p[end] > ' ' || v.p[end] < 0))
			end++;
		*out = (struct str){ v.p, end };
		return true;
	}
	return false;
}

static bool read_hex(struct str s, uint64_t *out)
{
	if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X'))
		s = (struct str){ s.p + 2, s.n - 2 };
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] | 0x20;
		bool digit = s.p[i] >= '0' && s.p[i] <= '9', letter = c >= 'a' && c <= 'f';
		if (i >= 16 || (!digit && !letter))
			return false;
		*out = *out << 4 | (uint64_t)(digit ? s.p[i] - '0' : c - 'a' + 10);
	}
	return s.n > 0;
}

/* "c000003e" as the kernel writes it, or ausearch -i's "x86_64". */
static bool read_arch(struct str s, uint32_t *audit)
{
	uint64_t n;
	int a = arch_find(s);

	if (a >= 0)
		n = arch_info((enum arch)a)->audit;
	else if (!read_hex(s, &n) || n > UINT32_MAX)
		return false;
	*audit = (uint32_t)n;
	return true;
}

static bool read_number(struct str s, uint32_t audit, uint32_t *nr)
{
	uint64_t n;
	bool negative = s.n > 1 && *s.p == '-';

	if (negative)
		s = (struct str){ s.p + 1, s.n - 1 };
	if (str_u64(s, &n) == 0 && n <= (negative ? 0x80000000u : UINT32_MAX)) {
		*nr = negative ? (uint32_t)(0 - n) : (uint32_t)n;
		return true;
	}
	const struct syscall_info *sys = negative ? NULL : syscall_by_name(s);
	for (int a = 0; sys && a < ARCH_NR; a++)
		if (arch_info((enum arch)a)->audit == audit && sys->nr[a] >= 0) {
			*nr = (uint32_t)sys->nr[a] + arch_info((enum arch)a)->nr_base;
			return true;
		}
	return false;
}

static void read_code(struct str s, struct audit_record *r)
{
	static const struct {
		const char *word; /* ausearch -i */
		enum verdict_kind kind;
	} words[] = { { "kill", VERDICT_KILL_THREAD },
		      { "kill-thread", VERDICT_KILL_THREAD },
		      { "kill-process", VERDICT_KILL_PROCESS },
		      { "trap", VERDICT_TRAP },
		      { "errno", VERDICT_ERRNO },
		      { "user-notif", VERDICT_NOTIFY },
		      { "trace", VERDICT_TRACE },
		      { "log", VERDICT_LOG },
		      { "allow", VERDICT_ALLOW } };
	char text[24] = "";
	uint64_t n;

	if (s.n > 2 && *s.p == '0' && read_hex(s, &n) && n <= UINT32_MAX) {
		r->answered = true;
		r->verdict = verdict_from_ret((uint32_t)n);
		return;
	}
	for (size_t i = 0; i < s.n && i < sizeof(text) - 1; i++)
		text[i] = s.p[i] == '_' ? '-' : s.p[i];
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(text, words[i].word)) {
			r->answered = true;
			r->verdict.kind = words[i].kind;
		}
}

/* What stands behind journald's own "audit[PID]: " or "audit: ", where the type is a word. */
static struct str journald_part(struct str line)
{
	static const char mark[] = "audit";

	for (size_t i = 0; i + sizeof(mark) < line.n; i++) {
		size_t at = i + sizeof(mark) - 1;

		if ((i && line.p[i - 1] != ' ') || memcmp(line.p + i, mark, sizeof(mark) - 1) != 0)
			continue;
		if (line.p[at] == '[') {
			for (at++; at < line.n && line.p[at] >= '0' && line.p[at] <= '9';)
				at++;
			at += at < line.n && line.p[at] == ']';
		}
		if (at + 2 < line.n && line.p[at] == ':' && line.p[at + 1] == ' ')
			return (struct str){ line.p + at + 2, line.n - at - 2 };
	}
	return line;
}

bool audit_is_record(struct str line)
{
	struct str type;

	if (audit_field(line, "type", &type))
		return str_is(type, "1326") || str_is(type, "SECCOMP");
	return str_starts(journald_part(line), "SECCOMP ");
}

void audit_keep_word(char to[AUDIT_WORD], struct str s)
{
	BUF_AUTO safe = { 0 };

	buf_safe(&safe, (struct str){ s.p, s.n < AUDIT_WORD / 4 ? s.n : AUDIT_WORD / 4 - 1 });
	snprintf(to, AUDIT_WORD, "%s", safe.p ? safe.p : "");
}

/* A digit of the kernel's own hex, which is in capitals (hex_byte_pack_upper()); -1: it is none. */
static int upper_hex(char c)
{
	return c >= 'a' && c <= 'f' ? -1 : hex_digit(c);
}

/* In hex, for a blank or a quote in it (kernel/audit.c audit_log_untrustedstring())? */
static bool is_hex_text(struct str s)
{
	if (s.p[-1] == '"' || !s.n || s.n % 2)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (upper_hex(s.p[i]) < 0)
			return false;
	return true;
}

static size_t read_hex_text(struct str s, char *to, size_t room)
{
	size_t n = s.n / 2 < room ? s.n / 2 : room;

	for (size_t i = 0; i < n; i++)
		to[i] = (char)(upper_hex(s.p[2 * i]) << 4 | upper_hex(s.p[2 * i + 1]));
	return n;
}

struct str audit_text(struct arena *a, struct str value)
{
	char *to;

	if (!is_hex_text(value))
		return value;
	to = arena_alloc(a, value.n / 2);
	return (struct str){ to, read_hex_text(value, to, value.n / 2) };
}

/* What ausearch -i reads for people, "arch=x86_64", has names without quotes, never in hex. */
static void keep_name(char to[AUDIT_WORD], struct str s, struct str arch)
{
	char name[AUDIT_WORD];

	if (is_hex_text(s) && arch_find(arch) < 0)
		s = (struct str){ name, read_hex_text(s, name, sizeof(name)) };
	audit_keep_word(to, s);
}

const char *audit_read(struct str line, struct audit_record *r)
{
	struct str arch, v;

	*r = (struct audit_record){ 0 };
	if (!audit_field(line, "arch", &arch))
		return "it has no arch=";
	if (!read_arch(arch, &r->audit))
		return "its arch= is no architecture";
	if (!audit_field(line, "syscall", &v))
		return "it has no syscall=";
	if (!read_number(v, r->audit, &r->nr))
		return "its syscall= is no call of that architecture";
	if (audit_field(line, "code", &v))
		read_code(v, r);
	if (audit_field(line, "comm", &v))
		keep_name(r->comm, v, arch);
	if (audit_field(line, "pid", &v))
		audit_keep_word(r->pid, v);
	return NULL;
}
