/*
 * How much slower than an idle one this machine is just now: what else wants its cores, and what
 * the host of a virtual machine gives to others. Deadlines grow with it.
 */
#include "config.h"

#include "tests/harness/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOAD_MAX   6
#define FACTOR_MAX 20
#define STAT_WORDS 8 /* of proc(5), /proc/stat: user to steal */

struct ticks {
	unsigned long long stolen, all;
};

static struct ticks at_start;

static struct ticks
read_ticks(void)
{
	unsigned long long words[STAT_WORDS] = { 0 };
	struct ticks ticks = { 0 };
	FILE *file = fopen("/proc/stat", "re");

	if (file == NULL)
		return ticks;
	if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &words[0], &words[1],
		   &words[2], &words[3], &words[4], &words[5], &words[6], &words[7]) == STAT_WORDS)
		ticks.stolen = words[7];
	fclose(file);
	for (int i = 0; i < STAT_WORDS; i++)
		ticks.all += words[i];
	return ticks;
}

/* How many processes want each core, as far as that matters to a deadline. */
static double
load_of_each_core(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	double load;

	if (cores < 1 || getloadavg(&load, 1) != 1)
		return 1;
	load /= (double)cores;
	return load < 1 ? 1 : load > LOAD_MAX ? LOAD_MAX : load;
}

static double
stolen_share(void)
{
	struct ticks now = read_ticks();

	if (now.all <= at_start.all)
		return 0;
	return (double)(now.stolen - at_start.stolen) / (double)(now.all - at_start.all);
}

void
machine_note_start(void)
{
	at_start = read_ticks();
}

int
machine_slowness(void)
{
	double left = 1 - stolen_share();
	double factor = left > 1.0 / FACTOR_MAX ? load_of_each_core() / left : FACTOR_MAX;

	return factor > FACTOR_MAX ? FACTOR_MAX : (int)factor;
}
