/* Built without Avahi's core: only a daemon can be used. */
#include "net/loop/discovery_internal.h"

struct way *avahi_core_new(struct discovery *d)
{
	(void)d;
	return NULL;
}

bool avahi_core_is_there(void)
{
	return false;
}
