/*
 * Protobuf without generated code: a field is read by the rule for its number
 * into a struct, views are into the input, nothing is allocated. A strict
 * schema wants each field once and in order, which is the only form in which
 * what is signed can be compared. What is unknown is skipped, up to a number:
 * an empty field costs two bytes to send and as much to skip as any.
 */
#include "net/wire/pb.h"

#include "net/wire/varint.h"

#define TAG_BYTES_MAX 5
#define WIRE_BITS 3

/* ---- reading ----------------------------------------------------------- */

static struct bytes read_view(struct cursor *c)
{
	uint64_t len = cur_uvarint(c, VARINT_SHORT_BYTES_MAX);

	if (len > cur_left(c)) {
		cur_fail(c, P2P_ERR_TRUNCATED);
		return bytes_of(NULL, 0);
	}
	return cur_take(c, (size_t)len);
}

bool pb_next(struct cursor *c, struct pb_field *f)
{
	uint64_t tag;

	if (cur_left(c) == 0)
		return false;
	tag = cur_uvarint(c, TAG_BYTES_MAX);
	*f = (struct pb_field){
		.number = (uint32_t)(tag >> WIRE_BITS & PB_FIELD_NUMBER_MAX)};
	if (cur_ok(c) && (f->number == 0 || tag > UINT32_MAX))
		cur_fail(c, P2P_ERR_MALFORMED);
	switch (tag & ((1u << WIRE_BITS) - 1)) {
	case PB_WIRE_VARINT:
		f->wire = PB_WIRE_VARINT;
		f->value = cur_uvarint(c, VARINT_BYTES_MAX);
		break;
	case PB_WIRE_FIXED64:
		f->wire = PB_WIRE_FIXED64;
		f->value = cur_le64(c);
		break;
	case PB_WIRE_BYTES:
		f->wire = PB_WIRE_BYTES;
		f->bytes = read_view(c);
		break;
	case PB_WIRE_FIXED32:
		f->wire = PB_WIRE_FIXED32;
		f->value = cur_le32(c);
		break;
	default:
		cur_fail(c, P2P_ERR_MALFORMED);
	}
	return cur_ok(c);
}

static enum pb_wire wire_of(enum pb_kind kind)
{
	switch (kind) {
	case PB_KIND_BOOL:
	case PB_KIND_U64:
		return PB_WIRE_VARINT;
	case PB_KIND_FIXED64:
		return PB_WIRE_FIXED64;
	case PB_KIND_VIEW:
	case PB_KIND_VIEWS:
	default:
		return PB_WIRE_BYTES;
	}
}

static int store_view(
	const struct pb_rule *rule, struct bytes view, uint8_t *out)
{
	struct bytes *to = (struct bytes *)(void *)(out + rule->offset);
	size_t *count = (size_t *)(void *)(out + rule->count_offset);
	bool list = rule->kind == PB_KIND_VIEWS;

	/* Counted before anything else, so that empty elements count too. */
	if (view.len > rule->max_bytes || (list && *count == rule->max_count))
		return (rule->flags & PB_CUT) != 0 ? 0 : P2P_ERR_TOO_BIG;
	if (list)
		to += (*count)++;
	*to = view;
	return 0;
}

static int store_field(
	const struct pb_rule *rule, const struct pb_field *f, uint8_t *out)
{
	uint8_t *to = out + rule->offset;

	if (f->wire != wire_of(rule->kind))
		return P2P_ERR_MALFORMED;
	switch (rule->kind) {
	case PB_KIND_BOOL:
		*(bool *)(void *)to = f->value != 0;
		return 0;
	case PB_KIND_U64:
	case PB_KIND_FIXED64:
		*(uint64_t *)(void *)to = f->value;
		return 0;
	case PB_KIND_VIEW:
	case PB_KIND_VIEWS:
	default:
		return store_view(rule, f->bytes, out);
	}
}

/* The index of the number's rule, or rule_count. */
static size_t find_rule(const struct pb_schema *schema, uint32_t number)
{
	size_t i = 0;

	while (i < schema->rule_count && schema->rules[i].number != number)
		i++;
	return i;
}

/* Whether a strict reader takes this number after `last`. */
static bool order_is_strict(
	const struct pb_rule *rule, uint32_t number, uint32_t last)
{
	return number > last || (number == last && rule->kind == PB_KIND_VIEWS);
}

