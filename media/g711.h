/*
 * G.711 to 16-bit samples (ITU-T G.711), left-justified: A-law leaves the lowest 3 bits zero,
 * mu-law the lowest 2.
 */
#ifndef CAMHUB_MEDIA_G711_H
#define CAMHUB_MEDIA_G711_H

#include <stdint.h>

int16_t g711_alaw(uint8_t code);
int16_t g711_mulaw(uint8_t code);

#endif
