/*
 * /info: what one may want to read to somebody else, or to a bug report: own
 * name and key, addresses, how much the store holds, and what is written in
 * this room.
 */
#include <stdlib.h>

#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"
#include "chat/send_internal.h"

static void append_store(struct chat *c, struct buf *text)
{
	uint64_t bytes = 0, waiting = 0;
	int64_t lines = 0;

	if (!chat_store_ok(c, store_size_bytes(c->store, &bytes)) ||
		!chat_store_ok(c, store_last_row(c->store, &lines)) ||
		!chat_store_ok(c, store_count_waiting(c->store, &waiting)))
		return;
	buf_appendf(text, "store      %lld lines, %llu KiB\n", (long long)lines,
		(unsigned long long)bytes / 1024);
	buf_appendf(text, "waiting    %llu own lines\n",
		(unsigned long long)waiting);
}

static void append_listen(const struct chat *c, struct buf *text)
{
	const char *at = c->listen == NULL ? "" : c->listen;

	if (*at == '\0')
		buf_append_str(text, "listening  not yet\n");
	while (*at != '\0') {
		size_t n = strcspn(at, "\n");
		char *clean = out_clean(bytes_of(at, n));

		buf_appendf(text, "listening  %s\n", clean);
		free(clean);
		at += n + (at[n] == '\n');
	}
}

void cmd_info(struct chat *c, struct chat_room *r, struct bytes args)
{
	bool js_copy;
	struct buf text;

	(void)args;
	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	buf_appendf(&text, "name       %s\nkey        %s\n", c->self->row.name,
		c->me_text);
	append_listen(c, &text);
	buf_appendf(&text, "people     %zu connected, %zu known\n",
		c->connected_count, c->people.count - 1);
	buf_appendf(&text, "rooms      %zu joined\n", c->joined_count);
	if (r != NULL) {
		enum dialect dialect = send_dialect(r, &js_copy);

		char *topic = out_clean(bytes_str(r->row.topic));

		buf_appendf(&text, "this room  topic %s, we write %s%s\n",
			topic, dialect_name(dialect),
			js_copy ? " and seed-js" : "");
		free(topic);
	}
	append_store(c, &text);
	if (c->unkept_ever > 0)
		buf_appendf(&text, "not kept   %llu lines since the start\n",
			(unsigned long long)c->unkept_ever);
	buf_appendf(&text,
		"unreadable %llu units, %llu profiles since the start",
		(unsigned long long)c->ignored_units,
		(unsigned long long)c->refused_profiles);
	out_notice(c, UI_LEVEL_INFO, NULL, "%s", buf_cstr(&text));
	buf_clear(&text);
}
