/* SPDX-License-Identifier: Apache-2.0 */
/* set libc, libc-static: what a C program needs to start and to end, and nothing else. */
int main(void)
{
	return 0;
}
