/*
 * Stories of a chat under pressure: a screen or a net that does not read, a
 * disk that is full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "msg/net_figures.h"
#include "store/store_internal.h"
#include "tests/unit/chat_host.h"

/* ---- full queues, failing disks ---------------------------------------- */

static void test_chat_slow_screen_misses_no_line(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	uint64_t figures[NET_FIGURE_COUNT] = {0};
	char text[16];
	size_t reloads = 0;

	/* The screen does not read for a thousand lines. */
	for (uint64_t i = 0; i < 1000; i++) {
		struct buf raw;

		buf_init(&raw, UNIT_BYTES_MAX);
		snprintf(text, sizeof(text), "line %d", (int)i);
		assert_int_equal(
			unit_sign(&f->mali.key, (NOW + i) * 1000000,
				bytes_str(LOBBY), bytes_str(text), &raw),
			0);
		chat_handle(h->chat, &h->te.env,
			&chat_net_msg_new(CHAT_MSG_UNIT, NULL, buf_bytes(&raw))
				 ->msg);
		chat_turn_end(h->chat, &h->te.env);
		buf_clear(&raw);
		/* The answer to /net is asked for once: it waits. */
		if (i == 900) {
			chat_handle(h->chat, &h->te.env,
				&chat_net_msg_new(CHAT_MSG_STATS, NULL,
					bytes_of(figures, sizeof(figures)))
					 ->msg);
		}
	}
	for (int i = 0; i < 100; i++) {
		host_turn(h);
		if (host_said_count(h, UI_MSG_RELOAD) > reloads) {
			reloads++;
			host_ui(h, CHAT_MSG_RELOAD, NULL);
		}
		host_wait(h, CHAT_UI_RETRY_MS);
	}
	assert_true(reloads > 0);
	assert_int_equal(host_said_count(h, UI_MSG_NET), 1);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		assert_int_equal(host_line_count(h, text), 1);
	}
}

static void test_chat_full_net_queue_keeps_the_line_waiting(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char text[16];
	int n = MSG_QUEUE_TO_NET + 20;

	host_meets(h, &f->mali, LOBBY);
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		/* Slow enough not to be a burst; net takes nothing. */
		h->te.env.now_ms += CHAT_OFFER_PAUSE_MS / CHAT_OFFER_BATCH + 1;
		chat_handle(h->chat, &h->te.env,
			&chat_ui_msg_new(CHAT_MSG_LINE, NULL, text)->msg);
		chat_turn_end(h->chat, &h->te.env);
	}
	host_turn(h);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), MSG_QUEUE_TO_NET);
	for (size_t i = 0; i < MSG_QUEUE_TO_NET; i++)
		host_handed(h, host_sent(h, NET_MSG_PUBLISH, i)->id);
	host_forget(h);
	chat_handle(h->chat, &h->te.env,
		&chat_net_msg_new(CHAT_MSG_NET_ROOM, NULL, bytes_of(NULL, 0))
			 ->msg);
	host_turn(h);
	host_wait(h, CHAT_OFFER_PAUSE_MS);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 20);
}

/* Net reads nothing but so many messages more. */
static void fill_net(struct host *h, int room_left)
{
	for (int i = room_left; i < MSG_QUEUE_TO_NET; i++) {
		struct msg *m = &net_msg_new(NET_MSG_CONNECT,
			"/ip4/10.0.0.1/tcp/1", bytes_of(NULL, 0))
					 ->msg;

		assert_int_equal(mailbox_post(h->to_net, &m), 0);
	}
}

/* A line is said while net does not read; then it does. */
static void says_to_full_net(struct host *h, const char *text)
{
	chat_handle(h->chat, &h->te.env,
		&chat_ui_msg_new(CHAT_MSG_LINE, NULL, text)->msg);
	host_turn(h);
	chat_handle(h->chat, &h->te.env,
		&chat_net_msg_new(CHAT_MSG_NET_ROOM, NULL, bytes_of(NULL, 0))
			 ->msg);
	host_turn(h);
}

