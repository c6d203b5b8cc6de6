#include "tests/interop/stream_job.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "net/wire/varint.h"

#define CHUNK_BYTES 65536u
/* After so many bytes the ones of fill come again. */
#define FILL_BYTES 65536u
#define BACKLOG_BYTES (512u << 10)
#define ANSWER_BYTES_MAX 128

/* In the state of each stream. */
struct job {
	struct list all; /* in jobs->list */
	struct sstream *st;
	enum job_kind kind;
	bool served; /* the peer opened it */
	bool held;   /* waits until all of its batch are open */
	bool closed; /* our sending side */
	bool told;   /* source, served: how much is known */
	uint64_t total, sent, got;
	bool differs;
	char answer[ANSWER_BYTES_MAX];
	size_t answer_len;
	crypto_hash_sha256_state hash; /* of pattern or of what was read */
};

/* What a service is given at its start, which tells it of its configuration
 * alone. */
struct job_service {
	struct jobs *js;
	enum job_kind kind;
};

static struct jobs *all_jobs;

void jobs_init(struct jobs *js)
{
	*js = (struct jobs){.serve = NULL};
	list_init(&js->list);
	all_jobs = js;
}

static uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i ^ i >> 8 ^ i >> 16);
}

/* Two rounds of what fill carries, so that every view of one is in it. */
static const uint8_t *fill_rounds(void)
{
	static uint8_t rounds[2 * FILL_BYTES];

	if (rounds[1] == 0) {
		for (uint32_t i = 0; i < sizeof(rounds); i++)
			rounds[i] = pattern(i % FILL_BYTES);
	}
	return rounds;
}

