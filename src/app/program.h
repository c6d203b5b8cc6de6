/*
 * The threads and what joins them:
 *
 *   face (main) --from_ui--> chat --inbox--> net
 *               <--to_ui----      <--from_net--
 *
 * program_open does what is quick and what most often fails, so that a person
 * is told before there is a screen; then the screen stands (ncurses and locales
 * want a single thread), program_load reads or makes key, database and sockets
 * behind it, program_run starts the threads, program_stop ends it. In between
 * the face posts to from_ui and takes from to_ui when wake_fd is readable.
 */
#ifndef APP_PROGRAM_H
#define APP_PROGRAM_H

#include <pthread.h>
#include <stdatomic.h>

#include "app/log_file.h"
#include "app/options.h"
#include "app/profile.h"
#include "app/sandbox.h"
#include "chat/chat.h"
#include "msg/ui_clock.h"
#include "net/loop/loop.h"

struct program {
	const struct options *options;
	struct log_file log;
	struct profile profile;
	struct mailbox *to_ui;
	struct mailbox *from_ui;
	struct mailbox *from_net;
	int wake_fd;      /* readable when to_ui has something */
	int chat_wake_fd; /* the chat thread's */
	struct loop *loop;
	struct chat *chat;
	struct rng rng;
	pthread_t chat_thread;
	bool chat_started;
	bool unsaved;    /* it was left while saving failed */
	char *versions;  /* what --version and /version say */
	bool key_locked; /* this struct, which holds the key, is */
	char sandbox[SANDBOX_REPORT_BYTES_MAX]; /* what /info says of it */
};

/* 0, or an exit status and "what: why". program_stop either way. *p is memory
 * of secret_alloc, or zeroed. */
int program_open(struct program *p, const struct options *o,
	options_env_fn get_env, char error[static OPTIONS_ERROR_MAX]);
/* What takes its time; called by the face. As program_open. */
int program_load(struct program *p, char error[static OPTIONS_ERROR_MAX]);
/* Enters the sandbox and starts the threads; called by the face. 0 or
 * P2P_ERR_IO. */
int program_run(struct program *p) P2P_MUST_CHECK;
/* Waits for the threads (which end after CHAT_MSG_QUIT) and frees all. */
void program_stop(struct program *p);

/* Empties wake_fd; then take until the mailbox is empty. */
void program_clear_wake(struct program *p);
/* For poll(2): milliseconds until a deadline of now_ms, -1 for never. */
int program_timeout(uint64_t deadline_ms);
/* The time for the faces. */
struct ui_clock program_clock(void);
/* First line "p2pchat-tui X.Y.Z", then features and libraries; heap. */
char *program_versions(void);

#endif
