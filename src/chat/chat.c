/*
 * The chat as a whole: made and freed, a message given to the file that knows
 * it, and the turn. What matters is the turn's end: what is due is done, one
 * commit keeps it all, and only then anything is said (out.c). When the commit
 * fails, undo_turn takes every part back to what the store holds, and the
 * turn's messages are heard as all are until saving works again (unsaved.c).
 */
#include "chat/chat.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
#include "chat/damage_internal.h"
#include "chat/dialect_internal.h"
#include "chat/history_internal.h"
#include "chat/keep_internal.h"
#include "chat/name_internal.h"
#include "chat/offer_internal.h"
#include "chat/out_internal.h"
#include "chat/peers_internal.h"
#include "chat/person_internal.h"
#include "chat/profile_internal.h"
#include "chat/receive_internal.h"
#include "chat/room_internal.h"
#include "chat/send_internal.h"
#include "chat/unsaved_internal.h"

#define HISTORY_STATUS "lines said while you were away are not fetched yet"

/* ---- making ------------------------------------------------------------ */

static char **copy_texts(const char *const *texts, size_t count)
{
	char **copy = xcalloc(count + 1, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(texts[i]);
	return copy;
}

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

static struct chat *alloc_chat(
	const struct chat_cfg *cfg, const struct env *env)
{
	struct chat *c = xcalloc(1, sizeof(*c));

	c->store = cfg->store;
	c->me = cfg->me;
	c->to_ui = cfg->to_ui;
	c->to_net = cfg->to_net;
	c->env = env;
	c->sandbox = cfg->sandbox;
	c->version = xstrdup(cfg->version == NULL ? "" : cfg->version);
	c->utc_offset_s = cfg->utc_offset_s;
	c->author_rate = cfg->author_rate;
	c->connect = copy_texts(cfg->connect, cfg->connect_count);
	c->connect_count = cfg->connect_count;
	c->keep = copy_texts(cfg->keep, cfg->keep_count);
	c->keep_count = cfg->keep_count;
	peer_id_text(&cfg->me->id, c->me_text);
	table_init(&c->people, env->rng);
	table_init(&c->names, env->rng);
	c->clash_said_ms = P2P_NEVER;
	c->fork_said_ms = P2P_NEVER;
	send_draw_mark(c);
	table_init(&c->rooms_by_topic, env->rng);
	table_init(&c->offers, env->rng);
	list_init(&c->changed_people);
	list_init(&c->profiles);
	c->profile_number = 1;
	list_init(&c->rooms);
	out_init(&c->ui);
	out_init(&c->net);
	c->turn_last = &c->turn_first;
	return c;
}

/* --name over the kept one over two words; the kept one is renewed. */
static int choose_name(struct chat *c, const char *wanted)
{
	char proposed[MSG_NAME_MAX];
	struct buf kept, clean;
	int err;

	buf_init(&kept, STORE_SETTING_BYTES_MAX);
	buf_init(&clean, TEXT_NAME_BYTES_MAX);
	err = store_get(c->store, "name", &kept);
	if (err == P2P_ERR_NOT_FOUND) {
		/* The setting may have been damaged. */
		if (c->self->row.name[0] != '\0')
			(void)snprintf(proposed, sizeof(proposed), "%s",
				c->self->row.name);
		else
			name_propose(c->env->rng, proposed);
		err = buf_append_str(&kept, proposed);
	}
	if (wanted != NULL) {
		buf_reset(&kept);
		err = chat_check_name(wanted) == 0
			      ? buf_append_str(&kept, wanted)
			      : P2P_ERR_INVAL;
	}
	if (err == 0)
		err = name_clean(buf_bytes(&kept), &clean);
	if (err == P2P_ERR_TOO_BIG || (err == 0 && clean.len == 0))
		err = P2P_ERR_INVAL;
	if (err == 0) {
		person_claim(c, c->self, buf_cstr(&clean));
		err = store_set(c->store, "name", buf_bytes(&clean));
	}
	buf_clear(&kept);
	buf_clear(&clean);
	return err;
}

/* Rooms of --room are joined beside those kept from the last run, which they
 * do not replace; *first is the one to show. */
static int join_asked(
	struct chat *c, const struct chat_cfg *cfg, struct chat_room **first)
{
	char topic[MSG_TOPIC_MAX];

	*first = NULL;
	for (size_t i = 0; i < cfg->room_count; i++) {
		int err = room_topic_of(bytes_str(cfg->rooms[i]), topic);
		struct chat_room *r = err == 0 ? room_get(c, topic) : NULL;

		if (err == 0)
			err = r == NULL ? P2P_ERR_LIMIT : room_join(c, r);
		if (err != 0)
			return err;
		*first = *first == NULL ? r : *first;
	}
	return 0;
}

/* Where the person was when the program ended; the top of the list when that
 * is not known, which is no reason not to start. */
static struct chat_room *shown_last(struct chat *c)
{
	struct chat_room *r = NULL;
	struct buf last;

	buf_init(&last, STORE_SETTING_BYTES_MAX);
	if (store_get(c->store, "last_room", &last) == 0)
		r = room_find(c, buf_cstr(&last));
	buf_clear(&last);
	return r != NULL && r->row.joined ? r : room_first_joined(c);
}

static int open_rooms(struct chat *c, const struct chat_cfg *cfg)
{
	struct chat_room *first, *lobby;
	int err = join_asked(c, cfg, &first);

	/* Without any room there would be nothing to show and nobody to meet:
	 * the lobby is where those are who have named none. */
	if (err == 0 && c->joined_count == 0) {
		lobby = room_get(c, ROOM_LOBBY_TOPIC);
		err = lobby == NULL ? P2P_ERR_LIMIT : room_join(c, lobby);
	}
	if (err != 0)
		return err;
	c->focus = first != NULL ? first : shown_last(c);
	/* Not room_focus: what is unread stays so until chat_start shows it. */
	return store_set(c->store, "last_room", bytes_str(c->focus->row.topic));
}

static int load(struct chat *c, const struct chat_cfg *cfg)
{
	int err = damage_find_rooms(c);

	if (err == 0)
		err = damage_put_back(c);
	if (err == 0)
		err = rooms_load(c);
	if (err == 0)
		err = store_forget_strangers(c->store, STORE_STRANGERS_KEPT);
	if (err == 0)
		err = people_load(c);
	if (err == 0)
		err = store_get_u64(c->store, "seqno", &c->seqno);
	if (err == P2P_ERR_NOT_FOUND)
		err = 0;
	if (err == 0)
		err = store_count_lines(
			c->store, CHAT_COUNT_LINES, &c->counted);
	if (err == 0)
		err = keep_setup(c, cfg);
	if (err == 0)
		err = choose_name(c, cfg->name);
	if (err == 0)
		err = open_rooms(c, cfg);
	/* Older lines are history, which the ui asks for by page; behind this
	 * row begins what it is told by itself. */
	if (err == 0)
		err = store_last_row(c->store, &c->ui_row);
	if (err == 0)
		rooms_flush(c);
	if (err == 0)
		err = c->store_err;
	return err == 0 ? store_commit(c->store) : err;
}

int chat_new(
	struct chat **out, const struct chat_cfg *cfg, const struct env *env)
{
	struct chat *c = alloc_chat(cfg, env);
	int err = load(c, cfg);

	*out = NULL;
	if (err != 0) {
		store_rollback(c->store);
		chat_free(c);
		return err;
	}
	/* What was queued while loading is said by chat_start. */
	out_clear(&c->ui);
	out_clear(&c->net);
	*out = c;
	return 0;
}

static void free_turn(struct chat *c)
{
	struct msg *m;

	while ((m = c->turn_first) != NULL) {
		c->turn_first = m->next;
		msg_free(m);
	}
	c->turn_last = &c->turn_first;
	c->kept_count = 0;
}

void chat_free(struct chat *c)
{
	if (c == NULL)
		return;
	out_clear(&c->ui);
	out_clear(&c->net);
	free_turn(c);
	rooms_free(c);
	people_free(c);
	offers_free(c);
	for (int i = 0; i < CHAT_STATUS_COUNT; i++)
		free(c->status[i].text);
	free_texts(c->connect, c->connect_count);
	free_texts(c->keep, c->keep_count);
	free(c->listen);
	free(c->version);
	free(c);
}

/* ---- the turn ---------------------------------------------------------- */

void chat_start(struct chat *c, const struct env *env)
{
	c->env = env;
	c->starting = true;
	peers_set_status(c, CHAT_STATUS_LISTEN, CHAT_STATE_BUSY, "starting");
	peers_set_status(c, CHAT_STATUS_DISCOVERY, CHAT_STATE_BUSY, "starting");
	peers_people_status(c);
	peers_set_status(
		c, CHAT_STATUS_HISTORY, CHAT_STATE_NONE, HISTORY_STATUS);
	/* history_reload says the checklist as well, behind the rooms. */
	out_clear(&c->ui);
	history_reload(c);
	keep_tell_net(c);
	peers_tell_net(c);
	if (c->focus != NULL)
		room_focus(c, c->focus);
	damage_say(c);
}

static void handle_ui(struct chat *c, const struct chat_ui_msg *m)
{
	struct chat_room *r =
		m->room == NULL ? c->focus : room_find(c, m->room);
	struct store_key key = {.time_ms = m->time_ms};

	memcpy(key.id, m->id, sizeof(key.id));
	switch ((enum chat_msg_kind)m->msg.kind) {
	case CHAT_MSG_LINE:
		if (m->text != NULL)
			cmd_line(c, r, bytes_str(m->text));
		break;
	case CHAT_MSG_FOCUS:
		if (r != NULL && r->row.joined)
			room_focus(c, r);
		break;
	case CHAT_MSG_PAGE:
		history_page(c, m);
		break;
	case CHAT_MSG_READ:
		if (r != NULL)
			room_read(c, r, &key);
		break;
	case CHAT_MSG_RELOAD:
		history_reload(c);
		break;
	case CHAT_MSG_QUIT:
		send_leave_all(c);
		out_quit(c, 0);
		break;
	case CHAT_MSG_NET_READY:
	case CHAT_MSG_STATUS:
	case CHAT_MSG_PEER:
	case CHAT_MSG_RTT:
	case CHAT_MSG_TOPIC:
	case CHAT_MSG_UNIT:
	case CHAT_MSG_UNREADABLE:
	case CHAT_MSG_HANDED:
	case CHAT_MSG_ADDRESS:
	case CHAT_MSG_RECORD:
	case CHAT_MSG_WHOIS:
	case CHAT_MSG_UNREACHED:
	case CHAT_MSG_FOLLOWED:
	case CHAT_MSG_COPY:
	case CHAT_MSG_DIAL_FAILED:
	case CHAT_MSG_STATS:
	case CHAT_MSG_PIPE_UP:
	case CHAT_MSG_PIPE_FRAME:
	case CHAT_MSG_PIPE_ROOM:
	case CHAT_MSG_PIPE_END:
	case CHAT_MSG_PIPE_GONE:
	case CHAT_MSG_NET_ROOM:
	default:
		break;
	}
}

static void net_has_room(struct chat *c)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->rooms)
		send_offer_waiting(c, ROOM_OF(pos));
}

