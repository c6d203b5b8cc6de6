/*
 * Stories of profiles: who is told what one calls oneself, what of others is
 * believed, and what those who mean harm get out of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "net/wire/profile_pb.h"
#include "store/store_internal.h"
#include "tests/unit/chat_host.h"

#define PROFILE "/p2pchat/profile/1.0.0"
#define NEAR "/ip4/192.168.1.20/tcp/4001"
#define FAR "/ip4/93.184.216.34/tcp/4001"

/* ---- what net says ------------------------------------------------------ */

static struct msg *peer_msg(const char *peer, const char *addr, bool ours)
{
	struct chat_net_msg *m =
		chat_net_msg_new(CHAT_MSG_PEER, addr, bytes_of(NULL, 0));

	snprintf(m->peer, sizeof(m->peer), "%s", peer);
	m->state = 1;
	m->protocols = xstrdup(ours ? "/ipfs/id/1.0.0\n" PROFILE
				    : "/ipfs/id/1.0.0\n" PROFILE "1");
	return &m->msg;
}

static void give(struct host *h, struct msg *m)
{
	chat_handle(h->chat, &h->te.env, m);
	host_turn(h);
}

/* Somebody with this program, at that address. */
static void meets(struct host *h, const char *peer, const char *addr)
{
	give(h, peer_msg(peer, addr, true));
}

static struct msg *pipe_msg(enum chat_msg_kind kind, const char *peer,
	uint64_t pipe, struct bytes data)
{
	struct chat_net_msg *m = chat_net_msg_new(kind, PROFILE, data);

	snprintf(m->peer, sizeof(m->peer), "%s", peer);
	m->pipe = pipe;
	return &m->msg;
}

/* The peer has opened a pipe and sent that; then it says no more. */
static void frames(
	struct host *h, const char *peer, uint64_t pipe, struct bytes frame)
{
	give(h, pipe_msg(CHAT_MSG_PIPE_UP, peer, pipe, bytes_of(NULL, 0)));
	give(h, pipe_msg(CHAT_MSG_PIPE_FRAME, peer, pipe, frame));
	give(h, pipe_msg(CHAT_MSG_PIPE_END, peer, pipe, bytes_of(NULL, 0)));
	give(h, pipe_msg(CHAT_MSG_PIPE_GONE, peer, pipe, bytes_of(NULL, 0)));
}

static void frame_of(struct bytes name, struct buf *out)
{
	struct profile_pb p = {.name = name};

	buf_init(out, 2 * (size_t)PROFILE_PB_BYTES_MAX);
	profile_pb_write(&p, out);
	assert_false(out->failed);
}

/* The peer says that it is called so. */
static void says_bytes(struct host *h, const char *peer, struct bytes name)
{
	static uint64_t pipe = 1;
	struct buf frame;

	frame_of(name, &frame);
	frames(h, peer, pipe++, buf_bytes(&frame));
	buf_clear(&frame);
}

static void is_called(struct host *h, const char *peer, const char *name)
{
	says_bytes(h, peer, bytes_str(name));
}

/* Our nth giving ends; err 0: it was taken. */
static void gone(struct host *h, size_t nth, int err)
{
	struct net_msg *open = host_sent(h, NET_MSG_PIPE_OPEN, nth);
	struct msg *m;

	assert_non_null(open);
	m = pipe_msg(
		CHAT_MSG_PIPE_GONE, open->peer, open->pipe, bytes_of(NULL, 0));
	chat_net_msg_of(m)->state = err;
	give(h, m);
}

/* ---- what is seen ------------------------------------------------------- */

static size_t given(struct host *h)
{
	return host_sent_count(h, NET_MSG_PIPE_OPEN);
}

/* The name in our nth frame. */
static void assert_gives(struct host *h, size_t nth, const char *name)
{
	struct net_msg *m = host_sent(h, NET_MSG_PIPE_FRAME, nth);
	struct profile_pb p;

	assert_non_null(m);
	assert_int_equal(
		profile_pb_read(&p, bytes_of(m->data, m->data_len)), 0);
	assert_true(bytes_equal(p.name, bytes_str(name)));
}