static size_t copies_sent(struct host *h)
{
	struct net_msg *m;
	size_t count = 0;

	for (size_t n = 0; (m = host_sent(h, NET_MSG_PUBLISH, n)) != NULL;
		n++) {
		struct payload p = host_payload(m);

		count += p.has_copy_of;
		payload_clear(&p);
	}
	return count;
}

static void test_chat_copy_follows_its_line_through_a_full_queue(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, LOBBY);
	author_says_js(&f->mali, h, "js", NOW);
	for (int room_left = 0; room_left <= 2; room_left++) {
		host_forget(h);
		fill_net(h, room_left);
		says_to_full_net(h, "hello");
		host_turn(h);
		assert_int_equal(copies_sent(h), 1);
		host_handed(h, host_line(h, "hello")->line.id);
		host_wait(h, 2 * CHAT_OFFER_RETRY_MS);
		assert_int_equal(copies_sent(h), 1);
	}
}

static void test_chat_copy_waits_for_room_though_its_line_is_handed(
	void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_meets(h, &f->mali, LOBBY);
	author_says_js(&f->mali, h, "js", NOW);
	host_forget(h);
	fill_net(h, 1);
	chat_handle(h->chat, &h->te.env,
		&chat_ui_msg_new(CHAT_MSG_LINE, NULL, "hello")->msg);
	chat_turn_end(h->chat, &h->te.env);
	/* A turn that is undone takes nothing from those before it. */
	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 1"), 0);
	chat_handle(h->chat, &h->te.env,
		&chat_ui_msg_new(CHAT_MSG_LINE, NULL, "later")->msg);
	chat_turn_end(h->chat, &h->te.env);
	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 0"), 0);
	host_turn(h);
	host_handed(h, host_sent(h, NET_MSG_PUBLISH, 0)->id);
	assert_int_equal(copies_sent(h), 1);
	host_wait(h, CHAT_STORE_RETRY_MS);
	assert_int_equal(copies_sent(h), 2);
}

static void test_chat_failed_commit_sends_no_copy_twice(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	size_t sent;

	host_meets(h, &f->mali, LOBBY);
	author_says_js(&f->mali, h, "js", NOW);
	host_types(h, NULL, "hello");
	assert_int_equal(copies_sent(h), 1);
	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 1"), 0);
	host_types(h, NULL, "/name bea");
	assert_false(chat_is_saving(h->chat));
	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 0"), 0);
	host_wait(h, CHAT_STORE_RETRY_MS);
	sent = host_sent_count(h, NET_MSG_PUBLISH);
	host_wait(h, CHAT_OFFER_RETRY_MS);
	assert_true(host_sent_count(h, NET_MSG_PUBLISH) > sent);
	assert_int_equal(copies_sent(h), 1);
}

static void test_chat_failed_commit_loses_no_word_of_handing(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	size_t sent;

	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "hello");
	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 1"), 0);
	host_handed(h, host_sent(h, NET_MSG_PUBLISH, 0)->id);
	assert_false(chat_is_saving(h->chat));
	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 0"), 0);
	host_wait(h, CHAT_STORE_RETRY_MS);
	sent = host_sent_count(h, NET_MSG_PUBLISH);
	host_wait(h, 2 * CHAT_OFFER_RETRY_MS);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), sent);
	host_restart(h);
	host_page(h, LOBBY, 1);
	assert_int_equal(host_line(h, "hello")->line.state, UI_STATE_HANDED);
}

static void test_chat_paces_a_burst_in_order(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	size_t n = CHAT_OFFER_BATCH + 3;
	char text[16];

	host_meets(h, &f->mali, LOBBY);
	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "line %02zu", i);
		host_types(h, NULL, text);
	}
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), CHAT_OFFER_BATCH);
	host_wait(h, CHAT_OFFER_PAUSE_MS);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), n);
	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "line %02zu", i);
		assert_memory_equal(host_sent(h, NET_MSG_PUBLISH, i)->id,
			host_line(h, text)->line.id, MSG_UNIT_ID_BYTES);
	}
}