static void handle_net(struct chat *c, const struct chat_net_msg *m)
{
	switch ((enum chat_msg_kind)m->msg.kind) {
	case CHAT_MSG_NET_READY:
		peers_net_ready(c, m);
		break;
	case CHAT_MSG_STATUS:
		peers_status(c, m);
		break;
	case CHAT_MSG_PEER:
		peers_peer(c, m);
		break;
	case CHAT_MSG_RTT:
		peers_rtt(c, m);
		break;
	case CHAT_MSG_TOPIC:
		peers_topic(c, m);
		break;
	case CHAT_MSG_UNIT:
		receive_unit(c, m);
		break;
	case CHAT_MSG_UNREADABLE:
		unreadable_told(c, m);
		break;
	case CHAT_MSG_HANDED:
		if (m->number > 0)
			send_handed(c, m->id);
		break;
	case CHAT_MSG_ADDRESS:
		peers_address(c, m);
		break;
	case CHAT_MSG_RECORD:
		peers_record(c, m);
		break;
	case CHAT_MSG_WHOIS:
		cmd_whois_answer(c, m);
		break;
	case CHAT_MSG_COPY:
		if (m->text != NULL)
			receive_met_copy(c, m->text);
		break;
	case CHAT_MSG_UNREACHED:
	case CHAT_MSG_FOLLOWED:
	case CHAT_MSG_DIAL_FAILED:
		peers_of_dials(c, m);
		break;
	case CHAT_MSG_STATS:
		cmd_net_answer(c, m);
		break;
	case CHAT_MSG_PIPE_UP:
	case CHAT_MSG_PIPE_FRAME:
	case CHAT_MSG_PIPE_ROOM:
	case CHAT_MSG_PIPE_END:
	case CHAT_MSG_PIPE_GONE:
		profile_pipe(c, m);
		break;
	case CHAT_MSG_NET_ROOM:
		net_has_room(c);
		break;
	case CHAT_MSG_LINE:
	case CHAT_MSG_FOCUS:
	case CHAT_MSG_PAGE:
	case CHAT_MSG_READ:
	case CHAT_MSG_RELOAD:
	case CHAT_MSG_QUIT:
	default:
		break;
	}
}

