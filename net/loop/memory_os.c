/*
 * Memory that nobody holds any more goes back to the system. glibc keeps what
 * was freed, in heaps of each thread; others' allocators do it themselves.
 */
#include "net/loop/loop_internal.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>

static void give_back(void)
{
	(void)malloc_trim(0);
}

#else

static void give_back(void)
{
}

#endif

void memory_watch(struct budget *all)
{
	if (all->most < LOOP_TRIM_BYTES || all->used > all->most / 2)
		return;
	all->most = all->used;
	give_back();
}
