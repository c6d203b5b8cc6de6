/*
 * The way without a daemon: Avahi's core in process, on port 5353 beside
 * whoever else listens there. It publishes nothing of the host, only our
 * records.
 *
 * No entry groups: libavahi-core 0.8 frees them by a function of its own that
 * has the name of one of libavahi-client's, and with both loaded the wrong
 * one is called and crashes. So a second server holds the records, and what
 * is published anew is a new server.
 */
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-core/core.h>
#include <avahi-core/log.h>
#include <avahi-core/lookup.h>
#include <avahi-core/publish.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "net/loop/discovery_internal.h"

/* Longest data of a record that is looked at. */
#define RDATA_BYTES_MAX 9000

struct avahi_core {
	struct way way;
	AvahiServer *server;    /* looks up */
	AvahiServer *publisher; /* NULL while nothing is published */
};

struct core_browser {
	AvahiSRecordBrowser *browser;
	struct lookup *lookup;
};

static struct avahi_core *core_of(struct way *w)
{
	return P2P_CONTAINER_OF(w, struct avahi_core, way);
}

static int failed(struct avahi_core *a, int err, const char *what)
{
	log_printf(a->way.d->cfg.log, LOG_LEVEL_WARN, "avahi core: %s: %s",
		what, avahi_strerror(err));
	return P2P_ERR_IO;
}

/* The core's log function has no argument. NULL while no core runs. */
static _Atomic(struct discovery *) logger;

static void on_log(AvahiLogLevel level, const char *text)
{
	struct discovery *d = atomic_load(&logger);
	struct buf line;

	if (d == NULL || atomic_load(&d->stop))
		return;
	/* It quotes what came from the network, and warns of everyday things:
	 * a daemon beside it, interfaces without multicast. */
	buf_init(&line, 400);
	(void)text_clean(TEXT_LINE, bytes_str(text), &line);
	log_printf(d->cfg.log,
		level == AVAHI_LOG_ERROR ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
		"avahi core: %s", buf_cstr(&line));
	buf_clear(&line);
}

/* ---- servers ------------------------------------------------------------ */

static void on_server(AvahiServer *s, AvahiServerState state, void *arg)
{
	struct avahi_core *a = arg;

	(void)s;
	switch (state) {
	case AVAHI_SERVER_INVALID:
		break;
	/* Nothing of the host is published, so nothing can collide. */
	case AVAHI_SERVER_REGISTERING:
	case AVAHI_SERVER_RUNNING:
	case AVAHI_SERVER_COLLISION:
		a->way.state = WAY_READY;
		break;
	case AVAHI_SERVER_FAILURE:
		a->way.state = WAY_FAILED;
		break;
	}
}

static AvahiServer *server_new(struct avahi_core *a, int *err)
{
	char host[MDNS_INSTANCE_CHARS + 1];
	AvahiServerConfig cfg;
	AvahiServer *s;

	(void)avahi_server_config_init(&cfg);
	mdns_instance_name(&a->way.d->rng, host);
	avahi_free(cfg.host_name);
	cfg.host_name = avahi_strdup(host);
	cfg.publish_hinfo = 0;
	cfg.publish_addresses = 0;
	cfg.publish_workstation = 0;
	cfg.publish_domain = 0;
	cfg.enable_wide_area = 0;
	s = avahi_server_new(
		avahi_poll_api(a->way.d->poll), &cfg, on_server, a, err);
	avahi_server_config_free(&cfg);
	return s;
}

/* ---- publishing --------------------------------------------------------- */

static int add(struct avahi_core *a, const struct lan_record *r)
{
	AvahiRecord *rec = avahi_record_new_full(
		r->name, AVAHI_DNS_CLASS_IN, r->type, LAN_TTL_S);
	/* Nobody else has a name of 32 random characters; without probes all
	 * records are told at once. */
	AvahiPublishFlags flags = AVAHI_PUBLISH_NO_PROBE;
	int err = AVAHI_ERR_NO_MEMORY;

	if (r->unique)
		flags |= AVAHI_PUBLISH_UNIQUE;
	if (r->shared)
		flags |= AVAHI_PUBLISH_ALLOW_MULTIPLE;
	if (rec == NULL)
		return err;
	err = avahi_rdata_parse(rec, r->data.data, r->data.len);
	if (err == 0)
		err = avahi_server_add(a->publisher, NULL,
			r->interface == 0 ? AVAHI_IF_UNSPEC
					  : (AvahiIfIndex)r->interface,
			AVAHI_PROTO_UNSPEC, flags, rec);
	avahi_record_unref(rec);
	return err;
}