static const struct unsaved_verbs verbs = {handle_ui, handle_net};

/* After a store failure the rest of the turn is only kept: it will be taken
 * in again in its order. */
static void dispatch(struct chat *c, struct msg *m)
{
	if (c->store_err != 0)
		return;
	if (m->kind < CHAT_MSG_FROM_NET)
		handle_ui(c, chat_ui_msg_of(m));
	else
		handle_net(c, chat_net_msg_of(m));
}

static bool means_quit(struct msg *m)
{
	const char *text;

	if (m->kind == CHAT_MSG_QUIT)
		return true;
	if (m->kind != CHAT_MSG_LINE)
		return false;
	text = chat_ui_msg_of(m)->text;
	return text != NULL && cmd_means(bytes_str(text), COMMAND_QUIT);
}

void chat_handle(struct chat *c, const struct env *env, struct msg *m)
{
	c->env = env;
	/* One more try, now; then it ends in either case. */
	if (c->retrying && means_quit(m)) {
		c->quit_anyway = true;
		c->retry_ms = env->now_ms;
	} else if (c->retrying) {
		unsaved_hear(c, &verbs, m);
		return;
	}
	m->next = NULL;
	*c->turn_last = m;
	c->turn_last = &m->next;
	c->kept_count++;
	if (!c->retrying)
		dispatch(c, m);
}

