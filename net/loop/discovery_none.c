/* Built without Avahi: says so, and finds nobody. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/loop/discovery.h"

struct discovery {
	struct discovery_cfg cfg;
};

static void lan_msg_free(struct msg *m)
{
	free(lan_msg_of(m));
}

struct discovery *discovery_new(const struct discovery_cfg *cfg)
{
	struct discovery *d = xcalloc(1, sizeof(*d));
	struct lan_msg *lm = xcalloc(1, sizeof(*lm));
	struct msg *m = &lm->msg;

	d->cfg = *cfg;
	m->kind = LAN_MSG_STATUS;
	m->free = lan_msg_free;
	m->bytes = sizeof(*lm);
	lm->state = CHAT_STATE_NONE;
	(void)snprintf(lm->text, sizeof(lm->text),
		"off: this program was built without Avahi");
	if (mailbox_post(cfg->out, &m) != 0)
		msg_free(m);
	return d;
}

void discovery_advertise(struct discovery *d, struct advert *a)
{
	(void)d;
	free(a);
}

void discovery_refresh(struct discovery *d)
{
	(void)d;
}

void discovery_watch(struct discovery *d)
{
	(void)d;
}

void discovery_free(struct discovery *d)
{
	free(d);
}
