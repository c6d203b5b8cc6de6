/* Whole nodes: whom they keep, know and call, what chat says of peers, and how
 * they take leave of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "msg/peer_facts.h"
#include "net/identity/peer_record.h"
#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/swarm/swarm_internal.h"
#include "net/unit/unit.h"
#include "net/wire/pb.h"
#include "tests/unit/node_pair.h"

static void keep(struct pair *p, unsigned i, bool with_address)
{
	struct maddr whole;
	char text[MADDR_TEXT_MAX];

	(void)peer_id_text(&p->side[!i].me.id, text);
	if (with_address) {
		assert_int_equal(maddr_join_peer(&whole, &p->side[!i].addr,
					 peer_id_bytes(&p->side[!i].me.id)),
			0);
		(void)maddr_text(&whole, text);
	}
	pair_say(p, i, NET_MSG_KEEP, text);
}

/* Of node 1, which is connected. */
static void expect_whois(const struct chat_net_msg *m)
{
	const struct peer_address *a = (const void *)m->data;

	assert_int_equal(m->data_len, sizeof(*a));
	assert_string_equal(a->addr, "/ip4/10.0.0.2/tcp/4001");
	assert_string_equal(a->peer, m->peer);
	assert_string_equal(a->sources, "signed, saved");
	assert_true(a->certified);
	assert_true(a->in_use);
	assert_true(a->seen_ms_ago <= 1000 && a->ok_ms_ago <= 1000);
	assert_int_equal(a->failures, 0);
	assert_null(a->why_not);
	assert_string_equal(m->key, "Ed25519");
	assert_true(m->scored);
	assert_true(m->score >= 0 && m->score < 1);
	assert_false(m->kept);
}

static void test_node_says_whom_it_knows(void **state)
{
	struct pair *p = *state;
	const struct peer_address *a;
	const struct chat_net_msg *m;

	pair_say(p, 0, NET_MSG_WHOIS, NULL);
	pair_run(p);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_WHOIS)->number, 0);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_WHOIS)->data_len, 0);
	p->side[1].away = true;
	keep(p, 0, true);
	pair_pass(p, 10000);
	pair_say(p, 0, NET_MSG_WHOIS, NULL);
	pair_run(p);
	m = pair_last(p, 0, CHAT_MSG_WHOIS);
	assert_int_equal(m->number, 1);
	assert_int_equal(m->data_len, sizeof(*a));
	a = (const void *)m->data;
	assert_string_equal(a->sources, "typed");
	assert_false(a->certified || a->in_use);
	assert_true(a->ok_ms_ago == P2P_NEVER);
	assert_true(a->failures > 1);
	assert_int_equal(a->more, 0);
}

/* Where nobody has answered yet is shown too. */
static void test_node_says_what_was_typed(void **state)
{
	struct pair *p = *state;
	const struct peer_address *a;
	const struct chat_net_msg *m;

	p->side[1].away = true;
	pair_say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
	pair_pass(p, 10000);
	pair_say(p, 0, NET_MSG_WHOIS, NULL);
	pair_run(p);
	m = pair_last(p, 0, CHAT_MSG_WHOIS);
	assert_int_equal(m->number, 1);
	assert_int_equal(m->data_len, sizeof(*a));
	a = (const void *)m->data;
	assert_string_equal(a->addr, "/ip4/10.0.0.2/tcp/4001");
	assert_string_equal(a->peer, "");
	assert_string_equal(a->sources, "typed");
	assert_true(a->failures > 1);
	assert_true(a->retry_in_ms > 0);
}

/* Node 0 has met `whom` in an earlier run where node 1 is. */
static void met_before(struct pair *p, const struct peer_id *whom)
{
	struct net_msg *m = net_msg_new(NET_MSG_KNOWN_PEER,
		"/ip4/10.0.0.2/tcp/4001", bytes_of(NULL, 0));

	(void)peer_id_text(whom, m->peer);
	pair_command(p, 0, m);
}

static void meet_again(struct pair *p)
{
	met_before(p, &p->side[1].me.id);
	pair_pass(p, 1000);
}

