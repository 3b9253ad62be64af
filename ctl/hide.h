/*
 * Text for strangers: URLs without userinfo and without what may be a secret in path or query.
 */
#ifndef CAMHUB_CTL_HIDE_H
#define CAMHUB_CTL_HIDE_H

/*
 * text (any, of several lines) with, in each URL, the userinfo removed, the values of its query and
 * whatever follows a word like password= in its path replaced by "[hidden]"; so also the rest of a
 * line behind a key like "password:". malloc'd.
 */
char *hide_secrets(const char *text);

#endif
