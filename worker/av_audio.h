/*
 * Audio packets to audio units: one frame each, AAC without its ADTS headers.
 */
#ifndef CAMHUB_WORKER_AV_AUDIO_H
#define CAMHUB_WORKER_AV_AUDIO_H

#include "worker/av_reader.h"

/* unit: its bytes are borrowed and copied. 0, -ENOMEM, -ECANCELED. */
int av_audio_push(struct av_reader *reader, const struct wrk_unit *unit);

#endif
