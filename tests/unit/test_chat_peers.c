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
	assert_int_equal(worth(f), 0);
	assert_int_equal(host_sent_count(h, NET_MSG_WORTH), 1);
	says(f, "hello");
	assert_int_equal(worth(f), CHAT_WORTH_NEW);
	says(f, "hello again");
	assert_int_equal(host_sent_count(h, NET_MSG_WORTH), 2);
	host_wait(h, CHAT_NEW_PERSON_MS);
	says(f, "good morning");
	assert_int_equal(worth(f), CHAT_WORTH_KNOWN);
	assert_int_equal(host_sent_count(h, NET_MSG_WORTH), 3);
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

/* ---- /whois and /peers -------------------------------------------------- */

/* Net answers about mali, or (NULL) about all that are not connected. */
static void net_answers(struct fixture *f, const char *peer)
{
	struct peer_address a = {.addr = "/dns4/\x1b[2Jbox/tcp/4001",
		.sources = "LAN, signed",
		.certified = true,
		.seen_ms_ago = 5000,
		.ok_ms_ago = 180000,
		.failures = 2,
		.retry_in_ms = 7000,
		.more = peer == NULL ? 3 : 0};
	struct chat_net_msg *m;

	snprintf(a.peer, sizeof(a.peer), "%s", f->mali.peer);
	m = chat_net_msg_new(CHAT_MSG_WHOIS, NULL, bytes_of(&a, sizeof(a)));
	if (peer != NULL) {
		snprintf(m->peer, sizeof(m->peer), "%s", peer);
		m->key = "Ed25519";
		m->scored = m->kept = true;
		m->score = -12.5;
	}
	m->number = 40;
	chat_handle(f->me.chat, &f->me.te.env, &m->msg);
	host_turn(&f->me);
}

static void test_whois_joins_what_net_and_chat_know(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	const struct ui_person *p;
	struct chat_net_msg *rtt;
	struct ui_msg *m;

	host_meets(h, &f->mali, LOBBY);
	says(f, "hello");
	rtt = chat_net_msg_new(CHAT_MSG_RTT, NULL, bytes_of(NULL, 0));
	snprintf(rtt->peer, sizeof(rtt->peer), "%s", f->mali.peer);
	rtt->number = 412;
	chat_handle(h->chat, &h->te.env, &rtt->msg);
	host_types(h, NULL, "/whois mali");
	assert_string_equal(host_sent(h, NET_MSG_WHOIS, 0)->peer, f->mali.peer);
	assert_null(host_said(h, UI_MSG_WHOIS, 0));
	net_answers(f, f->mali.peer);
	m = host_said(h, UI_MSG_WHOIS, 0);
	p = &m->person;
	assert_string_equal(p->peer, f->mali.peer);
	assert_string_equal(p->name, "mali");
	assert_true(p->connected);
	assert_int_equal(p->rtt_us, 412);
	assert_non_null(strstr(m->text, ", 0.4 ms"));
	assert_string_equal(p->rooms, LOBBY);
	assert_true(p->first_seen_ms == h->te.env.wall_ms);
	assert_string_equal(p->key, "Ed25519");
	assert_true(p->kept);
	assert_true(p->score < -12.4 && p->score > -12.6);
	assert_int_equal(m->address_count, 1);
	assert_true(m->addresses[0].certified);
	/* Others' words are clean before a face sees them. */
	assert_null(strchr(m->addresses[0].addr, '\x1b'));
	assert_null(strchr(m->text, '\x1b'));
	assert_non_null(strstr(m->text, "mali~"));
	assert_non_null(strstr(m->text, "kept       yes"));
	assert_non_null(strstr(m->text, "score      -12.5"));
	assert_non_null(strstr(m->text,
		"LAN, signed; worked 3 min ago; failed 2 times, rests 7 s"));
}

static void test_whois_of_a_key_that_never_spoke(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct ui_msg *m;

	host_types(h, NULL, "/whois nobody");
	assert_non_null(host_text(h, UI_MSG_ERROR, "Nobody here"));
	host_types(h, NULL,
		"/whois "
		"12D3KooWHdiAxVd8uMQR1hGWXccidmfCwLqcMpGwR6QcTP6QRM"
		"uD");
	net_answers(f, host_sent(h, NET_MSG_WHOIS, 0)->peer);
	m = host_said(h, UI_MSG_WHOIS, 0);
	assert_int_equal(m->person.first_seen_ms, 0);
	assert_string_equal(m->person.name, "");
	assert_non_null(strstr(m->text, "12D3KooWHdiAxVd8uMQR1hGWXcc"));
}

