/*
 * Inside the hub's sound: configurations.
 */
#ifndef CAMHUB_HTTP_HUB_AUDIO_INT_H
#define CAMHUB_HTTP_HUB_AUDIO_INT_H

#include "http/hub_audio.h"

/* Keeps a reference to msg. NULL: no player takes this, or it is broken. */
struct hub_audio_config *hub_audio_config_new(struct bus_msg *msg);
/* Whether msg says the same again, whichever worker it is from (also of NULL: no). */
bool hub_audio_config_is(const struct hub_audio_config *config, const struct bus_msg *msg);

#endif
