/*
 * Parts of the program beside the library that bounds them, in one thread and
 * by turns: ROUNDS times one, then the other. Each subcommand prints JSON
 * objects with the medians:
 *
 *   micro verify        unit_verify            libsodium's Ed25519 verify
 *   micro noise         Noise frames           bare ChaCha20-Poly1305
 *   micro stream        a stream over Noise    the same, both ends together
 *                       and yamux
 *   micro page FOLDER   newest page of a       the same query, bare SQLite
 *                       room of PAGE_LINES
 *   micro draw          all of 200x60 drawn    ncurses paints the same rows
 *
 * The one place outside their folders where the libraries are called bare.
 */
#include <curses.h>
#include <inttypes.h>
#include <locale.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/xmalloc.h"
#include "msg/ui_msg.h"
#include "net/unit/unit.h"
#include "net/upgrade/noise.h"
#include "net/upgrade/upgrader.h"
#include "store/store.h"
#include "ui/draw/draw.h"

#define ROUNDS 7
#define ROUND_NS UINT64_C(150000000)
#define FRAME_BYTES NOISE_PLAIN_BYTES_MAX
#define PAGE_LINES 1000000
#define PAGE_COMMIT 5000
#define PAGE_ROWS 100
#define UNIT_BYTES 470
#define ROWS 60
#define COLS 200

/* Of the thread for what only reckons, so that a busy machine tells the same;
 * of the wall where a person waits. */
static clockid_t watch = CLOCK_THREAD_CPUTIME_ID;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(watch, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)ts.tv_nsec;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "micro: %s failed\n", what);
	exit(1);
}

/* ---- measuring --------------------------------------------------------- */

/* One piece of work; `arg` is the bench's own. */
typedef void work_fn(void *arg);

struct pair {
	const char *name;
	work_fn *ours;
	work_fn *other;
	void *arg;
	double per_call; /* what one call does, in `unit` */
	const char *unit;
};

/* Calls a second, over ROUND_NS. */
static double rate(work_fn *work, void *arg)
{
	uint64_t from = now_ns(), now = from;
	uint64_t calls = 0;

	while (now - from < ROUND_NS) {
		work(arg);
		calls++;
		now = now_ns();
	}
	return (double)calls * 1e9 / (double)(now - from);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), by_value);
	return v[ROUNDS / 2];
}

static void report(const char *name, const char *unit, double *ours,
	double *other, double *ratio)
{
	printf("{\"name\":\"%s\",\"unit\":\"%s\",\"ours\":%.6g,"
	       "\"other\":%.6g,\"ratio\":%.6g}\n",
		name, unit, median(ours), median(other), median(ratio));
	fflush(stdout);
}

/* Rates: a ratio above 1 is faster. */
static void compare(const struct pair *p)
{
	double ours[ROUNDS], other[ROUNDS], ratio[ROUNDS];

	p->ours(p->arg);
	p->other(p->arg);
	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = rate(p->ours, p->arg) * p->per_call;
		other[i] = rate(p->other, p->arg) * p->per_call;
		ratio[i] = ours[i] / other[i];
	}
	report(p->name, p->unit, ours, other, ratio);
}

/* Microseconds a call: a ratio below 1 is faster. */
static void compare_time(const struct pair *p)
{
	double ours[ROUNDS], other[ROUNDS], ratio[ROUNDS];

	watch = CLOCK_MONOTONIC;
	p->ours(p->arg);
	p->other(p->arg);
	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = 1e6 / rate(p->ours, p->arg);
		other[i] = 1e6 / rate(p->other, p->arg);
		ratio[i] = ours[i] / other[i];
	}
	report(p->name, "us", ours, other, ratio);
}

/* ---- verify ------------------------------------------------------------ */

struct verify {
	struct buf raw;
	struct unit unit;
	struct identity me;
	uint8_t message[400];
	uint8_t sig[64];
};

static void verify_unit(void *arg)
{
	struct verify *v = arg;
	struct unit u;

	must(unit_parse(&u, buf_bytes(&v->raw)) == 0 && unit_verify(&u) == 0,
		"unit_verify");
}

