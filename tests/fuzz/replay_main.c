/*
 * Runs a libFuzzer target over its stored corpus without libFuzzer: the files of
 * CORPUS_ROOT/<name of the program without _replay>, or those that stand on the command line. Each
 * file is given whole, in memory of just its size. Fails when there was none, and when one takes
 * for ever (SIGALRM).
 */
#include "config.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX (4u << 20)
#define FOLDER_BYTES   4096
#define FOREVER_S      300 /* any of them takes milliseconds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *path)
{
	uint8_t *whole = malloc(FILE_BYTES_MAX), *data;
	FILE *file = fopen(path, "rb");
	size_t len;

	if (whole == NULL || file == NULL) {
		printf("cannot read %s\n", path);
		exit(1);
	}
	len = fread(whole, 1, FILE_BYTES_MAX, file);
	(void)fclose(file);
	data = malloc(len > 0 ? len : 1);
	if (data == NULL)
		exit(1);
	if (len > 0)
		memcpy(data, whole, len);
	free(whole);
	(void)alarm(FOREVER_S);
	(void)LLVMFuzzerTestOneInput(data, len);
	(void)alarm(0);
	free(data);
	return 1;
}

static int
replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[FOLDER_BYTES + sizeof(entry->d_name) + 2];
	int n = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		n += replay_file(path);
	}
	(void)closedir(dir);
	return n;
}

/* "tests/.libs/lt-fuzz_x_replay" -> "fuzz_x" */
static int
replay_corpus_of(const char *program)
{
	const char *name = strrchr(program, '/');
	char folder[FOLDER_BYTES];
	int len;

	name = name != NULL ? name + 1 : program;
	if (strncmp(name, "lt-", 3) == 0)
		name += 3;
	len = (int)strlen(name);
	if (len > 7 && strcmp(name + len - 7, "_replay") == 0)
		len -= 7;
	(void)snprintf(folder, sizeof(folder), "%s/%.*s", CORPUS_ROOT, len, name);
	return replay_folder(folder);
}

int
main(int argc, char **argv)
{
	int n = 0, i;

	for (i = 1; i < argc; i++)
		n += replay_file(argv[i]);
	if (argc == 1)
		n = replay_corpus_of(argv[0]);
	printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
