/*
 * LAN discovery's own thread: which of the two ways is taken (avahi-daemon, or
 * Avahi's core in process), when it is asked, changed and given up, and what
 * is told of that. Avahi's calls may block for as long as a daemon hangs, so
 * nothing here waits for the thread for longer than FREE_MAX_MS: it is left
 * behind then, with all that it still uses.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "net/loop/discovery_internal.h"

/* A daemon or bus may come at any time; asking costs one connect(2). */
#define DAEMON_RETRY_MS 2000
/* After a failure; and after a try that blocked, as each further one does
 * while the daemon hangs. Meanwhile the core does the work. */
#define DAEMON_REST_MS 5000
#define DAEMON_HUNG_REST_MS 30000
#define CORE_RETRY_MS 5000
/* How often an idle daemon is asked for a sign of life. */
#define BEAT_MS 15000
/* A call that takes longer is told. */
#define HANG_MS 3000
#define FREE_MAX_MS 1000
/* A new publication, for other addresses, and without any need. */
#define CHANGE_GAP_MS 2000
#define REFRESH_GAP_MS 10000
/* What passes is not told: good news after, other news after. */
#define GOOD_NEWS_MS 300
#define NEWS_MS 1500

/* ---- what is told ------------------------------------------------------- */

static bool tell_status(
	struct discovery *d, enum chat_status_state state, const char *text)
{
	struct lan_msg *lm = lan_msg_new(LAN_MSG_STATUS);

	lm->state = state;
	(void)snprintf(lm->text, sizeof(lm->text), "%s", text);
	log_printf(d->cfg.log, LOG_LEVEL_INFO, "discovery: %s", lm->text);
	return lan_post(d, lm);
}

/* ---- status ------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* "eth0, wlan0" behind what is in text. */
static void add_interfaces(const struct discovery *d, char *text, size_t size)
{
	char names[LAN_INTERFACES_MAX][IF_NAMESIZE];
	size_t n = 0, at;

	for (size_t i = 0; i < d->interface_count; i++)
		if (if_indextoname(d->interfaces[i], names[n]) != NULL)
			n++;
	qsort(names, n, sizeof(names[0]), by_text);
	for (size_t i = 0; i < n; i++) {
		at = strlen(text);
		if (at + strlen(names[i]) + 3 > size)
			break;
		(void)snprintf(text + at, size - at, "%s%s", i == 0 ? "" : ", ",
			names[i]);
	}
}

static enum chat_status_state word_status(
	const struct discovery *d, char *text, size_t size)
{
	bool daemon = d->active != NULL && d->active == d->daemon;

	if (d->active == NULL && !avahi_core_is_there()) {
		(void)snprintf(text, size,
			"off: no avahi-daemon; install or start it");
		return CHAT_STATE_FAILED;
	}
	if (d->active == NULL) {
		(void)snprintf(text, size,
			d->core_due_ms > d->now_ms
				? "off: no multicast socket; trying again"
				: "looking for avahi");
		return d->core_due_ms > d->now_ms ? CHAT_STATE_FAILED
						  : CHAT_STATE_BUSY;
	}
	if (d->published == PUBLISH_DENIED) {
		(void)snprintf(text, size,
			"avahi-daemon refuses: "
			"disable-user-service-publishing");
		return CHAT_STATE_FAILED;
	}
	if (d->published == PUBLISH_PROBING) {
		(void)snprintf(text, size, "avahi: announcing this program");
		return CHAT_STATE_BUSY;
	}
	if (d->advert != NULL && d->interface_count == 0) {
		(void)snprintf(text, size,
			"off: no multicast interface; avahi waits for one");
		return CHAT_STATE_FAILED;
	}
	(void)snprintf(text, size,
		daemon ? "avahi on "
		       : "avahi's core in process (no daemon) on ");
	add_interfaces(d, text, size);
	return d->advert == NULL ? CHAT_STATE_BUSY : CHAT_STATE_OK;
}

static bool status_differs(const struct discovery *d,
	enum chat_status_state state, const char *text)
{
	return state != d->told_state || strcmp(text, d->told_text) != 0;
}

static uint64_t status_due(const struct discovery *d)
{
	if (!status_differs(d, d->next_state, d->next_text))
		return P2P_NEVER;
	if (d->told_text[0] == '\0')
		return d->next_since_ms;
	return d->next_since_ms +
	       (d->next_state == CHAT_STATE_OK ? GOOD_NEWS_MS : NEWS_MS);
}

