/*
 * Input bytes cut anywhere, and words of the chat thread, against the line
 * face: what is posted is valid UTF-8 without a newline, what is written is
 * whole lines.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mailbox.h"
#include "base/text.h"
#include "base/xmalloc.h"
#include "msg/ui_msg.h"
#include "ui/line/line_face.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_out(void *arg, struct bytes out)
{
	(void)arg;
	P2P_ASSERT(out.len > 0 && out.data[out.len - 1] == '\n');
	return 0;
}

static void drain(struct mailbox *chat)
{
	struct msg *m;

	while ((m = mailbox_take(chat)) != NULL) {
		const char *text = chat_ui_msg_of(m)->text;

		if (text != NULL) {
			P2P_ASSERT(utf8_valid(bytes_str(text)));
			P2P_ASSERT(strchr(text, '\n') == NULL);
		}
		msg_free(m);
	}
}

static void event(
	struct line_face *f, struct bytes in, const struct ui_clock *clock)
{
	struct ui_msg *m = ui_msg_new(
		(enum ui_msg_kind)(in.data[0] % UI_MSG_QUIT), "room", NULL);
	struct buf clean;

	buf_init(&clean, 4096);
	(void)text_clean(TEXT_BLOCK, in, &clean);
	m->text = xstrdup(buf_cstr(&clean));
	m->line.text = xstrdup(buf_cstr(&clean));
	m->line.own = in.len % 2;
	m->line.state = (enum ui_line_state)(in.len % 3);
	m->line.time_ms = (uint64_t)in.len << (in.data[0] % 60);
	m->person.announce = true;
	m->person.scored = m->person.connected = in.len % 2;
	m->person.score = in.len * 1e9 - 1e12;
	m->people = xcalloc(2, sizeof(*m->people));
	m->people_count = in.len % 3;
	m->addresses = xcalloc(2, sizeof(*m->addresses));
	m->address_count = in.len % 3;
	for (size_t i = 0; i < m->address_count; i++) {
		struct peer_address *a = &m->addresses[i];

		(void)snprintf(
			a->addr, sizeof(a->addr), "%s", buf_cstr(&clean));
		(void)snprintf(a->sources, sizeof(a->sources), "%.40s",
			buf_cstr(&clean));
		a->ok_ms_ago = i == 0 ? P2P_NEVER : m->line.time_ms;
	}
	m->changed = true;
	m->level = (enum ui_level)(in.len % 3);
	buf_clear(&clean);
	line_face_on_msg(f, m, clock);
	line_face_flush(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mailbox_cfg mc = {.count_max = 4, .bytes_max = 1 << 20};
	struct line_face_cfg cfg = {.write = check_out};
	struct ui_clock clock = {.now_ms = 1, .wall_ms = 1763649300000};
	struct line_face *f;
	int status;

	cfg.chat = mailbox_new(&mc);
	cfg.json = size > 0 && (data[0] & 1) != 0;
	cfg.headless = size > 0 && (data[0] & 2) != 0;
	cfg.ascii = size > 0 && (data[0] & 4) != 0;
	f = line_face_new(&cfg);
	while (size > 1) {
		size_t len = P2P_MIN((size_t)(data[0] >> 2) + 1, size - 1);

		if (data[0] % 4 == 0)
			event(f, bytes_of(data + 1, len), &clock);
		else
			line_face_on_input(f, bytes_of(data + 1, len), &clock);
		if (data[0] % 4 == 1)
			drain(cfg.chat);
		clock.now_ms += data[0];
		line_face_turn(f, &clock);
		data += 1 + len;
		size -= 1 + len;
	}
	line_face_on_eof(f, &clock);
	drain(cfg.chat);
	(void)line_face_wants_quit(f, &status);
	line_face_free(f);
	mailbox_free(cfg.chat);
	return 0;
}