int pb_read(const struct pb_schema *schema, struct bytes in, void *out,
	uint32_t *seen)
{
	struct cursor c = cur_of(in);
	struct pb_field f;
	uint32_t met = 0, last = 0;
	unsigned unknown = 0;

	P2P_ASSERT(schema->rule_count <= PB_RULES_MAX);
	while (pb_next(&c, &f)) {
		size_t i = find_rule(schema, f.number);
		const struct pb_rule *rule = &schema->rules[i];
		int err;

		if (i == schema->rule_count) {
			if (schema->strict)
				return P2P_ERR_MALFORMED;
			if (++unknown > PB_UNKNOWN_FIELDS_MAX)
				return P2P_ERR_TOO_BIG;
			continue;
		}
		if (schema->strict && !order_is_strict(rule, f.number, last))
			return P2P_ERR_MALFORMED;
		err = store_field(rule, &f, out);
		if (err != 0)
			return err;
		last = f.number;
		met |= 1u << i;
	}
	if (cur_err(&c) != 0)
		return cur_err(&c);
	for (size_t i = 0; i < schema->rule_count; i++) {
		if ((schema->rules[i].flags & PB_REQUIRED) != 0 &&
			(met & 1u << i) == 0)
			return P2P_ERR_MALFORMED;
	}
	if (seen != NULL)
		*seen = met;
	return 0;
}

/* ---- writing ----------------------------------------------------------- */

static void put_tag(struct buf *out, uint32_t number, enum pb_wire wire)
{
	P2P_ASSERT(number > 0 && number <= PB_FIELD_NUMBER_MAX);
	varint_append(out, (uint64_t)number << WIRE_BITS | wire);
}

void pb_put_uint(struct buf *out, uint32_t number, uint64_t v)
{
	put_tag(out, number, PB_WIRE_VARINT);
	varint_append(out, v);
}

void pb_put_fixed64(struct buf *out, uint32_t number, uint64_t v)
{
	uint8_t raw[8];

	put_le64(raw, v);
	put_tag(out, number, PB_WIRE_FIXED64);
	buf_append(out, bytes_of(raw, sizeof(raw)));
}

void pb_put_head(struct buf *out, uint32_t number, size_t len)
{
	put_tag(out, number, PB_WIRE_BYTES);
	varint_append(out, len);
}

void pb_put_bytes(struct buf *out, uint32_t number, struct bytes v)
{
	pb_put_head(out, number, v.len);
	buf_append(out, v);
}

size_t pb_bytes_size(uint32_t number, size_t len)
{
	return varint_size((uint64_t)number << WIRE_BITS) + varint_size(len) +
	       len;
}

size_t pb_begin(struct buf *out, uint32_t number)
{
	put_tag(out, number, PB_WIRE_BYTES);
	return out->len;
}

void pb_end(struct buf *out, size_t mark)
{
	uint8_t raw[VARINT_BYTES_MAX];
	size_t len, n;

	if (out->failed)
		return;
	P2P_ASSERT(mark <= out->len);
	/* The length goes in front of what is there already. */
	len = out->len - mark;
	n = varint_put(raw, len);
	if (buf_extend(out, n) == NULL)
		return;
	memmove(out->data + mark + n, out->data + mark, len);
	memcpy(out->data + mark, raw, n);
}

static void write_list(
	const struct pb_rule *rule, const uint8_t *in, struct buf *out)
{
	const struct bytes *views =
		(const struct bytes *)(const void *)(in + rule->offset);
	size_t count = *(const size_t *)(const void *)(in + rule->count_offset);

	P2P_ASSERT(count <= rule->max_count);
	for (size_t i = 0; i < count; i++)
		pb_put_bytes(out, rule->number, views[i]);
}

static void write_field(
	const struct pb_rule *rule, const uint8_t *in, struct buf *out)
{
	const void *from = in + rule->offset;

	switch (rule->kind) {
	case PB_KIND_BOOL:
		pb_put_uint(out, rule->number, *(const bool *)from);
		break;
	case PB_KIND_U64:
		pb_put_uint(out, rule->number, *(const uint64_t *)from);
		break;
	case PB_KIND_FIXED64:
		pb_put_fixed64(out, rule->number, *(const uint64_t *)from);
		break;
	case PB_KIND_VIEW:
		if (((const struct bytes *)from)->data != NULL)
			pb_put_bytes(
				out, rule->number, *(const struct bytes *)from);
		break;
	case PB_KIND_VIEWS:
	default:
		write_list(rule, in, out);
	}
}

void pb_write(const struct pb_schema *schema, const void *in, uint32_t numbers,
	struct buf *out)
{
	for (size_t i = 0; i < schema->rule_count; i++) {
		const struct pb_rule *rule = &schema->rules[i];

		if (wire_of(rule->kind) == PB_WIRE_BYTES ||
			(numbers & 1u << i) != 0)
			write_field(rule, in, out);
	}
}