/* What the ui was told last of that person, or NULL. */
static const struct ui_person *seen(struct host *h, const char *peer)
{
	const struct ui_person *found = NULL;
	struct ui_msg *m;

	for (size_t n = 0; (m = host_said(h, UI_MSG_PERSON, n)) != NULL; n++)
		if (strcmp(m->person.peer, peer) == 0)
			found = &m->person;
	return found;
}

static void assert_seen(struct host *h, const char *peer, const char *name)
{
	assert_non_null(seen(h, peer));
	assert_string_equal(seen(h, peer)->name, name);
}

static bool is_stored(struct host *h, const char *peer)
{
	struct store_person row;

	return store_find_person(h->store, peer, &row) == 0;
}

/* Of the pipes that others have opened. */
static size_t refused(struct host *h)
{
	struct net_msg *m;
	size_t count = 0;

	for (size_t n = 0; (m = host_sent(h, NET_MSG_PIPE_RESET, n)) != NULL;
		n++)
		count += m->pipe < MSG_PIPE_OURS;
	return count;
}

/* ---- giving ------------------------------------------------------------- */

static void test_profile_is_given_to_whom_we_meet(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct net_msg *open, *frame, *close;

	meets(h, f->mali.peer, NEAR);
	open = host_sent(h, NET_MSG_PIPE_OPEN, 0);
	frame = host_sent(h, NET_MSG_PIPE_FRAME, 0);
	close = host_sent(h, NET_MSG_PIPE_CLOSE, 0);
	assert_string_equal(open->peer, f->mali.peer);
	assert_string_equal(open->text, PROFILE);
	assert_true(open->pipe >= MSG_PIPE_OURS);
	assert_true(open->pipe == frame->pipe && open->pipe == close->pipe);
	assert_gives(h, 0, "ann");
	/* What identify tells later is no second meeting. */
	gone(h, 0, 0);
	meets(h, f->mali.peer, NEAR);
	host_wait(h, 100000);
	assert_int_equal(given(h), 1);
	/* The next connection is. */
	host_gone(h, f->mali.peer);
	meets(h, f->mali.peer, NEAR);
	assert_int_equal(given(h), 2);
	assert_true(host_sent(h, NET_MSG_PIPE_OPEN, 1)->pipe != open->pipe);
}

static void test_profile_is_not_given_to_other_programs(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	give(h, peer_msg(f->mali.peer, NEAR, false));
	host_topic(h, f->mali.peer, LOBBY, true);
	host_types(h, NULL, "/name anna");
	host_wait(h, 100000);
	assert_int_equal(given(h), 0);
	/* Identify was late. */
	meets(h, f->mali.peer, NEAR);
	assert_int_equal(given(h), 1);
}

/* What a pipe of another protocol says is none of this. */
static void test_profile_is_one_protocol_of_many(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct buf frame;
	struct msg *m;

	frame_of(bytes_str("mali"), &frame);
	meets(h, f->mali.peer, NEAR);
	host_forget(h);
	m = pipe_msg(CHAT_MSG_PIPE_FRAME, f->mali.peer, 5, buf_bytes(&frame));
	chat_net_msg_of(m)->text[1] = 'q';
	give(h, m);
	assert_int_equal(h->net_count + h->ui_count, 0);
	buf_clear(&frame);
}

static void test_profile_is_not_given_to_strangers_far_away(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	meets(h, f->mali.peer, FAR);
	host_topic(h, f->mali.peer, "kitchen", true);
	host_types(h, NULL, "/name anna");
	host_wait(h, 100000);
	assert_int_equal(given(h), 0);
}

static void test_profile_is_given_to_whom_a_room_is_shared_with(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	meets(h, f->mali.peer, FAR);
	meets(h, f->tom.peer, FAR);
	/* They come into ours... */
	host_topic(h, f->mali.peer, LOBBY, true);
	assert_int_equal(given(h), 1);
	assert_string_equal(
		host_sent(h, NET_MSG_PIPE_OPEN, 0)->peer, f->mali.peer);
	/* ...or we into theirs. */
	host_topic(h, f->tom.peer, "kitchen", true);
	assert_int_equal(given(h), 1);
	host_types(h, NULL, "/join kitchen");
	assert_int_equal(given(h), 2);
	assert_string_equal(
		host_sent(h, NET_MSG_PIPE_OPEN, 1)->peer, f->tom.peer);
	/* Who is in no room of ours any more hears of no new name. */
	gone(h, 0, 0);
	gone(h, 1, 0);
	host_types(h, "kitchen", "/part");
	host_types(h, NULL, "/name anna");
	assert_int_equal(given(h), 3);
	assert_string_equal(
		host_sent(h, NET_MSG_PIPE_OPEN, 2)->peer, f->mali.peer);
	assert_gives(h, 2, "anna");
}