static void hex_of(const uint8_t sum[static 32], char out[static 65])
{
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

static void hash_end(struct job *j, char out[static 65])
{
	uint8_t sum[32];

	crypto_hash_sha256_final(&j->hash, sum);
	hex_of(sum, out);
}

/* ---- jobs come and go -------------------------------------------------- */

static struct job *job_begin(
	struct jobs *js, struct sstream *st, enum job_kind kind, bool served)
{
	struct job *j = st->state;

	j->st = st;
	j->kind = kind;
	j->served = served;
	crypto_hash_sha256_init(&j->hash);
	list_push_back(&js->list, &j->all);
	return j;
}

static void batch_open(struct jobs *js, const struct env *env);
static void first_byte(struct jobs *js, const struct env *env);

static void job_count(struct jobs *js, struct job *j, const char *why)
{
	struct job_batch *b = &js->batch;

	b->ended++;
	b->open_now--;
	if (why == NULL) {
		b->ok++;
		if (j->kind == JOB_ECHO || j->kind == JOB_SINK ||
			j->kind == JOB_SOURCE)
			hash_end(j, b->sum);
	} else if (b->failed++ == 0) {
		snprintf(b->text, sizeof(b->text), "%s", why);
	}
}

/* Ends a job; why NULL: it went right. Its stream is reset here, or has ended
 * by itself. */
static void job_end(struct jobs *js, const struct env *env, struct job *j,
	const char *why, bool by_itself)
{
	bool counts = !j->served && js->batch.running;
	bool early = j->held && j->got == 0;

	list_remove(&j->all);
	if (counts)
		job_count(js, j, why);
	if (!by_itself)
		serve_reset(js->serve, j->st);
	if (!counts)
		return;
	/* The others do not wait for the first byte of one that failed. */
	if (early)
		first_byte(js, env);
	batch_open(js, env);
}

/* ---- sending ----------------------------------------------------------- */

static void job_close(struct jobs *js, const struct env *env, struct job *j)
{
	if (!j->closed)
		serve_close(js->serve, env, j->st);
	j->closed = true;
}

/* Writes on with the pattern while there is room; `hashed` counts it in. */
static void send_pattern(struct jobs *js, const struct env *env, struct job *j,
	uint64_t until, bool hashed)
{
	static uint8_t chunk[CHUNK_BYTES];

	while (j->sent < until && swarm_stream_backlog(j->st) < BACKLOG_BYTES) {
		size_t n = (size_t)P2P_MIN(until - j->sent, CHUNK_BYTES);

		for (size_t i = 0; i < n; i++)
			chunk[i] = pattern(j->sent + i);
		if (serve_write(js->serve, env, j->st, bytes_of(chunk, n)) != 0)
			return;
		if (hashed)
			crypto_hash_sha256_update(&j->hash, chunk, n);
		j->sent += n;
	}
}

/* The same without any work but the stream's own: what is measured. Nothing
 * is queued ahead of what the connection takes. */
static void send_fill(struct jobs *js, const struct env *env, struct job *j)
{
	while (j->sent < j->total && swarm_stream_backlog(j->st) == 0) {
		size_t n = (size_t)P2P_MIN(j->total - j->sent, CHUNK_BYTES);
		const uint8_t *from = fill_rounds() + j->sent % FILL_BYTES;

		if (serve_write(js->serve, env, j->st, bytes_of(from, n)) != 0)
			return;
		j->sent += n;
	}
}

static void job_send(struct jobs *js, const struct env *env, struct job *j)
{
	if (j->served) {
		if (!j->told)
			return;
		if (j->kind == JOB_FILL)
			send_fill(js, env, j);
		else
			send_pattern(js, env, j, j->total, false);
		if (j->sent == j->total)
			job_close(js, env, j);
		return;
	}
	if (j->kind != JOB_ECHO && j->kind != JOB_SINK)
		return;
	/* What comes back from echo is hashed as it is read. */
	send_pattern(js, env, j, j->held ? 1 : j->total, j->kind == JOB_SINK);
	if (j->sent == j->total && !j->held)
		job_close(js, env, j);
}

/* ---- reading ----------------------------------------------------------- */

static size_t read_pattern(struct job *j, struct bytes in)
{
	for (size_t i = 0; i < in.len; i++)
		j->differs |= in.data[i] != pattern(j->got + i);
	crypto_hash_sha256_update(&j->hash, in.data, in.len);
	j->got += in.len;
	return in.len;
}

static size_t read_fill(struct job *j, struct bytes in)
{
	size_t n = P2P_MIN(in.len, (size_t)FILL_BYTES);

	if (memcmp(in.data, fill_rounds() + j->got % FILL_BYTES, n) != 0)
		j->differs = true;
	j->got += n;
	return n;
}

static size_t read_text(struct job *j, struct bytes in)
{
	size_t n = P2P_MIN(in.len, sizeof(j->answer) - 1 - j->answer_len);

	memcpy(j->answer + j->answer_len, in.data, n);
	j->answer_len += n;
	return in.len;
}

/* Who does not read what comes back is read no more until he does. */
static size_t serve_echo(struct jobs *js, const struct env *env,
	const struct job *j, struct bytes in)
{
	size_t n = P2P_MIN(in.len, CHUNK_BYTES);

	if (swarm_stream_backlog(j->st) < BACKLOG_BYTES &&
		serve_write(js->serve, env, j->st, bytes_first(in, n)) == 0)
		return n;
	serve_hold(js->serve, j->st, true);
	return 0;
}

/* Source and fill: the opener says how much. */
static size_t serve_source(
	struct jobs *js, const struct env *env, struct job *j, struct bytes in)
{
	struct cursor c = cur_of(in);
	uint64_t total;

	if (j->told)
		return in.len;
	total = cur_uvarint(&c, VARINT_SHORT_BYTES_MAX);
	if (cur_err(&c) != 0)
		return 0;
	j->told = true;
	j->total = total;
	job_send(js, env, j);
	return in.len;
}

/* Takes some of what arrived; 0: it waits, or there is nothing. */
static size_t job_take(
	struct jobs *js, const struct env *env, struct job *j, struct bytes in)
{
	if (in.len == 0)
		return 0;
	switch (j->kind) {
	case JOB_ECHO:
		return j->served ? serve_echo(js, env, j, in)
				 : read_pattern(j, in);
	case JOB_SINK:
		if (!j->served)
			return read_text(j, in);
		crypto_hash_sha256_update(&j->hash, in.data, in.len);
		j->got += in.len;
		return in.len;
	case JOB_SOURCE:
		return j->served ? serve_source(js, env, j, in)
				 : read_pattern(j, in);
	case JOB_FILL:
		return j->served ? serve_source(js, env, j, in)
				 : read_fill(j, in);
	case JOB_RESET:
	case JOB_OTHER:
		break;
	}
	return in.len;
}

static void answer_sink(struct jobs *js, const struct env *env, struct job *j)
{
	char sum[65], line[ANSWER_BYTES_MAX];

	if (j->closed)
		return;
	hash_end(j, sum);
	snprintf(line, sizeof(line), "%" PRIu64 " %s\n", j->got, sum);
	if (serve_write(js->serve, env, j->st, bytes_str(line)) != 0)
		fprintf(stderr, "stream_peer: no room for an answer\n");
	job_close(js, env, j);
}

/* What a stream that we opened has to show for itself at its end. */
static const char *verdict(struct job *j)
{
	crypto_hash_sha256_state hash = j->hash;
	char sum[65], line[ANSWER_BYTES_MAX];
	uint8_t raw[32];

	switch (j->kind) {
	case JOB_ECHO:
	case JOB_SOURCE:
	case JOB_FILL:
		if (j->got != j->total)
			return j->got < j->total ? "ended too early"
						 : "too many bytes";
		return j->differs ? "other bytes came" : NULL;
	case JOB_SINK:
		crypto_hash_sha256_final(&hash, raw);
		hex_of(raw, sum);
		snprintf(line, sizeof(line), "%" PRIu64 " %s\n", j->total, sum);
		return strcmp(line, j->answer) == 0 ? NULL : "another sum";
	case JOB_RESET:
		return "an end instead of a reset";
	case JOB_OTHER:
		break;
	}
	return NULL;
}

/* The other side has closed, and all that it sent was read: once our side is
 * closed too, and all has gone out, the stream is over. */
static void job_ended(struct jobs *js, const struct env *env, struct job *j)
{
	if (j->served && j->kind == JOB_SINK)
		answer_sink(js, env, j);
	if (j->served && j->told && !j->closed)
		return; /* it goes on sending */
	job_close(js, env, j);
}

/* Counts one; after the last of the batch all are open, and go on. */
static void first_byte(struct jobs *js, const struct env *env)
{
	struct list *pos, *tmp;

	if (++js->batch.first_back < js->batch.count)
		return;
	LIST_FOREACH(pos, tmp, &js->list) {
		struct job *j = LIST_ITEM(pos, struct job, all);

		if (j->held) {
			j->held = false;
			job_send(js, env, j);
		}
	}
}

/* ---- batches ----------------------------------------------------------- */

static void job_start(struct jobs *js, const struct env *env, struct job *j)
{
	uint8_t head[VARINT_BYTES_MAX];
	int err = 0;

	if (j->kind == JOB_SOURCE || j->kind == JOB_FILL) {
		size_t n = varint_put(head, j->total);

		err = serve_write(js->serve, env, j->st, bytes_of(head, n));
	} else if (j->kind == JOB_RESET) {
		err = serve_write(js->serve, env, j->st, bytes_str("r"));
	}
	if (err != 0)
		job_end(js, env, j, p2p_err_name(err), false);
	else
		job_send(js, env, j);
}

static void batch_open(struct jobs *js, const struct env *env)
{
	struct job_batch *b = &js->batch;
	unsigned width = b->width == 0 ? b->count : b->width;

	while (b->opened < b->count && b->open_now < width) {
		struct job *j;
		struct sstream *st;
		struct serve_to to = {
			.ops = job_services[b->kind], .peer = &b->peer};
		int err = serve_open(js->serve, env, &to, &st);

		b->opened++;
		if (err != 0) {
			b->ended++;
			if (b->failed++ == 0)
				snprintf(b->text, sizeof(b->text), "%s",
					p2p_err_name(err));
			if (b->width == 0)
				first_byte(js, env);
			continue;
		}
		b->open_now++;
		b->open_most = P2P_MAX(b->open_most, b->open_now);
		j = job_begin(js, st, b->kind, false);
		j->total = b->bytes;
		j->held = b->width == 0 && b->kind == JOB_ECHO;
		job_start(js, env, j);
	}
}

bool jobs_start(
	struct jobs *js, const struct env *env, const struct job_batch *b)
{
	if (js->batch.running)
		return false;
	for (int i = 0; job_services[i] != NULL; i++) {
		const char *protocol = job_services[i]->names[0];

		if (strcmp(b->protocol, protocol) != 0)
			continue;
		js->batch = (struct job_batch){
			.running = true,
			.kind = (enum job_kind)i,
			.protocol = protocol,
			.peer = b->peer,
			.bytes = b->bytes,
			.count = b->count,
			.width = b->width,
			.began_ms = env->now_ms,
		};
		batch_open(js, env);
		return true;
	}
	return false;
}

bool jobs_batch_done(struct jobs *js)
{
	struct job_batch *b = &js->batch;

	if (!b->running || b->ended < b->count)
		return false;
	b->running = false;
	return true;
}

/* ---- the services ------------------------------------------------------ */

static void *start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	struct job_service *self = xcalloc(1, sizeof(*self));

	(void)cfg;
	(void)env;
	self->js = all_jobs;
	self->js->serve = sv;
	while (job_services[self->kind] != ops)
		self->kind++;
	return self;
}