static void test_node_says_who_answers_where_another_did(void **state)
{
	static const uint8_t seed[32] = {77};
	struct pair *p = *state;
	const struct chat_net_msg *m;
	struct identity was;
	char text[PEER_ID_TEXT_MAX];

	identity_from_seed(&was, seed);
	met_before(p, &was.id);
	pair_say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
	pair_pass(p, 1000);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_FOLLOWED), 1);
	m = pair_last(p, 0, CHAT_MSG_FOLLOWED);
	assert_string_equal(m->text, "/ip4/10.0.0.2/tcp/4001");
	assert_string_equal(m->peer, peer_id_text(&p->side[1].me.id, text));
	assert_string_equal(m->agent, peer_id_text(&was.id, text));
}

/* Kept, and another key is there: the person hears so, once. */
static void test_node_says_that_another_key_is_there(void **state)
{
	static const uint8_t seed[32] = {77};
	struct pair *p = *state;
	struct identity other;
	char text[PEER_ID_TEXT_MAX], keep[128];

	identity_from_seed(&other, seed);
	(void)snprintf(keep, sizeof(keep), "/ip4/10.0.0.2/tcp/4001/p2p/%s",
		peer_id_text(&other.id, text));
	pair_say(p, 0, NET_MSG_KEEP, keep);
	pair_pass(p, 120000);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_DIAL_FAILED), 1);
	assert_string_equal(pair_last(p, 0, CHAT_MSG_DIAL_FAILED)->text, keep);
	assert_non_null(strstr(
		pair_last(p, 0, CHAT_MSG_DIAL_FAILED)->agent, "another key"));
}

static void test_node_saved_peers_and_disconnect(void **state)
{
	struct pair *p = *state;
	struct net_msg *m;

	meet_again(p);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 1);
	m = net_msg_new(NET_MSG_WHOIS, NULL, bytes_of(NULL, 0));
	(void)peer_id_text(&p->side[1].me.id, m->peer);
	pair_command(p, 0, m);
	pair_run(p);
	expect_whois(pair_last(p, 0, CHAT_MSG_WHOIS));
	m = net_msg_new(NET_MSG_DISCONNECT, NULL, bytes_of(NULL, 0));
	(void)peer_id_text(&p->side[1].me.id, m->peer);
	pair_command(p, 0, m);
	pair_pass(p, 1000);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 0);
	/* Nonsense is ignored. */
	pair_say(p, 0, NET_MSG_DISCONNECT, NULL);
	pair_say(p, 0, NET_MSG_KNOWN_PEER, "/ip4/10.0.0.2/tcp/4001");
	pair_run(p);
}

/* ---- what chat thinks of peers; kept peers ---- */

static void tell_worth(struct pair *p, int worth)
{
	struct net_msg *m = net_msg_new(NET_MSG_WORTH, NULL, bytes_of(NULL, 0));

	(void)peer_id_text(&p->side[1].me.id, m->peer);
	m->worth = worth;
	pair_command(p, 0, m);
}

/* Node 1 prunes node 0 and names a third peer with its record. */
static void prune_naming(struct pair *p, uint8_t third)
{
	struct sstream *st = pair_stream(p, 1, false, PAIR_GOSSIP);
	struct peer_record r = {.seq = 1, .addr_count = 1};
	uint8_t seed[32] = {10, third};
	struct buf rpc, record;
	size_t outer, inner, peer;
	struct identity who;
	struct maddr addr;
	char text[40];

	identity_from_seed(&who, seed);
	snprintf(text, sizeof(text), "/ip4/10.0.9.%u/tcp/4001", third);
	assert_int_equal(maddr_parse_text(&addr, bytes_str(text)), 0);
	r.addrs[0] = maddr_bytes(&addr);
	buf_init(&rpc, 8192);
	buf_init(&record, ENVELOPE_BYTES_MAX);
	assert_int_equal(peer_record_seal(&who, &r, &record), 0);
	outer = pb_begin(&rpc, RPC_CONTROL);
	inner = pb_begin(&rpc, CONTROL_PRUNE);
	pb_put_bytes(&rpc, PRUNE_TOPIC, bytes_str("room"));
	peer = pb_begin(&rpc, PRUNE_PEERS);
	pb_put_bytes(&rpc, PEER_INFO_ID, peer_id_bytes(&who.id));
	pb_put_bytes(&rpc, PEER_INFO_RECORD, buf_bytes(&record));
	pb_end(&rpc, peer);
	pb_end(&rpc, inner);
	pb_end(&rpc, outer);
	assert_int_equal(serve_write_frame(p->side[1].n->serve, &p->te.env, st,
				 buf_bytes(&rpc)),
		0);
	buf_clear(&rpc);
	buf_clear(&record);
	pair_event(p, 1, NODE_EV_TICK);
	pair_pass(p, 1000);
}

