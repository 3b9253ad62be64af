/*
 * The answer to "status" in its three forms: a table, a page for one camera, JSON.
 */
#ifndef CAMHUB_CTL_STATUS_H
#define CAMHUB_CTL_STATUS_H

#include "ctl/request.h"
#include "ctl/text.h"

#include <stdint.h>
#include <stdio.h>

/* now_ms: the wall clock, milliseconds since 1970. */
void status_print_table(const struct ctl_reply *reply, int64_t now_ms,
			const struct text_style *style, FILE *file);
void status_print_pages(const struct ctl_reply *reply, int64_t now_ms,
			const struct text_style *style, FILE *file);
/* {"supervisor": {...}, "cameras": [...], "processes": [...]}: camctl(1), "JSON". */
void status_print_json(const struct ctl_reply *reply, FILE *file);

/* Up, or off because nobody watches. */
bool status_camera_is_well(const json_t *camera);
/* CTL_OK, or CTL_DOWN when anything is not as it should be. */
int status_exit(const struct ctl_reply *reply);

/* What is wrong with a camera now, or was last: "wrong password; next try in 20 s". "" when nothing
 * ever was. Escaped. */
const char *status_error_text(const json_t *camera, int64_t now_ms, char *buf, size_t size);

/* Redraw every second until SIGINT or SIGTERM; returns what the last look says. print: one of the
 * above. */
typedef void status_print_fn(const struct ctl_reply *reply, int64_t now_ms,
			     const struct text_style *style, FILE *file);
int status_watch(const char *runtime_dir, const char *camera, status_print_fn *print);
json_t *status_request(const char *camera); /* NULL: all */
int64_t status_now_ms(void);

#endif