static void test_profile_of_a_relayed_peer_is_not_near(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct msg *m = peer_msg(f->mali.peer, NEAR, true);
	char *by_relay;

	chat_net_msg_of(m)->relayed = true;
	give(h, m);
	assert_int_equal(given(h), 0);
	/* Nor is one whose relay is. */
	by_relay = xasprintf(NEAR "/p2p/%s/p2p-circuit", f->tom.peer);
	meets(h, f->mali.peer, by_relay);
	free(by_relay);
	assert_int_equal(given(h), 0);
	/* Then a direct connection of the LAN takes its place. */
	meets(h, f->mali.peer, "/ip6/fe80::1/tcp/4001");
	assert_int_equal(given(h), 1);
}

static void test_profile_is_given_anew_when_it_changes(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	meets(h, f->mali.peer, NEAR);
	/* While one is under way the next waits: it cannot be overtaken. */
	host_types(h, NULL, "/name anna");
	host_types(h, NULL, "/name annika");
	assert_int_equal(given(h), 1);
	gone(h, 0, 0);
	assert_int_equal(given(h), 2);
	assert_gives(h, 1, "annika");
	gone(h, 1, 0);
	assert_int_equal(given(h), 2);
	host_types(h, NULL, "/name annika");
	assert_int_equal(given(h), 2);
	host_types(h, NULL, "/name ann");
	assert_int_equal(given(h), 3);
	assert_gives(h, 2, "ann");
}

/* The peer has another connection. */
static void meets_once_more(struct host *h, const char *peer, uint64_t conn)
{
	struct msg *m = peer_msg(peer, NEAR, true);

	chat_net_msg_of(m)->number = conn;
	give(h, m);
}

/* It may be a program that has started again and knows nobody. */
static void test_profile_is_given_again_on_another_connection(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	meets(h, f->mali.peer, NEAR);
	gone(h, 0, 0);
	meets_once_more(h, f->mali.peer, 0);
	assert_int_equal(given(h), 1);
	meets_once_more(h, f->mali.peer, 1);
	assert_int_equal(given(h), 2);
	/* The one under way may be for the connection before. */
	meets_once_more(h, f->mali.peer, 2);
	gone(h, 1, 0);
	assert_int_equal(given(h), 3);
	gone(h, 2, 0);
	assert_int_equal(given(h), 3);
}

static void test_profile_is_given_again_after_a_failure(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	uint64_t wait_ms = CHAT_PROFILE_RETRY_MS;

	meets(h, f->mali.peer, NEAR);
	for (size_t i = 0; i < 8; i++) {
		gone(h, i, P2P_ERR_RESET);
		host_wait(h, wait_ms - 1);
		assert_int_equal(given(h), i + 1);
		assert_true(chat_deadline(h->chat) == h->te.env.now_ms + 1);
		host_wait(h, 1);
		assert_int_equal(given(h), i + 2);
		wait_ms = P2P_MIN(2 * wait_ms, CHAT_PROFILE_RETRY_MAX_MS);
	}
	/* What is past is forgotten with a success. */
	gone(h, 8, 0);
	host_types(h, NULL, "/name anna");
	gone(h, 9, P2P_ERR_RESET);
	host_wait(h, CHAT_PROFILE_RETRY_MS);
	assert_int_equal(given(h), 11);
	/* It does not speak it after all. */
	gone(h, 10, P2P_ERR_NO_PROTOCOL);
	host_wait(h, 10 * CHAT_PROFILE_RETRY_MAX_MS);
	assert_int_equal(given(h), 11);
}

