/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/questions.h"

#include <stdint.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/table.h"
#include "compiler/lint/parts.h"
#include "grammar/parse.h"

enum { LAST = 256 };

struct questions {
	struct arena *arena;
	VEC(struct question) list;
	struct table table; /* their texts */
	struct {
		const char *text;
		size_t at;
	} last[LAST]; /* found by where the text lay, which most do again; to be compared */
	struct part_store *store;
	uint16_t enosys[ARCH_NR]; /* 0: not looked up yet */
};

struct questions *questions_new(struct arena *a)
{
	struct questions *all = ARENA_NEW(a, struct questions);

	all->arena = a;
	all->store = part_store_new(a);
	return all;
}

struct part_store *questions_store(struct questions *all)
{
	return all->store;
}

struct verdict questions_enosys(struct questions *all, enum arch a)
{
	uint64_t value = 38;

	if (!all->enosys[a]) {
		constant_find("errno", STR("ENOSYS"), a, &value);
		all->enosys[a] = (uint16_t)value;
	}
	return (struct verdict){ VERDICT_ERRNO, all->enosys[a] };
}

struct str question_call(const char *text)
{
	return (struct str){ text, strcspn(text, "(") };
}

static bool is_like(const struct cond *x, const struct cond *y)
{
	if (!x || !y || x->kind != y->kind)
		return x == y;
	switch (x->kind) {
	case COND_CMP:
		return x->cmp.arg == y->cmp.arg && x->cmp.width == y->cmp.width &&
		       x->cmp.is_signed == y->cmp.is_signed && x->cmp.op == y->cmp.op &&
		       x->cmp.mask == y->cmp.mask && x->cmp.value == y->cmp.value;
	case COND_NOT: return is_like(x->left, y->left);
	case COND_AND:
	case COND_OR: return is_like(x->left, y->left) && is_like(x->right, y->right);
	}
	BUG("condition");
}

static void find_likes(struct question *q)
{
	for (uint8_t a = 0; a < ARCH_NR; a++) {
		uint8_t first = 0;

		while (first < a &&
		       !(q->on & ARCH_BIT(first) && is_like(q->cond[first], q->cond[a])))
			first++;
		q->like[a] = first;
	}
}

/* The condition, read by the language's own parser; pale's texts are right, or it is a bug. */
static void compile(struct arena *a, struct question *q)
{
	struct sources *sources = sources_new(a);
	struct diags *quiet = diags_new(a, sources);
	const struct resolve_options opt = { .foreign = true };
	const char *sep = "policy question { arch ";
	BUF_AUTO text = { 0 };

	for (unsigned arch = 0; arch < ARCH_NR; arch++) {
		if (!(q->on & ARCH_BIT(arch)))
			continue;
		buf_printf(&text, "%s%s", sep, arch_info((enum arch)arch)->name);
		sep = ", ";
	}
	buf_printf(&text, "; default errno EPERM; allow %s; }", q->text);
	struct source *src = source_add(sources, "<question>", (struct str){ text.p, text.n });
	struct ast_file *file = pale_parse_source(a, src, quiet);
	struct policies *read = policy_resolve(a, file, &opt, quiet);
	BUG_ON(quiet->errors || read->list.n != 1);
	q->on = 0;
	vec_each(&read->list.v[0]->calls, r) {
		q->cond[r->arch] = r->cond;
		q->on |= ARCH_BIT(r->arch);
	}
}

static struct question question_read(struct arena *a, const char *text)
{
	struct question q = { .text = arena_strdup(a, text),
			      .sys = syscall_by_name(question_call(text)) };

	BUG_ON(!q.sys);
	for (unsigned arch = 0; arch < ARCH_NR; arch++)
		q.on |= q.sys->nr[arch] >= 0 ? ARCH_BIT(arch) : 0;
	if (q.on && strchr(text, '('))
		compile(a, &q);
	find_likes(&q);
	return q;
}

static size_t find_text(struct questions *all, const char *text)
{
	uint64_t hash = hash_str(str_c(text));
	struct table_walk it = table_start(hash);

	for (size_t at; (at = table_next(&all->table, &it)) != TABLE_END;)
		if (!strcmp(all->list.v[at].text, text))
			return at;
	table_add(all->arena, &all->table, hash, all->list.n);
	vec_push(all->arena, &all->list, question_read(all->arena, text));
	return all->list.n - 1;
}

struct question *question_find(struct questions *all, const char *text)
{
	__typeof__(*all->last) *last = &all->last[(uintptr_t)text / 8 % LAST];

	if (last->text != text || strcmp(all->list.v[last->at].text, text) != 0) {
		last->at = find_text(all, text);
		last->text = text;
	}
	return &all->list.v[last->at];
}
