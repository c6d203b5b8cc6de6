/*
 * Every maximum of net/serve; what a single service may is in its own
 * struct service_ops.
 */
#ifndef NET_SERVE_SERVE_LIMITS_H
#define NET_SERVE_SERVE_LIMITS_H

/* Services of one node, and the names of all of them together. */
#define SERVE_SERVICES_MAX 32
/* Charged for a stream's place here, besides the service's own state. */
#define SERVE_STREAM_COST_BYTES 128

/* A carrying stream has no more than this to send; the rest waits in the
 * connection that it carries. */
#define CARRY_BACKLOG_BYTES (64u << 10)
#define CARRY_CLOSE_MS 5000 /* for the far side to close */

/* Pipes: what waits for the chat thread of one stream before it is read on, and
 * what the chat thread may have under way on one. */
#define PIPE_AHEAD_BYTES (64u << 10)
#define PIPE_OUT_BYTES (256u << 10)
/* The longest frame that a pipe can be set to take. */
#define PIPE_FRAME_BYTES_MAX (64u << 10)
/* Events of all pipes that wait for the chat thread: then peers open no more.
 * What waits of frames is charged to its stream besides. */
#define PIPE_EVENTS_MAX 512
/* For opens_a_minute. */
#define PIPE_MINUTE_MS 60000
/* Pipes that the chat thread may have open or asked for. */
#define PIPE_OPENS_MAX 256

#endif
