/*
 * Pipes between the chat thread and the streams of its protocols: messages here
 * are calls and events there, one for one.
 */
#include "net/node/node_internal.h"

/* Chat and net count pipes alike. */
#if PIPE_OURS != MSG_PIPE_OURS || PIPE_OUT_BYTES != MSG_PIPE_OUT_BYTES
#error "net/serve/pipe.h and msg/msg_limits.h disagree"
#endif

static void on_open(
	struct node *n, const struct env *env, const struct net_msg *m)
{
	struct pipe_event ev = {
		.kind = PIPE_EV_GONE, .pipe = m->pipe, .name = ""};

	ev.err = peer_id_parse_text(&ev.peer, bytes_str(m->peer));
	if (ev.err == 0)
		ev.err = pipe_open(n->serve, env, m->pipe, &ev.peer, m->text);
	if (ev.err != 0)
		tell_pipe(n, &ev);
}

void pipes_serve(struct node *n, const struct env *env, const struct net_msg *m)
{
	switch ((int)m->msg.kind) {
	case NET_MSG_PIPE_OPEN:
		on_open(n, env, m);
		break;
	case NET_MSG_PIPE_FRAME:
		pipe_send(
			n->serve, env, m->pipe, bytes_of(m->data, m->data_len));
		break;
	case NET_MSG_PIPE_TOOK:
		pipe_took(n->serve, m->pipe, m->count);
		break;
	case NET_MSG_PIPE_CLOSE:
	case NET_MSG_PIPE_RESET:
		pipe_close(n->serve, env, m->pipe,
			m->msg.kind == NET_MSG_PIPE_RESET);
		break;
	default:
		break;
	}
}

void pipes_hear(struct node *n)
{
	struct pipe_event ev;

	while (tell_has_room(n) && pipe_next_event(n->serve, &ev))
		tell_pipe(n, &ev);
}
