/*
 * Sizes of the words that threads say to each other, and of the queues that
 * carry them (ARCHITECTURE.md, "Threads and queues").
 */
#ifndef MSG_MSG_LIMITS_H
#define MSG_MSG_LIMITS_H

/* A peer id as text with its NUL. */
#define MSG_PEER_MAX 64
/* A multiaddr as text with its NUL. */
#define MSG_ADDRESS_MAX 1024
/* The hex text of a unit id with its NUL. */
#define MSG_ID_TEXT_MAX 65
#define MSG_UNIT_ID_BYTES 32
/* A claimed name, cleaned, with its NUL. */
#define MSG_NAME_MAX 65
/* A topic, with its NUL: any bytes but NUL. */
#define MSG_TOPIC_MAX 129
/* What a person may type as one message. */
#define MSG_TEXT_BYTES_MAX 16384

#define MSG_QUEUE_TO_CHAT_FROM_UI 64
#define MSG_QUEUE_TO_CHAT_FROM_UI_BYTES (8u << 20)
#define MSG_QUEUE_TO_NET 256
#define MSG_QUEUE_TO_NET_BYTES (4u << 20)
/* Short: whoever floods is held up in the net thread, where those who do not
 * overtake. As many as one turn of chat takes in; of long lines, a few. */
#define MSG_QUEUE_TO_CHAT 256
#define MSG_QUEUE_TO_CHAT_BYTES (256u << 10)
#define MSG_QUEUE_TO_UI 512
#define MSG_QUEUE_TO_UI_BYTES (8u << 20)

/* Pipes (net/serve/pipe.h): numbers that chat chooses begin here, and so many
 * bytes of frames may be under way on one. */
#define MSG_PIPE_OURS (1ull << 63)
#define MSG_PIPE_OUT_BYTES (256u << 10)

#endif
