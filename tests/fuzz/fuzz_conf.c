/*
 * Any bytes as a configuration: either a whole snapshot, or mistakes, each with a line that there
 * is, in printable words.
 */
#include "config.h"

#include "shared/conf.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
check_errors(const struct conf_errors *errors, size_t lines)
{
	FUZZ_CHECK(errors->n > 0);
	for (size_t i = 0; i < errors->n; i++) {
		const struct conf_error *error = &errors->list[i];

		FUZZ_CHECK(error->line >= 1 && error->line <= lines + 1);
		FUZZ_CHECK(i == 0 || errors->list[i - 1].line <= error->line);
		FUZZ_CHECK(strstr(error->text, ", expected ") != NULL);
		for (const char *p = error->text; *p != '\0'; p++)
			FUZZ_CHECK((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
	}
}

static void
check_conf(const struct conf *conf)
{
	FUZZ_CHECK(conf->n_listen >= 1 && conf->n_cameras <= CONF_MAX_CAMERAS);
	for (size_t i = 0; i < conf->n_listen; i++)
		FUZZ_CHECK(conf->insecure || conf_address_is_loopback(
						 (const struct sockaddr *)&conf->listen[i].addr));
	for (size_t i = 0; i < conf->n_streams; i++) {
		FUZZ_CHECK(conf_find_stream(conf, conf->streams[i].name) == &conf->streams[i]);
		FUZZ_CHECK(conf->streams[i].url[0] != '\0');
		FUZZ_CHECK(strlen(conf->streams[i].name) <= CONF_STREAM_NAME_BYTES);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_errors errors = { 0 };
	struct conf *conf = NULL;
	size_t lines = 1;

	/* Lines as YAML counts them, which knows more line ends than one. */
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0x85 || data[i] == 0xa8 ||
			 data[i] == 0xa9;
	if (conf_load_text("fuzz", (const char *)data, size, NULL, &conf, &errors) == 0)
		check_conf(conf);
	else
		check_errors(&errors, lines);
	conf_errors_free(&errors);
	conf_free(&conf);
	return 0;
}