static void opened(void *arg, const struct env *env, struct sstream *st)
{
	const struct job_service *self = arg;

	if (st->inbound)
		(void)job_begin(self->js, st, self->kind, true);
	else if (self->kind == JOB_OTHER)
		job_end(self->js, env, st->state, NULL, false);
}

static int readable(void *arg, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	struct jobs *js = ((struct job_service *)arg)->js;
	struct job *j = st->state;
	uint64_t before = j->got;
	size_t n;

	if (j->served && j->kind == JOB_RESET && in->bytes.len > 0) {
		job_end(js, env, j, NULL, false);
		return 0;
	}
	while ((n = job_take(js, env, j, bytes_skip(in->bytes, in->used))) > 0)
		in->used += n;
	if (j->held && before == 0 && j->got > 0)
		first_byte(js, env);
	if (in->end && in->used == in->bytes.len)
		job_ended(js, env, j);
	return 0;
}

static void writable(void *arg, const struct env *env, struct sstream *st)
{
	struct jobs *js = ((struct job_service *)arg)->js;

	serve_hold(js->serve, st, false);
	job_send(js, env, st->state);
}

static void gone(void *arg, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct jobs *js = ((struct job_service *)arg)->js;
	struct job *j = st->state;
	bool asked_for = j->kind == JOB_RESET && err == P2P_ERR_RESET;

	(void)rest;
	if (!j->served && err == P2P_ERR_RESET)
		js->batch.reset++;
	job_end(js, env, j,
		asked_for  ? NULL
		: err != 0 ? p2p_err_name(err)
			   : verdict(j),
		true);
}

#define JOB_SERVICE(name, most) \
	&(const struct service_ops) \
	{ \
		.names = (const char *const[]){"/p2pchat-test/" name "/1", \
			NULL}, \
		.in_per_peer = most, .state_bytes = sizeof(struct job), \
		.start = start, .free = free, .opened = opened, \
		.readable = readable, .writable = writable, .gone = gone, \
	}

/* In the order of enum job_kind. */
const struct service_ops *const job_services[] = {
	JOB_SERVICE("echo", SWARM_STREAMS_IN_MAX),
	JOB_SERVICE("sink", SWARM_STREAMS_IN_MAX),
	JOB_SERVICE("source", SWARM_STREAMS_IN_MAX),
	JOB_SERVICE("reset", SWARM_STREAMS_IN_MAX),
	JOB_SERVICE("fill", SWARM_STREAMS_IN_MAX),
	JOB_SERVICE("ours-only", 0),
	NULL,
};
