/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/deploy/yaml.h"

#include <string.h>
#include <yaml.h>

#include "compiler/base/bug.h"
#include "compiler/base/table.h"

enum { DEPTH_MAX = 100, NODES_MAX = 1000000, ANCHORS_MAX = 4096, STEP = 256 };

struct anchor {
	struct str name;
	struct json *node;
	size_t weight;
};

struct level { /* a collection that is open */
	struct json *node;
	struct json *last; /* of its members */
	struct str key;    /* of the member that comes next */
	struct span key_span;
	bool has_key;
	struct str anchor; /* its own */
	size_t weight;
};

struct reader {
	struct arena *arena;
	struct source *src;
	struct diags *ds;
	struct yaml *out;
	yaml_parser_t parser;
	VEC(uint32_t) steps; /* the byte of every STEP-th character */
	VEC(struct ast_comment *) comments;
	VEC(struct span) hashes; /* scalars with a '#' in them, which begins no comment */
	VEC(struct anchor) anchors;
	struct level levels[DEPTH_MAX];
	unsigned depth;
	size_t nodes;
	size_t mark; /* bytes of a byte order mark, which libyaml is not given */
};

/* ---- places: libyaml counts characters ---- */

static bool is_lead(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static void find_steps(struct reader *r)
{
	size_t characters = 0;

	for (uint32_t i = (uint32_t)r->mark; i < r->src->text.n; i++)
		if (is_lead(r->src->text.p[i]) && characters++ % STEP == 0)
			vec_push(r->arena, &r->steps, i);
}

static uint32_t place_of(const struct reader *r, yaml_mark_t mark)
{
	struct str t = r->src->text;
	size_t step = mark.index / STEP, left = mark.index % STEP;

	if (step >= r->steps.n)
		return (uint32_t)t.n;
	uint32_t at = r->steps.v[step];
	for (; at < t.n; at++)
		if (is_lead(t.p[at]) && !left--)
			break;
	return at;
}

static struct span span_of(const struct reader *r, const yaml_event_t *e)
{
	return (struct span){ r->src->id, place_of(r, e->start_mark), place_of(r, e->end_mark) };
}

/* ---- what is wrong ---- */

static bool wrong(struct reader *r, enum diag_id id, struct span at, const char *text,
		  const char *help)
{
	struct diag *d = diag_add(r->ds, id, at, "%s", text);

	diag_help(r->ds, d, "%s", help);
	return false;
}

static bool tell_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	uint32_t at = p->error == YAML_READER_ERROR ? (uint32_t)(p->problem_offset + r->mark) :
						      place_of(r, p->problem_mark);
	struct span sp = { r->src->id, at, at };
	struct diag *d;

	if (at > r->src->text.n)
		sp = (struct span){ r->src->id, 0, 0 };
	if (p->error == YAML_MEMORY_ERROR)
		arena_no_memory(r->arena);
	d = diag_add(r->ds, DIAG_PL002, sp, "this is no YAML: %s%s%s",
		     p->problem ? p->problem : "it cannot be read", p->context ? " " : "",
		     p->context ? p->context : "");
	diag_help(r->ds, d,
		  "what stands before it may be the cause: an open quote or bracket, or how "
		  "far a line is indented");
	return false;
}

static bool count(struct reader *r, size_t more, struct span at)
{
	if (more > NODES_MAX - r->nodes)
		return wrong(r, DIAG_PL443, at,
			     "more than 1000000 values, counted as often as aliases repeat them",
			     "write what is meant without aliases of aliases");
	r->nodes += more;
	return true;
}

/* ---- scalars ---- */

static bool any_of(struct str s, const char *const *words)
{
	for (; *words; words++)
		if (str_is(s, *words))
			return true;
	return false;
}

static void read_number(struct json *j, struct str s)
{
	bool negative = s.n > 1 && s.p[0] == '-';
	uint64_t value;

	if (str_u64(negative ? (struct str){ s.p + 1, s.n - 1 } : s, &value))
		return;
	j->kind = JSON_NUMBER;
	j->is_u64 = !negative || !value;
	j->u64 = j->is_u64 ? value : 0;
	j->is_i64 = negative ? value <= (uint64_t)INT64_MAX + 1 : value <= INT64_MAX;
	j->i64 = !j->is_i64 ? 0 : negative ? (int64_t)(0 - value) : (int64_t)value;
}

static void resolve(struct json *j, const yaml_event_t *e)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const yes[] = { "true", "True", "TRUE", NULL };
	static const char *const no[] = { "false", "False", "FALSE", NULL };

	j->kind = JSON_STRING;
	if (!e->data.scalar.plain_implicit || e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return;
	if (any_of(j->text, nulls))
		j->kind = JSON_NULL;
	else if (any_of(j->text, yes) || any_of(j->text, no))
		j->kind = JSON_BOOL;
	else
		read_number(j, j->text);
	j->boolean = any_of(j->text, yes);
}

