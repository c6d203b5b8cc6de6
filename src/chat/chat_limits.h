/*
 * Every maximum of the chat thread. What others can make grow is bounded
 * here; the rest is bounded by what a person types.
 */
#ifndef CHAT_CHAT_LIMITS_H
#define CHAT_CHAT_LIMITS_H

#include "msg/msg_limits.h"

/* Messages that one turn takes in, and so commits at once. */
#define CHAT_TURN_MAX 256
/* A commit costs as much as a good dozen lines, most of it the wait for the
 * disk. Behind a turn that took in so many messages of net the next one begins
 * so much after it, unless the person says something: then a commit keeps what
 * has gathered. What people say by hand never comes so thick. */
#define CHAT_BURST_MIN 8
#define CHAT_GATHER_MS 3

/* JSON payloads: nesting, and values in all (a value costs some 100 bytes
 * while it is being read). */
#define PAYLOAD_DEPTH_MAX 8
#define PAYLOAD_VALUES_MAX 1024
/* The last second of the year 9999: later times are cut to it. */
#define PAYLOAD_TIME_MS_MAX 253402300799000ULL

/* Rooms of our own now, and ever (they are in the store); rooms that only
 * others are in, which must not keep us out of ours. */
#define CHAT_ROOMS_JOINED_MAX 64
#define CHAT_ROOMS_KEPT_MAX 1536
#define CHAT_ROOMS_KNOWN_MAX 256
/* Regulars in all, and new ones a day and room (decision 0018). */
#define CHAT_REGULARS_MAX 512
#define CHAT_REGULARS_NEW_MAX 20
/* Free space is looked at so often at the most. */
#define CHAT_SPACE_LOOK_MS 500
/* Bytes of messages that one turn takes in: the log of the database grows by
 * some of them at a time, and what is behind long lines waits for few. */
#define CHAT_TURN_BYTES_MAX (256u << 10)
/* People kept in memory; more are in the store. */
#define CHAT_PEOPLE_MAX 4096
/* Members counted in one room. */
#define CHAT_MEMBERS_MAX 1024
/* Lines asked for at once: a page, and an answer to /history. */
#define CHAT_PAGE_MAX 200
/* So many are looked through for one page of a room from which strangers are
 * left out. */
#define CHAT_PAGE_LOOK_MAX 4000
#define CHAT_HISTORY_DEFAULT 50
#define CHAT_HISTORY_MAX 400
/* Lines dated far ahead are counted up to here. */
#define CHAT_AHEAD_COUNT_MAX 200

/* Clocks: authors kept for a room's median; what is far
 * from it; how far ahead of its own clock a line of ours may be dated. A late
 * line proves no wrong clock, since lines wait: only a long way back does. */
#define CHAT_CLOCKS_MAX 64
#define CHAT_CLOCK_AHEAD_MS (5 * 60 * 1000)
#define CHAT_CLOCK_BEHIND_MS (30LL * 86400 * 1000)
#define CHAT_CLOCK_LEAD_MS_MAX (86400LL * 1000)
/* Two lines of an author at least so far apart, whose distance to our running
 * clock is the same but for so much, had not waited. More such authors behind
 * us than near us, where we count ourselves, prove that our own clock is ahead.
 */
#define CHAT_CLOCK_STEADY_GAP_MS 5000
#define CHAT_CLOCK_STEADY_MS 60000
/* A clock before this program's release (2025-11-01) is not set. */
#define CHAT_RELEASE_MS 1761955200000ULL

/* So long a room counts as one of JSON after the last line of it. */
#define CHAT_JSON_HEARD_MS (86400ULL * 1000)
/* That lines of a room could not be read is said so often at most. */
#define CHAT_UNREADABLE_SAY_MS (60ULL * 1000)

/* A person is new for a day. */
#define CHAT_NEW_PERSON_MS (86400ULL * 1000)
/* That somebody took a verified person's name is said so often at most. */
#define CHAT_CLASH_SAY_MS (60ULL * 1000)

/* What the peer of somebody who has said something here is worth to net (P5 of
 * the peer score, net/pubsub/score.h): known for longer than a day, and new.
 * From 10 on it is believed whom it names to us, and a line costs nothing. */
#define CHAT_WORTH_KNOWN 20
#define CHAT_WORTH_NEW 5
#define CHAT_WORTH_UNTOLD (-1)

/* Profiles. So long after a change of somebody's name no other is believed. Of
 * our own so many are under way at once, each three messages to net, and no
 * longer than that; after a failure it is given again, at most so much later.
 */
#define CHAT_PROFILE_PACE_MS 10000
#define CHAT_PROFILES_OUT_MAX 64
#define CHAT_PROFILE_WAIT_MS 15000
#define CHAT_PROFILE_RETRY_MS 2000
#define CHAT_PROFILE_RETRY_MAX_MS 60000

/* The numbers of our units: a step in nanoseconds (17 ms), within which the
 * run's mark says whose it is. */
#define CHAT_SEQNO_STEP (1ULL << 24)
/* That another's key is used twice is said so often at most. Lines of an author
 * that are remembered for it. */
#define CHAT_FORK_SAY_MS (60ULL * 1000)
#define CHAT_FORK_SEQS 8

/* Own lines go out in batches, a pause apart; when nobody has answered an
 * offer it is made again after the retry time while somebody is there. The
 * batch is small because go-libp2p drops what its queue of 32 unchecked
 * messages does not hold, and a line may need a copy. */
#define CHAT_OFFER_BATCH 12
#define CHAT_OFFER_PAUSE_MS 250
#define CHAT_OFFER_RETRY_MS 10000
#define CHAT_OFFERS_MAX 1024
/* Lines a minute that everybody takes of one author unless told otherwise, at
 * once as well: a pasted page, a script's burst. */
#define CHAT_AUTHOR_RATE 60
/* What a person may type while saving fails: lines kept in memory. */
#define CHAT_KEPT_MAX 1024
/* The exit status of leaving while the store fails (EX_IOERR). */
#define CHAT_EXIT_UNSAVED 74
/* After a failed commit the turn's messages are taken in again. */
#define CHAT_STORE_RETRY_MS 2000
/* How often it is looked whether the database is still in its place; with each
 * commit besides. */
#define CHAT_PLACE_LOOK_MS 5000
/* After the queue to the ui was full. */
#define CHAT_UI_RETRY_MS 50
#define CHAT_REPLAY_BATCH 128
/* Kept behind an answer to UI_MSG_RELOAD that waits for room. */
#define CHAT_UI_BACKLOG_MAX 1024
/* Answers to commands that wait for a ui that reads too slowly. */
#define CHAT_UI_OWED_MAX 64

/* Control messages kept for a full queue to net: joins, leaves, dials. */
#define CHAT_NET_BACKLOG_MAX 1024
/* Saved peers told to net at the start. */
#define CHAT_KNOWN_PEERS_MAX 256
#define CHAT_KNOWN_RECORDS_MAX 256
/* Saved addresses are forgotten so long after they last worked, records so
 * long after they came. */
#define CHAT_STALE_ADDRESS_MS (90ULL * 86400 * 1000)
#define CHAT_STALE_RECORD_MS (30ULL * 86400 * 1000)

/* Of a large store's lines so many are counted at once, a pause apart. */
#define CHAT_COUNT_LINES 5000
#define CHAT_COUNT_PAUSE_MS 100

/* Text made here, e.g. the answer of /peers. */
#define CHAT_NOTICE_BYTES_MAX 32768

#endif
