/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of a class: built, walked. */
#include "compiler/apparmor/objects_parts.h"

bool aa_has_objects(enum aa_class class)
{
	switch (class) {
	case AA_CLASS_FILE:
	case AA_CLASS_CAPABILITY:
	case AA_CLASS_RLIMIT:
	case AA_CLASS_ALL:
	case AA_CLASS_NR: return false;
	default: return true;
	}
}

struct aa_objects aa_objects_build(struct aa_objects_pool *p, enum aa_release release,
				   const struct aa_rule *const *rules, size_t n,
				   enum aa_class class)
{
	struct aa_objects o = { .pool = p, .release = release, .class = class };
	struct object_texts t = { .pool = p,
				  .machines = object_machines(p),
				  .class = class,
				  .release = release,
				  .steps = MACHINE_STEPS_MAX };

	for (size_t i = 0; i < n && !t.failed; i++) {
		t.rule = rules[i];
		t.exact = 0;
		if (t.rule->class == class ||
		    (t.rule->class == AA_CLASS_ALL && class != AA_CLASS_CHANGE_PROFILE))
			(class == AA_CLASS_MOUNT ? object_mount_rule : object_rule)(&t);
	}
	if (t.failed)
		return o;
	o.machine = machine_build(t.machines, machine_union(t.machines, t.out.v, t.out.n));
	o.decided = o.machine.decided;
	return o;
}

unsigned aa_halves_differ(const struct aa_halves *a, const struct aa_halves *b)
{
	return (a->allow ^ b->allow) | ((a->audit & a->allow) ^ (b->audit & b->allow)) |
	       ((a->quiet & ~a->allow) ^ (b->quiet & ~b->allow)) | (a->prompt ^ b->prompt) |
	       (a->varies ^ b->varies);
}

struct machine_walk aa_objects_walk(struct arena *a, const struct aa_objects *x,
				    const struct aa_objects *y, bool differ)
{
	struct object_shape s = object_shape(x->class);

	return machine_walk_shape(a, &x->machine, y ? &y->machine : NULL, &s.shape, differ);
}

struct machine_walk aa_objects_walk_within(struct arena *a, const struct aa_objects *x,
					   const struct aa_objects *y, const struct aa_objects *in,
					   bool differ, size_t *left)
{
	struct object_shape s = object_shape(x->class);

	return machine_walk_shape_within(a, &x->machine, &y->machine, &in->machine, &s.shape,
					 differ, left);
}

struct machine_walk aa_objects_meet(struct arena *a, const struct aa_objects *x,
				    const struct aa_objects *y)
{
	struct object_shape s = object_shape(x->class);

	return machine_meet_shape(a, &x->machine, &y->machine, &s.shape);
}