static struct json *make_node(struct reader *r, const yaml_event_t *e, enum json_kind kind)
{
	struct json *j = ARENA_NEW(r->arena, struct json);

	j->kind = kind;
	j->span = span_of(r, e);
	return j;
}

static struct str keep(struct reader *r, const yaml_char_t *text, size_t n)
{
	return (struct str){ str_dup(r->arena, (struct str){ (const char *)text, n }), n };
}

/* ---- collections ---- */

static void tell_duplicates(struct reader *r, struct json *map)
{
	struct table seen = { 0 };
	VEC(const struct json *) members = { 0 };

	for (struct json *m = map->first; m; m = m->next) {
		uint64_t h = hash_bytes(HASH_START, m->key.p, m->key.n);
		struct table_walk w = table_start(h);
		size_t at;

		while ((at = table_next(&seen, &w)) != TABLE_END)
			if (str_eq(members.v[at]->key, m->key))
				break;
		if (at == TABLE_END) {
			table_add(r->arena, &seen, h, members.n);
			vec_push(r->arena, &members, m);
			continue;
		}
		m->duplicate = true;
		struct diag *d =
			diag_add(r->ds, DIAG_PL442, m->key_span,
				 "this key stands in the mapping twice; the last one counts "
				 "here");
		diag_note(r->ds, d, members.v[at]->key_span, "the other one");
		diag_help(r->ds, d,
			  "unite what both say under one key: compose refuses the file, other "
			  "readers take one of them");
	}
}

/* In front of its own members, so that these win; of a list of maps the first wins. */
static void merge_into(struct reader *r, struct json *map, const struct json *from)
{
	struct json *first = NULL, **tail = &first;

	if (from->kind != JSON_OBJECT)
		return;
	for (const struct json *m = from->first; m; m = m->next) {
		struct json *copy = arena_dup(r->arena, m, sizeof(*m));

		copy->duplicate = false;
		*tail = copy;
		tail = &copy->next;
		map->count++;
	}
	*tail = map->first;
	map->first = first;
}

static void follow_merges(struct reader *r, struct json *map)
{
	VEC(const struct json *) merges = { 0 };
	struct json **m = &map->first;

	while (*m) {
		if (str_is((*m)->key, "<<")) {
			vec_push(r->arena, &merges, *m);
			*m = (*m)->next;
			map->count--;
		} else {
			m = &(*m)->next;
		}
	}
	vec_each(&merges, it) {
		if ((*it)->kind == JSON_ARRAY)
			for (const struct json *e = (*it)->first; e; e = e->next)
				merge_into(r, map, e);
		else
			merge_into(r, map, *it);
	}
}

/* ---- the tree ---- */

static bool note_anchor(struct reader *r, struct str name, struct json *node, size_t weight)
{
	struct anchor a = { name, node, weight };

	if (!name.n)
		return true;
	if (r->anchors.n == ANCHORS_MAX)
		return wrong(r, DIAG_PL443, node->span, "more than 4096 anchors",
			     "write what is meant without so many");
	vec_push(r->arena, &r->anchors, a);
	return true;
}

/* A value that is whole becomes the key or member of what is open, or a document. */
static bool add_node(struct reader *r, struct json *node, size_t weight)
{
	struct level *l = r->depth ? &r->levels[r->depth - 1] : NULL;

	if (!l) {
		if (node->kind != JSON_NULL)
			vec_push(r->arena, &r->out->documents, node);
		return true;
	}
	if (l->node->kind == JSON_OBJECT && !l->has_key) {
		if (node->kind == JSON_OBJECT || node->kind == JSON_ARRAY)
			return wrong(r, DIAG_PL002, node->span, "a key that is a mapping or a list",
				     "no file of this kind has such keys");
		l->key = node->text;
		l->key_span = node->span;
		l->has_key = true;
		return true;
	}
	node->key = l->has_key ? l->key : (struct str){ 0 };
	node->key_span = l->has_key ? l->key_span : NO_SPAN;
	l->has_key = false;
	*(l->last ? &l->last->next : &l->node->first) = node;
	l->last = node;
	l->node->count++;
	l->weight += weight;
	return true;
}

static bool read_scalar(struct reader *r, const yaml_event_t *e)
{
	struct json *j = make_node(r, e, JSON_STRING);
	const char *anchor = (const char *)e->data.scalar.anchor;

	j->text = keep(r, e->data.scalar.value, e->data.scalar.length);
	resolve(j, e);
	if (memchr(r->src->text.p + j->span.begin, '#', j->span.end - j->span.begin))
		vec_push(r->arena, &r->hashes, j->span);
	return count(r, 1, j->span) && add_node(r, j, 1) &&
	       note_anchor(r, keep(r, (const yaml_char_t *)anchor, anchor ? strlen(anchor) : 0), j,
			   1);
}

