/*
 * /connect: an address as a person types it goes to net. What is no address at
 * all is told at once; whether anybody answers there comes later, as a
 * connection or as CHAT_MSG_DIAL_FAILED.
 *
 * /net: chat knows no figures of the network, it asks for them; the answer
 * comes as CHAT_MSG_STATS, in the order of msg/net_figures.h. Faces get the
 * words made of it and the numbers themselves.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "chat/chat_limits.h"
#include "chat/cmd_internal.h"
#include "chat/out_internal.h"
#include "msg/net_figures.h"

#define FIGURES_BYTES (NET_FIGURE_COUNT * sizeof(uint64_t))
#define ADDRESS_BYTES_MAX 512

/* ---- /connect ---------------------------------------------------------- */

/*
 * A multiaddr, or host:port: only the shape is looked at here; what the words
 * mean is net's to say (CHAT_MSG_DIAL_FAILED).
 */
static bool is_address(struct bytes a)
{
	const uint8_t *colon;
	struct bytes port;

	if (a.len == 0 || a.len > ADDRESS_BYTES_MAX)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (a.data[i] <= ' ' || a.data[i] >= 0x7f)
			return false;
	if (a.data[0] == '/')
		return a.len > 1;
	colon = memrchr(a.data, ':', a.len);
	if (colon == NULL || colon == a.data)
		return false;
	port = bytes_skip(a, (size_t)(colon - a.data) + 1);
	if (port.len == 0 || port.len > 5)
		return false;
	for (size_t i = 0; i < port.len; i++)
		if (port.data[i] < '0' || port.data[i] > '9')
			return false;
	return true;
}

void cmd_connect(struct chat *c, struct chat_room *r, struct bytes args)
{
	struct net_msg *m;
	char *text;

	(void)r;
	if (!is_address(args)) {
		out_error(c, "bad-address",
			"An address is IP:PORT or a multiaddr, e.g. /connect "
			"192.168.1.20:4001.");
		return;
	}
	text = out_clean(args);
	m = net_msg_new(NET_MSG_CONNECT, text, bytes_of(NULL, 0));
	out_net(c, m, NULL);
	out_notice(c, UI_LEVEL_INFO, NULL, "Connecting to %s.", text);
	free(text);
}

/* ---- /net -------------------------------------------------------------- */

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