static void test_node_follows_px_of_a_contact_not_of_a_stranger(void **state)
{
	struct pair *p = *state;

	pair_say(p, 0, NET_MSG_JOIN, "room");
	pair_say(p, 1, NET_MSG_JOIN, "room");
	meet_again(p);
	assert_true(gossip_in_mesh(
		p->side[0].n->gossip, bytes_str("room"), &p->side[1].me.id));
	prune_naming(p, 1);
	assert_int_equal(p->side[0].far_dials, 0);
	/* Back in the mesh, and known by now. */
	pair_pass(p, 70000);
	tell_worth(p, 20);
	assert_true(gossip_in_mesh(
		p->side[0].n->gossip, bytes_str("room"), &p->side[1].me.id));
	prune_naming(p, 2);
	assert_true(p->side[0].far_dials > 0);
}

/* A person has typed where it is, and there is nobody else. */
static void test_node_follows_px_of_whom_it_was_sent_to(void **state)
{
	struct pair *p = *state;

	pair_meet(p);
	prune_naming(p, 1);
	assert_true(p->side[0].far_dials > 0);
}

/* What keeps a peer its place reaches the swarm. */
static void test_node_tells_the_swarm_who_takes_part(void **state)
{
	struct pair *p = *state;
	const struct peer *other;

	pair_meet(p);
	other = peer_find(p->side[0].n->swarm, &p->side[1].me.id);
	assert_non_null(other);
	assert_true(other->takes_part);
	assert_false(other->judged);
	tell_worth(p, 20);
	assert_true(other->judged);
	assert_int_equal(other->worth, 20);
	assert_int_equal(other->useful_ms, 0);
	pair_publish(p, 1, 1, "hello");
	pair_pass(p, 1000);
	assert_int_not_equal(other->useful_ms, 0);
	pair_say(p, 0, NET_MSG_LEAVE, "room");
	assert_false(other->takes_part);
	pair_say(p, 0, NET_MSG_JOIN, "room");
	pair_pass(p, 1000);
	assert_true(other->takes_part);
	pair_say(p, 1, NET_MSG_LEAVE, "room");
	pair_pass(p, 1000);
	assert_false(other->takes_part);
}

static void test_node_worth_is_of_the_connection(void **state)
{
	struct pair *p = *state;
	struct gossip *g = p->side[0].n->gossip;
	const struct peer_id *peer = &p->side[1].me.id;

	tell_worth(p, 20); /* not here: nothing */
	pair_meet(p);
	assert_true(gossip_peer_score(g, peer) < 1);
	tell_worth(p, 20);
	assert_true(gossip_peer_score(g, peer) >= 20);
	/* A new stream keeps it. */
	pair_end_stream(
		p, 1, pair_stream(p, 1, true, PAIR_GOSSIP), P2P_ERR_RESET);
	pair_pass(p, 3000);
	assert_true(gossip_peer_score(g, peer) >= 20);
	pair_cut(p);
	pair_pass(p, 5000);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 1);
	assert_true(gossip_peer_score(g, peer) < 1);
}

static void test_node_kept_peers_stay_connected(void **state)
{
	struct pair *p = *state;

	keep(p, 0, true);
	keep(p, 1, false);
	pair_pass(p, 1000);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 1);
	for (unsigned i = 0; i < 3; i++) {
		pair_cut(p);
		pair_pass(p, 30000);
		assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 1);
	}
	/* Away for hours: called all the while, and there again soon. */
	pair_cut(p);
	p->side[0].away = p->side[1].away = true;
	pair_pass(p, 4 * 3600000);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 0);
	p->side[1].away = false;
	pair_forget(p);
	pair_pass(p, SWARM_REDIAL_RARELY_MS * 3 / 2);
	assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 1);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_DIAL_FAILED), 0);
}

/* An id alone: from the first call of either side on. */
static void test_node_kept_by_id_is_called_back(void **state)
{
	struct pair *p = *state;

	keep(p, 1, false);
	pair_say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
	pair_pass(p, 3000);
	p->side[1].away = true;
	pair_cut(p);
	pair_pass(p, 1);
	swarm_disconnect(p->side[0].n->swarm, &p->te.env, &p->side[1].me.id);
	p->side[1].away = false;
	pair_forget(p);
	pair_pass(p, 30000);
	assert_int_equal(pair_last(p, 1, CHAT_MSG_PEER)->state, 1);
	assert_true(pair_last(p, 1, CHAT_MSG_PEER)->outbound);
}