/* Faster than others take lines of one author they do not go out. */
static void test_chat_says_no_more_a_minute_than_is_taken(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	size_t sent;

	h->cfg.author_rate = 60;
	host_restart_with(h);
	host_meets(h, &f->mali, LOBBY);
	for (int i = 0; i < 100; i++)
		host_types(h, NULL, "x");
	for (int i = 0; i < 20; i++)
		host_wait(h, CHAT_OFFER_PAUSE_MS);
	/* A burst at once, a line a second behind it, all in the end. */
	sent = host_sent_count(h, NET_MSG_PUBLISH);
	assert_in_range(sent, 60, 66);
	for (int i = 0; i < 10; i++)
		host_wait(h, 1000);
	assert_in_range(
		host_sent_count(h, NET_MSG_PUBLISH), sent + 9, sent + 11);
	for (int i = 0; i < 40; i++)
		host_wait(h, 1000);
	for (size_t i = 0; i < 100; i++)
		assert_non_null(host_sent(h, NET_MSG_PUBLISH, i));
}

/* SQLite's own limit answers as a full disk does: lines of mali fill what is
 * left. */
static void fill_disk(struct fixture *f)
{
	struct host *h = &f->me;
	char text[32];

	assert_int_equal(store_exec(h->store, "PRAGMA max_page_count = 1"), 0);
	for (int i = 0; i < 200 && chat_is_saving(h->chat); i++) {
		snprintf(text, sizeof(text), "filler %d", i);
		author_says_native(&f->mali, h, text, NOW + (uint64_t)i);
	}
	assert_false(chat_is_saving(h->chat));
}

static void empty_disk(struct host *h)
{
	assert_int_equal(
		store_exec(h->store, "PRAGMA max_page_count = 100000"), 0);
	host_wait(h, CHAT_STORE_RETRY_MS);
	assert_true(chat_is_saving(h->chat));
}

static void test_chat_full_disk_keeps_own_text_unsigned_in_memory(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	uint8_t shown_id[MSG_UNIT_ID_BYTES];
	struct payload first, second;
	size_t gone = 0;

	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "before");
	host_handed(h, host_sent(h, NET_MSG_PUBLISH, 0)->id);
	fill_disk(f);
	assert_string_equal(host_said(h, UI_MSG_ERROR, 0)->code, "store");
	assert_non_null(strstr(host_said(h, UI_MSG_ERROR, 0)->text, "full"));
	host_types(h, NULL, "mine");
	assert_int_equal(host_line(h, "mine")->line.state, UI_STATE_UNSAVED);
	memcpy(shown_id, host_line(h, "mine")->line.id, sizeof(shown_id));
	host_wait(h, CHAT_STORE_RETRY_MS);
	host_wait(h, CHAT_OFFER_RETRY_MS);
	assert_false(chat_is_saving(h->chat));
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 1);
	empty_disk(h);
	/* What stood for it goes, it comes itself, once, and goes out. */
	for (size_t i = 0; i < host_said_count(h, UI_MSG_STATE); i++) {
		struct ui_line *l = &host_said(h, UI_MSG_STATE, i)->line;

		gone += l->state == UI_STATE_SAVED &&
			memcmp(l->id, shown_id, sizeof(shown_id)) == 0;
	}
	assert_int_equal(gone, 1);
	assert_int_equal(host_line_count(h, "mine"), 1);
	assert_int_equal(host_line(h, "mine")->line.state, UI_STATE_WAITING);
	assert_int_equal(host_sent_count(h, NET_MSG_PUBLISH), 2);
	/* No number is used twice, none is left out. */
	first = host_payload(host_sent(h, NET_MSG_PUBLISH, 0));
	second = host_payload(host_sent(h, NET_MSG_PUBLISH, 1));
	assert_int_equal(second.seq, first.seq + 1);
	payload_clear(&first);
	payload_clear(&second);
	host_restart(h);
	host_page(h, LOBBY, CHAT_PAGE_MAX);
	assert_non_null(host_line(h, "mine"));
}

