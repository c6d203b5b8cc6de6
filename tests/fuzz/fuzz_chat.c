/*
 * A chat and what others may make it hear: a script of steps, each one byte
 * for the kind, one for who, one for the length, and that much data. After
 * each turn: all text to the ui is clean, no line is said twice as live.
 */
#include <stdlib.h>

#include "base/cursor.h"
#include "base/table.h"
#include "base/text.h"
#include "base/xmalloc.h"
#include "chat/chat.h"
#include "msg/chat_msg.h"
#include "msg/net_msg.h"
#include "msg/ui_msg.h"
#include "net/unit/unit.h"
#include "tests/lib/test_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AUTHORS 4
#define TOPIC "p2p-chat-default"

struct world {
	struct test_env te;
	struct identity me;
	struct identity authors[AUTHORS];
	struct store *store;
	struct chat *chat;
	struct mailbox *to_ui;
	struct mailbox *to_net;
	struct table shown; /* ids of live lines */
	uint64_t seqno;
};

static void open_world(struct world *w)
{
	struct mailbox_cfg queue = {
		.count_max = 64, .bytes_max = (size_t)1 << 20};
	struct chat_cfg cfg = {.me = &w->me, .name = "me"};

	P2P_ASSERT(crypto_init() == 0);
	test_env_init(&w->te, 1);
	table_init(&w->shown, &w->te.rng);
	for (uint8_t i = 0; i < AUTHORS; i++) {
		uint8_t seed[32] = {i, 1};

		identity_from_seed(&w->authors[i], seed);
	}
	/* One of the authors has our own key. */
	w->me = w->authors[0];
	P2P_ASSERT(store_open_memory(&w->store, bytes_of(NULL, 0), NULL) == 0);
	w->to_ui = mailbox_new(&queue);
	w->to_net = mailbox_new(&queue);
	cfg.store = w->store;
	cfg.to_ui = w->to_ui;
	cfg.to_net = w->to_net;
	P2P_ASSERT(chat_new(&w->chat, &cfg, &w->te.env) == 0);
	chat_start(w->chat, &w->te.env);
}

static struct chat_net_msg *about(
	struct world *w, enum chat_msg_kind kind, uint8_t who, const char *text)
{
	struct chat_net_msg *m =
		chat_net_msg_new(kind, text, bytes_of(NULL, 0));
	char peer[PEER_ID_TEXT_MAX];

	peer_id_text(&w->authors[who % AUTHORS].id, peer);
	memcpy(m->peer, peer, strlen(peer) + 1);
	return m;
}

static struct msg *unit_msg(struct world *w, uint8_t who, struct bytes data)
{
	struct chat_net_msg *m;
	struct buf raw;

	buf_init(&raw, UNIT_BYTES_MAX);
	/* A repeated number makes the same unit again. */
	w->seqno += who >> 7;
	P2P_ASSERT(unit_sign(&w->authors[who % AUTHORS], w->seqno,
			   bytes_str(TOPIC), data, &raw) == 0);
	m = chat_net_msg_new(CHAT_MSG_UNIT, NULL, buf_bytes(&raw));
	buf_clear(&raw);
	return &m->msg;
}

static struct msg *message(
	struct world *w, uint8_t kind, uint8_t who, struct bytes data)
{
	char *text = xstrndup((const char *)data.data, data.len);
	struct chat_net_msg *m;
	struct msg *made;

	switch (kind % 8) {
	case 0:
	case 1:
		made = unit_msg(w, who, data);
		break;
	case 2:
		m = about(w, CHAT_MSG_PEER, who, text);
		m->state = who >> 7;
		m->agent = xstrdup(text);
		made = &m->msg;
		break;
	case 3:
		m = about(w, CHAT_MSG_TOPIC, who, who & 0x40 ? TOPIC : text);
		m->state = who >> 7;
		made = &m->msg;
		break;
	case 4:
		made = &chat_net_msg_new(CHAT_MSG_UNIT, NULL, data)->msg;
		break;
	case 5:
		made = &about(w, CHAT_MSG_ADDRESS, who, text)->msg;
		break;
	case 6:
		made = &chat_ui_msg_new(CHAT_MSG_RELOAD, NULL, NULL)->msg;
		break;
	default:
		made = &chat_ui_msg_new(CHAT_MSG_LINE, NULL, text)->msg;
		break;
	}
	free(text);
	return made;
}

static void check_text(const char *text)
{
	if (text != NULL)
		P2P_ASSERT(text_is_clean(TEXT_BLOCK, bytes_str(text)));
}

static void check_ui(struct world *w, const struct ui_msg *m)
{
	check_text(m->text);
	check_text(m->title);
	check_text(m->line.text);
	check_text(m->line.name);
	check_text(m->person.agent);
	check_text(m->person.name);
	if (m->msg.kind != UI_MSG_LINE || m->line.origin != UI_LINE_LIVE ||
		m->line.type != UI_TYPE_MESSAGE)
		return;
	P2P_ASSERT(table_put(&w->shown, bytes_of(m->line.id, 32), w) == NULL);
}

static void end_turn(struct world *w)
{
	struct msg *m;

	chat_turn_end(w->chat, &w->te.env);
	while ((m = mailbox_take(w->to_ui)) != NULL) {
		check_ui(w, ui_msg_of(m));
		msg_free(m);
	}
	while ((m = mailbox_take(w->to_net)) != NULL)
		msg_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cur_of(bytes_of(data, size));
	static struct world w;

	memset(&w, 0, sizeof(w));
	open_world(&w);
	while (cur_left(&c) > 0 && !chat_finished(w.chat)) {
		uint8_t kind = cur_u8(&c);
		uint8_t who = cur_u8(&c);
		struct bytes part = cur_take(&c, cur_u8(&c));

		if (!cur_ok(&c))
			break;
		chat_handle(w.chat, &w.te.env, message(&w, kind, who, part));
		/* Several messages in one turn, and time between turns. */
		if ((kind & 0x80) != 0)
			continue;
		w.te.env.now_ms += kind;
		w.te.env.wall_ms += kind;
		end_turn(&w);
	}
	end_turn(&w);
	chat_free(w.chat);
	store_close(w.store);
	mailbox_free(w.to_ui);
	mailbox_free(w.to_net);
	table_clear(&w.shown);
	return 0;
}
