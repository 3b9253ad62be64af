/*
 * Time in which nobody here could have done anything, because the host of this virtual machine gave
 * its cores to others: a process that was silent meanwhile is not hung.
 */
#ifndef CAMHUB_SUPERVISOR_SUP_STOLEN_H
#define CAMHUB_SUPERVISOR_SUP_STOLEN_H

#include <stdint.h>

/*
 * Milliseconds of each core, on average, that were stolen since the machine is up ("steal" of
 * proc(5), /proc/stat). Where that file is hidden, as from a service with ProcSubset=pid, it is
 * what standard input is, as in camhub.service. 0 where nothing is stolen, or nothing is known.
 */
int64_t sup_stolen_ms(void *arg);

/* The same from the first line of that file; ticks_per_s and cores as sysconf(3) has them. Pure. */
int64_t sup_stolen_parse(const char *line, long ticks_per_s, long cores);

#endif