static bool read_alias(struct reader *r, const yaml_event_t *e)
{
	struct str name = str_c((const char *)e->data.alias.anchor);
	struct span at = span_of(r, e);

	for (size_t i = r->anchors.n; i-- > 0;) {
		const struct anchor *a = &r->anchors.v[i];
		struct json *copy;

		if (!str_eq(a->name, name))
			continue;
		copy = arena_dup(r->arena, a->node, sizeof(*copy));
		copy->next = NULL;
		return count(r, a->weight, at) && add_node(r, copy, a->weight);
	}
	return wrong(r, DIAG_PL002, at, "no anchor of this name is complete before it",
		     "'&NAME' in front of a value makes one");
}

static bool open_level(struct reader *r, const yaml_event_t *e, enum json_kind kind,
		       const yaml_char_t *anchor)
{
	struct json *j = make_node(r, e, kind);

	if (r->depth == DEPTH_MAX)
		return wrong(r, DIAG_PL004, j->span, "nested more than 100 deep",
			     "no file of this kind is");
	r->levels[r->depth++] = (struct level){
		.node = j,
		.anchor = keep(r, anchor, anchor ? strlen((const char *)anchor) : 0),
		.weight = 1,
	};
	return count(r, 1, j->span);
}

static bool close_level(struct reader *r, const yaml_event_t *e)
{
	struct level *l = &r->levels[--r->depth];
	struct json *j = l->node;
	uint32_t end = place_of(r, e->end_mark);

	/* A block ends where the next token begins: its last member is the end that people see. */
	if (l->last && e->start_mark.index == e->end_mark.index)
		end = l->last->span.end;
	j->span.end = end > j->span.begin ? end : j->span.begin;
	if (j->kind == JSON_OBJECT) {
		tell_duplicates(r, j);
		follow_merges(r, j);
	}
	return add_node(r, j, l->weight) && note_anchor(r, l->anchor, j, l->weight);
}

static bool take_event(struct reader *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT: return read_scalar(r, e);
	case YAML_ALIAS_EVENT: return read_alias(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(r, e, JSON_ARRAY, e->data.sequence_start.anchor);
	case YAML_MAPPING_START_EVENT:
		return open_level(r, e, JSON_OBJECT, e->data.mapping_start.anchor);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return close_level(r, e);
	case YAML_DOCUMENT_END_EVENT: r->anchors.n = 0; return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT: break;
	}
	return true;
}

/* ---- comments ---- */

/* libyaml drops them. '#' begins one at the start of a line or behind a blank, unless in a scalar. */
static void find_comments(struct reader *r)
{
	struct str t = r->src->text;
	size_t scalar = 0;

	for (uint32_t i = 0; i < t.n; i++) {
		const char *hash = memchr(t.p + i, '#', t.n - i);
		uint32_t end;

		if (!hash)
			return;
		i = (uint32_t)(hash - t.p);
		while (scalar < r->hashes.n && r->hashes.v[scalar].end <= i)
			scalar++;
		bool inside = scalar < r->hashes.n && r->hashes.v[scalar].begin <= i;
		if (inside || (i && !strchr(" \t\n\r", t.p[i - 1])))
			continue;
		const char *nl = memchr(hash, '\n', t.n - i);
		end = nl ? (uint32_t)(nl - t.p) : (uint32_t)t.n;
		struct ast_comment *c = ARENA_NEW(r->arena, struct ast_comment);
		c->span = (struct span){ r->src->id, i, end };
		c->text = (struct str){ hash + 1, end - i - 1 };
		vec_push(r->arena, &r->comments, c);
		i = end;
	}
}

bool yaml_read(struct arena *a, struct source *src, struct diags *ds, struct yaml *out)
{
	struct reader *r = ARENA_NEW(a, struct reader);
	bool fine = true, more = true;

	*out = (struct yaml){ 0 };
	*r = (struct reader){ .arena = a, .src = src, .ds = ds, .out = out };
	/* libyaml counts it as a column of the first line, which no other line has. */
	r->mark = str_starts(src->text, "\xef\xbb\xbf") ? 3 : 0;
	find_steps(r);
	if (!yaml_parser_initialize(&r->parser))
		arena_no_memory(a);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)src->text.p + r->mark,
				     src->text.n - r->mark);
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	while (fine && more) {
		yaml_event_t e;

		if (!yaml_parser_parse(&r->parser, &e)) {
			fine = tell_syntax(r);
			break;
		}
		more = e.type != YAML_STREAM_END_EVENT;
		fine = take_event(r, &e);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&r->parser);
	find_comments(r);
	out->comments = (struct comment_list){ r->comments.v, r->comments.n };
	return fine;
}
