/*
 * The event loop that Avahi is given: its AvahiPoll over poll(2). One thread
 * makes it, sleeps in it and is called back from it. Avahi may free watches
 * and timeouts from inside any callback: they are marked and freed later.
 */
#ifndef NET_LOOP_AVAHI_POLL_H
#define NET_LOOP_AVAHI_POLL_H

#include <avahi-common/watch.h>

#include "base/compiler.h"

struct avahi_poll;

struct avahi_poll *avahi_poll_new(void);
/* Everything of Avahi that uses it has been freed before. */
void avahi_poll_free(struct avahi_poll *p);
const AvahiPoll *avahi_poll_api(struct avahi_poll *p);

/* Sleeps until a descriptor of Avahi's or wake_fd is ready, one of Avahi's
 * timeouts is due, or clock_now_ms() has come to `until_ms` (P2P_NEVER: no
 * limit). Calls nobody. */
void avahi_poll_sleep(struct avahi_poll *p, int wake_fd, uint64_t until_ms);
/* Shuts the sockets of all watches: whoever waits for an answer by one of
 * them gets an error at once. */
void avahi_poll_hang_up(struct avahi_poll *p);
/* Calls what became ready and due. */
void avahi_poll_dispatch(struct avahi_poll *p);

#endif
