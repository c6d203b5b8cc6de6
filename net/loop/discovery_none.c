/*
 * Discovery in a build without Avahi: it says so once, and does nothing.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/loop/discovery.h"

static void lan_msg_free(struct msg *m)
{
	free(lan_msg_of(m));
}

struct discovery *discovery_new(const struct discovery_cfg *cfg)
{
	struct lan_msg *lm = xcalloc(1, sizeof(*lm));
	struct msg *m = &lm->msg;

	*m = (struct msg){.free = lan_msg_free,
		.bytes = sizeof(*lm),
		.kind = LAN_MSG_STATUS};
	lm->state = CHAT_STATE_NONE;
	(void)memcpy(lm->text, "built without Avahi", 20);
	if (mailbox_post(cfg->out, &m) != 0)
		msg_free(m);
	return NULL;
}

void discovery_advertise(struct discovery *d, const struct maddr *addrs,
	size_t count, uint16_t port)
{
	(void)d;
	(void)addrs;
	(void)count;
	(void)port;
}

void discovery_refresh(struct discovery *d)
{
	(void)d;
}

void discovery_free(struct discovery *d)
{
	(void)d;
}
