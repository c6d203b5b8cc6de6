/*
 * Random keys, pastes, sizes and words of the chat thread against the model
 * and the drawing. After each step: the input is clean text with the cursor
 * on a code point, each row's widths add up, the cursor is on the screen, and
 * the window of each room is in order.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/ui_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t next(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

/* A string of up to 40 bytes, as the chat thread would have cleaned it. */
static char *text_of(struct input *in, enum text_mode mode)
{
	size_t want = next(in) % 41;
	size_t len = P2P_MIN(want, in->size);
	struct buf clean;
	char *text;

	buf_init(&clean, 4096);
	(void)text_clean(mode, bytes_of(in->data, len), &clean);
	in->data += len;
	in->size -= len;
	text = xstrdup(buf_cstr(&clean));
	buf_clear(&clean);
	return text;
}

static const char *room_of(struct input *in)
{
	static const char *const rooms[] = {
		LOBBY, "dev", "music", "\xff\xfe", NULL};

	return rooms[next(in) % P2P_ARRAY_LEN(rooms)];
}

static void fuzz_line(struct input *in, struct ui_msg *m)
{
	char *name = text_of(in, TEXT_NAME);

	m->line.text = text_of(in, TEXT_BLOCK);
	snprintf(m->line.name, sizeof(m->line.name), "%s", name);
	free(name);
	m->line.time_ms = (uint64_t)next(in) << (next(in) % 57);
	m->line.id[0] = next(in) % 8;
	m->line.name_mark = "\0 ?!"[next(in) % 4];
	snprintf(m->line.tag, sizeof(m->line.tag), "77ab");
	m->line.own = next(in) % 2;
	m->line.known = m->line.id[0] % 4 == 3;
	m->line.clock_wrong = m->line.id[0] % 4 == 2;
	m->line.type = (enum ui_line_type)(next(in) % 3);
	m->line.state = (enum ui_line_state)(next(in) % 3);
	m->line.origin = (enum ui_line_origin)(next(in) % 3);
}

static void fuzz_msg(struct world *w, struct input *in)
{
	enum ui_msg_kind kind =
		(enum ui_msg_kind)(next(in) % (UI_MSG_RELOAD + 1));
	struct ui_msg *m = ui_msg_new(kind, room_of(in), NULL);
	uint8_t bits = next(in);

	m->joined = bits & 1;
	m->more = (bits & 2) != 0;
	m->only_known = bits % 16 == 7;
	m->unread = bits;
	m->mentions = bits / 100;
	m->level = (enum ui_level)(bits % 3);
	m->item = (enum chat_status_item)(bits % 5);
	m->status = (enum chat_status_state)(bits % 4);
	snprintf(m->peer, sizeof(m->peer), "12D3%u", bits % 5u);
	if (kind == UI_MSG_LINE || kind == UI_MSG_STATE) {
		fuzz_line(in, m);
	} else if (kind == UI_MSG_PERSON) {
		snprintf(m->person.peer, sizeof(m->person.peer), "12D3%u",
			bits % 5u);
		m->person.name_mark = "\0 ?!"[next(in) % 4];
		m->person.connected = bits & 1;
		m->person.rtt_us = (uint64_t)next(in) << (next(in) % 57);
		m->person.agent = text_of(in, TEXT_NAME);
	} else {
		m->text = text_of(in, TEXT_BLOCK);
	}
	say(w, m);
}

static void fuzz_step(struct world *w, struct input *in)
{
	struct ui_key key = {0};

	switch (next(in) % 8) {
	case 0:
	case 1:
		fuzz_msg(w, in);
		break;
	case 2:
		ui_resize(w->ui, next(in) % 60, next(in) % 140);
		break;
	case 3: {
		size_t want = next(in);
		size_t len = P2P_MIN(want, in->size);

		ui_paste(w->ui, bytes_of(in->data, len), &w->clock);
		in->data += len;
		in->size -= len;
		break;
	}
	case 4:
		w->clock.now_ms += next(in) * 10u;
		ui_tick(w->ui, &w->clock);
		break;
	case 5:
		while (next(in) % 4 != 0)
			msg_free(mailbox_take(w->chat));
		break;
	default:
		key.code = (enum ui_key_code)(next(in) % (UI_KEY_OTHER + 1));
		key.mods = next(in) % 4;
		key.cp = next(in);
		if (key.cp > 0xf0)
			key.cp = 0xe00u + next(in);
		ui_update(w->ui, &key, &w->clock);
	}
}

static void check(struct world *w)
{
	const struct edit *e = ui_edit_of(w->ui);
	struct ui_canvas *c = &w->canvas;

	P2P_ASSERT(text_is_clean(TEXT_BLOCK, edit_text(e)));
	ui_tick(w->ui, &w->clock);
	P2P_ASSERT(e->cursor <= e->text.len);
	P2P_ASSERT(utf8_valid(edit_before(e)));
	for (size_t i = 0; i < w->ui->room_count; i++) {
		const struct window *win = &w->ui->rooms[i]->win;

		P2P_ASSERT(win->count <= UI_WINDOW_LINES_MAX);
		for (size_t j = 1; j < win->count; j++)
			P2P_ASSERT(line_key_compare(&win->lines[j - 1]->key,
					   &win->lines[j]->key) < 0);
	}
	draw_screen(w->ui, c);
	for (int row = 0; row < c->rows; row++) {
		int sum = 0;

		for (int col = 0; col < c->cols; col++)
			sum += canvas_at(c, row, col)->width;
		P2P_ASSERT(sum == c->cols);
	}
	P2P_ASSERT(c->cursor_row >= 0 && c->cursor_row < c->rows);
	P2P_ASSERT(c->cursor_col >= 0 && c->cursor_col < c->cols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct world w;

	world_open_with(&w, 24, 80, 8);
	if (next(&in) % 2 == 0)
		say_ready(&w);
	for (int i = 0; in.size > 0 && i < 400; i++) {
		fuzz_step(&w, &in);
		check(&w);
	}
	world_close(&w);
	return 0;
}
