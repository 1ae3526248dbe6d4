/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/lint_fixed.h"

#include <string.h>

#include "compiler/base/bug.h"

/* ---- for another process ---- */

void lint_fixed_pack(const struct lint_fixed *fixed, const struct sources *read, struct buf *out)
{
	buf_add(out, fixed, sizeof(*fixed));
	if (fixed->made) {
		buf_add(out, fixed->before.p, fixed->before.n);
		buf_add(out, fixed->after.p, fixed->after.n);
	}
	vec_each(&read->list, src)
		if ((*src)->path)
			buf_add(out, (*src)->path, strlen((*src)->path) + 1);
}

struct str lint_fixed_unpack(struct str rest, struct lint_fixed *out)
{
	struct str at = rest;

	BUG_ON(at.n < sizeof(*out));
	memcpy(out, at.p, sizeof(*out));
	at = (struct str){ at.p + sizeof(*out), at.n - sizeof(*out) };
	if (!out->made)
		return at;
	BUG_ON(at.n < out->before.n || at.n - out->before.n < out->after.n);
	out->before.p = at.p;
	out->after.p = at.p + out->before.n;
	size_t texts = out->before.n + out->after.n;
	return (struct str){ at.p + texts, at.n - texts };
}

/* ---- what was written ---- */

static uint64_t key_of(const struct stat *st)
{
	uint64_t h = hash_bytes(HASH_START, &st->st_dev, sizeof(st->st_dev));

	return hash_bytes(h, &st->st_ino, sizeof(st->st_ino));
}

void lint_written_add(struct lint_run *r)
{
	struct lint_fixing *f = &r->fixing;
	struct stat st;

	if (stat(r->path, &st))
		return;
	table_add(r->all->arena, &f->written_table, key_of(&st), f->written.n);
	vec_push(r->all->arena, &f->written, ((struct lint_written){ st.st_dev, st.st_ino }));
}

bool lint_written_has(const struct lint_run *r, const char *path)
{
	const struct lint_fixing *f = &r->fixing;
	struct stat st;
	size_t at;

	if (stat(path, &st))
		return false;
	struct table_walk w = table_start(key_of(&st));
	while ((at = table_next(&f->written_table, &w)) != TABLE_END)
		if (f->written.v[at].dev == st.st_dev && f->written.v[at].ino == st.st_ino)
			return true;
	return false;
}

void lint_written_forget(struct lint_run *r)
{
	r->fixing.written.n = 0;
	r->fixing.written_table = (struct table){ 0 };
}