/* What has been taken in so far is heard as what comes from now on. */
static void hear_turn_again(struct chat *c)
{
	struct msg *m = c->turn_first, *next;

	c->turn_first = NULL;
	c->turn_last = &c->turn_first;
	c->kept_count = 0;
	if (c->starting)
		chat_start(c, c->env);
	else
		history_reload(c);
	c->starting = false;
	for (; m != NULL; m = next) {
		next = m->next;
		unsaved_hear(c, &verbs, m);
	}
}

/*
 * Back to the last commit: what the ui and net would have heard of this turn
 * is dropped, but for what does not depend on the store, and the ui is told
 * anew how things stand.
 */
static void undo_turn(struct chat *c)
{
	bool first = !c->retrying;

	log_printf(c->env->log, LOG_LEVEL_ERROR, "chat: not saved: %s",
		store_error(c->store));
	/* The store first: what is taken back after it reads it. */
	store_rollback(c->store);
	out_undo_ui(c);
	out_undo_net(c);
	offers_undo(c);
	rooms_restore(c);
	people_restore(c);
	c->strangers = c->strangers_saved;
	c->quitting = false;
	/* Leaving was asked for in this very turn, which has had its try. */
	for (struct msg *m = c->turn_first; m != NULL; m = m->next)
		c->quit_anyway = c->quit_anyway || means_quit(m);
	unsaved_tell(c);
	c->retrying = true;
	c->trying = false;
	c->retry_ms = env_after(c->env, CHAT_STORE_RETRY_MS);
	c->store_err = 0;
	c->ui_answer = 0;
	if (c->quit_anyway) {
		out_quit(c, CHAT_EXIT_UNSAVED);
		return;
	}
	/* Lines that waited for a slow screen come out of the store. */
	c->replaying = true;
	if (first)
		hear_turn_again(c);
	else
		history_reload(c);
}

