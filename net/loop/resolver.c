/*
 * Names into addresses. getaddrinfo(3) cannot be cancelled, and where a name
 * server does not answer it takes half a minute. So each name is asked for in a
 * thread of its own, which nobody has to wait for: it shares one struct
 * question with the loop, whoever is done with that last frees it, and the end
 * of the program ends the thread. The same name is asked for once at a time,
 * others side by side. An answer that comes when nobody waits any more is kept
 * for the next dial: where the first of two name servers is dead each takes
 * longer than a dial has.
 *
 *   loop:   ask ---------> on_answered, or resolver_stop --> lets go
 *   thread: getaddrinfo -> answered, closes its pipe ------> lets go
 *
 * What the resolver needs of the machine (its libraries, files below /etc,
 * sockets) it needs in these threads alone, from the first name on.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "net/loop/loop_internal.h"

/* What a thread and the loop share. */
struct question {
	atomic_uint users;
	atomic_bool answered; /* from then on `answer` is the loop's */
	int end;              /* of a pipe: closed by the thread at its end */
	int family;
	char name[MULTIADDR_NAME_BYTES_MAX + 1];
	struct name_answer answer;
};

struct asking {
	struct list of_loop;
	struct loop *loop;
	struct question *question;
	bool kept; /* answered, and nobody waited any more */
	uint64_t kept_ms;
	int fd; /* the pipe's other end */
	uv_poll_t poll;
};

/* ---- the thread --------------------------------------------------------- */

static void let_go(struct question *q)
{
	if (atomic_fetch_sub(&q->users, 1) == 1)
		free(q);
}

static const char *why_none(int err)
{
	if (err == EAI_AGAIN)
		return "no name server answers";
	return err == 0 || err == EAI_NONAME ? "there is no such name"
					     : "the name cannot be looked up";
}

/* The next of that family, or of any other; NULL: none. */
static const struct addrinfo *next_of(
	const struct addrinfo *a, int family, bool same)
{
	while (a != NULL && (a->ai_family == family) != same)
		a = a->ai_next;
	return a;
}

/* The resolver's order, but the families by turns (RFC 8305 section 4): one of
 * them may lead nowhere. */
static void take_turns(struct name_answer *to, const struct addrinfo *list)
{
	int family = list == NULL ? AF_UNSPEC : list->ai_family;
	const struct addrinfo *row[2] = {
		next_of(list, family, true), next_of(list, family, false)};

	for (unsigned turn = 0; row[0] != NULL || row[1] != NULL; turn++) {
		const struct addrinfo **a = &row[turn % 2];

		if (*a == NULL)
			continue;
		if (to->count < LOOP_DNS_RESULTS_MAX &&
			(*a)->ai_addrlen <= sizeof(to->found[0]))
			memcpy(&to->found[to->count++], (*a)->ai_addr,
				(*a)->ai_addrlen);
		*a = next_of((*a)->ai_next, family, turn % 2 == 0);
	}
}

static void *ask(void *arg)
{
	struct question *q = arg;
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_family = q->family};
	struct addrinfo *list = NULL;
	int err = getaddrinfo(q->name, "0", &hints, &list);
	int end = q->end;

	if (err == 0) {
		take_turns(&q->answer, list);
		freeaddrinfo(list);
	}
	if (q->answer.count == 0)
		q->answer.why = why_none(err);
	atomic_store(&q->answered, true);
	(void)close(end);
	let_go(q);
	return NULL;
}

/* Not to be joined: it may outlive the loop. */
static int start_thread(struct question *q)
{
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (pthread_attr_init(&attr) != 0)
		return P2P_ERR_IO;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, ask, q);
	(void)pthread_attr_destroy(&attr);
	return err == 0 ? 0 : P2P_ERR_IO;
}

/* ---- the loop ------------------------------------------------------------ */

static void on_poll_closed(uv_handle_t *h)
{
	struct asking *a = h->data;

	(void)close(a->fd);
	free(a);
}

