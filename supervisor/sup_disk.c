/*
 * File systems are asked, not tried: nothing is written to find out.
 */
#include "config.h"

#include "supervisor/sup_disk.h"

#include "supervisor/sup_access.h"
#include "supervisor/sup_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

const char *
sup_disk_trouble(const char *dir)
{
	struct statvfs about;

	if (statvfs(dir, &about) < 0)
		return strerror(errno);
	if (about.f_flag & ST_RDONLY)
		return "it is read-only";
	if (about.f_blocks > 0 && about.f_bavail == 0)
		return "it is full";
	/* Some count no files. */
	if (about.f_files > 0 && about.f_favail == 0)
		return "it has no room for another file";
	return NULL;
}

static void
add(json_t *list, const char *dir, const char *why, const char *so)
{
	char text[SUP_DISK_TEXT_MAX + 1];

	snprintf(text, sizeof(text), "%.300s: %s: %s", dir, why, so);
	json_array_append_new(list, json_string(text));
}

json_t *
sup_disk_troubles(struct sup *sup)
{
	json_t *list = json_array();
	const char *why = sup_disk_trouble(sup->dirs.runtime);

	if (why != NULL)
		add(list, sup->dirs.runtime, why,
		    "what runs goes on, but a worker that ends may not come back");
	if (sup->conf == NULL || sup->conf->n_users == 0)
		return list;
	why = sup_disk_trouble(sup->options.state_dir);
	if (why == NULL)
		why = sup_access_unsaved(sup);
	if (why != NULL)
		add(list, sup->options.state_dir, why,
		    "passwords, keys and logouts of now are gone with the next start, unless they "
		    "can be written before");
	return list;
}