static void test_chat_full_disk_goes_on_hearing(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct ui_msg *said;

	fill_disk(f);
	/* The line that found no room is shown as well. */
	assert_true(host_line(h, "filler")->line.not_kept);
	host_meets(h, &f->tom, LOBBY);
	author_says_native(&f->tom, h, "do you hear", NOW + 5000);
	said = host_line(h, "do you hear");
	assert_non_null(said);
	assert_true(said->line.not_kept);
	assert_non_null(host_said(h, UI_MSG_MEMBER, 0));
	host_types(h, NULL, "/info");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "not kept   2 lines"));
	host_forget(h);
	empty_disk(h);
	assert_non_null(host_text(h, UI_MSG_NOTICE,
		"2 lines of others came meanwhile and are not kept"));
	author_says_native(&f->tom, h, "and now", NOW + 6000);
	assert_false(host_line(h, "and now")->line.not_kept);
	host_page(h, LOBBY, CHAT_PAGE_MAX);
	assert_null(host_line(h, "do you hear"));
}

static void test_chat_full_disk_answers_what_needs_no_disk(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_types(h, NULL, "/join dev");
	host_types(h, NULL, "/join lobby");
	fill_disk(f);
	host_types(h, NULL, "/rooms");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "dev"));
	host_types(h, NULL, "/name bea");
	assert_non_null(host_text(h, UI_MSG_NOTICE, "/name waits"));
	/* A line is said where it was typed, wherever one looks later. */
	host_types(h, NULL, "in the lobby");
	host_ui(h, CHAT_MSG_FOCUS, "dev");
	host_types(h, NULL, "in dev");
	/* A screen that has lost them is shown them again. */
	host_forget(h);
	host_ui(h, CHAT_MSG_RELOAD, NULL);
	assert_int_equal(
		host_line(h, "in the lobby")->line.state, UI_STATE_UNSAVED);
	host_forget(h);
	empty_disk(h);
	assert_string_equal(host_line(h, "in the lobby")->room, LOBBY);
	assert_string_equal(host_line(h, "in dev")->room, "dev");
	assert_string_equal(host_line(h, "in dev")->line.name, "bea");
	host_restart(h);
	assert_string_equal(host_said(h, UI_MSG_FOCUS, 0)->room, "dev");
}

static void test_chat_damage_is_not_called_a_full_disk(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	const char *text;

	assert_int_equal(
		store_exec(h->store, "ALTER TABLE messages RENAME TO gone"), 0);
	host_types(h, NULL, "hello");
	text = host_said(h, UI_MSG_ERROR, 0)->text;
	assert_non_null(strstr(text, "damaged"));
	assert_null(strstr(text, "full"));
	assert_int_equal(host_line(h, "hello")->line.state, UI_STATE_UNSAVED);
	author_says_native(&f->mali, h, "still heard", NOW);
	assert_true(host_line(h, "still heard")->line.not_kept);
	host_wait(h, CHAT_STORE_RETRY_MS);
	assert_int_equal(
		store_exec(h->store, "ALTER TABLE gone RENAME TO messages"), 0);
	host_wait(h, CHAT_STORE_RETRY_MS);
	assert_int_equal(host_line_count(h, "hello"), 1);
}

static void test_chat_failed_join_is_told_to_net_when_saved(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	size_t before = host_sent_count(h, NET_MSG_JOIN);

	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 1"), 0);
	host_types(h, NULL, "/join dev");
	assert_false(chat_is_saving(h->chat));
	assert_int_equal(host_sent_count(h, NET_MSG_JOIN), before);
	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 0"), 0);
	host_wait(h, CHAT_STORE_RETRY_MS);
	assert_int_equal(host_sent_count(h, NET_MSG_JOIN), before + 1);
	host_restart(h);
	assert_string_equal(host_said(h, UI_MSG_FOCUS, 0)->room, "dev");
}

