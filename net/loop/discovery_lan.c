/*
 * What is said and heard. Each publication has a fresh random name, so that
 * those who have us in their caches hear of a new PTR record and look again;
 * a changed TXT record alone nobody would notice. The SRV record names a host
 * of that same random name with address records of our own: the machine's
 * name is not told, and nothing is to be done when it changes.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/loop/discovery_internal.h"
#include "net/wire/dialable.h"

/* ALL_FOR_NOW comes after one second; a lookup that never hears it ends. */
#define OPEN_MAX_MS 10000
/* A name is not looked up again for so long. */
#define DONE_REST_MS 1000
#define RETRY_MS 2000
/* Of a name that was taken, and of a failure. */
#define COLLISION_GAP_MS 1000
#define FAILURE_GAP_MS 5000
/* The same address is not told again for so long. */
#define SEEN_REST_MS 2000

/* ---- what is told ------------------------------------------------------- */

static void lan_msg_free(struct msg *m)
{
	free(lan_msg_of(m));
}

struct lan_msg *lan_msg_new(enum lan_msg_kind kind)
{
	struct lan_msg *lm = xcalloc(1, sizeof(*lm));

	lm->msg.kind = (int)kind;
	lm->msg.free = lan_msg_free;
	lm->msg.bytes = sizeof(*lm);
	return lm;
}

bool lan_post(struct discovery *d, struct lan_msg *lm)
{
	struct msg *m = &lm->msg;

	/* A thread that was left behind finds the mailbox gone. */
	if (!atomic_load(&d->stop) && mailbox_post(d->cfg.out, &m) == 0)
		return true;
	msg_free(m);
	return false;
}

/* ---- what is published -------------------------------------------------- */

/* The records and the memory behind them. */
struct record_set {
	unsigned interface; /* 0: all */
	struct lan_record r[LAN_RECORDS_MAX];
	size_t count;
	char host[MDNS_INSTANCE_CHARS + sizeof(".local")];
	struct buf ptr[MDNS_SERVICES_MAX], srv, txt;
	uint8_t ip[LAN_HOST_ADDRESSES_MAX][16];
};

static void add(struct record_set *s, const char *name, uint16_t type,
	struct bytes data)
{
	struct lan_record *r = &s->r[s->count++];

	r->name = name;
	r->type = type;
	r->data = data;
	r->interface = s->interface;
	/* Two interfaces may be of one LAN: there the records of the one would
	 * fight those of the other. */
	r->unique = type != MDNS_TYPE_PTR && s->interface == 0;
	r->shared = type == MDNS_TYPE_A || type == MDNS_TYPE_AAAA;
}

/* An address record for each IP that is not link-local. */
static void add_host(struct record_set *s, const struct advert *advert)
{
	size_t n = 0;

	for (size_t i = 0; i < advert->count; i++) {
		const struct maddr *a = &advert->addrs[i];
		struct bytes ip = dialable_ip(a);
		struct dialable at;

		dialable_of(&at, a);
		if (n == LAN_HOST_ADDRESSES_MAX || ip.len == 0 || at.relayed ||
			at.scope == IP_SCOPE_LOOPBACK ||
			at.scope == IP_SCOPE_LINK_LOCAL)
			continue;
		memcpy(s->ip[n], ip.data, ip.len);
		add(s, s->host, ip.len == 4 ? MDNS_TYPE_A : MDNS_TYPE_AAAA,
			bytes_of(s->ip[n], ip.len));
		n++;
	}
}

/* Those of the interface in front, which *near counts; 0: as they stand. */
static struct advert *advert_of(
	const struct advert *all, unsigned interface, size_t *near)
{
	struct advert *a = xcalloc(1, sizeof(*a));

	a->port = all->port;
	for (int others = 0; others < 2; others++) {
		*near = others == 0 ? 0 : a->count;
		for (size_t i = 0; i < all->count; i++)
			if ((all->interface[i] != interface) == (others == 1))
				a->addrs[a->count++] = all->addrs[i];
	}
	return a;
}