static void test_peers_shows_who_is_there_and_who_is_known(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct author tom;
	struct ui_msg *m;

	host_types(h, NULL, "/peers");
	net_answers(f, NULL);
	m = host_said(h, UI_MSG_PEERS, 0);
	assert_int_equal(m->people_count, 0);
	assert_non_null(strstr(m->text, "Nobody is connected."));
	assert_non_null(strstr(m->text, "Known and not connected: 40"));
	assert_non_null(strstr(m->text, "(no name yet)"));
	assert_non_null(strstr(m->text, "(3 more)"));
	assert_int_equal(m->known, 40);
	assert_int_equal(m->addresses[0].more, 3);
	author_init(&tom, 2, "tom");
	host_meets(h, &tom, LOBBY);
	says(f, "from afar");
	host_types(h, NULL, "/peers");
	host_forget(h);
	net_answers(f, NULL);
	m = host_said(h, UI_MSG_PEERS, 0);
	assert_int_equal(m->people_count, 1);
	assert_string_equal(m->people[0].peer, tom.peer);
	assert_string_equal(m->people[0].rooms, LOBBY);
	assert_non_null(strstr(m->text, tom.peer));
	assert_non_null(strstr(m->text, "?mali~"));
}

/* The key is a claim that was proven, the address may be anybody's words. */
static void test_peers_a_new_key_at_a_typed_address_is_said(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct chat_net_msg *m = chat_net_msg_new(CHAT_MSG_FOLLOWED,
		"/dns4/box\x1b[2J/tcp/4001", bytes_of(NULL, 0));
	struct ui_msg *said;

	snprintf(m->peer, sizeof(m->peer), "%s", f->mali.peer);
	m->agent = strdup("12D3KooWHdiAxVd8uMQR1hGWXccidmfCwLqcMpGwR6QcTP6Q");
	chat_handle(h->chat, &h->te.env, &m->msg);
	host_turn(h);
	said = host_text(h, UI_MSG_NOTICE, "Another key answers");
	assert_non_null(said);
	assert_non_null(strstr(said->text, f->mali.peer));
	assert_non_null(strstr(said->text, "It was 12D3KooWHdiAxVd8"));
	assert_null(strchr(said->text, '\x1b'));
}

/* A typed address where nobody has answered has no key. */
static void test_peers_shows_what_was_typed(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct peer_address a = {.sources = "typed",
		.addr = "/ip4/10.0.0.9/tcp/1",
		.seen_ms_ago = P2P_NEVER,
		.ok_ms_ago = P2P_NEVER,
		.failures = 3,
		.retry_in_ms = 9000,
		.why_not = "another key answers there now"};
	struct chat_net_msg *m =
		chat_net_msg_new(CHAT_MSG_WHOIS, NULL, bytes_of(&a, sizeof(a)));
	struct ui_msg *said;

	m->number = 1;
	chat_handle(h->chat, &h->te.env, &m->msg);
	host_turn(h);
	said = host_said(h, UI_MSG_PEERS, 0);
	assert_non_null(strstr(said->text,
		"/ip4/10.0.0.9/tcp/1  typed; another key answers there now, "
		"rests 9 s"));
	assert_non_null(strstr(said->text, "any key"));
}

static void net_says_unreached(struct host *h, uint64_t count)
{
	struct chat_net_msg *m =
		chat_net_msg_new(CHAT_MSG_UNREACHED, NULL, bytes_of(NULL, 0));

	m->number = count;
	chat_handle(h->chat, &h->te.env, &m->msg);
	host_turn(h);
}

/* The number as long as it is right, what to do about it once. */
static void test_peers_behind_firewalls_are_said_to_be(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct ui_msg *said;
	struct chat_net_msg *ready = chat_net_msg_new(CHAT_MSG_NET_READY,
		"/ip4/10.0.0.1/tcp/4001\n/ip6/fd00::1/tcp/4002",
		bytes_of(NULL, 0));

	chat_handle(h->chat, &h->te.env, &ready->msg);
	net_says_unreached(h, 2);
	said = host_text(h, UI_MSG_STATUS, "mDNS sees 2 programs");
	assert_non_null(said);
	assert_int_equal(said->item, CHAT_STATUS_PEOPLE);
	assert_int_equal(said->status, CHAT_STATE_FAILED);
	said = host_text(h, UI_MSG_NOTICE, "firewall");
	assert_non_null(said);
	assert_non_null(strstr(said->text, "TCP port 4001 "));
	host_forget(h);
	net_says_unreached(h, 1);
	assert_non_null(
		host_text(h, UI_MSG_STATUS, "mDNS sees 1 program, it cannot"));
	assert_null(host_text(h, UI_MSG_NOTICE, "firewall"));
	net_says_unreached(h, 0);
	assert_non_null(host_text(h, UI_MSG_STATUS, "nobody yet: looking"));
	/* With somebody to talk to it is not the first thing to say. */
	host_meets(h, &f->mali, LOBBY);
	host_forget(h);
	net_says_unreached(h, 3);
	assert_null(host_text(h, UI_MSG_STATUS, "mDNS sees"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_worth_grows_with_acquaintance),
		STORY(test_worth_is_told_on_each_connection),
		STORY(test_worth_of_the_ignored_is_none),
		STORY(test_kept_peers_are_told_to_net),
		STORY(test_whois_joins_what_net_and_chat_know),
		STORY(test_whois_of_a_key_that_never_spoke),
		STORY(test_peers_shows_who_is_there_and_who_is_known),
		STORY(test_peers_a_new_key_at_a_typed_address_is_said),
		STORY(test_peers_shows_what_was_typed),
		STORY(test_peers_behind_firewalls_are_said_to_be),
	};
	return cmocka_run_group_tests_name("chat and peers", tests, NULL, NULL);
}