static void test_profile_without_an_answer_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	meets(h, f->mali.peer, NEAR);
	host_wait(h, CHAT_PROFILE_WAIT_MS - 1);
	assert_null(host_sent(h, NET_MSG_PIPE_RESET, 0));
	host_wait(h, 1);
	assert_true(host_sent(h, NET_MSG_PIPE_RESET, 0)->pipe ==
		    host_sent(h, NET_MSG_PIPE_OPEN, 0)->pipe);
	host_wait(h, CHAT_PROFILE_RETRY_MS);
	assert_int_equal(given(h), 2);
	/* The first one's end, which crossed the reset, is not the second's. */
	gone(h, 0, 0);
	host_types(h, NULL, "/name anna");
	assert_int_equal(given(h), 2);
	gone(h, 1, 0);
	assert_int_equal(given(h), 3);
}

static void many_key(uint8_t i, char peer[static PEER_ID_TEXT_MAX])
{
	struct author a;

	author_init(&a, (uint8_t)(10 + i), "x");
	snprintf(peer, PEER_ID_TEXT_MAX, "%s", a.peer);
}

static void test_profile_is_given_to_so_many_at_once(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char peer[PEER_ID_TEXT_MAX];
	enum { ALL = CHAT_PROFILES_OUT_MAX + 10 };

	for (uint8_t i = 0; i < ALL; i++) {
		many_key(i, peer);
		meets(h, peer, NEAR);
	}
	assert_int_equal(given(h), CHAT_PROFILES_OUT_MAX);
	/* Nothing to wake up for but the first one's time. */
	assert_true(chat_deadline(h->chat) > h->te.env.now_ms);
	gone(h, 0, 0);
	gone(h, 1, P2P_ERR_RESET);
	assert_int_equal(given(h), CHAT_PROFILES_OUT_MAX + 2);
	/* Whoever leaves makes room as well. */
	for (uint8_t i = 2; i < 10; i++) {
		many_key(i, peer);
		host_gone(h, peer);
	}
	assert_int_equal(given(h), ALL);
}

/* ---- hearing ------------------------------------------------------------ */

static void test_profile_names_who_is_silent(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct net_msg *took, *closed;

	meets(h, f->mali.peer, NEAR);
	assert_seen(h, f->mali.peer, "");
	host_forget(h);
	is_called(h, f->mali.peer, "mali");
	assert_seen(h, f->mali.peer, "mali");
	assert_int_equal(seen(h, f->mali.peer)->name_mark, '?');
	assert_true(seen(h, f->mali.peer)->renamed);
	assert_false(seen(h, f->mali.peer)->announce);
	/* The pipe is let go. */
	took = host_sent(h, NET_MSG_PIPE_TOOK, 0);
	closed = host_sent(h, NET_MSG_PIPE_CLOSE, 0);
	assert_true(took != NULL && took->count == 6);
	assert_true(closed != NULL && closed->pipe == took->pipe);
	assert_int_equal(host_sent_count(h, NET_MSG_PIPE_CLOSE), 1);
	host_types(h, NULL, "/whois MALI");
	assert_string_equal(host_sent(h, NET_MSG_WHOIS, 0)->peer, f->mali.peer);
	/* Nothing of strangers is kept on the disk. */
	assert_false(is_stored(h, f->mali.peer));
	author_says_native(&f->mali, h, "hi", h->te.env.wall_ms);
	assert_true(is_stored(h, f->mali.peer));
}

static void test_profile_of_who_has_spoken_is_kept(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct store_person row;

	author_says_native(&f->mali, h, "hi", h->te.env.wall_ms);
	meets(h, f->mali.peer, NEAR);
	is_called(h, f->mali.peer, "malinee");
	assert_int_equal(store_find_person(h->store, f->mali.peer, &row), 0);
	assert_string_equal(row.name, "malinee");
	/* It is told with the next connection's first word. */
	host_restart(h);
	meets(h, f->mali.peer, NEAR);
	assert_seen(h, f->mali.peer, "malinee");
	assert_true(seen(h, f->mali.peer)->announce);
	assert_false(seen(h, f->mali.peer)->renamed);
}

