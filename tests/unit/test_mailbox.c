/* Mailboxes between threads; make check-tsan runs this program too. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "base/xmalloc.h"

#define POSTERS 3
#define POSTS_EACH 20000
#define QUEUE_COUNT 64

struct number_msg {
	struct msg msg;
	int poster;
	int value;
};

static atomic_int alive_count;

static void number_free(struct msg *m)
{
	atomic_fetch_sub(&alive_count, 1);
	free(m);
}

static struct msg *number_new(int poster, int value, size_t bytes)
{
	struct number_msg *n = xcalloc(1, sizeof(*n));

	n->msg = (struct msg){.free = number_free, .bytes = bytes};
	n->poster = poster;
	n->value = value;
	atomic_fetch_add(&alive_count, 1);
	return &n->msg;
}

static int value_of(const struct msg *m)
{
	return ((const struct number_msg *)m)->value;
}

static int post(struct mailbox *mb, int value, size_t bytes)
{
	struct msg *m = number_new(0, value, bytes);
	int err = mailbox_post(mb, &m);

	assert_int_equal(m == NULL, err == 0);
	msg_free(m);
	return err;
}

static void expect(struct mailbox *mb, int value)
{
	struct msg *m = mailbox_take(mb);

	assert_non_null(m);
	assert_int_equal(value_of(m), value);
	msg_free(m);
}

static void count_call(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void test_messages_come_out_in_order(void **state)
{
	struct mailbox *mb = mailbox_new(
		&(struct mailbox_cfg){.count_max = 3, .bytes_max = 100});

	(void)state;
	assert_null(mailbox_take(mb));
	assert_int_equal(post(mb, 1, 10), 0);
	assert_int_equal(post(mb, 2, 10), 0);
	expect(mb, 1);
	assert_int_equal(post(mb, 3, 10), 0);
	expect(mb, 2);
	expect(mb, 3);
	assert_null(mailbox_take(mb));
	mailbox_free(mb);
	assert_int_equal(alive_count, 0);
}

static void test_a_held_mailbox_wakes_once_at_the_end(void **state)
{
	atomic_int wakes = 0;
	struct mailbox *mb = mailbox_new(&(struct mailbox_cfg){.count_max = 3,
		.bytes_max = 100,
		.wake = count_call,
		.wake_arg = &wakes});

	(void)state;
	assert_true(mailbox_is_empty(mb));
	mailbox_hold(mb);
	assert_int_equal(post(mb, 1, 1), 0);
	assert_int_equal(post(mb, 2, 1), 0);
	assert_int_equal(wakes, 0);
	mailbox_let_go(mb);
	assert_int_equal(wakes, 1);
	assert_false(mailbox_is_empty(mb));
	/* The reader is awake and takes this one, too. */
	mailbox_hold(mb);
	assert_int_equal(post(mb, 3, 1), 0);
	mailbox_let_go(mb);
	assert_int_equal(wakes, 1);
	for (int i = 1; i <= 3; i++)
		expect(mb, i);
	/* It took all before the poster had let go: woken in vain once. */
	mailbox_hold(mb);
	assert_int_equal(post(mb, 4, 1), 0);
	expect(mb, 4);
	mailbox_let_go(mb);
	assert_int_equal(wakes, 2);
	mailbox_hold(mb);
	mailbox_let_go(mb);
	assert_int_equal(wakes, 2);
	assert_int_equal(post(mb, 5, 1), 0);
	assert_int_equal(wakes, 3);
	mailbox_free(mb);
}

static void test_full_by_count_or_bytes_leaves_the_message(void **state)
{
	struct mailbox *mb = mailbox_new(
		&(struct mailbox_cfg){.count_max = 3, .bytes_max = 100});

	(void)state;
	assert_int_equal(post(mb, 1, 60), 0);
	assert_int_equal(post(mb, 2, 41), P2P_ERR_FULL);
	assert_true(mailbox_has_room(mb, 40));
	assert_false(mailbox_has_room(mb, 41));
	assert_int_equal(post(mb, 3, 40), 0);
	assert_int_equal(post(mb, 4, 0), 0);
	assert_int_equal(post(mb, 5, 0), P2P_ERR_FULL);
	mailbox_free(mb);
	assert_int_equal(alive_count, 0);
}

static void test_one_oversized_message_passes_alone(void **state)
{
	struct mailbox *mb = mailbox_new(
		&(struct mailbox_cfg){.count_max = 3, .bytes_max = 100});

	(void)state;
	assert_int_equal(post(mb, 1, 500), 0);
	assert_int_equal(post(mb, 2, 1), P2P_ERR_FULL);
	expect(mb, 1);
	assert_int_equal(post(mb, 2, 1), 0);
	mailbox_free(mb);
}

