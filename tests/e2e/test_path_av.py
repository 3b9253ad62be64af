#!/usr/bin/python3 -B
"""The whole path once more, with `ingest: av`: RTSP cameras read through libavformat."""

import rig
import test_path

rig.ingest = "av"


class PathAv(test_path.Path):
    def test_program(self):
        """It is the other one that reads these cameras."""
        for name in ("door", "gate", "voice"):
            self.assertEqual(self.camhub.camera(name)["program"], "camhub-worker-av")


class OnDemandAv(test_path.OnDemand):
    pass


if __name__ == "__main__":
    rig.main()
