/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which texts are objects that the kernel can ask about: kinds of each class, and what stands in
 * their fields. A state is a kind, the field in it, and how far that has come.
 */
#include <sys/mount.h>

#include "compiler/apparmor/objects_parts.h"
#include "compiler/base/bug.h"

enum field {
	FIELD_NONE, /* no more */
	FIELD_PATH, /* as the kernel asks about it */
	FIELD_PATH_OR_NO,
	FIELD_PROGRAM, /* a path, but of no directory */
	FIELD_TEXT,    /* a byte at least */
	FIELD_NO,      /* none */
	FIELD_NUMBER,
	FIELD_ADDRESS,      /* of a socket of unix: none, or a name */
	FIELD_ADDRESS_AUTO, /* or one that the kernel gives */
	FIELD_SIGNAL,       /* one byte, and so are those below */
	FIELD_FAMILY,
	FIELD_TYPE,
	FIELD_FLAGS, /* of mount: the last field */
};

enum { FIELDS_MAX = 6, FAMILY_NR = 46 };

struct kind_row {
	enum aa_class class;
	unsigned char byte; /* 0: the class has one kind, and no byte for it */
	enum field fields[FIELDS_MAX];
	unsigned may, one; /* of FIELD_FLAGS: bits that there may be, and of which one must be */
};

#define MAKES (MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED)
#define CMDS  (MS_REMOUNT | MS_BIND | MAKES | MS_MOVE | MS_REC)
/* Those of mount(2) that the kernel passes on, and rules can name: bits 9 and 22 are neither. */
#define NAMED (((1u << 26) - 1) & ~(1u << 9) & ~(1u << 22))
#define KIND(class, byte, ...)                                                                     \
	{                                                                                          \
		AA_CLASS_##class, byte, { __VA_ARGS__ }, 0, 0                                      \
	}
#define MOUNTS(byte, may, one, ...)                                                                \
	{                                                                                          \
		AA_CLASS_MOUNT, byte, { FIELD_PATH, __VA_ARGS__, FIELD_FLAGS }, may, one           \
	}

static const struct kind_row kinds[] = {
	KIND(SIGNAL, 0, FIELD_SIGNAL, FIELD_TEXT),
	KIND(PTRACE, 0, FIELD_TEXT),
	KIND(USERNS, 0, FIELD_NONE),
	KIND(IO_URING, OBJECT_SQPOLL, FIELD_NONE),
	KIND(IO_URING, OBJECT_CREDENTIALS, FIELD_TEXT),
	KIND(CHANGE_PROFILE, OBJECT_CHANGE_NOW, FIELD_TEXT),
	KIND(CHANGE_PROFILE, OBJECT_CHANGE_ONEXEC, FIELD_PROGRAM, FIELD_TEXT),
	KIND(NETWORK, 0, FIELD_FAMILY, FIELD_TYPE),
	KIND(UNIX, OBJECT_UNIX_CREATE, FIELD_TYPE),
	KIND(UNIX, OBJECT_UNIX_OWN, FIELD_TYPE, FIELD_ADDRESS_AUTO),
	KIND(UNIX, OBJECT_UNIX_PEER, FIELD_TYPE, FIELD_ADDRESS, FIELD_ADDRESS, FIELD_TEXT),
	KIND(DBUS, OBJECT_DBUS_EAVESDROP, FIELD_TEXT),
	KIND(DBUS, OBJECT_DBUS_NAME, FIELD_TEXT, FIELD_TEXT),
	KIND(DBUS, OBJECT_DBUS_MESSAGE, FIELD_TEXT, FIELD_TEXT, FIELD_TEXT, FIELD_TEXT, FIELD_TEXT,
	     FIELD_TEXT),
	KIND(MQUEUE, OBJECT_POSIX_QUEUE, FIELD_PATH, FIELD_TEXT),
	KIND(MQUEUE, OBJECT_SYSV_QUEUE, FIELD_NUMBER, FIELD_TEXT),
	KIND(PIVOT_ROOT, 0, FIELD_PATH, FIELD_PATH),
	MOUNTS(OBJECT_NEW_MOUNT, NAMED & ~(unsigned)CMDS, 0, FIELD_TEXT, FIELD_TEXT),
	MOUNTS(OBJECT_REMOUNT, NAMED & ~(unsigned)MS_REC, MS_REMOUNT, FIELD_NO, FIELD_NO),
	MOUNTS(OBJECT_BIND, MS_BIND | MS_REC, MS_BIND, FIELD_PATH, FIELD_NO),
	MOUNTS(OBJECT_MAKE, MAKES | MS_REC | MS_SILENT, MAKES, FIELD_NO, FIELD_NO),
	MOUNTS(OBJECT_MOVE, MS_MOVE, MS_MOVE, FIELD_PATH_OR_NO, FIELD_NO),
	KIND(MOUNT, OBJECT_UMOUNT, FIELD_PATH),
};

/* ---- a state ---- */

struct spot {
	unsigned kind, field, in; /* in: 0 where the field begins */
};

enum { NO_KIND = 0xff, FLAG_SEEN = 64 };

static uint32_t pack(struct spot p)
{
	return p.kind << 16 | p.field << 12 | p.in;
}

static struct spot unpack(uint32_t state)
{
	return (struct spot){ state >> 16, state >> 12 & 15, state & 0xfff };
}