static void verify_bare(void *arg)
{
	struct verify *v = arg;

	must(crypto_sign_verify_detached(v->sig, v->message, sizeof(v->message),
		     v->me.secret + 32) == 0,
		"verify");
}

static void bench_verify(void)
{
	static struct verify v;
	uint8_t seed[32] = {7};
	struct pair p = {"verify", verify_unit, verify_bare, &v, 1, "1/s"};

	memset(v.message, 'x', sizeof(v.message));
	identity_from_seed(&v.me, seed);
	buf_init(&v.raw, UNIT_BYTES_MAX);
	must(unit_sign(&v.me, 1, bytes_str("p2p-chat-default"),
		     bytes_of(v.message, 330), &v.raw) == 0,
		"unit_sign");
	crypto_sign_detached(
		v.sig, NULL, v.message, sizeof(v.message), v.me.secret);
	compare(&p);
	buf_clear(&v.raw);
}

/* ---- Noise ------------------------------------------------------------- */

struct sealed {
	struct env env;
	struct rng rng;
	struct budget budget;
	struct identity me[2];
	struct noise *noise[2];
	struct bufq wire[2]; /* wire[i]: written by side i */
	struct channel *up[2];
	uint64_t stream[2];
	uint8_t plain[FRAME_BYTES];
	uint8_t frame[FRAME_BYTES + 16];
	uint8_t key[32];
	uint64_t nonce;
	uint64_t got;
};

static void bare_frame(void *arg)
{
	struct sealed *s = arg;
	uint8_t nonce[12] = {0};

	s->nonce++;
	memcpy(nonce + 4, &s->nonce, sizeof(s->nonce));
	crypto_aead_chacha20poly1305_ietf_encrypt(s->frame, NULL, s->plain,
		FRAME_BYTES, NULL, 0, NULL, nonce, s->key);
	must(crypto_aead_chacha20poly1305_ietf_decrypt(s->plain, NULL, NULL,
		     s->frame, FRAME_BYTES + 16, NULL, 0, nonce, s->key) == 0,
		"decrypt");
}

static void noise_frame(void *arg)
{
	struct sealed *s = arg;
	size_t taken;

	must(noise_seal(s->noise[0], bytes_of(s->plain, FRAME_BYTES), &taken,
		     &s->wire[0]) == 0 &&
			taken == FRAME_BYTES,
		"noise_seal");
	must(noise_feed(s->noise[1], bufq_peek(&s->wire[0]), &taken,
		     &s->wire[1]) == 0,
		"noise_feed");
	bufq_consume(&s->wire[0], taken);
	must(noise_peek(s->noise[1]).len == FRAME_BYTES, "noise_peek");
	noise_consume(s->noise[1], FRAME_BYTES);
}

static void sealed_init(struct sealed *s)
{
	uint8_t seed[32] = {1};

	rng_init_seeded(&s->rng, 5);
	budget_init(&s->budget, NULL, 64u << 20);
	s->env = (struct env){
		.now_ms = 1000, .rng = &s->rng, .budget = &s->budget};
	for (int i = 0; i < 2; i++) {
		seed[1] = (uint8_t)i;
		identity_from_seed(&s->me[i], seed);
		bufq_init(&s->wire[i], 256u << 10);
	}
}

static void noise_shake(struct sealed *s)
{
	size_t taken;

	for (int i = 0; i < 2; i++) {
		struct noise_cfg cfg = {.me = &s->me[i],
			.initiator = i == 0,
			.budget = &s->budget};

		s->noise[i] = noise_new(&cfg, &s->env);
	}
	must(noise_start(s->noise[0], &s->wire[0]) == 0, "noise_start");
	for (int i = 1; !noise_done(s->noise[0]) || !noise_done(s->noise[1]);
		i = !i) {
		must(noise_feed(s->noise[i], bufq_peek(&s->wire[!i]), &taken,
			     &s->wire[i]) == 0,
			"handshake");
		bufq_consume(&s->wire[!i], taken);
	}
}

static void bench_noise(void)
{
	static struct sealed s;
	struct pair p = {"noise", noise_frame, bare_frame, &s,
		FRAME_BYTES / 1e6, "MB/s"};

	sealed_init(&s);
	noise_shake(&s);
	compare(&p);
	noise_free(s.noise[0]);
	noise_free(s.noise[1]);
}