/* Frees it with goodbyes for its records. */
static void unpublish(struct avahi_core *a)
{
	if (a->publisher != NULL)
		avahi_server_free(a->publisher);
	a->publisher = NULL;
}

static int core_publish(struct way *w, const struct lan_record *r, size_t n)
{
	struct avahi_core *a = core_of(w);
	int err = 0;

	unpublish(a);
	if (n == 0)
		return 0;
	a->publisher = server_new(a, &err);
	if (a->publisher == NULL)
		return failed(a, err, "publisher");
	for (size_t i = 0; i < n && err == 0; i++)
		err = add(a, &r[i]);
	if (err != 0) {
		unpublish(a);
		return failed(a, err, "publish");
	}
	lan_published(w->d, LAN_ESTABLISHED);
	return 0;
}

/* ---- looking up --------------------------------------------------------- */

static void report(
	struct lookup *lk, AvahiIfIndex interface, bool gone, AvahiRecord *rec)
{
	uint8_t *data = xmalloc(RDATA_BYTES_MAX);
	size_t size = avahi_rdata_serialize(rec, data, RDATA_BYTES_MAX);

	if (size != (size_t)-1)
		lan_found(lk, interface, gone, bytes_of(data, size));
	free(data);
}

static void on_record(AvahiSRecordBrowser *b, AvahiIfIndex interface,
	AvahiProtocol protocol, AvahiBrowserEvent event, AvahiRecord *rec,
	AvahiLookupResultFlags flags, void *arg)
{
	struct core_browser *cb = arg;

	(void)b;
	(void)protocol;
	(void)flags;
	switch (event) {
	case AVAHI_BROWSER_NEW:
	case AVAHI_BROWSER_REMOVE:
		report(cb->lookup, interface, event == AVAHI_BROWSER_REMOVE,
			rec);
		break;
	case AVAHI_BROWSER_ALL_FOR_NOW:
	case AVAHI_BROWSER_FAILURE:
		lan_all_for_now(cb->lookup);
		break;
	case AVAHI_BROWSER_CACHE_EXHAUSTED:
		break;
	}
}

static void *core_browse(
	struct way *w, const char *name, uint16_t type, struct lookup *lk)
{
	struct avahi_core *a = core_of(w);
	AvahiKey *key = avahi_key_new(name, AVAHI_DNS_CLASS_IN, type);
	struct core_browser *cb = xcalloc(1, sizeof(*cb));

	cb->lookup = lk;
	if (key != NULL) {
		cb->browser = avahi_s_record_browser_new(a->server,
			AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, key,
			AVAHI_LOOKUP_USE_MULTICAST, on_record, cb);
		avahi_key_unref(key);
	}
	if (cb->browser != NULL)
		return cb;
	(void)failed(a, avahi_server_errno(a->server), "browse");
	free(cb);
	return NULL;
}

static void core_unbrowse(struct way *w, void *browser)
{
	struct core_browser *cb = browser;

	(void)w;
	avahi_s_record_browser_free(cb->browser);
	free(cb);
}

/* ---- life --------------------------------------------------------------- */

static void core_free(struct way *w)
{
	struct avahi_core *a = core_of(w);

	unpublish(a);
	avahi_server_free(a->server);
	avahi_set_log_function(NULL);
	atomic_store(&logger, NULL);
	free(a);
}

static const struct way_ops ops = {
	.browse = core_browse,
	.unbrowse = core_unbrowse,
	.publish = core_publish,
	.free = core_free,
};

struct way *avahi_core_new(struct discovery *d)
{
	struct avahi_core *a = xcalloc(1, sizeof(*a));
	int err = 0;

	a->way.ops = &ops;
	a->way.d = d;
	atomic_store(&logger, d);
	avahi_set_log_function(on_log);
	a->server = server_new(a, &err);
	if (a->server != NULL)
		return &a->way;
	(void)failed(a, err, "start");
	avahi_set_log_function(NULL);
	atomic_store(&logger, NULL);
	free(a);
	return NULL;
}

bool avahi_core_is_there(void)
{
	return true;
}
