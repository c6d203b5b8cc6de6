/*
 * A bounded queue between two threads. The lock is held for a few pointers; a
 * post wakes its reader without it. What matters is how often a reader is
 * woken: on the poster's core it would else take each message alone.
 */
#include "base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/xmalloc.h"

struct mailbox {
	struct mailbox_cfg cfg;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct msg *first;
	struct msg **last;
	size_t count;
	size_t bytes;
	bool refused; /* a post was refused since `drained` was last called */
	bool held;    /* posts do not wake */
	bool owed;    /* one would have */
	bool closed;
};

void msg_free(struct msg *m)
{
	if (m != NULL)
		m->free(m);
}

struct mailbox *mailbox_new(const struct mailbox_cfg *cfg)
{
	struct mailbox *mb = xcalloc(1, sizeof(*mb));
	pthread_condattr_t attr;

	mb->cfg = *cfg;
	mb->last = &mb->first;
	P2P_ASSERT(pthread_mutex_init(&mb->lock, NULL) == 0);
	P2P_ASSERT(pthread_condattr_init(&attr) == 0);
	P2P_ASSERT(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	P2P_ASSERT(pthread_cond_init(&mb->filled, &attr) == 0);
	pthread_condattr_destroy(&attr);
	return mb;
}

void mailbox_free(struct mailbox *mb)
{
	struct msg *m;

	if (mb == NULL)
		return;
	while ((m = mb->first) != NULL) {
		mb->first = m->next;
		msg_free(m);
	}
	pthread_cond_destroy(&mb->filled);
	pthread_mutex_destroy(&mb->lock);
	free(mb);
}

/* A single message larger than bytes_max passes when the queue is empty, so
 * that nothing waits for ever. */
static bool has_room(const struct mailbox *mb, size_t bytes)
{
	if (mb->count >= mb->cfg.count_max)
		return false;
	return mb->count == 0 ||
	       (mb->bytes <= mb->cfg.bytes_max &&
		       bytes <= mb->cfg.bytes_max - mb->bytes);
}

/* Without the lock: a reader that wakes on the same core would only wait for
 * it, and sleep once more. There is one reader, which looks before it sleeps,
 * so the first message is all that it need be told of. */
static void wake_reader(struct mailbox *mb)
{
	pthread_cond_signal(&mb->filled);
	if (mb->cfg.wake != NULL)
		mb->cfg.wake(mb->cfg.wake_arg);
}

int mailbox_post(struct mailbox *mb, struct msg **m)
{
	bool first = false;
	int err = 0;

	pthread_mutex_lock(&mb->lock);
	if (mb->closed) {
		err = P2P_ERR_CLOSED;
	} else if (!has_room(mb, (*m)->bytes)) {
		mb->refused = true;
		err = P2P_ERR_FULL;
	} else {
		first = mb->first == NULL;
		(*m)->next = NULL;
		*mb->last = *m;
		mb->last = &(*m)->next;
		mb->count++;
		mb->bytes += (*m)->bytes;
		*m = NULL;
		mb->owed = mb->owed || (first && mb->held);
	}
	first = first && !mb->held;
	pthread_mutex_unlock(&mb->lock);
	if (first)
		wake_reader(mb);
	return err;
}

void mailbox_hold(struct mailbox *mb)
{
	pthread_mutex_lock(&mb->lock);
	mb->held = true;
	pthread_mutex_unlock(&mb->lock);
}

void mailbox_let_go(struct mailbox *mb)
{
	bool owed;

	pthread_mutex_lock(&mb->lock);
	owed = mb->owed;
	mb->held = false;
	mb->owed = false;
	pthread_mutex_unlock(&mb->lock);
	if (owed)
		wake_reader(mb);
}

bool mailbox_has_room(struct mailbox *mb, size_t bytes)
{
	bool room;

	pthread_mutex_lock(&mb->lock);
	room = has_room(mb, bytes);
	if (!room)
		mb->refused = true;
	pthread_mutex_unlock(&mb->lock);
	return room;
}

bool mailbox_is_empty(struct mailbox *mb)
{
	bool empty;

	pthread_mutex_lock(&mb->lock);
	empty = mb->first == NULL;
	pthread_mutex_unlock(&mb->lock);
	return empty;
}

struct msg *mailbox_take(struct mailbox *mb)
{
	struct msg *m;
	bool drained = false;

	pthread_mutex_lock(&mb->lock);
	m = mb->first;
	if (m != NULL) {
		mb->first = m->next;
		if (mb->first == NULL)
			mb->last = &mb->first;
		m->next = NULL;
		mb->count--;
		mb->bytes -= m->bytes;
	}
	if (mb->refused && mb->count <= mb->cfg.count_max / 2 &&
		mb->bytes <= mb->cfg.bytes_max / 2) {
		mb->refused = false;
		drained = true;
	}
	pthread_mutex_unlock(&mb->lock);
	if (drained && mb->cfg.drained != NULL)
		mb->cfg.drained(mb->cfg.drained_arg);
	return m;
}

static struct timespec deadline_after(uint64_t ms)
{
	struct timespec ts;

	P2P_ASSERT(clock_gettime(CLOCK_MONOTONIC, &ts) == 0);
	ms = P2P_MIN(ms, (uint64_t)1000 * 86400 * 365);
	ts.tv_sec += (time_t)(ms / 1000);
	ts.tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

void mailbox_wait(struct mailbox *mb, uint64_t timeout_ms)
{
	struct timespec until = deadline_after(timeout_ms);
	int err = 0;

	pthread_mutex_lock(&mb->lock);
	while (mb->first == NULL && !mb->closed && err != ETIMEDOUT) {
		if (timeout_ms == P2P_NEVER)
			err = pthread_cond_wait(&mb->filled, &mb->lock);
		else
			err = pthread_cond_timedwait(
				&mb->filled, &mb->lock, &until);
	}
	pthread_mutex_unlock(&mb->lock);
}

void mailbox_close(struct mailbox *mb)
{
	pthread_mutex_lock(&mb->lock);
	mb->closed = true;
	pthread_cond_broadcast(&mb->filled);
	pthread_mutex_unlock(&mb->lock);
	if (mb->cfg.wake != NULL)
		mb->cfg.wake(mb->cfg.wake_arg);
}

bool mailbox_closed(struct mailbox *mb)
{
	bool closed;

	pthread_mutex_lock(&mb->lock);
	closed = mb->closed;
	pthread_mutex_unlock(&mb->lock);
	return closed;
}
