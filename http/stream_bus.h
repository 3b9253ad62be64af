/*
 * A stream's subscription to the bus: dialled when the supervisor says that a worker publishes,
 * watched by the 1 Hz pulse, given up with the worker.
 */
#ifndef CAMHUB_HTTP_STREAM_BUS_H
#define CAMHUB_HTTP_STREAM_BUS_H

#include "http/stream.h"

void stream_bus_init(struct stream *stream);
void stream_bus_close(struct stream *stream);
/* epoch 0 and path "": no worker. A change of either forgets the old publisher. */
void stream_bus_announce(struct stream *stream, uint64_t epoch, const char *path);
/* The want changed: ask for a replay as soon as that helps, or stop asking. */
void stream_bus_want(struct stream *stream);

#endif
