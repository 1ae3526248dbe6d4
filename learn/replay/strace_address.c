/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses as strace writes them: {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("1.2.3.4")},
 * {sa_family=AF_INET6, sin6_port=htons(80), ..., inet_pton(AF_INET6, "::1", &sin6_addr), ...}.
 */
#include <arpa/inet.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "learn/replay/strace_files.h"

/* What stands behind the mark, up to one of the characters; false: there is no mark. */
static bool after(struct str text, const char *mark, const char *end, struct str *out)
{
	const char *p = memmem(text.p, text.n, mark, strlen(mark));
	size_t left;

	if (!p)
		return false;
	p += strlen(mark);
	left = (size_t)(text.p + text.n - p);
	*out = (struct str){ p, 0 };
	while (out->n < left && !strchr(end, p[out->n]))
		out->n++;
	return out->n < left;
}

/* ---- of which type a socket is ---- */

enum { SOCKETS_MAX = 1 << 18 };

/* With -y a socket has its inode's number: 3<socket:[27935622]>. False: it is none, or is not shown so. */
static bool inode_of(struct str fd, uint64_t *out)
{
	char path[64];
	ptrdiff_t n = strace_descriptor(fd, path, sizeof(path));

	return n > 9 && !memcmp(path, "socket:[", 8) && path[n - 1] == ']' &&
	       !str_u64((struct str){ path + 8, (size_t)n - 9 }, out);
}

/* Where it stands, or would. */
static size_t socket_at(const struct strace_sockets *s, uint64_t inode, struct table_walk *w)
{
	size_t at;

	*w = table_start(hash_bytes(HASH_START, &inode, sizeof(inode)));
	while ((at = table_next(&s->by_inode, w)) != TABLE_END && s->list.v[at].inode != inode)
		;
	return at;
}

void strace_note_socket(struct replay *r, struct strace_sockets *s, const struct strace_line *l,
			const struct strace_called *c)
{
	struct strace_socket fresh;
	struct table_walk w;
	uint64_t type;
	size_t at;

	if (!str_is(l->name, "socket") || !inode_of(l->result, &fresh.inode))
		return;
	type = strace_value(r, l, c, 1, 0) & 15; /* SOCK_TYPE_MASK; the rest are flags */
	fresh.type = type ? (__u8)address_type((int)type) : ADDRESS_UNKNOWN;
	at = socket_at(s, fresh.inode, &w);
	if (at != TABLE_END) { /* the number of one that is gone */
		s->list.v[at].type = fresh.type;
	} else if (s->list.n < SOCKETS_MAX) {
		table_add(r->s->arena, &s->by_inode, w.hash, s->list.n);
		vec_push(r->s->arena, &s->list, fresh);
	}
}

/* With -yy it says what the descriptor is: 3<TCP:[...]>, 3<UDPv6:[...]>. */
static __u8 type_of(const struct strace_sockets *s, struct str fd)
{
	static const struct {
		const char *word;
		__u8 type;
	} words[] = { { "<TCP", ADDRESS_STREAM },
		      { "<UDP", ADDRESS_DGRAM },
		      { "<RAW", ADDRESS_RAW } };
	struct table_walk w;
	uint64_t inode;
	size_t at;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(fd.p, fd.n, words[i].word, strlen(words[i].word)))
			return words[i].type;
	if (inode_of(fd, &inode) && (at = socket_at(s, inode, &w)) != TABLE_END)
		return s->list.v[at].type;
	return ADDRESS_UNKNOWN;
}

/* ---- addresses ---- */

static bool read_address(struct str text, bool six, __u8 raw[ADDRESS_MOST])
{
	__u16 family = six ? 10 : 2;
	struct str port, host;
	char name[INET6_ADDRSTRLEN];
	uint64_t n;

	if (!after(text, six ? "sin6_port=htons(" : "sin_port=htons(", ")", &port) ||
	    str_u64(port, &n) || n > UINT16_MAX ||
	    !after(text, six ? "inet_pton(AF_INET6, \"" : "inet_addr(\"", "\"", &host) ||
	    host.n >= sizeof(name))
		return false;
	memcpy(name, host.p, host.n);
	name[host.n] = 0;
	memcpy(raw, &family, sizeof(family));
	raw[2] = (__u8)(n >> 8);
	raw[3] = (__u8)n;
	return inet_pton(six ? AF_INET6 : AF_INET, name, raw + (six ? 8 : 4)) == 1;
}

/* sendmsg's is in a structure: {msg_name={sa_family=AF_INET, ...}, msg_namelen=16, ...}. */
static struct str address_of(const struct strace_line *l, unsigned takes)
{
	static const char named[] = "{msg_name=";
	unsigned i = takes == TRACE_SENDTO ? 4 : 1;
	struct str text = l->nargs > i ? l->args[i] : (struct str){ "", 0 };

	if (takes != TRACE_SENDMSG)
		return text;
	if (!str_starts(text, named))
		return (struct str){ "", 0 };
	return (struct str){ text.p + sizeof(named) - 1, text.n - (sizeof(named) - 1) };
}

static bool record_one(struct replay *r, struct str text, struct address k, uint64_t since)
{
	__u8 raw[ADDRESS_MOST] = { 0 };
	bool six = str_starts(text, "{sa_family=AF_INET6,");

	if (!six && !str_starts(text, "{sa_family=AF_INET,"))
		return true;
	if (!read_address(text, six, raw) || !address_read(raw, sizeof(raw), &k))
		return false;
	model_address(r->m, &k, 1, since);
	return true;
}

/* sendmmsg's: [{msg_hdr={msg_name={sa_family=AF_INET, ...}, ...}, msg_len=1}, ...], which may be cut. */
static bool record_all(struct replay *r, struct str text, const struct address *k, uint64_t since)
{
	static const char named[] = "msg_name=", cut[] = ", ...]";
	const char *end = text.p + text.n;
	size_t tail = sizeof(cut) - 1;

	for (const char *p = text.p; p < end; p++) {
		struct str left = { p, (size_t)(end - p) };

		if (*p == '"') {
			p = strace_skip_string(p) - 1;
		} else if (str_starts(left, named)) {
			left.p += sizeof(named) - 1;
			left.n -= sizeof(named) - 1;
			if (!record_one(r, left, *k, since))
				return false;
		}
	}
	return text.n < tail || memcmp(end - tail, cut, tail) != 0;
}

bool strace_record_address(struct replay *r, const struct strace_sockets *s,
			   const struct strace_line *l, const struct strace_called *c,
			   uint64_t since)
{
	unsigned takes = c->call.address;
	struct address k = { .type = l->nargs ? type_of(s, l->args[0]) : ADDRESS_UNKNOWN,
			     .op = takes >= TRACE_SENDTO ? ADDRESS_SEND : (__u8)(takes - 1) };

	if (takes == TRACE_SENDMMSG)
		return l->nargs < 2 || record_all(r, l->args[1], &k, since);
	return record_one(r, address_of(l, takes), k, since);
}