static void test_profile_is_above_names_in_lines(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	uint64_t now = h->te.env.wall_ms;

	meets(h, f->mali.peer, NEAR);
	host_topic(h, f->mali.peer, LOBBY, true);
	is_called(h, f->mali.peer, "malinee");
	host_forget(h);
	/* A line that had waited, said under the name of yesterday. */
	author_says_native(&f->mali, h, "late", now - 80000000);
	assert_string_equal(host_line(h, "late")->line.name, "malinee");
	host_types(h, NULL, "/whois malinee");
	host_types(h, NULL, "/history");
	host_page(h, LOBBY, 10);
	assert_string_equal(host_line(h, "late")->line.name, "mali");
	assert_int_equal(host_sent_count(h, NET_MSG_WHOIS), 1);
	host_types(h, NULL, "/whois mali");
	assert_int_equal(host_sent_count(h, NET_MSG_WHOIS), 1);
	/* When she is gone she keeps it, until a line says otherwise. */
	host_gone(h, f->mali.peer);
	assert_seen(h, f->mali.peer, "malinee");
	host_types(h, NULL, "/whois malinee");
	assert_int_equal(host_sent_count(h, NET_MSG_WHOIS), 2);
	author_says_native(&f->mali, h, "by others", now);
	assert_seen(h, f->mali.peer, "mali");
}

static void test_profile_names_lines_that_name_nobody(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	f->mali.name = "";
	meets(h, f->mali.peer, NEAR);
	is_called(h, f->mali.peer, "mali");
	author_says_native(&f->mali, h, "hello", h->te.env.wall_ms);
	assert_string_equal(host_line(h, "hello")->line.name, "mali");
	assert_true(host_line(h, "hello")->line.tag[0] != '\0');
}

static void test_profile_takes_no_name_from_who_had_it(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	meets(h, f->mali.peer, NEAR);
	is_called(h, f->mali.peer, "mali");
	host_wait(h, 1000);
	meets(h, f->eve.peer, NEAR);
	is_called(h, f->eve.peer, "Mali");
	assert_int_equal(seen(h, f->eve.peer)->name_mark, '!');
	assert_int_equal(seen(h, f->mali.peer)->name_mark, '?');
	host_types(h, NULL, "/whois mali");
	assert_string_equal(
		host_said(h, UI_MSG_ERROR, 0)->code, "ambiguous-person");
	/* Our own name is nobody else's. */
	host_wait(h, CHAT_PROFILE_PACE_MS);
	is_called(h, f->eve.peer, "ann");
	assert_int_equal(seen(h, f->eve.peer)->name_mark, '!');
}

/* ---- pace --------------------------------------------------------------- */

static void test_profile_changes_are_believed_at_a_pace(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char name[16];
	size_t changes = 0;

	meets(h, f->eve.peer, NEAR);
	gone(h, 0, 0);
	/* The first name, and the first change of it, at once. */
	is_called(h, f->eve.peer, "eve");
	is_called(h, f->eve.peer, "eva");
	assert_seen(h, f->eve.peer, "eva");
	host_forget(h);
	for (int i = 0; i < 55; i++) {
		snprintf(name, sizeof(name), "eve%d", i);
		is_called(h, f->eve.peer, name);
		host_wait(h, 1000);
	}
	for (size_t n = 0; host_said(h, UI_MSG_PERSON, n) != NULL; n++)
		changes += host_said(h, UI_MSG_PERSON, n)->person.renamed;
	assert_int_equal(changes, 5);
	/* The last one wins, and nothing is waited for then. */
	host_wait(h, chat_deadline(h->chat) - h->te.env.now_ms);
	assert_seen(h, f->eve.peer, "eve54");
	assert_true(chat_deadline(h->chat) == P2P_NEVER);
}

static void test_profile_that_is_taken_back_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	meets(h, f->eve.peer, NEAR);
	is_called(h, f->eve.peer, "eve");
	is_called(h, f->eve.peer, "eva");
	is_called(h, f->eve.peer, "evita");
	is_called(h, f->eve.peer, "eva");
	host_wait(h, CHAT_PROFILE_PACE_MS);
	assert_seen(h, f->eve.peer, "eva");
}