static enum field field_at(struct spot p)
{
	return p.field < FIELDS_MAX ? kinds[p.kind].fields[p.field] : FIELD_NONE;
}

static bool is_last(struct spot p)
{
	p.field++;
	return field_at(p) == FIELD_NONE;
}

static bool is_byte(enum field f)
{
	return f == FIELD_SIGNAL || f == FIELD_FAMILY || f == FIELD_TYPE;
}

/* ---- bytes ---- */

static bool byte_fits(enum field f, unsigned char c)
{
	if (f == FIELD_SIGNAL)
		return (c >= 1 && c <= AA_SIGNAL_EMT) || c == AA_SIGNAL_EXISTS ||
		       (c >= AA_SIGNAL_RT && c < AA_SIGNAL_NR);
	if (f == FIELD_FAMILY) /* AF_DECnet has no name in rules */
		return c >= 1 && c < FAMILY_NR && c != 12;
	return (c >= 1 && c <= 6) || c == 10;
}

/* Numbers of flags ascend; whether one of those that must be is there stays in the place. */
static uint32_t flag_step(struct spot p, unsigned char c)
{
	const struct kind_row *k = &kinds[p.kind];
	unsigned last = p.in % FLAG_SEEN, seen = p.in & FLAG_SEEN;

	if (c < 1 || c > 32 || c <= last || !(k->may >> (c - 1) & 1))
		return MACHINE_NONE;
	if (k->one >> (c - 1) & 1)
		seen = FLAG_SEEN;
	p.in = c | seen;
	return pack(p);
}

static uint32_t path_in(struct spot p, unsigned char c)
{
	enum path_state to = path_step((enum path_state)p.in, c);

	p.in = to;
	return to == PATH_DEAD ? MACHINE_NONE : pack(p);
}

static uint32_t number_step(struct spot p, unsigned char c)
{
	enum { DIGITS_MAX = 10, ZERO = 15 };

	if (c < '0' || c > '9' || p.in >= DIGITS_MAX)
		return MACHINE_NONE;
	p.in = !p.in && c == '0' ? ZERO : p.in + 1;
	return pack(p);
}

static uint32_t address_step(struct spot p, enum field f, unsigned char c)
{
	enum { NAME = 1, NONE, AUTO };
	unsigned alone = c == ADDRESS_NONE                            ? NONE :
			 c == ADDRESS_AUTO && f == FIELD_ADDRESS_AUTO ? AUTO :
									0;

	if (p.in > NAME || (!p.in && !alone && c != '@'))
		return MACHINE_NONE;
	p.in = p.in || !alone ? NAME : alone;
	return pack(p);
}

static bool field_ends(struct spot p)
{
	switch (field_at(p)) {
	case FIELD_PATH: return path_ends((enum path_state)p.in);
	case FIELD_PROGRAM: return p.in == PATH_NAME;
	case FIELD_PATH_OR_NO: return !p.in || path_ends((enum path_state)p.in);
	case FIELD_NO: return true;
	case FIELD_FLAGS: return p.in & FLAG_SEEN || !kinds[p.kind].one;
	case FIELD_NONE: return true;
	default: return p.in;
	}
}

static uint32_t next_field(struct spot p)
{
	p.field++;
	p.in = 0;
	return pack(p);
}

static uint32_t first_byte(enum aa_class class, unsigned char c)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].class == class && kinds[i].byte == c)
			return pack((struct spot){ .kind = i });
	return MACHINE_NONE;
}

static uint32_t step(const struct machine_shape *shape, uint32_t state, unsigned char c)
{
	const struct object_shape *s = (const struct object_shape *)shape;
	struct spot p = unpack(state);

	if (p.kind == NO_KIND)
		return first_byte(s->class, c);
	enum field f = field_at(p);
	if (is_byte(f))
		return byte_fits(f, c) ? next_field(p) : MACHINE_NONE;
	if (!c)
		return !is_last(p) && field_ends(p) ? next_field(p) : MACHINE_NONE;
	switch (f) {
	case FIELD_PATH:
	case FIELD_PATH_OR_NO:
	case FIELD_PROGRAM: return path_in(p, c);
	case FIELD_TEXT: p.in = 1; return pack(p);
	case FIELD_NUMBER: return number_step(p, c);
	case FIELD_ADDRESS:
	case FIELD_ADDRESS_AUTO: return address_step(p, f, c);
	case FIELD_FLAGS: return flag_step(p, c);
	default: return MACHINE_NONE;
	}
}

static bool ends(const struct machine_shape *shape, uint32_t state)
{
	struct spot p = unpack(state);

	(void)shape;
	if (p.kind == NO_KIND)
		return false;
	return field_at(p) == FIELD_NONE || (is_last(p) && !is_byte(field_at(p)) && field_ends(p));
}

static unsigned group(const struct machine_shape *shape, uint32_t state)
{
	struct spot p = unpack(state);

	(void)shape;
	/* A socket without a name is asked for other permissions than one with one. */
	return field_at(p) == FIELD_ADDRESS_AUTO ? p.kind | p.in << 8 : p.kind;
}

struct object_shape object_shape(enum aa_class class)
{
	struct object_shape s = { .shape = { .step = step, .ends = ends, .group = group },
				  .class = class };
	struct spot start = { .kind = NO_KIND };

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].class == class && !kinds[i].byte)
			start.kind = i;
	s.shape.start = pack(start);
	return s;
}
