/*
 * Allocation for memory whose size is ours to say. Running out ends the
 * program. Memory sized by a peer goes through a budget first (budget.h).
 */
#ifndef BASE_XMALLOC_H
#define BASE_XMALLOC_H

#include "base/compiler.h"

/*
 * Lets the allocator keep up to 1 MiB of what was freed last, where it can be
 * told so. By default it gives the pages of large buffers back at once, and a
 * busy stream pays for them again with each of its frames: twice the time.
 * Once, before the first thread.
 */
void xmalloc_init(void);

/* Never NULL; the bytes of xcalloc are zero. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size)
	__attribute__((malloc, returns_nonnull));
/* count * size is checked for overflow. */
void *xreallocarray(void *old, size_t count, size_t size)
	__attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
/* A NUL-terminated copy of len bytes. */
char *xstrndup(const char *text, size_t len)
	__attribute__((malloc, returns_nonnull));
void *xmemdup(const void *data, size_t len)
	__attribute__((malloc, returns_nonnull));
/* snprintf into a new string. */
char *xasprintf(const char *fmt, ...) P2P_PRINTF(1, 2)
	__attribute__((malloc, returns_nonnull));

#endif