/* Under each name that we are told under: who, and where. */
static void add_services(struct record_set *s, const struct discovery *d)
{
	for (size_t i = 0; i < d->service_count; i++) {
		const struct lan_service *sv = &d->services[i];

		buf_init(&s->ptr[i], MDNS_NAME_BYTES_MAX);
		if (!sv->is->told)
			continue;
		P2P_ASSERT(mdns_name_put(&s->ptr[i], sv->own_name) == 0);
		add(s, sv->is->name, MDNS_TYPE_PTR, buf_bytes(&s->ptr[i]));
		add(s, sv->own_name, MDNS_TYPE_TXT, buf_bytes(&s->txt));
		add(s, sv->own_name, MDNS_TYPE_SRV, buf_bytes(&s->srv));
	}
}

/* How many addresses the TXT record tells. */
static size_t records_make(
	struct record_set *s, const struct discovery *d, const char *instance)
{
	size_t near, told;
	struct advert *advert = advert_of(d->advert, s->interface, &near);

	s->count = 0;
	(void)snprintf(s->host, sizeof(s->host), "%s.local", instance);
	buf_init(&s->srv, MDNS_NAME_BYTES_MAX + 6);
	buf_init(&s->txt, MDNS_TXT_OWN_BYTES_MAX);
	P2P_ASSERT(mdns_srv_put(&s->srv, advert->port, s->host) == 0);
	told = mdns_txt_put_near(&s->txt, advert->addrs, advert->count, near);
	add_services(s, d);
	add_host(s, advert);
	free(advert);
	return told;
}

static void records_clear(struct record_set *s)
{
	for (size_t i = 0; i < MDNS_SERVICES_MAX; i++)
		buf_clear(&s->ptr[i]);
	buf_clear(&s->srv);
	buf_clear(&s->txt);
}

void lan_publish_within(struct discovery *d, uint64_t gap_ms)
{
	uint64_t due = d->now_ms;

	if (d->publish_last_ms > 0)
		due = P2P_MAX(due, d->publish_last_ms + gap_ms);
	d->publish_due_ms = P2P_MIN(d->publish_due_ms, due);
}

/* Each interface once, the best first. */
static size_t interfaces_of(
	const struct advert *a, unsigned out[static LAN_PUBLISH_INTERFACES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < a->count; i++) {
		size_t k = 0;

		while (k < n && out[k] != a->interface[i])
			k++;
		if (k == n && a->interface[i] != 0 &&
			n < LAN_PUBLISH_INTERFACES_MAX)
			out[n++] = a->interface[i];
	}
	return n;
}

/* One record set for each interface. */
static int publish_apart(struct discovery *d, const char *instance)
{
	unsigned interfaces[LAN_PUBLISH_INTERFACES_MAX];
	size_t n = interfaces_of(d->advert, interfaces), count = 0;
	struct record_set *sets = xcalloc(n + 1, sizeof(*sets));
	struct lan_record *r = xcalloc((n + 1) * LAN_RECORDS_MAX, sizeof(*r));
	int err;

	for (size_t i = 0; i < n; i++) {
		sets[i].interface = interfaces[i];
		(void)records_make(&sets[i], d, instance);
		memcpy(&r[count], sets[i].r, sets[i].count * sizeof(*r));
		count += sets[i].count;
	}
	err = d->active->ops->publish(d->active, r, count);
	for (size_t i = 0; i < n; i++)
		records_clear(&sets[i]);
	free(r);
	free(sets);
	return err;
}

/* Where all addresses fit one record it is told everywhere, also on interfaces
 * that come later. */
static int publish_records(struct discovery *d, const char *instance)
{
	struct record_set s = {.interface = 0};
	size_t told = records_make(&s, d, instance);
	int err;

	d->published = told > 0 ? PUBLISH_PROBING : PUBLISH_NOTHING;
	if (told > 0 && told < d->advert->count)
		err = publish_apart(d, instance);
	else
		err = d->active->ops->publish(
			d->active, s.r, told > 0 ? s.count : 0);
	records_clear(&s);
	return err;
}

