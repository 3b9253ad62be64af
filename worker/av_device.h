/*
 * libavdevice, loaded only where a device is read: it draws in a hundred libraries (SDL, X11,
 * sound) that would cost every other worker 25 MB.
 */
#ifndef CAMHUB_WORKER_AV_DEVICE_H
#define CAMHUB_WORKER_AV_DEVICE_H

/* Makes the formats of libavdevice known to libavformat; again is nothing. 0, or -ENOENT. */
int av_device_load(void);

#endif