static void test_profile_pace_outlives_the_connection(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char name[16];

	meets(h, f->eve.peer, NEAR);
	is_called(h, f->eve.peer, "eve");
	is_called(h, f->eve.peer, "eva");
	for (int i = 0; i < 5; i++) {
		host_gone(h, f->eve.peer);
		meets(h, f->eve.peer, NEAR);
		snprintf(name, sizeof(name), "eve%d", i);
		is_called(h, f->eve.peer, name);
		assert_seen(h, f->eve.peer, "eva");
		host_wait(h, 1000);
	}
	/* What waited when she left is forgotten. */
	host_gone(h, f->eve.peer);
	host_wait(h, 100000);
	assert_seen(h, f->eve.peer, "eva");
}

/* ---- harm --------------------------------------------------------------- */

static void test_profile_that_is_no_profile_is_refused(void **state)
{
	static const char *const bad[] = {
		"\x0a\x05mal", "\x0a", "\x08\x01", "\x0b\x0c", "\xff\xff\xff"};
	struct fixture *f = *state;
	struct host *h = &f->me;

	meets(h, f->eve.peer, NEAR);
	host_forget(h);
	for (size_t i = 0; i < P2P_ARRAY_LEN(bad); i++) {
		frames(h, f->eve.peer, 100 + i, bytes_str(bad[i]));
		assert_int_equal(refused(h), i + 1);
		assert_true(
			host_sent(h, NET_MSG_PIPE_RESET, i)->pipe == 100 + i);
	}
	assert_null(seen(h, f->eve.peer));
	host_types(h, NULL, "/info");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "5 profiles"));
}

static void test_profile_names_are_cleaned_and_cut(void **state)
{
	static char large[PROFILE_PB_NAME_BYTES_MAX + 1];
	struct fixture *f = *state;
	struct host *h = &f->me;

	meets(h, f->eve.peer, NEAR);
	memset(large, 'e', sizeof(large));
	/* Longer than any honest program's. */
	says_bytes(h, f->eve.peer, bytes_of(large, sizeof(large)));
	assert_int_equal(refused(h), 1);
	assert_seen(h, f->eve.peer, "");
	says_bytes(h, f->eve.peer, bytes_of(large, sizeof(large) - 1));
	assert_int_equal(refused(h), 1);
	assert_int_equal(
		strlen(seen(h, f->eve.peer)->name), TEXT_NAME_COLUMNS_MAX);
	says_bytes(h, f->eve.peer, bytes_of(" \x1b[2J\0\xff\n", 8));
	assert_seen(h, f->eve.peer, "\xe2\x90\x9b[2J\xe2\x90\x80\xef\xbf\xbd");
	/* Nothing is left of these: they name nobody. */
	host_wait(h, CHAT_PROFILE_PACE_MS);
	is_called(h, f->eve.peer, "");
	is_called(h, f->eve.peer, "  ");
	frames(h, f->eve.peer, 100, bytes_of("", 0));
	host_wait(h, CHAT_PROFILE_PACE_MS);
	assert_seen(h, f->eve.peer, "\xe2\x90\x9b[2J\xe2\x90\x80\xef\xbf\xbd");
	assert_int_equal(refused(h), 1);
}

static void test_profile_members_to_come_are_skipped(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct buf frame;

	meets(h, f->mali.peer, NEAR);
	frame_of(bytes_str("mali"), &frame);
	/* away, status, a key */
	(void)buf_append(&frame, bytes_of("\x10\x01\x1a\x04tea?", 8));
	(void)buf_append(&frame, bytes_of("\x22\x02kk", 4));
	frames(h, f->mali.peer, 5, buf_bytes(&frame));
	assert_seen(h, f->mali.peer, "mali");
	buf_clear(&frame);
}