/* ---- a stream over Noise and yamux ------------------------------------- */

static void stream_events(struct sealed *s, int side)
{
	struct channel_event ev;

	while (channel_next_event(s->up[side], &ev)) {
		must(ev.kind != CHANNEL_EV_FAILED, "upgrade");
		if (ev.kind != CHANNEL_EV_MUX || ev.mux.kind != MUX_EV_OPENED)
			continue;
		s->stream[side] = ev.mux.stream;
		must(channel_stream_accept(s->up[side], ev.mux.stream) == 0,
			"accept");
	}
}

static void stream_carry(struct sealed *s, int from)
{
	struct bytes out;
	size_t taken;

	while ((out = channel_out_peek(s->up[from], &s->env)).len > 0) {
		must(channel_feed(s->up[!from], &s->env, out, &taken) == 0,
			"feed");
		channel_out_consume(s->up[from], taken);
		stream_events(s, !from);
		if (taken < out.len)
			break;
	}
}

static void stream_drain(struct sealed *s)
{
	bool end;

	while (s->stream[1] != 0) {
		size_t n =
			channel_stream_peek(s->up[1], s->stream[1], &end).len;

		if (n == 0)
			break;
		s->got += n;
		must(channel_stream_consume(s->up[1], s->stream[1], n) == 0,
			"consume");
	}
}

/* One frame's worth through the stream, whatever the pieces. */
static void stream_frame(void *arg)
{
	struct sealed *s = arg;
	uint64_t until = s->got + FRAME_BYTES;
	size_t done = 0, taken;

	while (s->got < until) {
		if (done < FRAME_BYTES) {
			must(channel_stream_write(s->up[0], s->stream[0],
				     bytes_of(s->plain + done,
					     FRAME_BYTES - done),
				     &taken) == 0,
				"write");
			done += taken;
		}
		stream_carry(s, 0);
		stream_drain(s);
		stream_carry(s, 1);
	}
}

static void bench_stream(void)
{
	static struct sealed s;
	struct pair p = {"stream", stream_frame, bare_frame, &s,
		FRAME_BYTES / 1e6, "MB/s"};

	sealed_init(&s);
	for (int i = 0; i < 2; i++) {
		struct upgrader_cfg cfg = {.me = &s.me[i],
			.initiator = i == 0,
			.early_muxers = true,
			.offer_yamux = true,
			.out_bytes_max = 196608,
			.muxer = {.budget = &s.budget,
				.streams_in_max = 8,
				.streams_unaccepted_max = 8,
				.ping_interval_ms = P2P_NEVER,
				.ping_timeout_ms = P2P_NEVER}};

		s.up[i] = upgrader_new(&cfg, &s.env);
	}
	while (channel_info(s.up[0]).muxer == NULL ||
		channel_info(s.up[1]).muxer == NULL) {
		stream_carry(&s, 0);
		stream_carry(&s, 1);
	}
	must(channel_stream_open(s.up[0], &s.env, &s.stream[0]) == 0, "open");
	compare(&p);
	channel_free(s.up[0]);
	channel_free(s.up[1]);
}

/* ---- the newest page of a large room ----------------------------------- */

struct pages {
	char path[4096];
	struct store *store;
	sqlite3 *db;
	sqlite3_stmt *st;
	struct store_key from;
};

static void page_ours(void *arg)
{
	struct pages *p = arg;
	struct store_rows rows;

	must(store_page(p->store, 1, &p->from, PAGE_ROWS, &rows) == 0 &&
			rows.count == PAGE_ROWS && rows.more,
		"store_page");
	store_rows_clear(&rows);
}

/* All columns, as the store reads them; units are looked at, not copied. */
static void page_bare(void *arg)
{
	struct pages *p = arg;
	size_t count = 0, bytes = 0;

	sqlite3_bind_int64(p->st, 1, 1);
	sqlite3_bind_int64(p->st, 2, (int64_t)p->from.time_ms);
	sqlite3_bind_blob(p->st, 3, p->from.id, STORE_ID_BYTES, SQLITE_STATIC);
	sqlite3_bind_int64(p->st, 4, PAGE_ROWS + 1);
	while (sqlite3_step(p->st) == SQLITE_ROW) {
		count++;
		must(sqlite3_column_blob(p->st, 8) != NULL, "column");
		bytes += (size_t)sqlite3_column_bytes(p->st, 8);
	}
	sqlite3_reset(p->st);
	must(count == PAGE_ROWS + 1 && bytes > 0, "bare page");
}