static void test_node_kept_peers_talk_beside_the_mesh(void **state)
{
	struct pair *p = *state;
	struct node *n = p->side[0].n;

	keep(p, 0, false);
	keep(p, 1, false);
	pair_meet(p);
	pair_pass(p, 60000);
	assert_int_equal(gossip_mesh_size(n->gossip, bytes_str("room")), 0);
	assert_true(gossip_is_direct(n->gossip, &p->side[1].me.id));
	pair_publish(p, 0, 1, "to a friend");
	pair_publish(p, 1, 2, "and back");
	pair_run(p);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_UNIT), 1);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_UNIT), 1);
	assert_int_equal(gossip_counters(n->gossip)->behaviour, 0);
}

static void test_node_keep_says_why_not(void **state)
{
	static const char *const bad[] = {"", "/", "x", "10.0.0.2:4001",
		"/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001/p2p/12D3",
		"/p2p/12D3KooWHdiAxVd8uMQR1hGWXccidmfCwLqcMpGwR6QcTP6QRMuD"};
	struct pair *p = *state;

	for (unsigned i = 0; i < P2P_ARRAY_LEN(bad); i++) {
		pair_forget(p);
		pair_say(p, 0, NET_MSG_KEEP, bad[i]);
		pair_run(p);
		assert_int_equal(pair_told(p, 0, CHAT_MSG_DIAL_FAILED), 1);
	}
}

static void test_node_connect_takes_many_forms(void **state)
{
	static const char *const good[] = {"10.0.0.2:4001",
		"/ip4/10.0.0.2/tcp/4001", "/ip4/10.0.0.2/tcp/4001/",
		"/ip4/10.0.0.2/tcp/4001//"};

	for (size_t i = 0; i < P2P_ARRAY_LEN(good); i++) {
		struct pair *p = *state;

		pair_say(p, 0, NET_MSG_CONNECT, good[i]);
		pair_pass(p, 1000);
		assert_int_equal(pair_told(p, 0, CHAT_MSG_DIAL_FAILED), 0);
		assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 1);
		(void)pair_end(state);
		(void)pair_begin(state);
	}
}

static void test_node_connect_says_why_not(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "neither"},
		{"/", "neither"},
		{"host", "neither"},
		{":4001", "neither"},
		{"host:", "neither"},
		{"host:99999", "neither"},
		{"a/b:1", "neither"},
		{"[]:1", "neither"},
		{"/ip6/fe80::1/tcp/1", "the interface is missing"},
		{"[fe80::1]:4001", "the interface is missing"},
		{"10.0.0.2%eth0:4001", "neither"},
		{"box%eth0:4001", "neither"},
		{"/ip4/1.2.3/tcp/1", "neither"},
		{"/ip4/10.0.0.2/udp/1/quic-v1", "QUIC is not spoken yet"},
		{"/ip4/10.0.0.2/tcp/1/p2p-circuit", "not dialled yet"},
		{"/ip4/10.0.0.2", "no transport"},
		{"10.0.0.9:1", "refused"},
		{"[2001:db8::1]:1", "refused"},
		{"example.org:1", "refused"},
		{"10.0.0.1:4001", ""},
	};
	struct pair *p = *state;

	for (size_t i = 0; i < P2P_ARRAY_LEN(bad); i++) {
		pair_forget(p);
		pair_say(p, 0, NET_MSG_CONNECT, bad[i].text);
		pair_run(p);
		assert_int_equal(pair_told(p, 0, CHAT_MSG_DIAL_FAILED), 1);
		assert_string_equal(pair_last(p, 0, CHAT_MSG_DIAL_FAILED)->text,
			bad[i].text);
		assert_non_null(
			strstr(pair_last(p, 0, CHAT_MSG_DIAL_FAILED)->agent,
				bad[i].why));
	}
}

static void test_node_connect_names_are_bounded(void **state)
{
	struct pair *p = *state;
	char text[700];

	memset(text, 'a', sizeof(text));
	memcpy(text + 600, ":1", 3);
	pair_say(p, 0, NET_MSG_CONNECT, text);
	pair_run(p);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_DIAL_FAILED), 1);
	/* At most 32 at once: the actions are not served meanwhile. */
	for (unsigned i = 0; i < 40; i++)
		pair_say(p, 0, NET_MSG_CONNECT, "10.0.0.9:1");
	pair_run(p);
	assert_int_equal(pair_told(p, 0, CHAT_MSG_DIAL_FAILED), 41);
}