/* Whether anything can be saved: what is undone when it cannot costs more. */
static bool can_save(struct chat *c)
{
	if (chat_store_ok(
		    c, store_set_u64(c->store, "saved_ms", c->env->wall_ms)) &&
		chat_store_ok(c, store_commit(c->store)))
		return true;
	store_rollback(c->store);
	unsaved_tell(c);
	c->store_err = 0;
	return false;
}

static void take_in_again(struct chat *c)
{
	c->trying = true;
	/* Where the person looks has been told to nobody. */
	if (c->focus != NULL)
		(void)chat_store_ok(c, store_set(c->store, "last_room",
					       bytes_str(c->focus->row.topic)));
	unsaved_take_back(c);
	for (struct msg *m = c->turn_first; m != NULL; m = m->next)
		dispatch(c, m);
}

static void release(struct chat *c)
{
	out_release(c);
	if (c->quitting && c->ui.first == NULL && c->net.first == NULL)
		c->finished = true;
}

/* A turn without a commit: what is said waits for none. */
static void unsaved_turn(struct chat *c)
{
	if (c->retry_ms <= c->env->now_ms)
		c->retry_ms = env_after(c->env, CHAT_STORE_RETRY_MS);
	profile_tick(c);
	unreadable_tick(c);
	people_flush(c);
	rooms_flush(c);
	history_replay(c);
	c->store_err = 0;
	if (c->quit_anyway)
		out_quit(c, CHAT_EXIT_UNSAVED);
	profile_give(c);
	release(c);
}

/* Where nothing is said, nothing is committed. */
static void look_at_place(struct chat *c)
{
	if (!store_has_file(c->store) || c->place_due_ms > c->env->now_ms)
		return;
	c->place_due_ms = env_after(c->env, CHAT_PLACE_LOOK_MS);
	(void)chat_store_ok(c, store_look_at_place(c->store));
}

static void finish_turn(struct chat *c)
{
	if (c->store_err == 0)
		look_at_place(c);
	if (c->store_err == 0)
		send_tick(c);
	if (c->store_err == 0)
		profile_tick(c);
	if (c->store_err == 0)
		unreadable_tick(c);
	if (c->store_err == 0)
		people_flush(c);
	if (c->store_err == 0)
		rooms_flush(c);
	if (c->store_err == 0)
		history_replay(c);
	if (c->store_err == 0)
		damage_tick(c);
	if (c->store_err == 0)
		(void)chat_store_ok(c, store_commit(c->store));
}