static void pages_fill(struct pages *p)
{
	struct store_room room = {.topic = "large", .joined = true};
	struct store_person person = {.peer = "somebody"};
	uint8_t unit[UNIT_BYTES];
	struct rng rng;
	bool is_new;

	rng_init_seeded(&rng, 9);
	rng_fill(&rng, unit, sizeof(unit));
	must(store_open(&p->store, p->path, NULL) == 0 &&
			store_put_room(p->store, &room) == 0 &&
			store_put_person(p->store, &person) == 0,
		"store_open");
	for (uint64_t i = 1; i <= PAGE_LINES; i++) {
		struct store_message m = {.room = room.id,
			.key.time_ms = i * 1000,
			.author = person.id,
			.unit = bytes_of(unit, sizeof(unit))};

		rng_fill(&rng, m.key.id, sizeof(m.key.id));
		must(store_insert(p->store, &m, &is_new) == 0 && is_new,
			"store_insert");
		if (i % PAGE_COMMIT == 0)
			must(store_commit(p->store) == 0, "store_commit");
	}
	store_close(p->store);
}

/* The database has one user at a time: it is opened anew for each turn. */
static double page_round(struct pages *p, bool ours)
{
	double calls;

	if (ours) {
		must(store_open(&p->store, p->path, NULL) == 0, "store_open");
		page_ours(p);
		calls = rate(page_ours, p);
		store_close(p->store);
		return 1e3 / calls;
	}
	must(sqlite3_open(p->path, &p->db) == SQLITE_OK &&
			sqlite3_prepare_v2(p->db,
				"SELECT row, room, time_ms, unit_id, author,"
				" state, local, mention, unit FROM messages"
				" WHERE room = ?1"
				" AND (time_ms, unit_id) < (?2, ?3)"
				" ORDER BY time_ms DESC, unit_id DESC"
				" LIMIT ?4",
				-1, &p->st, NULL) == SQLITE_OK,
		"sqlite3_open");
	/* Held like the store holds it: no locking at each query. */
	sqlite3_exec(p->db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL);
	page_bare(p);
	calls = rate(page_bare, p);
	sqlite3_finalize(p->st);
	sqlite3_close(p->db);
	return 1e3 / calls;
}

static void pages_compare(struct pages *p, const char *name)
{
	double ours[ROUNDS], other[ROUNDS], ratio[ROUNDS];

	watch = CLOCK_MONOTONIC;
	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = page_round(p, true);
		other[i] = page_round(p, false);
		ratio[i] = ours[i] / other[i];
	}
	report(name, "ms", ours, other, ratio);
}

static void bench_page(const char *folder)
{
	static struct pages p;

	(void)snprintf(p.path, sizeof(p.path), "%s/large.db", folder);
	pages_fill(&p);
	p.from = store_key_last;
	pages_compare(&p, "page-newest");
	p.from.time_ms = UINT64_C(1000) * PAGE_LINES / 2;
	pages_compare(&p, "page-middle");
}

/* ---- the screen -------------------------------------------------------- */

struct screen {
	struct ui *ui;
	struct ui_canvas canvas;
	struct buf text;
	char *rows[ROWS];
};

static void tell(struct screen *s, struct ui_msg *m)
{
	struct ui_clock clock = {.now_ms = 1000, .wall_ms = 1763649300000};

	ui_on_msg(s->ui, m, &clock);
}

