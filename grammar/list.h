/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Lists while a parser builds them: any struct of `first` and `last`, whose nodes have a `next`. */

#define LIST_ADD(list, node)                                                                       \
	do {                                                                                       \
		if ((list).last)                                                                   \
			(list).last->next = (node);                                                \
		else                                                                               \
			(list).first = (node);                                                     \
		(list).last = (node);                                                              \
	} while (0)