static void test_chat_can_be_left_while_the_disk_is_full(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 1"), 0);
	host_types(h, NULL, "cannot be saved");
	host_types(h, NULL, "nor this");
	assert_false(chat_finished(h->chat));
	host_types(h, NULL, "/quit");
	assert_true(chat_finished(h->chat));
	assert_int_equal(
		host_said(h, UI_MSG_QUIT, 0)->number, CHAT_EXIT_UNSAVED);
	assert_non_null(host_sent(h, NET_MSG_QUIT, 0));
	assert_int_equal(host_line_count(h, "cannot be saved"), 0);
}

static void test_chat_full_disk_hears_quit_with_a_word_behind(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 1"), 0);
	host_types(h, NULL, "cannot be saved");
	host_types(h, NULL, "//quit bye");
	host_types(h, NULL, "/quitting");
	assert_false(chat_finished(h->chat));
	host_types(h, NULL, "/quit bye");
	assert_true(chat_finished(h->chat));
}

static void test_chat_turn_goes_on_after_a_stall(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct mailbox_cfg queue = {.count_max = 10, .bytes_max = 100000};
	struct mailbox *from_ui = mailbox_new(&queue);
	struct mailbox *from_net = mailbox_new(&queue);
	struct msg *line = &chat_ui_msg_new(CHAT_MSG_LINE, NULL, "x")->msg;
	struct msg *ready =
		&chat_net_msg_new(CHAT_MSG_NET_READY, "addr", bytes_of(NULL, 0))
			 ->msg;

	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 1"), 0);
	assert_int_equal(mailbox_post(from_ui, &line), 0);
	chat_turn(h->chat, &h->te.env, from_ui, from_net);
	assert_int_equal(mailbox_post(from_net, &ready), 0);
	h->te.env.now_ms += CHAT_STORE_RETRY_MS;
	assert_int_equal(store_exec(h->store, "PRAGMA query_only = 0"), 0);
	/* What came meanwhile is taken in by a turn that is due at once. */
	assert_true(chat_turn(h->chat, &h->te.env, from_ui, from_net) ==
		    h->te.env.now_ms);
	chat_turn(h->chat, &h->te.env, from_ui, from_net);
	host_ui(h, CHAT_MSG_RELOAD, NULL);
	assert_non_null(host_said(h, UI_MSG_READY, 0));
	assert_int_equal(host_line_count(h, "x"), 1);
	mailbox_free(from_ui);
	mailbox_free(from_net);
}

static void post_net_words(struct mailbox *from_net, int count)
{
	for (int i = 0; i < count; i++) {
		struct msg *m = &chat_net_msg_new(
			CHAT_MSG_NET_ROOM, NULL, bytes_of(NULL, 0))
					 ->msg;

		assert_int_equal(mailbox_post(from_net, &m), 0);
	}
}