static void publish(struct discovery *d)
{
	char instance[MDNS_INSTANCE_CHARS + 1];
	int err;

	d->publish_due_ms = P2P_NEVER;
	if (d->active == NULL || d->advert == NULL)
		return;
	d->publish_last_ms = d->now_ms;
	d->interface_count = 0;
	mdns_instance_name(&d->rng, instance);
	for (size_t i = 0; i < d->service_count; i++)
		(void)snprintf(d->services[i].own_name,
			sizeof(d->services[i].own_name), "%s.%s", instance,
			d->services[i].is->name);
	err = publish_records(d, instance);
	if (err == P2P_ERR_DENIED)
		d->published = PUBLISH_DENIED;
	else if (err != 0)
		lan_published(d, LAN_FAILED);
}

void lan_published(struct discovery *d, enum lan_outcome outcome)
{
	switch (outcome) {
	case LAN_ESTABLISHED:
		d->published = PUBLISH_DONE;
		break;
	case LAN_COLLISION:
		d->published = PUBLISH_PROBING;
		lan_publish_within(d, COLLISION_GAP_MS);
		break;
	case LAN_FAILED:
		d->published = PUBLISH_PROBING;
		lan_publish_within(d, FAILURE_GAP_MS);
		break;
	}
}

/* ---- where our own record is heard -------------------------------------- */

static void own_found(struct discovery *d, unsigned interface, bool gone)
{
	size_t i = 0;

	while (i < d->interface_count && d->interfaces[i] != interface)
		i++;
	if (gone && i < d->interface_count)
		d->interfaces[i] = d->interfaces[--d->interface_count];
	else if (!gone && i == d->interface_count && i < LAN_INTERFACES_MAX)
		d->interfaces[d->interface_count++] = interface;
}

static struct mdns_origin origin_of(int interface)
{
	struct mdns_origin from = {.loopback = false};
	char name[IF_NAMESIZE];

	if (interface <= 0 || if_indextoname((unsigned)interface, name) == NULL)
		return from;
	(void)snprintf(from.zone, sizeof(from.zone), "%s", name);
	from.loopback = strcmp(name, "lo") == 0 || strcmp(name, "lo0") == 0;
	return from;
}

/* ---- names -------------------------------------------------------------- */

static struct lookup *lookup_new(struct discovery *d, const char *name)
{
	size_t len = strlen(name);
	struct lookup *lk = xcalloc(1, sizeof(*lk) + len + 1);

	lk->d = d;
	memcpy(lk->name, name, len + 1);
	return lk;
}

static void lookup_close(struct lookup *lk)
{
	struct discovery *d = lk->d;

	if (lk->browser == NULL)
		return;
	d->active->ops->unbrowse(d->active, lk->browser);
	lk->browser = NULL;
	d->open_count--;
}

/* The oldest name that is done with makes room. */
static bool make_room(struct discovery *d)
{
	struct table_entry *e, *tmp;

	if (d->names.count < LAN_NAMES_MAX)
		return true;
	TABLE_FOREACH(e, tmp, &d->names) {
		struct lookup *lk = e->value;

		if (lk->state == LOOKUP_DONE) {
			(void)table_remove(&d->names, table_key(e));
			free(lk);
			return true;
		}
	}
	return false;
}

static void name_found(struct discovery *d, const char *name)
{
	struct lookup *lk = table_get(&d->names, bytes_str(name));

	if (lk == NULL) {
		if (!make_room(d))
			return;
		lk = lookup_new(d, name);
		(void)table_put(&d->names, bytes_str(name), lk);
	} else if (lk->state != LOOKUP_DONE ||
		   d->now_ms < lk->due_ms + DONE_REST_MS) {
		return;
	}
	lk->state = LOOKUP_WAITING;
	lk->due_ms = d->now_ms;
}

