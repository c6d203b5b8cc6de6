/*
 * The way by avahi-daemon: libavahi-client, whose calls are synchronous D-Bus
 * calls and block for as long as the daemon hangs.
 */
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-client/publish.h>
#include <avahi-common/error.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "net/loop/discovery_internal.h"

/* libdbus waits for 25 seconds. */
#define HUNG_CALL_MS 20000

struct avahi_daemon {
	struct way way;
	AvahiClient *client;
	/* One for each interface with records of its own, as the daemon takes
	 * only some records for each. */
	AvahiEntryGroup *groups[LAN_PUBLISH_INTERFACES_MAX];
	size_t group_count;
};

static struct avahi_daemon *daemon_of(struct way *w)
{
	return P2P_CONTAINER_OF(w, struct avahi_daemon, way);
}

/* Errors after which nothing that was made can be trusted to live. */
static bool is_fatal(int err)
{
	return err == AVAHI_ERR_DISCONNECTED || err == AVAHI_ERR_DBUS_ERROR ||
	       err == AVAHI_ERR_TIMEOUT || err == AVAHI_ERR_NO_DAEMON ||
	       err == AVAHI_ERR_INVALID_OBJECT;
}

/* With the connection gone, freeing each object does not wait for the daemon
 * again. No core runs beside a daemon in use, so the sockets are this
 * connection's alone. */
static void give_up(struct avahi_daemon *a)
{
	if (a->way.state != WAY_FAILED)
		avahi_poll_hang_up(a->way.d->poll);
	a->way.state = WAY_FAILED;
}

/* To be asked after each call: some say nothing of a reply that never came.
 * True when the daemon is gone or hangs. */
static bool is_lost(struct avahi_daemon *a, uint64_t called_ms)
{
	if (clock_now_ms() >= called_ms + HUNG_CALL_MS)
		give_up(a);
	return a->way.state != WAY_READY;
}

static int failed(struct avahi_daemon *a, int err, const char *what)
{
	log_printf(a->way.d->cfg.log, LOG_LEVEL_INFO, "avahi-daemon: %s: %s",
		what, avahi_strerror(err));
	if (is_fatal(err))
		give_up(a);
	return err == AVAHI_ERR_NOT_PERMITTED ? P2P_ERR_DENIED : P2P_ERR_IO;
}

/* ---- publishing --------------------------------------------------------- */

static void on_group(AvahiEntryGroup *g, AvahiEntryGroupState state, void *arg)
{
	struct avahi_daemon *a = arg;

	(void)g;
	switch (state) {
	case AVAHI_ENTRY_GROUP_ESTABLISHED:
		lan_published(a->way.d, LAN_ESTABLISHED);
		break;
	case AVAHI_ENTRY_GROUP_COLLISION:
		lan_published(a->way.d, LAN_COLLISION);
		break;
	case AVAHI_ENTRY_GROUP_FAILURE:
		lan_published(a->way.d, LAN_FAILED);
		break;
	case AVAHI_ENTRY_GROUP_UNCOMMITED:
	case AVAHI_ENTRY_GROUP_REGISTERING:
		break;
	}
}

static AvahiPublishFlags flags_of(const struct lan_record *r)
{
	AvahiPublishFlags flags = 0;

	if (r->unique)
		flags |= AVAHI_PUBLISH_UNIQUE;
	if (r->shared)
		flags |= AVAHI_PUBLISH_ALLOW_MULTIPLE;
	return flags;
}

static int add(AvahiEntryGroup *group, const struct lan_record *r)
{
	return avahi_entry_group_add_record(group,
		r->interface == 0 ? AVAHI_IF_UNSPEC
				  : (AvahiIfIndex)r->interface,
		AVAHI_PROTO_UNSPEC, flags_of(r), r->name, AVAHI_DNS_CLASS_IN,
		r->type, LAN_TTL_S, r->data.data, r->data.len);
}

/* As for daemon_publish, of records for one interface. */
static int publish_group(struct avahi_daemon *a, const struct lan_record *r,
	size_t n, uint64_t called_ms)
{
	AvahiEntryGroup *group = avahi_entry_group_new(a->client, on_group, a);
	int err = 0;

	if (is_lost(a, called_ms))
		return 0;
	if (group == NULL)
		return failed(a, avahi_client_errno(a->client), "group");
	a->groups[a->group_count++] = group;
	for (size_t i = 0; i < n && err == 0 && !is_lost(a, called_ms); i++)
		err = add(group, &r[i]);
	if (err == 0 && !is_lost(a, called_ms))
		err = avahi_entry_group_commit(group);
	return err == 0 ? 0 : failed(a, err, "publish");
}

