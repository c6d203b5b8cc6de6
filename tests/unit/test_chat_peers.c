/*
 * What chat and net tell each other of peers: how much a person is worth, whom
 * to keep, what is known of somebody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/chat_host.h"

struct fixture {
	struct host me;
	struct author mali;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	host_init(&f->me, 7, "ann");
	author_init(&f->mali, 1, "mali");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	host_clear(&f->me);
	free(f);
	return 0;
}

static void says(struct fixture *f, const char *text)
{
	author_says_native(&f->mali, &f->me, text, f->me.te.env.wall_ms);
}

/* What net was told last of mali; fails when it was told nothing. */
static int worth(struct fixture *f)
{
	struct net_msg *m = NULL;
	size_t n = host_sent_count(&f->me, NET_MSG_WORTH);

	assert_true(n > 0);
	m = host_sent(&f->me, NET_MSG_WORTH, n - 1);
	assert_string_equal(m->peer, f->mali.peer);
	return m->worth;
}

static void test_worth_grows_with_acquaintance(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	/* Somebody who sits in a room is nobody yet. */
	host_meets(h, &f->mali, LOBBY);
	assert_int_equal(host_sent_count(h, NET_MSG_WORTH), 0);
	says(f, "hello");
	assert_int_equal(worth(f), CHAT_WORTH_NEW);
	says(f, "hello again");
	assert_int_equal(host_sent_count(h, NET_MSG_WORTH), 1);
	host_wait(h, CHAT_NEW_PERSON_MS);
	says(f, "good morning");
	assert_int_equal(worth(f), CHAT_WORTH_KNOWN);
	assert_int_equal(host_sent_count(h, NET_MSG_WORTH), 2);
}

/* Net forgets it with the connection. */
static void test_worth_is_told_on_each_connection(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	says(f, "from afar");
	assert_int_equal(host_sent_count(h, NET_MSG_WORTH), 0);
	host_meets(h, &f->mali, LOBBY);
	assert_int_equal(worth(f), CHAT_WORTH_NEW);
	host_gone(h, f->mali.peer);
	host_peer(h, f->mali.peer, NULL, NULL);
	assert_int_equal(host_sent_count(h, NET_MSG_WORTH), 2);
	/* It is remembered who is known. */
	h->te.env.wall_ms += 2 * CHAT_NEW_PERSON_MS;
	host_restart(h);
	assert_int_equal(host_sent_count(h, NET_MSG_WORTH), 0);
	host_meets(h, &f->mali, LOBBY);
	assert_int_equal(worth(f), CHAT_WORTH_KNOWN);
}

static void test_worth_of_the_ignored_is_none(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, LOBBY);
	says(f, "hello");
	assert_int_equal(worth(f), CHAT_WORTH_NEW);
	host_types(h, NULL, "/ignore mali");
	assert_int_equal(worth(f), 0);
	host_types(h, NULL, "/unignore mali");
	assert_int_equal(worth(f), CHAT_WORTH_NEW);
}

static void test_kept_peers_are_told_to_net(void **state)
{
	static const char *const keep[] = {"/ip4/10.0.0.9/tcp/1/p2p/X", "Y"};
	struct fixture *f = *state;
	struct host *h = &f->me;

	h->cfg.keep = keep;
	h->cfg.keep_count = 2;
	host_restart(h);
	assert_int_equal(host_sent_count(h, NET_MSG_KEEP), 2);
	assert_string_equal(host_sent(h, NET_MSG_KEEP, 0)->text, keep[0]);
	assert_string_equal(host_sent(h, NET_MSG_KEEP, 1)->text, keep[1]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_worth_grows_with_acquaintance),
		T(test_worth_is_told_on_each_connection),
		T(test_worth_of_the_ignored_is_none),
		T(test_kept_peers_are_told_to_net),
	};
	return cmocka_run_group_tests_name("chat and peers", tests, NULL, NULL);
}
