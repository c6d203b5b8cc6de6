/*
 * The program: its threads and the mailboxes between them, made, started,
 * stopped. Threads start last, since ncurses and locales want a single one.
 * Stopping, the chat thread ends first, then the network, and only then is
 * freed what they share; neither may wait for a face that reads no more.
 */
#include "app/program.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "app/exit_status.h"
#include "base/clock.h"
#include "base/plain_file.h"
#include "base/xmalloc.h"
#include "msg/msg_limits.h"
#include "net/identity/key_nettle.h"
#include "net/identity/key_secp256k1.h"

/* The profile's setting that keeps saved addresses true. */
#define PORT_SETTING "listen-port"

/* poll(2) counts in an int; a day is long enough to look again. */
#define POLL_MS_MAX 86400000

/* ---- waking ------------------------------------------------------------ */

static void wake(void *arg)
{
	const int *fd = arg;
	uint64_t one = 1;

	/* A counter that cannot take more is awake already. */
	if (write(*fd, &one, sizeof(one)) < 0)
		errno = 0;
}

static void clear_wake(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		errno = 0;
}

void program_clear_wake(struct program *p)
{
	clear_wake(p->wake_fd);
}

struct ui_clock program_clock(void)
{
	struct ui_clock clock = {
		.now_ms = clock_now_ms(), .wall_ms = clock_wall_ms()};
	time_t now = (time_t)(clock.wall_ms / 1000);
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		clock.utc_offset_s = (int32_t)tm.tm_gmtoff;
	return clock;
}

char *program_versions(void)
{
#ifdef HAVE_AVAHI
	const char *avahi = "avahi-client";
#else
	const char *avahi = "none";
#endif
#ifdef HAVE_AVAHI_CORE
	const char *core = ", avahi-core in process";
#else
	const char *core = "";
#endif
	return xasprintf("p2pchat-tui %s\nLAN discovery: %s%s\nSQLite %s\n"
			 "libuv %s\nlibsodium %s\nkeys of peers: Ed25519%s%s\n",
		PACKAGE_VERSION, avahi, core, store_library_version(),
		loop_library_version(), crypto_library_version(),
		key_nettle_version() != NULL ? ", RSA, ECDSA (nettle)" : "",
		key_secp256k1_built() ? ", secp256k1" : "");
}

int program_timeout(uint64_t deadline_ms)
{
	uint64_t now = clock_now_ms();

	if (deadline_ms == P2P_NEVER)
		return -1;
	if (deadline_ms <= now)
		return 0;
	return (int)P2P_MIN(deadline_ms - now, (uint64_t)POLL_MS_MAX);
}

/* ---- the chat thread --------------------------------------------------- */

static struct env make_env(struct program *p)
{
	return (struct env){
		.now_ms = clock_now_ms(),
		.wall_ms = clock_wall_ms(),
		.rng = &p->rng,
		.log = &p->log.log,
	};
}

static void wait_until(int fd, uint64_t deadline_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	(void)poll(&pfd, 1, program_timeout(deadline_ms));
	clear_wake(fd);
}

static void *run_chat(void *arg)
{
	struct program *p = arg;
	struct env env = make_env(p);

	chat_start(p->chat, &env);
	chat_turn_end(p->chat, &env);
	while (!chat_finished(p->chat)) {
		uint64_t deadline;

		env = make_env(p);
		deadline = chat_turn(p->chat, &env, p->from_ui, p->from_net);
		if (!chat_finished(p->chat))
			wait_until(p->chat_wake_fd, deadline);
	}
	mailbox_close(p->from_ui);
	mailbox_close(p->from_net);
	return NULL;
}

/* ---- making it --------------------------------------------------------- */

/* Chat took from a queue that had refused: whoever waits is told. */
static void from_net_drained(void *arg)
{
	struct program *p = arg;

	loop_chat_drained(p->loop);
}