static int daemon_publish(struct way *w, const struct lan_record *r, size_t n)
{
	struct avahi_daemon *a = daemon_of(w);
	uint64_t called_ms = clock_now_ms();
	int err = 0;

	/* A group that is reset is held back for a second by Avahi's own
	 * limit; a new one is not. */
	while (a->group_count > 0)
		(void)avahi_entry_group_free(a->groups[--a->group_count]);
	while (n > 0 && err == 0 && !is_lost(a, called_ms) &&
		a->group_count < LAN_PUBLISH_INTERFACES_MAX) {
		size_t k = 1;

		while (k < n && r[k].interface == r[0].interface)
			k++;
		err = publish_group(a, r, k, called_ms);
		r += k;
		n -= k;
	}
	return err;
}

/* Any call that the daemon must answer. */
static void daemon_beat(struct way *w)
{
	struct avahi_daemon *a = daemon_of(w);
	uint64_t called_ms = clock_now_ms();
	int err;

	if (a->group_count == 0)
		return;
	err = avahi_entry_group_is_empty(a->groups[0]);
	if (!is_lost(a, called_ms) && err < 0)
		(void)failed(a, err, "sign of life");
}

/* ---- looking up --------------------------------------------------------- */

static void on_record(AvahiRecordBrowser *b, AvahiIfIndex interface,
	AvahiProtocol protocol, AvahiBrowserEvent event, const char *name,
	uint16_t class, uint16_t type, const void *data, size_t size,
	AvahiLookupResultFlags flags, void *arg)
{
	struct lookup *lk = arg;

	(void)b;
	(void)protocol;
	(void)name;
	(void)class;
	(void)type;
	(void)flags;
	switch (event) {
	case AVAHI_BROWSER_NEW:
	case AVAHI_BROWSER_REMOVE:
		lan_found(lk, interface, event == AVAHI_BROWSER_REMOVE,
			bytes_of(data, size));
		break;
	case AVAHI_BROWSER_ALL_FOR_NOW:
	case AVAHI_BROWSER_FAILURE:
		lan_all_for_now(lk);
		break;
	case AVAHI_BROWSER_CACHE_EXHAUSTED:
		break;
	}
}

static void *daemon_browse(
	struct way *w, const char *name, uint16_t type, struct lookup *lk)
{
	struct avahi_daemon *a = daemon_of(w);
	uint64_t called_ms = clock_now_ms();
	AvahiRecordBrowser *b = avahi_record_browser_new(a->client,
		AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, name, AVAHI_DNS_CLASS_IN,
		type, AVAHI_LOOKUP_USE_MULTICAST, on_record, lk);

	if (!is_lost(a, called_ms) && b == NULL)
		(void)failed(a, avahi_client_errno(a->client), "browse");
	return b;
}

static void daemon_unbrowse(struct way *w, void *browser)
{
	uint64_t called_ms = clock_now_ms();

	(void)avahi_record_browser_free(browser);
	(void)is_lost(daemon_of(w), called_ms);
}

/* ---- life --------------------------------------------------------------- */

static void on_client(AvahiClient *c, AvahiClientState state, void *arg)
{
	struct avahi_daemon *a = arg;

	switch (state) {
	case AVAHI_CLIENT_CONNECTING:
		a->way.state = WAY_WAITING;
		break;
	/* The host's own name is of no matter: our records have their own. */
	case AVAHI_CLIENT_S_REGISTERING:
	case AVAHI_CLIENT_S_RUNNING:
	case AVAHI_CLIENT_S_COLLISION:
		a->way.state = WAY_READY;
		break;
	case AVAHI_CLIENT_FAILURE:
		log_printf(a->way.d->cfg.log, LOG_LEVEL_INFO,
			"avahi-daemon: %s",
			avahi_strerror(avahi_client_errno(c)));
		a->way.state = WAY_FAILED;
		break;
	}
}

static void daemon_free(struct way *w)
{
	struct avahi_daemon *a = daemon_of(w);

	/* Frees the groups too; the daemon says goodbye for it. */
	if (a->client != NULL)
		avahi_client_free(a->client);
	free(a);
}

static const struct way_ops ops = {
	.browse = daemon_browse,
	.unbrowse = daemon_unbrowse,
	.publish = daemon_publish,
	.beat = daemon_beat,
	.free = daemon_free,
};

struct way *avahi_daemon_new(struct discovery *d)
{
	struct avahi_daemon *a = xcalloc(1, sizeof(*a));
	int err = 0;

	a->way.ops = &ops;
	a->way.d = d;
	a->client = avahi_client_new(avahi_poll_api(d->poll),
		AVAHI_CLIENT_NO_FAIL, on_client, a, &err);
	if (a->client != NULL)
		return &a->way;
	log_printf(d->cfg.log, LOG_LEVEL_DEBUG, "avahi-daemon: %s",
		avahi_strerror(err));
	free(a);
	return NULL;
}