static void name_gone(struct discovery *d, const char *name)
{
	struct lookup *lk = table_get(&d->names, bytes_str(name));

	if (lk == NULL || lk->browser != NULL)
		return;
	(void)table_remove(&d->names, bytes_str(name));
	free(lk);
}

static void open_lookup(struct discovery *d, struct lookup *lk)
{
	lk->refused = false;
	lk->browser =
		d->active->ops->browse(d->active, lk->name, MDNS_TYPE_TXT, lk);
	lk->due_ms = d->now_ms + OPEN_MAX_MS;
	lk->state = LOOKUP_OPEN;
	if (lk->browser != NULL) {
		d->open_count++;
	} else {
		lk->state = LOOKUP_DONE;
		lk->due_ms = d->now_ms;
	}
}

/* Each open lookup keeps asking the LAN, so none is open for long. */
static void lookup_step(struct discovery *d, struct lookup *lk)
{
	if (lk->state == LOOKUP_WAITING) {
		if (lk->due_ms <= d->now_ms && d->open_count < LAN_OPEN_MAX)
			open_lookup(d, lk);
	} else if (lk->state == LOOKUP_FINISHED ||
		   (lk->state == LOOKUP_OPEN && lk->due_ms <= d->now_ms)) {
		lookup_close(lk);
		lk->state = lk->refused ? LOOKUP_WAITING : LOOKUP_DONE;
		lk->due_ms = d->now_ms + (lk->refused ? RETRY_MS : 0);
	}
}

/* ---- what is found ------------------------------------------------------ */

static bool is_own(const struct discovery *d, const struct maddr *addr)
{
	for (size_t i = 0; d->advert != NULL && i < d->advert->count; i++)
		if (maddr_equal(&d->advert->addrs[i], addr))
			return true;
	return false;
}

static bool tell_peer(
	struct discovery *d, const struct maddr *addr, unsigned interface)
{
	struct lan_msg *lm = lan_msg_new(LAN_MSG_PEER);

	lm->addr = *addr;
	lm->interface = interface;
	return lan_post(d, lm);
}

/* When an address was told last, as heard where. */
struct told {
	uint64_t at_ms;
	unsigned interface;
};

/* False when net cannot take it now. */
static bool address_found(
	struct discovery *d, const struct maddr *addr, unsigned interface)
{
	struct told *told = table_get(&d->seen, maddr_bytes(addr));

	/* Of two interfaces that hear it one may be of its network. */
	if (is_own(d, addr) ||
		(told != NULL && d->now_ms < told->at_ms + SEEN_REST_MS &&
			told->interface == interface))
		return true;
	if (!tell_peer(d, addr, interface))
		return false;
	if (told != NULL)
		(void)table_remove(&d->seen, maddr_bytes(addr));
	else if (d->seen.count >= LAN_SEEN_MAX)
		told = table_remove(
			&d->seen, table_key(table_oldest(&d->seen)));
	if (told == NULL)
		told = xmalloc(sizeof(*told));
	*told = (struct told){.at_ms = d->now_ms, .interface = interface};
	(void)table_put(&d->seen, maddr_bytes(addr), told);
	return true;
}

static void service_found(
	struct lookup *lk, int interface, bool gone, struct bytes data)
{
	struct discovery *d = lk->d;
	char name[MDNS_NAME_TEXT_MAX];

	if (mdns_name_text(data, name) != 0)
		return;
	if (strcmp(name, lk->service->own_name) == 0) {
		if (interface > 0 && lk->service == &d->services[0] &&
			!origin_of(interface).loopback)
			own_found(d, (unsigned)interface, gone);
	} else if (gone) {
		name_gone(d, name);
	} else {
		name_found(d, name);
	}
}

void lan_found(struct lookup *lk, int interface, bool gone, struct bytes data)
{
	struct maddr addrs[MDNS_ADDRESSES_MAX];
	struct discovery *d = lk->d;
	struct mdns_origin from;
	size_t count;

	if (lk->service != NULL) {
		service_found(lk, interface, gone, data);
		return;
	}
	if (gone)
		return;
	from = origin_of(interface);
	count = mdns_txt_addresses(addrs, data, &from);
	for (size_t i = 0; i < count; i++)
		if (!address_found(d, &addrs[i],
			    interface > 0 ? (unsigned)interface : 0))
			lk->refused = true;
}

