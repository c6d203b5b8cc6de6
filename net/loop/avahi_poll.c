/*
 * The event loop that Avahi wants, over poll(2). Its callbacks may free any
 * watch or timeout, their own too, so those are only marked, and taken off the
 * lists when nobody walks them.
 */
#include "net/loop/avahi_poll.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/xmalloc.h"

struct AvahiWatch {
	struct list node;
	struct avahi_poll *poll;
	int fd;
	bool dead;
	short want;
	short got;
	AvahiWatchCallback call;
	void *arg;
};

struct AvahiTimeout {
	struct list node;
	struct avahi_poll *poll;
	bool dead;
	uint64_t due_ms; /* of clock_now_ms; P2P_NEVER: disabled */
	AvahiTimeoutCallback call;
	void *arg;
};

struct avahi_poll {
	AvahiPoll api;
	struct list watches;
	struct list timeouts;
	size_t watch_count;
	struct pollfd *fds; /* owned; room for fd_room of them */
	size_t fd_room;
};

#define WATCH(n) LIST_ITEM(n, struct AvahiWatch, node)
#define TIMEOUT(n) LIST_ITEM(n, struct AvahiTimeout, node)

/* ---- the seven functions ------------------------------------------------ */

static AvahiWatch *watch_new(const AvahiPoll *api, int fd, AvahiWatchEvent want,
	AvahiWatchCallback call, void *arg)
{
	struct AvahiWatch *w = xcalloc(1, sizeof(*w));

	w->poll = api->userdata;
	w->fd = fd;
	w->want = (short)want;
	w->call = call;
	w->arg = arg;
	list_push_back(&w->poll->watches, &w->node);
	w->poll->watch_count++;
	return w;
}

static void watch_update(AvahiWatch *w, AvahiWatchEvent want)
{
	w->want = (short)want;
}

static AvahiWatchEvent watch_get_events(AvahiWatch *w)
{
	return (AvahiWatchEvent)w->got;
}

static void watch_free(AvahiWatch *w)
{
	w->dead = true;
}

/*
 * Avahi names moments of the wall clock, which may be set while it runs. The
 * distance from now is taken at once, so that a clock put back by hours does
 * not make it sleep for hours.
 */
static uint64_t due_of(const struct timeval *tv)
{
	uint64_t wall = clock_wall_ms();
	uint64_t then;

	if (tv == NULL)
		return P2P_NEVER;
	if (tv->tv_sec < 0)
		return clock_now_ms();
	then = (uint64_t)tv->tv_sec * 1000 + (uint64_t)tv->tv_usec / 1000 + 1;
	return clock_now_ms() + (then > wall ? then - wall : 0);
}

static AvahiTimeout *timeout_new(const AvahiPoll *api, const struct timeval *tv,
	AvahiTimeoutCallback call, void *arg)
{
	struct AvahiTimeout *t = xcalloc(1, sizeof(*t));

	t->poll = api->userdata;
	t->due_ms = due_of(tv);
	t->call = call;
	t->arg = arg;
	list_push_back(&t->poll->timeouts, &t->node);
	return t;
}

static void timeout_update(AvahiTimeout *t, const struct timeval *tv)
{
	t->due_ms = due_of(tv);
}

static void timeout_free(AvahiTimeout *t)
{
	t->dead = true;
}

/* ---- life --------------------------------------------------------------- */

struct avahi_poll *avahi_poll_new(void)
{
	struct avahi_poll *p = xcalloc(1, sizeof(*p));

	p->api = (AvahiPoll){
		.userdata = p,
		.watch_new = watch_new,
		.watch_update = watch_update,
		.watch_get_events = watch_get_events,
		.watch_free = watch_free,
		.timeout_new = timeout_new,
		.timeout_update = timeout_update,
		.timeout_free = timeout_free,
	};
	list_init(&p->watches);
	list_init(&p->timeouts);
	return p;
}

static void reap(struct avahi_poll *p)
{
	struct list *at, *tmp;

	LIST_FOREACH(at, tmp, &p->watches) {
		struct AvahiWatch *w = WATCH(at);

		if (w->dead) {
			list_remove(&w->node);
			p->watch_count--;
			free(w);
		}
	}
	LIST_FOREACH(at, tmp, &p->timeouts) {
		struct AvahiTimeout *t = TIMEOUT(at);

		if (t->dead) {
			list_remove(&t->node);
			free(t);
		}
	}
}

void avahi_poll_free(struct avahi_poll *p)
{
	reap(p);
	P2P_ASSERT(list_empty(&p->watches) && list_empty(&p->timeouts));
	free(p->fds);
	free(p);
}

const AvahiPoll *avahi_poll_api(struct avahi_poll *p)
{
	return &p->api;
}

/* ---- the loop ----------------------------------------------------------- */

static int sleep_ms(struct avahi_poll *p, uint64_t until_ms)
{
	uint64_t now = clock_now_ms();
	struct list *at, *tmp;

	LIST_FOREACH(at, tmp, &p->timeouts)
		until_ms = P2P_MIN(until_ms, TIMEOUT(at)->due_ms);
	if (until_ms == P2P_NEVER)
		return -1;
	if (until_ms <= now)
		return 0;
	return (int)P2P_MIN(until_ms - now, (uint64_t)INT_MAX);
}

void avahi_poll_sleep(struct avahi_poll *p, int wake_fd, uint64_t until_ms)
{
	struct list *at, *tmp;
	size_t n = 1;

	reap(p);
	if (p->fd_room < p->watch_count + 1) {
		p->fd_room = p->watch_count + 8;
		p->fds = xreallocarray(p->fds, p->fd_room, sizeof(*p->fds));
	}
	p->fds[0] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
	LIST_FOREACH(at, tmp, &p->watches) {
		struct AvahiWatch *w = WATCH(at);

		w->got = 0;
		p->fds[n++] = (struct pollfd){.fd = w->fd, .events = w->want};
	}
	if (poll(p->fds, (nfds_t)n, sleep_ms(p, until_ms)) <= 0)
		return;
	n = 1;
	LIST_FOREACH(at, tmp, &p->watches)
		WATCH(at)->got = p->fds[n++].revents;
}

void avahi_poll_hang_up(struct avahi_poll *p)
{
	struct list *at, *tmp;

	LIST_FOREACH(at, tmp, &p->watches)
		if (!WATCH(at)->dead)
			(void)shutdown(WATCH(at)->fd, SHUT_RDWR);
}

/* Callbacks may add to the lists and mark others dead, but nothing leaves a
 * list before reap. What they add is not ready yet. */
void avahi_poll_dispatch(struct avahi_poll *p)
{
	uint64_t now = clock_now_ms();
	struct list *at;

	for (at = p->timeouts.next; at != &p->timeouts; at = at->next) {
		struct AvahiTimeout *t = TIMEOUT(at);

		if (t->dead || t->due_ms > now)
			continue;
		t->due_ms = P2P_NEVER;
		t->call(t, t->arg);
	}
	for (at = p->watches.next; at != &p->watches; at = at->next) {
		struct AvahiWatch *w = WATCH(at);

		if (w->dead || w->got == 0)
			continue;
		w->call(w, w->fd, (AvahiWatchEvent)w->got, w->arg);
		w->got = 0;
	}
	reap(p);
}
