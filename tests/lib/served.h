/*
 * A service whose start gives what a test has set: for tests and fuzz targets
 * that know whose service starts next, where serve gives no more than a
 * configuration.
 */
#ifndef TESTS_LIB_SERVED_H
#define TESTS_LIB_SERVED_H

#include "net/serve/serve.h"

/* The self of each service that starts from now on; its own. */
extern void *served_self;

/* .start of struct service_ops. */
void *served_start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env);

#endif