static void forget(struct asking *a)
{
	list_remove(&a->of_loop);
	a->loop->asking_count--;
	let_go(a->question);
	uv_close((uv_handle_t *)&a->poll, on_poll_closed);
}

/* One address at least, which came too late for the dial that asked. */
static void keep(struct asking *a)
{
	a->kept = true;
	a->kept_ms = uv_now(&a->loop->uv);
	(void)uv_poll_stop(&a->poll);
}

static void on_answered(uv_poll_t *poll, int status, int events)
{
	struct asking *a = poll->data;
	bool waited;

	(void)status;
	(void)events;
	if (!atomic_load(&a->question->answered))
		return;
	waited = dials_answered(a->loop, a, &a->question->answer);
	/* What the answer has caused may have stopped the loop. */
	if (uv_is_closing((uv_handle_t *)poll))
		return;
	if (waited || a->question->answer.count == 0)
		forget(a);
	else
		keep(a);
}

static struct asking *find(struct loop *l, const char *name, int family)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &l->askings) {
		struct asking *a = LIST_ITEM(pos, struct asking, of_loop);

		/* One that is answered and not kept is about to be forgotten.
		 */
		if (a->question->family == family &&
			(a->kept || !atomic_load(&a->question->answered)) &&
			strcmp(a->question->name, name) == 0)
			return a;
	}
	return NULL;
}

/* The oldest of those that are kept makes room. */
static bool make_room(struct loop *l)
{
	struct list *pos, *tmp;

	if (l->asking_count < LOOP_NAMES_MAX)
		return true;
	LIST_FOREACH(pos, tmp, &l->askings) {
		struct asking *a = LIST_ITEM(pos, struct asking, of_loop);

		if (!a->kept)
			continue;
		forget(a);
		return true;
	}
	return false;
}

/* Once: should nobody be there, the next dial asks anew. False: too old. */
static bool give_kept(struct asking *a)
{
	if (uv_now(&a->loop->uv) - a->kept_ms > LOOP_NAME_KEPT_MS) {
		forget(a);
		return false;
	}
	a->kept = false;
	return uv_poll_start(
		       &a->poll, UV_READABLE | UV_DISCONNECT, on_answered) == 0;
}

static struct question *question_new(const char *name, int family, int end)
{
	struct question *q = xcalloc(1, sizeof(*q));

	atomic_init(&q->users, 2);
	q->end = end;
	q->family = family;
	(void)snprintf(q->name, sizeof(q->name), "%s", name);
	return q;
}

/* NULL: *why. The pipe's ends are taken over either way. */
static struct asking *begin(struct loop *l, const char *name, int family,
	const int fds[2], const char **why)
{
	struct asking *a = xcalloc(1, sizeof(*a));

	a->loop = l;
	a->fd = fds[0];
	a->poll.data = a;
	P2P_ASSERT(uv_poll_init(&l->uv, &a->poll, a->fd) == 0);
	a->question = question_new(name, family, fds[1]);
	list_push_back(&l->askings, &a->of_loop);
	l->asking_count++;
	if (start_thread(a->question) != 0) {
		*why = "no thread can be started";
		(void)close(fds[1]);
		let_go(a->question); /* for the thread */
		forget(a);
		return NULL;
	}
	(void)uv_poll_start(&a->poll, UV_READABLE | UV_DISCONNECT, on_answered);
	return a;
}

struct asking *resolver_ask(
	struct loop *l, const char *name, int family, const char **why)
{
	struct asking *a = find(l, name, family);
	int fds[2];

	if (a != NULL && (!a->kept || give_kept(a)))
		return a;
	*why = "too many names are being looked up";
	if (!make_room(l))
		return NULL;
	*why = "too many files are open";
	if (uv_pipe(fds, 0, UV_NONBLOCK_PIPE) != 0)
		return NULL;
	return begin(l, name, family, fds, why);
}

void resolver_stop(struct loop *l)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &l->askings)
		forget(LIST_ITEM(pos, struct asking, of_loop));
}
