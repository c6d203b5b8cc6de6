/*
 * The test protocol of net/serve: see greet.c.
 */
#ifndef TESTS_LIB_GREET_H
#define TESTS_LIB_GREET_H

#include "net/serve/serve.h"

/* What serve_self(sv, &greet_ops) is. */
struct greet {
	struct serve *sv;
	unsigned asked, greeted; /* we asked; it answered as it should */
	unsigned answered;       /* it asked us */
	unsigned failed;         /* streams that ended otherwise */
};

extern const struct service_ops greet_ops;

#endif