static void make_mailboxes(struct program *p)
{
	struct mailbox_cfg to_ui = {
		.count_max = MSG_QUEUE_TO_UI,
		.bytes_max = MSG_QUEUE_TO_UI_BYTES,
		.wake = wake,
		.wake_arg = &p->wake_fd,
	};
	struct mailbox_cfg from_ui = {
		.count_max = MSG_QUEUE_TO_CHAT_FROM_UI,
		.bytes_max = MSG_QUEUE_TO_CHAT_FROM_UI_BYTES,
		.wake = wake,
		.wake_arg = &p->chat_wake_fd,
	};
	struct mailbox_cfg from_net = {
		.count_max = MSG_QUEUE_TO_CHAT,
		.bytes_max = MSG_QUEUE_TO_CHAT_BYTES,
		.wake = wake,
		.wake_arg = &p->chat_wake_fd,
		.drained = from_net_drained,
		.drained_arg = p,
	};

	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->chat_wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	P2P_ASSERT(p->wake_fd >= 0 && p->chat_wake_fd >= 0);
	p->to_ui = mailbox_new(&to_ui);
	p->from_ui = mailbox_new(&from_ui);
	p->from_net = mailbox_new(&from_net);
}

/* As option_table.c has looked at it. */
static void parse_listen(
	const struct options *o, struct maddr out[static OPTIONS_LIST_MAX])
{
	for (size_t i = 0; i < o->listen.count; i++)
		P2P_ASSERT(maddr_parse_text(&out[i],
				   bytes_str(o->listen.items[i])) == 0);
}

/* Each is a name (option_table.c); all of them may be too many. */
static int parse_services(
	const struct options *o, struct mdns_services *out, char *error)
{
	mdns_services_init(out);
	for (size_t i = 0; i < o->mdns_services.count; i++) {
		if (mdns_services_add(out, o->mdns_services.items[i]) == 0)
			continue;
		(void)snprintf(error, OPTIONS_ERROR_MAX,
			"--mdns-service %.200s: one too many; up to %d names "
			"can be given",
			o->mdns_services.items[i], MDNS_SERVICES_TOLD_MAX - 1);
		return EXIT_USAGE;
	}
	return 0;
}

static int make_loop(struct program *p, char *error)
{
	struct maddr listen[OPTIONS_LIST_MAX];
	struct loop_cfg cfg = {
		.node = {.me = &p->profile.me,
			.agent = "p2pchat-tui/" PACKAGE_VERSION,
			.offer_yamux = true,
			.offer_mplex = true,
			.early_muxers = true,
			.author_lines_a_minute =
				(unsigned)options_number(p->options,
					OPTION_AUTHOR_RATE, CHAT_AUTHOR_RATE)},
		.log = &p->log.log,
		.chat = p->from_net,
		.listen = listen,
		.listen_count = p->options->listen.count,
		.discover = !p->options->no_mdns,
	};
	uint64_t port = 0;
	int status;

	parse_listen(p->options, listen);
	status = parse_services(p->options, &cfg.services, error);
	if (status != 0)
		return status;
	if (store_get_u64(p->profile.store, PORT_SETTING, &port) == 0 &&
		port <= UINT16_MAX)
		cfg.port = (uint16_t)port;
	p->loop = loop_new(&cfg, error);
	if (p->loop == NULL)
		return EXIT_UNAVAILABLE;
	/* Chosen once: a port taken by another program for this run does not
	 * replace the profile's own. */
	if (cfg.listen_count > 0 || port != 0)
		return 0;
	if (store_set_u64(p->profile.store, PORT_SETTING, loop_port(p->loop)) !=
			0 ||
		store_commit(p->profile.store) != 0)
		log_printf(&p->log.log, LOG_LEVEL_WARN,
			"the port could not be saved");
	return 0;
}

#define MIB (1024ULL * 1024)

static uint64_t mib_of(
	const struct options *o, enum option_number which, uint64_t otherwise)
{
	return MIB * options_number(o, which, otherwise);
}