static void test_profile_is_one_frame(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct buf frame;

	meets(h, f->eve.peer, NEAR);
	frame_of(bytes_str("eve"), &frame);
	give(h, pipe_msg(CHAT_MSG_PIPE_UP, f->eve.peer, 5, bytes_of("", 0)));
	give(h, pipe_msg(CHAT_MSG_PIPE_FRAME, f->eve.peer, 5,
			buf_bytes(&frame)));
	frame.data[2] = 'a';
	give(h, pipe_msg(CHAT_MSG_PIPE_FRAME, f->eve.peer, 5,
			buf_bytes(&frame)));
	assert_int_equal(refused(h), 1);
	assert_true(host_sent(h, NET_MSG_PIPE_RESET, 0)->pipe == 5);
	host_wait(h, CHAT_PROFILE_PACE_MS);
	assert_seen(h, f->eve.peer, "eve");
	/* An answer to ours is none either; ours is given again. */
	give(h, pipe_msg(CHAT_MSG_PIPE_FRAME, f->eve.peer,
			host_sent(h, NET_MSG_PIPE_OPEN, 0)->pipe,
			buf_bytes(&frame)));
	assert_int_equal(host_sent_count(h, NET_MSG_PIPE_RESET), 2);
	host_wait(h, CHAT_PROFILE_RETRY_MS);
	assert_int_equal(given(h), 2);
	assert_seen(h, f->eve.peer, "eve");
	buf_clear(&frame);
}

/* Whoever opens a pipe and says nothing is let go when he ends it. */
static void test_profile_pipes_without_a_word_end(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct bytes nothing = bytes_of(NULL, 0);

	meets(h, f->eve.peer, NEAR);
	host_forget(h);
	for (uint64_t pipe = 1; pipe <= 100; pipe++) {
		give(h, pipe_msg(CHAT_MSG_PIPE_UP, f->eve.peer, pipe, nothing));
		give(h, pipe_msg(
				CHAT_MSG_PIPE_END, f->eve.peer, pipe, nothing));
		give(h, pipe_msg(CHAT_MSG_PIPE_GONE, f->eve.peer, pipe,
				nothing));
	}
	assert_int_equal(host_sent_count(h, NET_MSG_PIPE_CLOSE), 100);
	assert_null(seen(h, f->eve.peer));
}

static void test_profile_of_who_is_not_here_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	/* Gone before chat was told that it came; ourselves; no peer id. */
	is_called(h, f->eve.peer, "eve");
	is_called(h, h->id, "anna");
	is_called(h, "nobody", "x");
	assert_int_equal(refused(h), 3);
	host_types(h, NULL, "/info");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "0 connected, 0 known"));
	assert_non_null(host_text(h, UI_MSG_NOTICE, "name       ann\n"));
	assert_false(is_stored(h, f->eve.peer));
}

static void test_profile_of_the_ignored_waits(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	meets(h, f->eve.peer, NEAR);
	is_called(h, f->eve.peer, "eve");
	host_types(h, NULL, "/ignore eve");
	host_forget(h);
	is_called(h, f->eve.peer, "saint");
	host_wait(h, CHAT_PROFILE_PACE_MS);
	assert_null(seen(h, f->eve.peer));
	/* Found under the name that was ignored, and believed from then on. */
	host_types(h, NULL, "/unignore eve");
	assert_seen(h, f->eve.peer, "saint");
	/* Also when it waits already. */
	is_called(h, f->eve.peer, "angel");
	assert_seen(h, f->eve.peer, "saint");
	host_types(h, NULL, "/ignore saint");
	host_wait(h, 2 * CHAT_PROFILE_PACE_MS);
	assert_seen(h, f->eve.peer, "saint");
	assert_true(chat_deadline(h->chat) > h->te.env.now_ms);
	host_types(h, NULL, "/unignore saint");
	assert_seen(h, f->eve.peer, "angel");
}

/* ---- a full disk -------------------------------------------------------- */

/* All in one turn, which cannot be kept: she comes, says what she is called,
 * and so do we. Names of others go on, ours is changed when it is saved. */
