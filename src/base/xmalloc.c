/*
 * Allocation that ends the program when memory is out: nothing of what is sized
 * here could go on without it. No size comes from a peer unless a budget has
 * allowed it before. A size of zero gives memory as well, so NULL means
 * nothing.
 */
#include "base/xmalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define KEEP_FREED_BYTES (1 << 20)

void xmalloc_init(void)
{
#ifdef __GLIBC__
	(void)mallopt(M_MMAP_THRESHOLD, KEEP_FREED_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_FREED_BYTES);
#endif
}

static void *checked(void *p)
{
	P2P_ASSERT(p != NULL);
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size == 0 ? 1 : size));
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	return checked(reallocarray(
		old, count == 0 ? 1 : count, size == 0 ? 1 : size));
}

char *xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t len)
{
	char *copy = xmalloc(len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void *xmemdup(const void *data, size_t len)
{
	void *copy = xmalloc(len);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	P2P_ASSERT(n >= 0);
	return checked(text);
}