static void test_chat_turn_gathers_behind_a_burst(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct mailbox_cfg queue = {.count_max = 10, .bytes_max = 100000};
	struct mailbox *from_ui = mailbox_new(&queue);
	struct mailbox *from_net = mailbox_new(&queue);
	struct msg *line = &chat_ui_msg_new(CHAT_MSG_LINE, NULL, "x")->msg;
	uint64_t due = h->te.env.now_ms + CHAT_GATHER_MS;

	/* What people say by hand is taken in as it comes. */
	post_net_words(from_net, CHAT_BURST_MIN - 1);
	chat_turn(h->chat, &h->te.env, from_ui, from_net);
	post_net_words(from_net, CHAT_BURST_MIN);
	chat_turn(h->chat, &h->te.env, from_ui, from_net);
	assert_true(mailbox_is_empty(from_net));
	/* Behind a burst the next words wait together, */
	post_net_words(from_net, 1);
	assert_true(chat_turn(h->chat, &h->te.env, from_ui, from_net) == due);
	assert_false(mailbox_is_empty(from_net));
	/* though not for long, */
	h->te.env.now_ms = due;
	chat_turn(h->chat, &h->te.env, from_ui, from_net);
	assert_true(mailbox_is_empty(from_net));
	/* and the person does not wait at all. */
	post_net_words(from_net, CHAT_BURST_MIN);
	chat_turn(h->chat, &h->te.env, from_ui, from_net);
	assert_int_equal(mailbox_post(from_ui, &line), 0);
	chat_turn(h->chat, &h->te.env, from_ui, from_net);
	host_ui(h, CHAT_MSG_RELOAD, NULL);
	assert_int_equal(host_line_count(h, "x"), 1);
	mailbox_free(from_ui);
	mailbox_free(from_net);
}

static uint64_t room_count(struct mailbox *queue)
{
	uint64_t n = 0;
	struct msg *m;

	for (; (m = mailbox_take(queue)) != NULL; n++)
		msg_free(m);
	return n;
}

/* Others have much to say: the person's line is committed before it. */
static void test_chat_turn_ends_with_what_the_person_says(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct mailbox_cfg queue = {.count_max = 100, .bytes_max = 1000000};
	struct mailbox *from_ui = mailbox_new(&queue);
	struct mailbox *from_net = mailbox_new(&queue);
	struct msg *line = &chat_ui_msg_new(CHAT_MSG_LINE, NULL, "x")->msg;

	post_net_words(from_net, 50);
	assert_int_equal(mailbox_post(from_ui, &line), 0);
	/* And the next turn is due at once. */
	assert_true(chat_turn(h->chat, &h->te.env, from_ui, from_net) ==
		    h->te.env.now_ms);
	assert_int_equal(room_count(from_net), 50);
	host_ui(h, CHAT_MSG_RELOAD, NULL);
	assert_int_equal(host_line_count(h, "x"), 1);
	/* What is pasted is one turn, though. */
	for (unsigned i = 0; i < 3; i++) {
		line = &chat_ui_msg_new(CHAT_MSG_LINE, NULL, "y")->msg;
		assert_int_equal(mailbox_post(from_ui, &line), 0);
	}
	(void)chat_turn(h->chat, &h->te.env, from_ui, from_net);
	assert_true(mailbox_is_empty(from_ui));
	mailbox_free(from_ui);
	mailbox_free(from_net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_chat_slow_screen_misses_no_line),
		STORY(test_chat_full_net_queue_keeps_the_line_waiting),
		STORY(test_chat_copy_follows_its_line_through_a_full_queue),
		STORY(test_chat_copy_waits_for_room_though_its_line_is_handed),
		STORY(test_chat_failed_commit_sends_no_copy_twice),
		STORY(test_chat_failed_commit_loses_no_word_of_handing),
		STORY(test_chat_paces_a_burst_in_order),
		STORY(test_chat_says_no_more_a_minute_than_is_taken),
		STORY(test_chat_full_disk_keeps_own_text_unsigned_in_memory),
		STORY(test_chat_full_disk_goes_on_hearing),
		STORY(test_chat_full_disk_answers_what_needs_no_disk),
		STORY(test_chat_damage_is_not_called_a_full_disk),
		STORY(test_chat_failed_join_is_told_to_net_when_saved),
		STORY(test_chat_can_be_left_while_the_disk_is_full),
		STORY(test_chat_full_disk_hears_quit_with_a_word_behind),
		STORY(test_chat_turn_goes_on_after_a_stall),
		STORY(test_chat_turn_gathers_behind_a_burst),
		STORY(test_chat_turn_ends_with_what_the_person_says),
	};

	return cmocka_run_group_tests_name("chat_pressure", tests, NULL, NULL);
}
