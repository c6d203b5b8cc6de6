/*
 * Dials: from an address or a name to a connection. All addresses of a name are
 * tried, each LOOP_TRY_MS after the one before or as soon as that has failed,
 * and those before go on meanwhile (RFC 8305 section 5): the first that answers
 * is taken. The end of all is the node's to say, which cancels the dial.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/loop/loop_internal.h"

#define DIAL_OF(pos) LIST_ITEM(pos, struct dial, of_loop)
#define TRY_OF(pos) LIST_ITEM(pos, struct carrier, of_dial)

static void on_tries(uv_timer_t *t);

static struct dial *dial_find(const struct loop *l, uint64_t conn)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &l->dials)
		if (DIAL_OF(pos)->conn == conn)
			return DIAL_OF(pos);
	return NULL;
}

static void drop_try(struct carrier *c)
{
	c->dial = NULL;
	list_remove(&c->of_dial);
	carrier_drop(c);
}

/* With all of its tries. */
static void dial_free(struct dial *d)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &d->tries)
		drop_try(TRY_OF(pos));
	list_remove(&d->of_loop);
	free(d);
}

static void fail(struct dial *d, const char *why)
{
	struct node_event ev = {
		.kind = NODE_EV_DIAL_FAILED, .conn = d->conn, .text = why};
	struct loop *l = d->loop;

	dial_free(d);
	loop_step(l, &ev);
}

/* ---- when ---------------------------------------------------------------- */

static struct dial *first_due(const struct loop *l)
{
	struct dial *first = NULL;
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &l->dials)
		if (DIAL_OF(pos)->due_ms != P2P_NEVER &&
			(first == NULL || DIAL_OF(pos)->due_ms < first->due_ms))
			first = DIAL_OF(pos);
	return first;
}

static void arm(struct loop *l)
{
	const struct dial *d = first_due(l);
	uint64_t now_ms = uv_now(&l->uv);

	if (d == NULL || l->stopping)
		return;
	(void)uv_timer_start(&l->tries, on_tries,
		d->due_ms > now_ms ? d->due_ms - now_ms : 0, 0);
}

static void set_due(struct dial *d, uint64_t in_ms)
{
	d->due_ms = uv_now(&d->loop->uv) + in_ms;
	arm(d->loop);
}

/* ---- tries ----------------------------------------------------------------
 */

static void try_next(struct dial *d, const char *why);

static void on_connect(uv_connect_t *req, int status)
{
	struct carrier *c = req->data;
	struct dial *d = c->dial;
	uint64_t conn;

	if (d == NULL)
		return;
	if (status != 0) {
		drop_try(c);
		try_next(d, uv_strerror(status));
		return;
	}
	conn = d->conn;
	c->remote = d->remote;
	c->dial = NULL;
	list_remove(&c->of_dial);
	dial_free(d);
	carrier_begin(c, conn);
}

static int try_one(struct dial *d, const struct sockaddr_storage *to)
{
	struct carrier *c = carrier_new(d->loop);
	const void *sa = to;
	int err;

	c->dial = d;
	c->connect.data = c;
	list_push_back(&d->tries, &c->of_dial);
	err = uv_tcp_connect(&c->connect, &c->tcp, sa, on_connect);
	if (err != 0)
		drop_try(c);
	return err;
}

/* why: what became of the last one. */
static void try_next(struct dial *d, const char *why)
{
	int err = -1;

	d->due_ms = P2P_NEVER;
	while (err != 0 && d->next < d->to.count) {
		err = try_one(d, &d->to.found[d->next++]);
		if (err != 0)
			why = uv_strerror(err);
	}
	if (err != 0 && list_empty(&d->tries))
		fail(d, why);
	else if (d->next < d->to.count)
		set_due(d, LOOP_TRY_MS);
}

static void on_tries(uv_timer_t *t)
{
	struct loop *l = t->data;
	struct dial *d;

	while ((d = first_due(l)) != NULL && d->due_ms <= uv_now(&l->uv)) {
		d->due_ms = P2P_NEVER;
		if (d->asking != NULL)
			fail(d, "no name server answers");
		else
			try_next(d, "no answer");
	}
	arm(l);
}

/* ---- from an address or a name --------------------------------------------
 */

static void set_port(struct sockaddr_storage *ss, uint16_t port)
{
	void *raw = ss;

	if (ss->ss_family == AF_INET)
		((struct sockaddr_in *)raw)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)raw)->sin6_port = htons(port);
}

/* The first in line that waits for it. */
static struct dial *first_for(const struct loop *l, const struct asking *asking)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &l->dials)
		if (DIAL_OF(pos)->asking == asking)
			return DIAL_OF(pos);
	return NULL;
}

bool dials_answered(struct loop *l, const struct asking *asking,
	const struct name_answer *answer)
{
	struct dial *d;
	bool any = false;

	/* From the start each time: what one causes may end others. */
	while ((d = first_for(l, asking)) != NULL) {
		any = true;
		d->asking = NULL;
		d->to = *answer;
		for (size_t i = 0; i < d->to.count; i++)
			set_port(&d->to.found[i], d->port);
		try_next(d, answer->why);
	}
	return any;
}

static void wait_for_name(struct dial *d, const struct maddr_tcp *tcp)
{
	const char *why;

	d->asking = resolver_ask(d->loop, tcp->name,
		tcp->host == MULTIADDR_DNS4   ? AF_INET
		: tcp->host == MULTIADDR_DNS6 ? AF_INET6
					      : AF_UNSPEC,
		&why);
	if (d->asking == NULL)
		fail(d, why);
	else
		set_due(d, LOOP_NAME_MS);
}

static void add_ip(struct dial *d, const struct maddr_tcp *tcp)
{
	struct sockaddr_storage *ss = &d->to.found[d->to.count++];
	void *to = ss;

	if (tcp->host == MULTIADDR_IP4) {
		struct sockaddr_in *in = to;

		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, tcp->ip, 4);
	} else {
		struct sockaddr_in6 *in6 = to;

		in6->sin6_family = AF_INET6;
		memcpy(&in6->sin6_addr, tcp->ip, 16);
		if (tcp->zone[0] != '\0')
			in6->sin6_scope_id = if_nametoindex(tcp->zone);
	}
	set_port(ss, tcp->port);
}

void dial_begin(struct loop *l, uint64_t conn, const struct maddr *addr)
{
	struct dial *d = xcalloc(1, sizeof(*d));
	struct maddr_tcp tcp;

	d->loop = l;
	d->conn = conn;
	d->remote = *addr;
	d->due_ms = P2P_NEVER;
	list_init(&d->tries);
	list_push_back(&l->dials, &d->of_loop);
	if (!maddr_to_tcp(addr, &tcp)) {
		fail(d, "not a TCP address");
		return;
	}
	d->port = tcp.port;
	if (tcp.zone[0] != '\0' && if_nametoindex(tcp.zone) == 0) {
		fail(d, "this machine has no network interface of that name");
		return;
	}
	if (tcp.host == MULTIADDR_IP4 || tcp.host == MULTIADDR_IP6) {
		add_ip(d, &tcp);
		try_next(d, NULL);
	} else {
		wait_for_name(d, &tcp);
	}
}

void dial_cancel(struct loop *l, uint64_t conn)
{
	struct dial *d = dial_find(l, conn);

	if (d != NULL)
		dial_free(d);
}

void dials_cancel_all(struct loop *l)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &l->dials)
		dial_free(DIAL_OF(pos));
}
