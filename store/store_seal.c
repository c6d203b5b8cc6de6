/*
 * The seal of a row (decision 0022): one number over the kind and content of
 * each of its values. SQL computes it where rows are written and where they
 * are read, by the functions that are registered here, so that a row is
 * written with its seal in one statement and nothing has to be read for it.
 *
 * It finds damage, not forgers: its key is no secret. Who may write to the
 * file can write the key of the profile as well.
 */
#include "base/table.h"
#include "store/store_internal.h"

static const uint64_t seal_key[2] = {
	0x7032702d63686174, /* "p2p-chat" */
	0x7365616c2d726f77, /* "seal-row" */
};

/* What is hashed in the end: of each value its kind, and itself or its hash. */
struct seal {
	uint8_t parts[STORE_SEAL_VALUES_MAX][9];
	size_t count;
};

static void add_number(struct seal *seal, int64_t value)
{
	uint8_t *part = seal->parts[seal->count++];

	part[0] = SQLITE_INTEGER;
	put_be64(part + 1, (uint64_t)value);
}

static void add_bytes(struct seal *seal, int kind, struct bytes value)
{
	uint8_t *part = seal->parts[seal->count++];

	part[0] = (uint8_t)kind;
	put_be64(part + 1, table_hash(seal_key, value));
}

static int64_t seal_end(const struct seal *seal)
{
	return (int64_t)table_hash(
		seal_key, bytes_of(seal->parts[0], 9 * seal->count));
}

static void add_value(struct seal *seal, sqlite3_value *value)
{
	int kind = sqlite3_value_type(value);
	const void *data;

	if (kind == SQLITE_INTEGER) {
		add_number(seal, sqlite3_value_int64(value));
		return;
	}
	/* The blob before its length, as SQLite asks for. */
	data = sqlite3_value_blob(value);
	add_bytes(seal, kind,
		bytes_of(data,
			data == NULL ? 0 : (size_t)sqlite3_value_bytes(value)));
}

static int64_t seal_of(int count, sqlite3_value **values)
{
	struct seal seal = {.count = 0};

	for (int i = 0; i < P2P_MIN(count, STORE_SEAL_VALUES_MAX); i++)
		add_value(&seal, values[i]);
	return seal_end(&seal);
}

static void sql_seal(sqlite3_context *ctx, int count, sqlite3_value **values)
{
	sqlite3_result_int64(ctx, seal_of(count, values));
}

/* The sum is by exclusive or: the order of rows does not matter, and a row is
 * taken out as it was put in. */
static void sum_step(sqlite3_context *ctx, int count, sqlite3_value **values)
{
	int64_t *sum = sqlite3_aggregate_context(ctx, sizeof(*sum));

	if (sum != NULL)
		*sum ^= seal_of(count, values);
}

static void sum_end(sqlite3_context *ctx)
{
	const int64_t *sum = sqlite3_aggregate_context(ctx, sizeof(*sum));

	sqlite3_result_int64(ctx, sum == NULL ? 0 : *sum);
}

int store_seal_setup(struct store *s)
{
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	int rc = sqlite3_create_function_v2(
		s->db, "seal", -1, flags, NULL, sql_seal, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_create_function_v2(s->db, "seal_sum", -1, flags,
			NULL, NULL, sum_step, sum_end, NULL);
	return rc == SQLITE_OK ? 0 : store_fail(s, rc);
}

uint64_t store_seal_bytes(struct bytes in)
{
	return table_hash(seal_key, in);
}

int64_t store_seal_place(int64_t row, int64_t room, const struct store_key *key)
{
	struct seal seal = {.count = 0};

	add_number(&seal, row);
	add_number(&seal, room);
	add_number(&seal, store_i64(key->time_ms));
	add_bytes(&seal, SQLITE_BLOB, bytes_of(key->id, STORE_ID_BYTES));
	return seal_end(&seal);
}