/* A dial that succeeds is no longer under way. */
static void test_node_connects_without_end(void **state)
{
	struct pair *p = *state;
	struct net_msg *m;

	for (unsigned i = 0; i < NODE_REQUESTS_MAX + 1; i++) {
		pair_say(p, 0, NET_MSG_CONNECT, "10.0.0.2:4001");
		pair_pass(p, 1000);
		assert_int_equal(pair_told(p, 0, CHAT_MSG_DIAL_FAILED), 0);
		assert_int_equal(pair_last(p, 0, CHAT_MSG_PEER)->state, 1);
		m = net_msg_new(NET_MSG_DISCONNECT, NULL, bytes_of(NULL, 0));
		(void)peer_id_text(&p->side[1].me.id, m->peer);
		pair_command(p, 0, m);
		pair_pass(p, 1000);
	}
}

static void test_node_quit_says_goodbye_and_stops(void **state)
{
	struct pair *p = *state;

	pair_meet(p);
	pair_say(p, 0, NET_MSG_LEAVE, "room");
	pair_say(p, 0, NET_MSG_QUIT, NULL);
	pair_run(p);
	assert_true(p->side[0].stopped);
	assert_int_equal(pair_last(p, 1, CHAT_MSG_PEER)->state, 0);
	assert_true(node_deadline(p->side[0].n) > p->te.env.now_ms);
}

/* Who has not read when a connection ends may never read it: go-yamux. */
static void test_node_quit_leaves_time_to_read_what_was_said(void **state)
{
	struct pair *p = *state;

	pair_meet(p);
	pair_publish(p, 0, 1, "good night");
	pair_say(p, 0, NET_MSG_QUIT, NULL);
	pair_run(p);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_UNIT), 1);
	assert_int_equal(node_deadline(p->side[0].n),
		p->te.env.now_ms + NODE_LAST_WORDS_MS);
	pair_pass(p, NODE_LAST_WORDS_MS - 1);
	assert_int_equal(pair_told(p, 1, CHAT_MSG_PEER), 0);
	assert_false(p->side[0].stopped);
	pair_pass(p, 1);
	assert_int_equal(pair_last(p, 1, CHAT_MSG_PEER)->state, 0);
	assert_true(p->side[0].stopped);
}

static void test_node_quit_stops_though_nobody_reads(void **state)
{
	struct pair *p = *state;

	pair_meet(p);
	p->side[1].paused = true;
	pair_say(p, 0, NET_MSG_QUIT, NULL);
	pair_pass(p, NODE_STOP_MS + 1);
	assert_true(p->side[0].stopped);
}

static void test_node_quit_alone_stops_at_once(void **state)
{
	struct pair *p = *state;

	pair_say(p, 0, NET_MSG_QUIT, NULL);
	pair_run(p);
	assert_true(p->side[0].stopped);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, pair_begin, pair_end)
	const struct CMUnitTest tests[] = {
		T(test_node_says_whom_it_knows),
		T(test_node_saved_peers_and_disconnect),
		T(test_node_follows_px_of_a_contact_not_of_a_stranger),
		T(test_node_follows_px_of_whom_it_was_sent_to),
		T(test_node_tells_the_swarm_who_takes_part),
		T(test_node_worth_is_of_the_connection),
		T(test_node_kept_peers_stay_connected),
		T(test_node_kept_by_id_is_called_back),
		T(test_node_kept_peers_talk_beside_the_mesh),
		T(test_node_keep_says_why_not),
		T(test_node_says_what_was_typed),
		T(test_node_says_who_answers_where_another_did),
		T(test_node_says_that_another_key_is_there),
		T(test_node_connect_takes_many_forms),
		T(test_node_connect_says_why_not),
		T(test_node_connect_names_are_bounded),
		T(test_node_connects_without_end),
		T(test_node_quit_says_goodbye_and_stops),
		T(test_node_quit_leaves_time_to_read_what_was_said),
		T(test_node_quit_stops_though_nobody_reads),
		T(test_node_quit_alone_stops_at_once),
	};
	return cmocka_run_group_tests_name("node and peers", tests, NULL, NULL);
}
