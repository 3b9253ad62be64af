/*
 * The source test:clock: a picture with a running clock, drawn and encoded here.
 */
#ifndef CAMHUB_WORKER_AV_TEST_H
#define CAMHUB_WORKER_AV_TEST_H

#include "worker/av_reader.h"

extern const struct av_source_ops av_test_ops;

#endif
