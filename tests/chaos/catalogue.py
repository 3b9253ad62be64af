"""All faults, and the short list of make check."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

# pylint: disable=wrong-import-position,unused-import
import faults_worker  # noqa: E402,F401
import faults_front  # noqa: E402,F401
import faults_rtc  # noqa: E402,F401
import faults_supervisor  # noqa: E402,F401
from lab import FAULTS  # noqa: E402

SHORT = tuple(name for name, fault in FAULTS.items() if fault.short)


def chosen(names):
    """The faults of these names, all without any; SystemExit for a name that there is not."""
    unknown = set(names) - set(FAULTS)
    if unknown:
        raise SystemExit(f"no such fault: {', '.join(sorted(unknown))}; --list shows them")
    return [FAULTS[name] for name in names or FAULTS]
