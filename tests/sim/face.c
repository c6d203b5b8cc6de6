/*
 * The person: the real ui model, whose words are looked at on the way, and
 * keys as a terminal would give them.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "tests/sim/sim.h"

/* Messages that a face takes before it draws. */
#define FACE_TURN_MAX 64
#define FACE_RETRY_US (500 * SIM_MS)

static struct ui_clock clock_of(struct host *h)
{
	host_set_time(h);
	return (struct ui_clock){
		.now_ms = h->env.now_ms, .wall_ms = h->env.wall_ms};
}

static const char *name_of(struct sim *s, const char *peer)
{
	for (int i = 0; i < s->host_count; i++)
		if (strcmp(s->host[i].peer, peer) == 0)
			return s->host[i].cfg.name;
	return "a stranger";
}

/* What a bystander would write down. */
static void note(struct host *h, const struct ui_msg *m)
{
	struct sim *s = h->sim;
	char text[256] = "";

	switch ((enum ui_msg_kind)m->msg.kind) {
	case UI_MSG_LINE:
		if (m->line.origin == UI_LINE_LIVE)
			(void)snprintf(text, sizeof(text), "shows <%s> %.100s",
				m->line.own ? "you" : m->line.name,
				m->line.text);
		break;
	case UI_MSG_STATE:
		(void)snprintf(text, sizeof(text), "marks a line %s",
			m->line.state == UI_STATE_HANDED ? "handed"
							 : "waiting");
		break;
	case UI_MSG_PERSON:
		if (m->person.announce)
			(void)snprintf(text, sizeof(text), "sees %s %s",
				name_of(s, m->person.peer),
				m->person.connected ? "come" : "go");
		break;
	case UI_MSG_ERROR:
		(void)snprintf(text, sizeof(text), "is told: %.100s", m->text);
		break;
	case UI_MSG_RELOAD:
		(void)snprintf(text, sizeof(text), "has to reload");
		break;
	case UI_MSG_READY:
	case UI_MSG_NAME:
	case UI_MSG_ROOM:
	case UI_MSG_FOCUS:
	case UI_MSG_PAGE_END:
	case UI_MSG_MEMBER:
	case UI_MSG_STATUS:
	case UI_MSG_NOTICE:
	case UI_MSG_NET:
	case UI_MSG_WHOIS:
	case UI_MSG_PEERS:
	case UI_MSG_CLEAR:
	case UI_MSG_UNFOLD:
	case UI_MSG_QUIT:
		break;
	}
	if (text[0] == '\0')
		return;
	sim_trace(s, h->index, "%s", text);
	(void)buf_appendf(&s->story, "%s %s\n", h->cfg.name, text);
}

static void enter(struct host *h)
{
	struct ui_key key = {.code = UI_KEY_ENTER};
	struct ui_clock clock = clock_of(h);

	ui_update(h->ui, &key, &clock);
}

static void on_due(struct sim *s, const struct sim_event *ev)
{
	struct host *h = &s->host[ev->host];
	struct ui_clock clock;

	if (ev->seq != h->ui_seq)
		return;
	h->ui_seq = 0;
	h->ui_at_us = P2P_NEVER;
	if (h->ui_stalled || h->asleep)
		return;
	clock = clock_of(h);
	ui_tick(h->ui, &clock);
	face_turn(s, ev);
}

static void arm(struct host *h)
{
	uint64_t due = ui_deadline(h->ui), at;

	if (due == P2P_NEVER)
		return;
	at = due <= h->env.now_ms ? h->sim->now_us + 1000
				  : (due - h->boot_ms) * 1000;
	if (h->ui_seq != 0 && h->ui_at_us <= at)
		return;
	h->ui_at_us = at;
	h->ui_seq = sim_at(h->sim, at,
		(struct sim_event){
			.host = h->index, .name = "ui-due", .fn = on_due});
}

void face_turn(struct sim *s, const struct sim_event *ev)
{
	struct host *h = &s->host[ev->host];
	struct ui_clock clock = clock_of(h);
	struct msg *m;

	h->ui_woken = false;
	if (h->ui_stalled || h->asleep)
		return;
	for (int i = 0; i < FACE_TURN_MAX; i++) {
		m = mailbox_take(h->to_ui);
		if (m == NULL)
			break;
		note(h, ui_msg_of(m));
		check_line(h, ui_msg_of(m));
		ui_on_msg(h->ui, ui_msg_of(m), &clock);
		if (i + 1 == FACE_TURN_MAX)
			host_wake_ui(h);
	}
	check_ui(h);
	arm(h);
}

/* ---- typing ------------------------------------------------------------ */

static void on_enter(struct sim *s, const struct sim_event *ev)
{
	struct host *h = &s->host[ev->host];

	h->enter_due = false;
	if (h->ui_stalled || h->asleep)
		return;
	enter(h);
	arm(h);
}

void face_type(struct host *h, const char *text)
{
	struct ui_clock clock;

	if (!h->running || h->ui_stalled || h->asleep)
		return;
	clock = clock_of(h);
	/* A full queue keeps the last line in the input. */
	if (ui_edit(h->ui)->text.len == 0)
		ui_paste(h->ui, bytes_str(text), &clock);
	sim_trace(h->sim, h->index, "types %s", text);
	enter(h);
	arm(h);
	if (ui_edit(h->ui)->text.len > 0 && !h->enter_due) {
		h->enter_due = true;
		(void)sim_at(h->sim, h->sim->now_us + FACE_RETRY_US,
			(struct sim_event){.host = h->index,
				.name = "enter",
				.fn = on_enter});
	}
}

bool face_show(struct host *h, const char *topic)
{
	struct ui_key key = {.code = UI_KEY_CHAR, .mods = UI_MOD_ALT};
	struct ui_clock clock = clock_of(h);

	for (size_t i = 0; i < h->ui->room_count && i < 9; i++) {
		if (strcmp(h->ui->rooms[i]->topic, topic) != 0)
			continue;
		key.cp = (uint32_t)('1' + i);
		ui_update(h->ui, &key, &clock);
		arm(h);
		return true;
	}
	return false;
}

void face_talk(struct host *h, const char *topic)
{
	char text[64];

	if (!h->running || h->ui_stalled || h->asleep || !face_show(h, topic))
		return;
	(void)snprintf(
		text, sizeof(text), "%s says %u", h->cfg.name, ++h->typed);
	face_type(h, text);
}