void lan_all_for_now(struct lookup *lk)
{
	if (lk->service == NULL && lk->state == LOOKUP_OPEN)
		lk->state = LOOKUP_FINISHED;
}

/* ---- life --------------------------------------------------------------- */

void lan_init(struct discovery *d)
{
	for (size_t i = 0; i < d->cfg.services.count; i++) {
		struct lan_service *sv = &d->services[d->service_count++];

		sv->is = &d->cfg.services.of[i];
		sv->lookup = lookup_new(d, sv->is->name);
		sv->lookup->service = sv;
		sv->lookup->due_ms = P2P_NEVER;
	}
	d->publish_due_ms = P2P_NEVER;
	table_init(&d->names, &d->rng);
	table_init(&d->seen, &d->rng);
}

void lan_detach(struct discovery *d)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &d->names) {
		struct lookup *lk = e->value;

		if (lk->browser == NULL)
			continue;
		lookup_close(lk);
		lk->state = LOOKUP_WAITING;
		lk->due_ms = d->now_ms;
	}
	for (size_t i = 0; i < d->service_count; i++) {
		struct lookup *lk = d->services[i].lookup;

		if (lk->browser != NULL)
			d->active->ops->unbrowse(d->active, lk->browser);
		lk->browser = NULL;
		lk->due_ms = P2P_NEVER;
	}
	d->published = PUBLISH_NOTHING;
	d->publish_due_ms = P2P_NEVER;
	d->interface_count = 0;
}

void lan_attach(struct discovery *d)
{
	for (size_t i = 0; i < d->service_count; i++)
		d->services[i].lookup->due_ms = d->now_ms;
	d->publish_due_ms = d->now_ms;
}

void lan_clear(struct discovery *d)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &d->names)
		free(e->value);
	TABLE_FOREACH(e, tmp, &d->seen)
		free(e->value);
	table_clear(&d->names);
	table_clear(&d->seen);
	for (size_t i = 0; i < d->service_count; i++)
		free(d->services[i].lookup);
	free(d->advert);
}

static void browse_service(struct discovery *d, struct lookup *lk)
{
	lk->browser =
		d->active->ops->browse(d->active, lk->name, MDNS_TYPE_PTR, lk);
	lk->due_ms = lk->browser != NULL ? P2P_NEVER : d->now_ms + RETRY_MS;
}

void lan_step(struct discovery *d)
{
	struct table_entry *e, *tmp;

	if (d->active == NULL)
		return;
	/* When it fails, each call would wait. */
	for (size_t i = 0; i < d->service_count; i++)
		if (d->services[i].lookup->due_ms <= d->now_ms &&
			d->active->state == WAY_READY)
			browse_service(d, d->services[i].lookup);
	if (d->publish_due_ms <= d->now_ms && d->active->state == WAY_READY)
		publish(d);
	TABLE_FOREACH(e, tmp, &d->names) {
		if (d->active->state != WAY_READY)
			return; /* it fails, each call would wait */
		lookup_step(d, e->value);
	}
}

uint64_t lan_deadline(const struct discovery *d)
{
	uint64_t due = d->publish_due_ms;
	struct table_entry *e, *tmp;

	if (d->active == NULL)
		return P2P_NEVER;
	for (size_t i = 0; i < d->service_count; i++)
		due = P2P_MIN(due, d->services[i].lookup->due_ms);
	TABLE_FOREACH(e, tmp, &d->names) {
		const struct lookup *lk = e->value;

		if (lk->state == LOOKUP_FINISHED)
			return d->now_ms;
		if (lk->state == LOOKUP_OPEN ||
			(lk->state == LOOKUP_WAITING &&
				d->open_count < LAN_OPEN_MAX))
			due = P2P_MIN(due, lk->due_ms);
	}
	return due;
}
