/* Services that start with what the test says. */
#include "tests/lib/served.h"

void *served_self;

void *served_start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	(void)sv;
	(void)ops;
	(void)cfg;
	(void)env;
	return served_self;
}
