/*
 * Threads that check signatures (docs/decisions/0012): each waits for batches
 * in a mailbox of its own and posts them, checked, to the loop's. They own
 * nothing but the batch in hand. libuv's pool is not used: its threads may all
 * be waiting for slow name servers.
 */
#include "net/loop/loop_internal.h"

/* Batches that one thread may have: the one in hand and those in front of it
 * when all others are busy. */
#define VERIFIER_QUEUE (LOOP_VERIFIERS_MAX + 1)

static unsigned cores(void)
{
#if UV_VERSION_HEX >= 0x012c00
	return uv_available_parallelism();
#else
	uv_cpu_info_t *info;
	int count = 0;

	if (uv_cpu_info(&info, &count) == 0)
		uv_free_cpu_info(info, count);
	return count > 0 ? (unsigned)count : 1;
#endif
}

static struct mailbox *make_mailbox(void (*wake)(void *), struct loop *l)
{
	struct mailbox_cfg cfg = {
		.count_max = VERIFIER_QUEUE,
		.bytes_max = SIZE_MAX,
		.wake = wake,
		.wake_arg = l,
	};

	return mailbox_new(&cfg);
}

unsigned verifiers_init(struct loop *l)
{
	/* One for each core: checking is three quarters of the work for a
	 * line, and the other threads, which sleep more, go first where they
	 * share one. */
	l->verifier_count = P2P_MIN(cores(), LOOP_VERIFIERS_MAX);
	l->verified = make_mailbox(loop_wake, l);
	for (unsigned i = 0; i < l->verifier_count; i++) {
		l->verifiers[i].in = make_mailbox(NULL, l);
		l->verifiers[i].out = l->verified;
	}
	/* One more than there are threads waits, so that none has to. */
	return l->verifier_count + 1;
}

static void *run(void *arg)
{
	struct verifier *v = arg;

	for (;;) {
		struct msg *m = mailbox_take(v->in);

		if (m == NULL && mailbox_closed(v->in))
			return NULL;
		if (m == NULL) {
			mailbox_wait(v->in, P2P_NEVER);
			continue;
		}
		unit_batch_check(unit_batch_of(m));
		/* It has room for all that may be out. */
		P2P_ASSERT(mailbox_post(v->out, &m) == 0);
	}
}

void verifiers_start(struct loop *l)
{
	for (unsigned i = 0; i < l->verifier_count; i++) {
		struct verifier *v = &l->verifiers[i];

		v->started = pthread_create(&v->thread, NULL, run, v) == 0;
		if (!v->started)
			log_printf(l->env.log, LOG_LEVEL_WARN,
				"a thread for signatures could not be"
				" started");
	}
}

void verifiers_stop(struct loop *l)
{
	for (unsigned i = 0; i < l->verifier_count; i++) {
		struct verifier *v = &l->verifiers[i];

		mailbox_close(v->in);
		if (v->started)
			(void)pthread_join(v->thread, NULL);
		v->started = false;
	}
}

void verifiers_clear(struct loop *l)
{
	for (unsigned i = 0; i < l->verifier_count; i++)
		mailbox_free(l->verifiers[i].in);
	mailbox_free(l->verified);
}

/* A single unit when all is quiet costs less here than to wake a thread and be
 * woken by it. No more than one in LOOP_CHECK_PAUSE_MS: whoever floods keeps
 * this thread from nothing else. */
static bool is_checked_here(struct loop *l, const struct unit_batch *batch)
{
	if (batch->count > 1 ||
		l->env.now_ms - l->checked_ms < LOOP_CHECK_PAUSE_MS)
		return false;
	for (unsigned i = 0; i < l->verifier_count; i++)
		if (l->verifiers[i].busy > 0)
			return false;
	l->checked_ms = l->env.now_ms;
	return true;
}

void verifiers_post(struct loop *l, struct unit_batch *batch)
{
	struct node_event ev = {.kind = NODE_EV_VERIFIED, .batch = batch};
	struct verifier *best = NULL;
	struct msg *m = &batch->msg;

	if (is_checked_here(l, batch)) {
		unit_batch_check(batch);
		loop_step(l, &ev);
		return;
	}
	for (unsigned i = 0; i < l->verifier_count; i++) {
		struct verifier *v = &l->verifiers[i];

		if (v->started && (best == NULL || v->busy < best->busy))
			best = v;
	}
	if (best == NULL) {
		/* No thread could be had: slow is better than deaf. */
		unit_batch_check(batch);
		m->kind = LOOP_VERIFIERS_MAX;
		P2P_ASSERT(mailbox_post(l->verified, &m) == 0);
		return;
	}
	m->kind = (int)(best - l->verifiers);
	best->busy++;
	P2P_ASSERT(mailbox_post(best->in, &m) == 0);
}

/* Where a thread shares our core it would else begin with the first batch that
 * a verdict makes room for, before we have served the others. */
void verifiers_serve(struct loop *l)
{
	struct msg *m;

	for (unsigned i = 0; i < l->verifier_count; i++)
		mailbox_hold(l->verifiers[i].in);
	while ((m = mailbox_take(l->verified)) != NULL) {
		struct node_event ev = {
			.kind = NODE_EV_VERIFIED, .batch = unit_batch_of(m)};

		if (m->kind < LOOP_VERIFIERS_MAX)
			l->verifiers[m->kind].busy--;
		loop_step(l, &ev);
	}
	for (unsigned i = 0; i < l->verifier_count; i++)
		mailbox_let_go(l->verifiers[i].in);
}
