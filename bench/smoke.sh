#!/bin/sh
# A short run of the benches, for CI: they work, and no frame is lost in silence. Run in a build tree.
set -eu
cd "$(dirname "$0")/.."
make -s -C tests e2e/rtsp_camera
make -s -C bench bench BENCH_FLAGS=--smoke
make -s -C bench ingest-bench BENCH_FLAGS=--smoke
make -s -C bench comeback-bench BENCH_FLAGS=--smoke
make -s -C bench glass-bench BENCH_FLAGS=--smoke
make -s -C bench overlay-bench BENCH_FLAGS=--smoke
make -s -C bench tap-bench BENCH_FLAGS=--smoke
make -s -C bench first-picture-bench BENCH_FLAGS=--smoke
make -s -C bench wall-bench BENCH_FLAGS=--smoke
make -s -C bench fanout-bench BENCH_FLAGS=--smoke
make -s -C bench slow-bench BENCH_FLAGS=--smoke
make -s -C bench logins-bench BENCH_FLAGS=--smoke
make -s -C bench rtc-bench BENCH_FLAGS=--smoke
make -s -C bench rtc-loss-bench BENCH_FLAGS=--smoke
make -s -C bench soak-bench BENCH_FLAGS="--minutes 1 --tiles 1"
