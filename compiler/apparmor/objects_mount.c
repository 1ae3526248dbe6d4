/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts that a rule speaks of (mounts.h), as texts: point, source, type, flags. */
#include "compiler/apparmor/mounts.h"
#include "compiler/apparmor/objects_parts.h"

enum { FLAGS = 32 };

static machine_texts either(struct object_texts *t, machine_texts x, machine_texts y)
{
	machine_texts both[] = { x, y };

	return machine_union(t->machines, both, 2);
}

/* Numbers of the flags that are set, from 1 on, in ascending order. */
static machine_texts flags_text(struct object_texts *t, const struct aa_mount_pattern *p,
				machine_texts then)
{
	for (unsigned i = FLAGS; i-- > 0;) {
		bool may = p->any_flags || p->may >> i & 1;
		machine_texts with;
		if (!may && !(p->set >> i & 1))
			continue;
		with = object_byte(t, (unsigned char)(i + 1), then);
		then = may ? either(t, with, then) : with;
	}
	return then;
}

/* Of several types any, of several conditions as well. */
static machine_texts type_text(struct object_texts *t, const struct aa_mount_pattern *p,
			       machine_texts then)
{
	machine_texts all = 0;
	bool said = false;

	vec_each(&t->rule->conds, c) {
		if (!p->typed || c->id != AA_COND_FSTYPE)
			continue;
		said = true;
		vec_each(&c->texts, text)
			all = either(t, all, object_word(t, text, then));
	}
	return said ? all : object_word(t, NULL, then);
}

static void add_mount(struct object_texts *t, const struct aa_mount_pattern *p)
{
	machine_texts then = flags_text(t, p, object_end(t, AA_ACCESS_MOUNT));

	then = object_byte(t, 0, type_text(t, p, object_byte(t, 0, then)));
	if (!p->no_source)
		then = object_word(t, p->source, then);
	then = object_word(t, p->point, object_byte(t, 0, then));
	for (unsigned char kind = OBJECT_NEW_MOUNT; kind < OBJECT_UMOUNT; kind++)
		object_add(t, object_byte(t, kind, then));
}

static void add_umount(struct object_texts *t, const struct aa_text *point)
{
	machine_texts then = object_word(t, point, object_end(t, AA_ACCESS_UMOUNT));

	object_add(t, object_byte(t, OBJECT_UMOUNT, then));
}

void object_mount_rule(struct object_texts *t)
{
	static const struct aa_mount_pattern all = { .any_flags = true };
	struct aa_mount_patterns patterns;

	if (t->rule->class == AA_CLASS_ALL) {
		add_mount(t, &all);
		add_umount(t, NULL);
		return;
	}
	if (t->rule->mount.kind == AA_UMOUNT) {
		add_umount(t, &t->rule->mount.point);
		return;
	}
	aa_mount_patterns(object_arena(t), t->release, t->rule, &patterns);
	vec_each(&patterns.list, p)
		add_mount(t, p);
}
