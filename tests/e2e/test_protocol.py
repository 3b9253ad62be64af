#!/usr/bin/python3 -B
"""docs/protocol.md says what the code does: its tables of messages, its table of the bus header."""

import os
import re
import subprocess
import unittest

import bus_subscriber
import rig

BEGIN, END = "<!-- messages: begin -->", "<!-- messages: end -->"


def document():
    with open(os.path.join(rig.source_dir(), "docs", "protocol.md"), encoding="utf-8") as file:
        return file.read()


def header_file():
    with open(os.path.join(rig.source_dir(), "shared", "frame.h"), encoding="utf-8") as file:
        return file.read()


class Protocol(unittest.TestCase):
    def test_messages(self):
        program = os.path.join(rig.build_dir(), "tests", "e2e", "protocol_tables")
        printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
        written = document().split(BEGIN, 1)[1].split(END, 1)[0]
        self.maxDiff = 4000
        self.assertEqual(written.strip(), printed.strip(),
                         "put the output of tests/e2e/protocol_tables between the two marks")

    def test_header(self):
        """Offsets and names in the document are those of the subscriber that the other tests run."""
        header = document().split("### The header", 1)[1].split("\n### ", 1)[0]
        rows = re.findall(r"^\| (\d+) \| (u8|u16|u32|u64|i64) \| `(\w+)` ", header, re.M)
        sizes = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8}
        at = 0
        for offset, kind, _ in rows:
            self.assertEqual(int(offset), at)
            at += sizes[kind]
        self.assertEqual(at, bus_subscriber.HEADER.size)
        names = [name for _, _, name in rows]
        self.assertEqual(names, list(bus_subscriber.FIELDS))

    def test_numbers(self):
        """Kinds, codecs and flags of the document are those of shared/frame.h."""
        for prefix, names in (("FRAME_KIND_", bus_subscriber.KINDS), ("FRAME_CODEC_", bus_subscriber.CODECS)):
            code = {int(number): word.lower().replace("_", "-") for word, number in
                    re.findall(rf"^\t{prefix}(\w+) = (\d+),", header_file(), re.M)}
            self.assertEqual(code, names)
            for number, name in names.items():
                self.assertRegex(document(), rf"(?m)^\| {number} \| `{name}` ")
        flags = re.findall(r"^#define FRAME_(\w+)\s+(?:\\\s+)?\(1u << (\d+)\)", header_file(), re.M)
        self.assertEqual([name.lower().replace("_", "-") for name, _ in flags],
                         list(bus_subscriber.FLAGS))
        for name, bit in flags:
            self.assertRegex(document(), rf"(?m)^\| {bit} \| `{name.lower().replace('_', '-')}` ")


if __name__ == "__main__":
    rig.main()