static void tell_lines(struct screen *s)
{
	static const char *const names[] = {"mali", "tom", "nok", "anna"};

	for (unsigned i = 0; i < 200; i++) {
		struct ui_msg *m = ui_msg_new(UI_MSG_LINE, "room", NULL);

		m->line.time_ms = 1763640000000 + i * 1000;
		m->line.id[0] = (uint8_t)i;
		m->line.name_mark = ' ';
		m->line.origin = UI_LINE_PAGE;
		m->line.text = xstrdup(
			i % 3 == 0 ? "yes, I moved it next to the window. You "
				     "may have to power it off and on once, "
				     "and then to wait until the lamp is "
				     "green; if it is not, tell me and I come"
				     " over in the afternoon with the key"
				   : "thanks, that works");
		(void)snprintf(
			m->line.name, sizeof(m->line.name), "%s", names[i % 4]);
		tell(s, m);
	}
	tell(s, ui_msg_new(UI_MSG_PAGE_END, "room", NULL));
}

static void tell_people(struct screen *s)
{
	for (unsigned i = 0; i < 40; i++) {
		struct ui_msg *m = ui_msg_new(UI_MSG_PERSON, NULL, NULL);

		(void)snprintf(m->person.peer, sizeof(m->person.peer),
			"12D3KooWnobody%02u", i);
		(void)snprintf(m->person.name, sizeof(m->person.name),
			"person-%02u", i);
		m->person.name_mark = ' ';
		m->person.connected = true;
		m->person.rtt_us = i;
		tell(s, m);
		m = ui_msg_new(UI_MSG_MEMBER, "room", NULL);
		(void)snprintf(
			m->peer, sizeof(m->peer), "12D3KooWnobody%02u", i);
		m->joined = true;
		tell(s, m);
	}
}

static void draw_ours(void *arg)
{
	struct screen *s = arg;

	draw_screen(s->ui, &s->canvas);
}

/* What any program with ncurses pays for the same screen. */
static void draw_curses(void *arg)
{
	struct screen *s = arg;

	erase();
	for (int i = 0; i < ROWS; i++)
		(void)mvaddstr(i, 0, s->rows[i]);
	(void)clearok(stdscr, TRUE);
	(void)refresh();
}

static void split_rows(struct screen *s)
{
	char *at;

	buf_init(&s->text, 1u << 20);
	canvas_text(&s->canvas, &s->text);
	at = xstrdup(buf_cstr(&s->text));
	for (int i = 0; i < ROWS; i++) {
		char *end = strchr(at, '\n');

		s->rows[i] = at;
		must(end != NULL, "canvas_text");
		*end = '\0';
		at = end + 1;
	}
}

static void bench_draw(void)
{
	static struct screen s;
	struct mailbox_cfg mc = {.count_max = 64, .bytes_max = 1 << 20};
	struct ui_cfg cfg = {.chat = mailbox_new(&mc)};
	struct pair p = {"draw", draw_ours, draw_curses, &s, 1, "us"};
	struct ui_msg *m;
	FILE *out = fopen("/dev/null", "w"), *in = fopen("/dev/null", "r");

	cfg.clock.wall_ms = 1763649300000;
	s.ui = ui_new(&cfg);
	canvas_init(&s.canvas);
	ui_resize(s.ui, ROWS, COLS);
	m = ui_msg_new(UI_MSG_READY, "room", "127.0.0.1");
	m->title = xstrdup("room");
	tell(&s, m);
	m = ui_msg_new(UI_MSG_ROOM, "room", NULL);
	m->title = xstrdup("room");
	m->joined = true;
	tell(&s, m);
	tell_people(&s);
	tell_lines(&s);
	draw_ours(&s);
	split_rows(&s);
	must(out != NULL && in != NULL &&
			newterm("xterm-256color", out, in) != NULL,
		"newterm");
	(void)resizeterm(ROWS, COLS);
	compare_time(&p);
	(void)endwin();
	ui_free(s.ui);
	canvas_clear(&s.canvas);
	mailbox_free(cfg.chat);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	xmalloc_init();
	(void)setlocale(LC_ALL, "C.UTF-8");
	must(crypto_init() == 0, "crypto_init");
	if (strcmp(what, "verify") == 0)
		bench_verify();
	else if (strcmp(what, "noise") == 0)
		bench_noise();
	else if (strcmp(what, "stream") == 0)
		bench_stream();
	else if (strcmp(what, "page") == 0 && argc == 3)
		bench_page(argv[2]);
	else if (strcmp(what, "draw") == 0)
		bench_draw();
	else
		must(false, "micro verify|noise|stream|page FOLDER|draw:");
	return 0;
}
