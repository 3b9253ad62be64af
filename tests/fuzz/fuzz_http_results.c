/*
 * What an analyser sends: bytes of its endpoint in any portions, through the reader, the parser and
 * the writer. The first byte of the input says how large the portions are, and whether a
 * publisher's hello and message heads are put around the rest, so that the parser is reached at
 * once. What is passed on must be JSON of ours within its bounds.
 */
#include "config.h"

#include "http/result.h"
#include "http/sp_reader.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

static void
check_object(const json_t *object)
{
	const json_t *box = json_object_get(object, "box"), *side;
	const char *label = json_string_value(json_object_get(object, "label"));
	size_t i;

	FUZZ_CHECK(json_array_size(box) == 4);
	json_array_foreach (box, i, side)
		FUZZ_CHECK(json_real_value(side) >= 0 && json_real_value(side) <= 1);
	/* At most four bytes for each character. */
	FUZZ_CHECK(label == NULL || strlen(label) <= 4 * RESULT_LABEL_MAX);
	FUZZ_CHECK(json_object_size(json_object_get(object, "attributes")) <=
		   RESULT_ATTRIBUTES_MAX);
}

static void
check_written(const struct result *result)
{
	char *text = result_write(result, "fuzz", 7, 8);
	size_t len = strlen(text), i;
	char *whole = malloc(len + 2);
	const json_t *object, *objects;
	json_t *json;

	FUZZ_CHECK(whole != NULL);
	whole[0] = '{';
	memcpy(whole + 1, text, len + 1);
	json = json_loads(whole, JSON_REJECT_DUPLICATES, NULL);
	FUZZ_CHECK(json != NULL);
	/* Numbers may be written longer than they came. */
	FUZZ_CHECK(len <= 4 * RESULT_BYTES_MAX);
	objects = json_object_get(json, "objects");
	FUZZ_CHECK(json_array_size(objects) <= RESULT_OBJECTS_MAX);
	json_array_foreach (objects, i, object)
		check_object(object);
	json_decref(json);
	free(whole);
	free(text);
}

static void
try_message(const uint8_t *bytes, size_t len)
{
	const char *fault = NULL;
	struct result *result = result_parse((const char *)bytes, len, &fault);

	FUZZ_CHECK((result == NULL) == (fault != NULL));
	if (result != NULL)
		check_written(result);
	result_free(&result);
}

static void
read_in_portions(const uint8_t *data, size_t size, size_t portion)
{
	struct sp_reader reader;
	const uint8_t *msg;
	size_t len;
	int rc = 0;

	sp_reader_init(&reader, RESULT_BYTES_MAX);
	for (size_t i = 0; i < size && rc >= 0; i += portion) {
		const uint8_t *at = data + i;
		const uint8_t *end = data + (size - i < portion ? size : i + portion);

		while ((rc = sp_reader_take(&reader, &at, end, &msg, &len)) == 1) {
			FUZZ_CHECK(len <= RESULT_BYTES_MAX);
			try_message(msg, len);
		}
		FUZZ_CHECK(rc < 0 || at == end);
	}
	sp_reader_clear(&reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 128)
		try_message(data + 1, size - 1);
	else
		read_in_portions(data + 1, size - 1, (data[0] & 127u) + 1);
	return 0;
}