static void status_step(struct discovery *d)
{
	char text[sizeof(d->next_text)];
	enum chat_status_state state = word_status(d, text, sizeof(text));

	if (atomic_exchange(&d->repeat_status, false))
		d->told_text[0] = '\0';
	if (state != d->next_state || strcmp(text, d->next_text) != 0) {
		d->next_state = state;
		(void)snprintf(d->next_text, sizeof(d->next_text), "%s", text);
		d->next_since_ms = d->now_ms;
	}
	if (status_due(d) > d->now_ms)
		return;
	if (!tell_status(d, state, text)) {
		d->next_since_ms = d->now_ms; /* a full mailbox: later */
		return;
	}
	d->told_state = state;
	(void)snprintf(d->told_text, sizeof(d->told_text), "%s", text);
}

/* ---- the two ways ------------------------------------------------------- */

static void drop(struct discovery *d, struct way **w)
{
	if (*w == NULL)
		return;
	if (d->active == *w) {
		lan_detach(d);
		d->active = NULL;
	}
	(*w)->ops->free(*w);
	*w = NULL;
}

static void daemon_step(struct discovery *d)
{
	uint64_t now_ms;
	bool was_active;

	if (d->daemon != NULL && d->daemon->state == WAY_FAILED) {
		was_active = d->active == d->daemon;
		drop(d, &d->daemon);
		d->daemon_due_ms =
			clock_now_ms() + (d->hung ? DAEMON_HUNG_REST_MS
						 : was_active ? 0
							      : DAEMON_REST_MS);
	}
	if (d->daemon != NULL || d->daemon_due_ms > d->now_ms)
		return;
	d->daemon = avahi_daemon_new(d);
	now_ms = clock_now_ms();
	if (d->daemon == NULL)
		d->daemon_due_ms =
			now_ms + (now_ms > d->now_ms + HANG_MS
						 ? DAEMON_HUNG_REST_MS
						 : DAEMON_RETRY_MS);
	d->now_ms = now_ms;
}

static void core_step(struct discovery *d)
{
	bool wanted = d->daemon == NULL || d->daemon->state != WAY_READY;

	if (d->core != NULL && d->core->state == WAY_FAILED) {
		drop(d, &d->core);
		d->core_due_ms = d->now_ms + CORE_RETRY_MS;
	}
	if (!wanted)
		drop(d, &d->core);
	if (!wanted || d->core != NULL || d->core_due_ms > d->now_ms ||
		!avahi_core_is_there())
		return;
	d->core = avahi_core_new(d);
	if (d->core == NULL)
		d->core_due_ms = d->now_ms + CORE_RETRY_MS;
}

static void ways_step(struct discovery *d)
{
	struct way *best = NULL;

	/* A daemon whose connection has fallen back to waiting for it. */
	if (d->active != NULL && d->active->state == WAY_WAITING) {
		lan_detach(d);
		d->active = NULL;
	}
	daemon_step(d);
	core_step(d);
	if (d->daemon != NULL && d->daemon->state == WAY_READY)
		best = d->daemon;
	else if (d->core != NULL && d->core->state == WAY_READY)
		best = d->core;
	if (best == d->active)
		return;
	if (d->active != NULL)
		lan_detach(d);
	d->active = best;
	if (best != NULL)
		lan_attach(d);
	d->beat_due_ms = d->now_ms + BEAT_MS;
}

static void beat(struct discovery *d)
{
	if (d->active == NULL || d->active->ops->beat == NULL ||
		d->beat_due_ms > d->now_ms)
		return;
	d->active->ops->beat(d->active);
	d->beat_due_ms = clock_now_ms() + BEAT_MS;
}

/* ---- the thread --------------------------------------------------------- */

static void take_orders(struct discovery *d)
{
	struct advert *next = atomic_exchange(&d->next_advert, NULL);
	uint8_t junk[64];

	while (read(d->wake[0], junk, sizeof(junk)) > 0)
		;
	if (next != NULL) {
		free(d->advert);
		d->advert = next;
		lan_publish_within(d, CHANGE_GAP_MS);
	}
	if (atomic_exchange(&d->refresh, false))
		lan_publish_within(d, REFRESH_GAP_MS);
}

static uint64_t deadline(const struct discovery *d)
{
	uint64_t due = P2P_MIN(lan_deadline(d), status_due(d));

	if (d->daemon == NULL)
		due = P2P_MIN(due, d->daemon_due_ms);
	else if (d->daemon->state == WAY_FAILED)
		return d->now_ms;
	if (d->core != NULL && d->core->state == WAY_FAILED)
		return d->now_ms;
	if (d->core == NULL && d->active == NULL && avahi_core_is_there())
		due = P2P_MIN(due, d->core_due_ms);
	if (d->active != NULL && d->active->ops->beat != NULL)
		due = P2P_MIN(due, d->beat_due_ms);
	return due;
}