static void test_drained_is_called_once_after_a_refusal(void **state)
{
	atomic_int drained = 0, woken = 0;
	struct mailbox *mb = mailbox_new(&(struct mailbox_cfg){
		.count_max = 4,
		.bytes_max = 100,
		.wake = count_call,
		.wake_arg = &woken,
		.drained = count_call,
		.drained_arg = &drained,
	});

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(post(mb, i, 1), 0);
	/* One wake is enough for a reader that takes all. */
	assert_int_equal(woken, 1);
	assert_int_equal(post(mb, 9, 1), P2P_ERR_FULL);
	assert_int_equal(woken, 1);
	expect(mb, 0);
	assert_int_equal(drained, 0);
	expect(mb, 1);
	assert_int_equal(drained, 1);
	expect(mb, 2);
	expect(mb, 3);
	assert_int_equal(drained, 1);
	assert_int_equal(post(mb, 5, 1), 0);
	assert_int_equal(woken, 2);
	expect(mb, 5);
	mailbox_free(mb);
}

static void test_closed_takes_no_posts_but_gives_what_it_has(void **state)
{
	atomic_int woken = 0;
	struct mailbox *mb = mailbox_new(&(struct mailbox_cfg){
		.count_max = 4,
		.bytes_max = 100,
		.wake = count_call,
		.wake_arg = &woken,
	});

	(void)state;
	assert_int_equal(post(mb, 1, 1), 0);
	assert_false(mailbox_closed(mb));
	mailbox_close(mb);
	assert_true(mailbox_closed(mb));
	assert_int_equal(woken, 2);
	assert_int_equal(post(mb, 2, 1), P2P_ERR_CLOSED);
	expect(mb, 1);
	mailbox_wait(mb, P2P_NEVER); /* returns: closed */
	mailbox_free(mb);
	mailbox_free(NULL);
	msg_free(NULL);
}

static void test_wait_ends_at_its_time(void **state)
{
	struct mailbox *mb = mailbox_new(
		&(struct mailbox_cfg){.count_max = 4, .bytes_max = 100});
	uint64_t start = clock_now_ms();

	(void)state;
	mailbox_wait(mb, 30);
	assert_true(clock_now_ms() - start >= 29);
	assert_int_equal(post(mb, 1, 1), 0);
	start = clock_now_ms();
	mailbox_wait(mb, 60000);
	assert_true(clock_now_ms() - start < 30000);
	mailbox_free(mb);
}

struct poster {
	pthread_t thread;
	struct mailbox *mb;
	int number;
};

static void *post_many(void *arg)
{
	struct poster *p = arg;

	for (int i = 0; i < POSTS_EACH; i++) {
		struct msg *m = number_new(p->number, i, 1);

		while (mailbox_post(p->mb, &m) != 0)
			sched_yield();
	}
	return NULL;
}

/* Each poster's messages arrive all, once, in its order. */
static void test_threads_lose_nothing_and_keep_order(void **state)
{
	struct mailbox *mb = mailbox_new(&(struct mailbox_cfg){
		.count_max = QUEUE_COUNT, .bytes_max = SIZE_MAX});
	struct poster posters[POSTERS];
	int next[POSTERS] = {0};

	(void)state;
	for (int i = 0; i < POSTERS; i++) {
		posters[i] = (struct poster){.mb = mb, .number = i};
		assert_int_equal(pthread_create(&posters[i].thread, NULL,
					 post_many, &posters[i]),
			0);
	}
	for (int taken = 0; taken < POSTERS * POSTS_EACH;) {
		struct msg *m = mailbox_take(mb);

		if (m == NULL) {
			mailbox_wait(mb, P2P_NEVER);
			continue;
		}
		assert_int_equal(
			value_of(m), next[((struct number_msg *)m)->poster]++);
		msg_free(m);
		taken++;
	}
	for (int i = 0; i < POSTERS; i++)
		assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
	assert_null(mailbox_take(mb));
	mailbox_free(mb);
	assert_int_equal(alive_count, 0);
}

static void *close_soon(void *arg)
{
	mailbox_close(arg);
	return NULL;
}

static void test_close_ends_a_wait(void **state)
{
	struct mailbox *mb = mailbox_new(
		&(struct mailbox_cfg){.count_max = 4, .bytes_max = 100});
	pthread_t closer;

	(void)state;
	assert_int_equal(pthread_create(&closer, NULL, close_soon, mb), 0);
	mailbox_wait(mb, P2P_NEVER);
	assert_true(mailbox_closed(mb));
	assert_int_equal(pthread_join(closer, NULL), 0);
	mailbox_free(mb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_come_out_in_order),
		cmocka_unit_test(test_a_held_mailbox_wakes_once_at_the_end),
		cmocka_unit_test(
			test_full_by_count_or_bytes_leaves_the_message),
		cmocka_unit_test(test_one_oversized_message_passes_alone),
		cmocka_unit_test(test_drained_is_called_once_after_a_refusal),
		cmocka_unit_test(
			test_closed_takes_no_posts_but_gives_what_it_has),
		cmocka_unit_test(test_wait_ends_at_its_time),
		cmocka_unit_test(test_threads_lose_nothing_and_keep_order),
		cmocka_unit_test(test_close_ends_a_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