/* A tenth of what there is for us when nothing else was said. */
static struct chat_limits chat_limits_of(const struct program *p)
{
	const struct options *o = p->options;
	uint64_t most = mib_of(o, OPTION_QUOTA, 2048);
	struct store_space space;

	if (o->number[OPTION_QUOTA] == 0 &&
		store_look_at_space(p->profile.store, &space) == 0 &&
		space.free_bytes < UINT64_MAX / 2)
		most = P2P_MIN(
			most, (space.free_bytes + space.used_bytes) / 10);
	return (struct chat_limits){.profile_bytes = P2P_MAX(most, MIB),
		.free_strangers_bytes = mib_of(o, OPTION_FREE_STRANGERS, 256),
		.free_others_bytes = mib_of(o, OPTION_FREE_OTHERS, 64)};
}

static int make_chat(struct program *p, char *error)
{
	const struct options *o = p->options;
	struct env env = make_env(p);
	struct chat_cfg cfg = {
		.store = p->profile.store,
		.me = &p->profile.me,
		.to_ui = p->to_ui,
		.to_net = loop_inbox(p->loop),
		.name = o->name,
		.rooms = (const char *const *)o->rooms.items,
		.room_count = o->rooms.count,
		.connect = (const char *const *)o->connect.items,
		.connect_count = o->connect.count,
		.keep = (const char *const *)o->keep.items,
		.keep_count = o->keep.count,
		.version = p->versions,
		.sandbox = p->sandbox,
		.utc_offset_s = program_clock().utc_offset_s,
		.author_rate = (unsigned)options_number(
			o, OPTION_AUTHOR_RATE, CHAT_AUTHOR_RATE),
		.limits = chat_limits_of(p),
		.quota = {.strangers = mib_of(o, OPTION_STRANGERS, 256),
			.strangers_room = mib_of(o, OPTION_STRANGERS_ROOM, 64),
			.strangers_hour = mib_of(o, OPTION_STRANGERS_HOUR, 4),
			.regulars_room = mib_of(o, OPTION_REGULARS_ROOM, 128),
			.friend_room = mib_of(o, OPTION_FRIEND_ROOM, 64)},
	};
	int err = chat_new(&p->chat, &cfg, &env);
	const char *why = store_error(p->profile.store);

	if (err == 0)
		return 0;
	if (err == P2P_ERR_INVAL || err == P2P_ERR_TOO_BIG ||
		err == P2P_ERR_LIMIT) {
		(void)snprintf(error, OPTIONS_ERROR_MAX, "--room or --name: %s",
			err == P2P_ERR_INVAL ? "not a value that can be one"
					     : p2p_err_text(err));
		return EXIT_USAGE;
	}
	(void)snprintf(error, OPTIONS_ERROR_MAX, "%s/chat.db: %s",
		p->profile.folder, why[0] != '\0' ? why : p2p_err_text(err));
	return err == P2P_ERR_CORRUPT ? EXIT_DATA : EXIT_IO;
}

/* Where no log can be made now one can chat without; but what is there and can
 * be no log, or not ours, was named by mistake. */
static int open_log(struct program *p, char *error)
{
	const struct options *o = p->options;
	char *path = o->log != NULL ? xstrdup(o->log)
				    : xasprintf("%s/log", p->profile.folder);
	const char *why;
	int err = log_file_open(&p->log, path, o->log_level, &why);
	bool denied = err == PLAIN_FILE_FAULT && errno == EACCES;
	int status = 0;

	if (err == PLAIN_FILE_ODD || (denied && o->log != NULL)) {
		(void)snprintf(
			error, OPTIONS_ERROR_MAX, "%.300s: %s", path, why);
		status = denied ? EXIT_CANNOT_CREATE : EXIT_IO;
	} else if (err != 0) {
		(void)fprintf(stderr,
			"p2pchat-tui: %s: %s; going on without a log\n", path,
			why);
	}
	free(path);
	return status;
}