static void test_profile_survives_a_turn_that_fails(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct store_person row;
	struct buf frame;

	author_says_native(&f->mali, h, "hi", h->te.env.wall_ms);
	host_forget(h);
	frame_of(bytes_str("malinee"), &frame);
	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 1"), 0);
	chat_handle(h->chat, &h->te.env, peer_msg(f->mali.peer, NEAR, true));
	chat_handle(h->chat, &h->te.env,
		pipe_msg(CHAT_MSG_PIPE_FRAME, f->mali.peer, 5,
			buf_bytes(&frame)));
	host_types(h, NULL, "/name anna");
	assert_false(chat_is_saving(h->chat));
	assert_int_equal(given(h), 1);
	assert_gives(h, 0, "ann");
	assert_int_equal(host_sent_count(h, NET_MSG_PIPE_TOOK), 1);
	assert_int_equal(refused(h), 0);
	assert_seen(h, f->mali.peer, "malinee");
	gone(h, 0, 0);
	/* A claim that waits is not forgotten, nor waited for in vain. */
	is_called(h, f->mali.peer, "mal");
	assert_seen(h, f->mali.peer, "malinee");
	host_wait(h, CHAT_PROFILE_PACE_MS);
	assert_seen(h, f->mali.peer, "mal");
	assert_true(chat_deadline(h->chat) > h->te.env.now_ms);
	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 0"), 0);
	host_wait(h, CHAT_STORE_RETRY_MS);
	assert_true(chat_is_saving(h->chat));
	assert_int_equal(given(h), 2);
	assert_gives(h, 1, "anna");
	/* Hers is written with the next thing that is new about her. */
	host_gone(h, f->mali.peer);
	assert_int_equal(store_find_person(h->store, f->mali.peer, &row), 0);
	assert_string_equal(row.name, "mal");
	buf_clear(&frame);
}

static int refuse(void *count)
{
	++*(int *)count;
	return 1;
}

/* The disk is full at the last moment, when the turn seems to have gone well.
 */
static void test_profile_that_is_not_kept_is_not_given(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	int refusals = 0;

	meets(h, f->mali.peer, NEAR);
	gone(h, 0, 0);
	(void)sqlite3_commit_hook(h->store->db, refuse, &refusals);
	host_types(h, NULL, "/name anna");
	assert_true(refusals > 0 && !chat_is_saving(h->chat));
	meets(h, f->tom.peer, NEAR);
	/* She may be told the same once more; he is told it now. */
	assert_int_equal(given(h), 3);
	for (size_t n = 0; n < 3; n++)
		assert_gives(h, n, "ann");
	gone(h, 1, 0);
	gone(h, 2, 0);
	(void)sqlite3_commit_hook(h->store->db, NULL, NULL);
	host_wait(h, CHAT_STORE_RETRY_MS);
	assert_true(chat_is_saving(h->chat));
	assert_int_equal(given(h), 5);
	assert_gives(h, 3, "anna");
	assert_gives(h, 4, "anna");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_profile_is_given_to_whom_we_meet),
		STORY(test_profile_is_not_given_to_other_programs),
		STORY(test_profile_is_one_protocol_of_many),
		STORY(test_profile_is_not_given_to_strangers_far_away),
		STORY(test_profile_is_given_to_whom_a_room_is_shared_with),
		STORY(test_profile_of_a_relayed_peer_is_not_near),
		STORY(test_profile_is_given_anew_when_it_changes),
		STORY(test_profile_is_given_again_after_a_failure),
		STORY(test_profile_is_given_again_on_another_connection),
		STORY(test_profile_without_an_answer_is_given_up),
		STORY(test_profile_is_given_to_so_many_at_once),
		STORY(test_profile_names_who_is_silent),
		STORY(test_profile_of_who_has_spoken_is_kept),
		STORY(test_profile_is_above_names_in_lines),
		STORY(test_profile_names_lines_that_name_nobody),
		STORY(test_profile_takes_no_name_from_who_had_it),
		STORY(test_profile_changes_are_believed_at_a_pace),
		STORY(test_profile_that_is_taken_back_changes_nothing),
		STORY(test_profile_pace_outlives_the_connection),
		STORY(test_profile_that_is_no_profile_is_refused),
		STORY(test_profile_names_are_cleaned_and_cut),
		STORY(test_profile_members_to_come_are_skipped),
		STORY(test_profile_is_one_frame),
		STORY(test_profile_pipes_without_a_word_end),
		STORY(test_profile_of_who_is_not_here_is_nothing),
		STORY(test_profile_of_the_ignored_waits),
		STORY(test_profile_survives_a_turn_that_fails),
		STORY(test_profile_that_is_not_kept_is_not_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
