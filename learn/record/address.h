/* SPDX-License-Identifier: Apache-2.0 OR (GPL-2.0-only OR BSD-2-Clause) */
#pragma once
/*
 * Addresses of IP that a program bound, connected or sent to, as far as recordings keep them: the port, and
 * where on the way to the whole world the address lies. Read by the BPF compiler too: plain types.
 */
#include <linux/types.h>

enum { ADDRESS_BIND, ADDRESS_CONNECT, ADDRESS_SEND, ADDRESS_OPS };
enum { ADDRESS_INET, ADDRESS_INET6, ADDRESS_FAMILIES };
enum { /* of the socket */
       ADDRESS_UNKNOWN,
       ADDRESS_STREAM,
       ADDRESS_DGRAM,
       ADDRESS_RAW,
       ADDRESS_OTHER,
       ADDRESS_TYPES
};
enum { /* RFC 6890 */
       ADDRESS_ANY,
       ADDRESS_LOOPBACK,
       ADDRESS_PRIVATE,
       ADDRESS_LINK,
       ADDRESS_MULTICAST,
       ADDRESS_BROADCAST,
       ADDRESS_PUBLIC,
       ADDRESS_PLACES
};

struct address {
	__u8 op, family, type, place;
	__u16 port;
	__u16 others; /* 1: whichever ports there were beyond those that are kept; port is 0 */
};

#define ADDRESS_MOST 24 /* bytes of a struct sockaddr that are looked at */

static inline int address_place4(const __u8 *a)
{
	if (a[0] == 127)
		return ADDRESS_LOOPBACK;
	if (a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
	    (a[0] == 100 && (a[1] & 0xc0) == 64))
		return ADDRESS_PRIVATE;
	if (a[0] == 169 && a[1] == 254)
		return ADDRESS_LINK;
	if ((a[0] & 0xf0) == 224)
		return ADDRESS_MULTICAST;
	if ((a[0] & a[1] & a[2] & a[3]) == 255)
		return ADDRESS_BROADCAST;
	return a[0] | a[1] | a[2] | a[3] ? ADDRESS_PUBLIC : ADDRESS_ANY;
}

static inline int address_place6(const __u8 *a)
{
	int high = 0;

	for (int i = 0; i < 10; i++)
		high |= a[i];
	if (!high && (a[10] & a[11]) == 255) /* one of IPv4's */
		return address_place4(a + 12);
	if (!(high | a[10] | a[11] | a[12] | a[13] | a[14]) && a[15] < 2)
		return a[15] ? ADDRESS_LOOPBACK : ADDRESS_ANY;
	if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80)
		return ADDRESS_LINK;
	if ((a[0] & 0xfe) == 0xfc)
		return ADDRESS_PRIVATE;
	return a[0] == 0xff ? ADDRESS_MULTICAST : ADDRESS_PUBLIC;
}

/* A struct sockaddr, of which n bytes were given. 0: none of IP's. AF_INET, AF_INET6 are 2 and 10. */
static inline int address_read(const __u8 raw[ADDRESS_MOST], __u32 n, struct address *out)
{
	__u16 family;

	__builtin_memcpy(&family, raw, sizeof(family));
	if (!(family == 2 && n >= 16) && !(family == 10 && n >= ADDRESS_MOST))
		return 0;
	out->family = family == 2 ? ADDRESS_INET : ADDRESS_INET6;
	out->port = (__u16)(raw[2] << 8 | raw[3]);
	out->place = (__u8)(family == 2 ? address_place4(raw + 4) : address_place6(raw + 8));
	return 1;
}

/* Of what a socket was made with, as all but mips number it. */
static inline int address_type(int type)
{
	switch (type) {
	case 1: return ADDRESS_STREAM;
	case 2: return ADDRESS_DGRAM;
	case 3: return ADDRESS_RAW;
	}
	return ADDRESS_OTHER;
}

/* A number for those that are counted together: at most so many ports of each are kept. */
#define ADDRESS_GROUPS (ADDRESS_OPS * ADDRESS_FAMILIES * ADDRESS_TYPES)
static inline __u32 address_group(const struct address *k)
{
	return ((__u32)k->op * ADDRESS_FAMILIES + k->family) * ADDRESS_TYPES + k->type;
}