static void turn(struct discovery *d)
{
	d->now_ms = clock_now_ms();
	take_orders(d);
	ways_step(d);
	lan_step(d);
	beat(d);
	d->hung = clock_now_ms() > d->now_ms + HANG_MS;
	d->now_ms = clock_now_ms();
	status_step(d);
	atomic_store(&d->busy_since_ms, 0);
	avahi_poll_sleep(d->poll, d->wake[0], deadline(d));
	d->now_ms = clock_now_ms();
	atomic_store(&d->busy_since_ms, d->now_ms);
	avahi_poll_dispatch(d->poll);
}

/* Signals are other threads' business, but for this one's own faults. */
static void block_signals(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	sigset_t set;

	(void)sigfillset(&set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		(void)sigdelset(&set, faults[i]);
	(void)pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void *run(void *arg)
{
	struct discovery *d = arg;

	block_signals();
	d->poll = avahi_poll_new();
	d->now_ms = clock_now_ms();
	lan_init(d);
	atomic_store(&d->busy_since_ms, d->now_ms);
	while (!atomic_load(&d->stop))
		turn(d);
	drop(d, &d->core);
	drop(d, &d->daemon);
	avahi_poll_free(d->poll);
	lan_clear(d);
	(void)close(d->done[1]);
	return NULL;
}

/* ---- from the net thread ------------------------------------------------ */

static void wake(struct discovery *d)
{
	/* A full pipe wakes as well. */
	if (d->started)
		(void)!write(d->wake[1], "", 1);
}

static bool open_pipe(int fds[2])
{
	if (pipe(fds) != 0) {
		fds[0] = fds[1] = -1;
		return false;
	}
	for (int i = 0; i < 2; i++) {
		(void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
		(void)fcntl(fds[i], F_SETFL, O_NONBLOCK);
	}
	return true;
}

struct discovery *discovery_new(const struct discovery_cfg *cfg)
{
	struct discovery *d = xcalloc(1, sizeof(*d));

	d->cfg = *cfg;
	d->done[0] = d->done[1] = -1;
	rng_init_os(&d->rng);
	d->started = open_pipe(d->wake) && open_pipe(d->done) &&
		     pthread_create(&d->thread, NULL, run, d) == 0;
	if (!d->started)
		(void)tell_status(d, CHAT_STATE_FAILED,
			"off: no thread for it can be started");
	return d;
}

void discovery_advertise(struct discovery *d, struct advert *a)
{
	free(atomic_exchange(&d->next_advert, a));
	wake(d);
}

void discovery_refresh(struct discovery *d)
{
	atomic_store(&d->refresh, true);
	wake(d);
}

void discovery_watch(struct discovery *d)
{
	uint64_t since = atomic_load(&d->busy_since_ms);

	if (since == 0 || since == d->told_busy_ms ||
		clock_now_ms() < since + HANG_MS)
		return;
	if (!tell_status(d, CHAT_STATE_FAILED,
		    "avahi-daemon does not answer; trying again"))
		return;
	d->told_busy_ms = since;
	/* When it goes on, it says so, even if that is just now. */
	atomic_store(&d->repeat_status, true);
	wake(d);
}

/* True when the thread has come to its end within FREE_MAX_MS. Signals
 * interrupt the wait, and are no sign of anything. */
static bool has_ended(struct discovery *d)
{
	struct pollfd done = {.fd = d->done[0]};
	uint64_t end_ms = clock_now_ms() + FREE_MAX_MS;
	int n;

	do {
		uint64_t now_ms = P2P_MIN(clock_now_ms(), end_ms);

		n = poll(&done, 1, (int)(end_ms - now_ms));
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

void discovery_free(struct discovery *d)
{
	if (d == NULL)
		return;
	atomic_store(&d->stop, true);
	wake(d);
	if (d->started && !has_ended(d)) {
		/* What it still uses must stay. */
		(void)pthread_detach(d->thread);
		return;
	}
	if (d->started)
		(void)pthread_join(d->thread, NULL);
	else if (d->done[1] >= 0)
		(void)close(d->done[1]);
	if (d->done[0] >= 0)
		(void)close(d->done[0]);
	for (int i = 0; i < 2; i++)
		if (d->wake[i] >= 0)
			(void)close(d->wake[i]);
	free(atomic_load(&d->next_advert));
	free(d);
}
