/*
 * /net: chat knows no figures of the network, it asks for them; the answer
 * comes as CHAT_MSG_STATS, in the order of msg/net_figures.h. Faces get the
 * words made of it and the numbers themselves.
 */

#include "base/xmalloc.h"
#include "chat/chat_limits.h"
#include "chat/cmd_internal.h"
#include "chat/out_internal.h"
#include "msg/net_figures.h"

#define FIGURES_BYTES (NET_FIGURE_COUNT * sizeof(uint64_t))

void cmd_net(struct chat *c, struct chat_room *r, struct bytes args)
{
	(void)r;
	(void)args;
	out_net(c, net_msg_new(NET_MSG_STATS, NULL, bytes_of(NULL, 0)), NULL);
}

void cmd_net_answer(struct chat *c, const struct chat_net_msg *m)
{
	struct ui_msg *answer;
	struct buf text;
	uint64_t *figures;

	P2P_ASSERT(m->data_len == FIGURES_BYTES);
	figures = xmemdup(m->data, FIGURES_BYTES);
	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	net_figures_text(figures, &text);
	answer = ui_msg_new(UI_MSG_NET, NULL, buf_cstr(&text));
	answer->figures = figures;
	answer->msg.bytes += FIGURES_BYTES;
	buf_clear(&text);
	out_ui(c, answer);
}