void chat_turn_end(struct chat *c, const struct env *env)
{
	c->env = env;
	/* Leaving unsaved: nothing is kept any more, only the last words have
	 * yet to reach both sides. */
	if (c->retrying && c->quit_anyway && c->quitting) {
		release(c);
		return;
	}
	if (c->retrying && (env->now_ms < c->retry_ms || !can_save(c))) {
		unsaved_turn(c);
		return;
	}
	if (c->retrying)
		take_in_again(c);
	finish_turn(c);
	if (c->store_err != 0) {
		undo_turn(c);
		unsaved_turn(c);
		return;
	}
	free_turn(c);
	c->strangers_saved = c->strangers;
	c->starting = false;
	c->retrying = false;
	c->trying = false;
	unsaved_over(c);
	profile_give(c);
	release(c);
	damage_told(c);
}

uint64_t chat_deadline(const struct chat *c)
{
	uint64_t next = P2P_MIN(c->retrying ? c->retry_ms : send_deadline(c),
		profile_deadline(c));
	uint64_t soon = env_after(c->env, CHAT_UI_RETRY_MS);

	next = P2P_MIN(next, unreadable_deadline(c));
	if (!c->retrying)
		next = P2P_MIN(next, damage_deadline(c));
	if (!c->retrying && store_has_file(c->store))
		next = P2P_MIN(next, c->place_due_ms);
	if (c->replaying || (c->ui_lost && !c->reload_said) ||
		c->ui.first != NULL || c->net.first != NULL)
		next = P2P_MIN(next, soon);
	return next;
}

bool chat_is_saving(const struct chat *c)
{
	return !c->retrying;
}

bool chat_finished(const struct chat *c)
{
	return c->finished;
}

/* While saving fails the person is heard up to a limit: what is typed then is
 * kept in memory. The net always is, else it would stop relaying. */
static struct msg *take_next(
	struct chat *c, struct mailbox *from_ui, struct mailbox *from_net)
{
	struct msg *m = NULL;

	if (!c->retrying || c->kept_count < CHAT_KEPT_MAX)
		m = mailbox_take(from_ui);
	return m == NULL ? mailbox_take(from_net) : m;
}

/* The person is not kept waiting for the lines of others. */
static bool is_gathering(
	const struct chat *c, const struct env *env, struct mailbox *from_ui)
{
	return env->now_ms < c->gather_until_ms && mailbox_is_empty(from_ui);
}

/* What the person said is committed, shown and sent now, not behind what
 * others have yet to be heard saying. */
static bool is_of_person(const struct msg *m, struct mailbox *from_ui)
{
	return m->kind < CHAT_MSG_FROM_NET && mailbox_is_empty(from_ui);
}

uint64_t chat_turn(struct chat *c, const struct env *env,
	struct mailbox *from_ui, struct mailbox *from_net)
{
	bool stalled = c->retrying, said = false;
	int taken = 0, of_net = 0;
	size_t bytes = 0;
	struct msg *m;

	if (is_gathering(c, env, from_ui))
		return c->gather_until_ms;
	while (!c->finished && !said && taken < CHAT_TURN_MAX &&
		bytes < CHAT_TURN_BYTES_MAX) {
		m = take_next(c, from_ui, from_net);
		if (m == NULL)
			break;
		bytes += m->bytes;
		of_net += m->kind >= CHAT_MSG_FROM_NET;
		said = is_of_person(m, from_ui);
		chat_handle(c, env, m);
		taken++;
	}
	chat_turn_end(c, env);
	c->gather_until_ms =
		of_net >= CHAT_BURST_MIN ? env_after(env, CHAT_GATHER_MS) : 0;
	/* There may be more: another turn at once. */
	if (!c->finished && (said || taken == CHAT_TURN_MAX ||
				    bytes >= CHAT_TURN_BYTES_MAX ||
				    (stalled && !c->retrying))) {
		c->gather_until_ms = 0;
		return env->now_ms;
	}
	return chat_deadline(c);
}
