/*
 * Every maximum of the store (lengths limited to
 * 1 MiB). Sizes are in bytes unless the name says otherwise.
 */
#ifndef STORE_STORE_LIMITS_H
#define STORE_STORE_LIMITS_H

/* Largest value or row that SQLite may handle. */
#define STORE_VALUE_BYTES_MAX (1 << 20)
/* Longest statement text. */
#define STORE_SQL_BYTES_MAX 10000
/* Memory that SQLite may use for pages. */
#define STORE_CACHE_KIB 2000
/* The write-ahead log is folded back after so many pages, and cut to so many
 * bytes when that has happened. */
#define STORE_WAL_PAGES 1000
#define STORE_WAL_BYTES_MAX (8 << 20)

/* Columns of fixed width, with their NUL. */
#define STORE_TOPIC_MAX 129
#define STORE_PEER_MAX 64
#define STORE_NAME_MAX 65
#define STORE_ADDR_MAX 257
#define STORE_ID_BYTES 32

/* Rows that one reading verb gives at most, and the bytes of units in them
 * (more than that ends the page early and says so). */
#define STORE_ROWS_MAX 512
#define STORE_ROWS_BYTES_MAX (2u << 20)
/* Counting stops here: "999+" is all that a screen shows. */
#define STORE_COUNT_MAX 1000

/* What a line costs beside its unit: its row, three indexes, its share of a
 * page, and of its author. */
#define STORE_LINE_COST_BYTES 320
/* What is kept of one stranger in a saturated hour. */
#define STORE_SLOT_LINES_MAX 32
#define STORE_SLOT_BYTES_MAX (64u << 10)
/* Strangers with a row; at the start, of those without a line. */
#define STORE_STRANGERS_MAX 16384
#define STORE_STRANGERS_KEPT 8192
/* The write-ahead log at its largest: what is folded back, and one turn. */
#define STORE_WAL_LARGEST_BYTES (16u << 20)

/* Saved addresses: of one peer, and in all. */
#define STORE_ADDRS_PER_PEER_MAX 8
#define STORE_ADDRS_MAX 512
/* Signed peer records: in all, and the envelope of one. */
#define STORE_RECORDS_MAX 256
#define STORE_RECORD_BYTES_MAX 2048
#define STORE_ROOMS_MAX 2048

/* Hours, and shares, whose sums are kept in memory. */
#define STORE_TALLIES_MAX 64

/* The file beside the database that knows what was shown. */
#define STORE_SHOWN_SUFFIX "-lines"
/* The name, without its folder, of a damaged database that was set aside; and
 * what a new one knows of it. */
#define STORE_ASIDE_MAX 96
#define STORE_SALVAGED_BYTES (24 + STORE_ASIDE_MAX)

/* Values under one seal. */
#define STORE_SEAL_VALUES_MAX 16
/* A database up to this size is looked at as a whole when it is opened: its
 * structure. */
#define STORE_WHOLE_BYTES_MAX (8 << 20)
/* Lines that are counted when it is opened; the others by and by. */
#define STORE_COUNTED_AT_START 20000

/* Settings. */
#define STORE_SETTING_BYTES_MAX 4096

#endif