int program_open(struct program *p, const struct options *o,
	options_env_fn get_env, char error[static OPTIONS_ERROR_MAX])
{
	int status;

	p->options = o;
	p->wake_fd = p->chat_wake_fd = -1;
	rng_init_os(&p->rng);
	p->log.stderr_copy = -1;
	p->versions = program_versions();
	if (crypto_init() != 0) {
		(void)snprintf(
			error, OPTIONS_ERROR_MAX, "libsodium: cannot start");
		return EXIT_UNAVAILABLE;
	}
	make_mailboxes(p);
	status = profile_open(&p->profile, o, get_env, error);
	if (status == 0)
		status = open_log(p, error);
	return status;
}

int program_load(struct program *p, char error[static OPTIONS_ERROR_MAX])
{
	int status = profile_load(&p->profile, &p->log.log, error);

	if (status == 0)
		status = make_loop(p, error);
	if (status == 0)
		status = make_chat(p, error);
	/* A large database shows its damage only when it is read. */
	if (status != EXIT_DATA || p->profile.store == NULL)
		return status;
	status = profile_salvage(&p->profile, NULL, error);
	if (status == 0) {
		error[0] = '\0';
		status = make_chat(p, error);
	}
	return status;
}

/* The history can still be read; what is typed waits. */
static void go_without_net(struct program *p)
{
	static const char why[] = "the network thread cannot be started";
	struct chat_net_msg *m =
		chat_net_msg_new(CHAT_MSG_STATUS, why, bytes_of(NULL, 0));
	struct msg *post = &m->msg;

	log_printf(&p->log.log, LOG_LEVEL_ERROR, "%s", why);
	m->item = CHAT_STATUS_LISTEN;
	m->state = CHAT_STATE_FAILED;
	if (mailbox_post(p->from_net, &post) != 0)
		msg_free(post);
	/* Nobody will ever take from it. */
	mailbox_close(loop_inbox(p->loop));
}

int program_run(struct program *p)
{
	sigset_t all, before;

	sandbox_enter(p->profile.folder, !p->options->no_sandbox, p->key_locked,
		&p->log.log, p->sandbox);
	/* Signals are the face's: the threads inherit a full mask. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	p->chat_started =
		pthread_create(&p->chat_thread, NULL, run_chat, p) == 0;
	if (p->chat_started && loop_start(p->loop) != 0)
		go_without_net(p);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return p->chat_started ? 0 : P2P_ERR_IO;
}

/* A face that ends on its own, because nobody reads what it writes, may have
 * found the mailbox full. Chat takes from it whatever the face does. */
static void ask_chat_to_end(struct program *p)
{
	int err = P2P_ERR_FULL;

	while (err == P2P_ERR_FULL) {
		struct msg *m =
			&chat_ui_msg_new(CHAT_MSG_QUIT, NULL, NULL)->msg;

		err = mailbox_post(p->from_ui, &m);
		msg_free(m);
		if (err == P2P_ERR_FULL)
			(void)poll(NULL, 0, 10);
	}
}

void program_stop(struct program *p)
{
	/* The face reads no more: chat must not wait for room there. */
	if (p->to_ui != NULL)
		mailbox_close(p->to_ui);
	if (p->chat_started) {
		ask_chat_to_end(p);
		(void)pthread_join(p->chat_thread, NULL);
	}
	p->unsaved = p->chat_started && !chat_is_saving(p->chat);
	loop_free(p->loop);
	chat_free(p->chat);
	mailbox_free(p->to_ui);
	mailbox_free(p->from_ui);
	mailbox_free(p->from_net);
	profile_close(&p->profile);
	log_file_close(&p->log);
	if (p->wake_fd >= 0)
		(void)close(p->wake_fd);
	if (p->chat_wake_fd >= 0)
		(void)close(p->chat_wake_fd);
	free(p->versions);
}
