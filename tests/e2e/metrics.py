"""Prometheus' text format, version 0.0.4: read, and held to the rules that its own checker knows."""

import re

_SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="[^"\\\n]*",?)+)\})? ([-+0-9.e]+)')
_SUFFIX = re.compile(r"_(bucket|sum|count)$")


class Wrong(Exception):
    """The text breaks a rule."""


def _need(condition, *about):
    if not condition:
        raise Wrong(*about)


def _number(text):
    value = float(text)
    return int(value) if value.is_integer() else value


def _family_of(name, types):
    base = _SUFFIX.sub("", name)
    return base if types.get(base) == "histogram" else name


def parse(text):
    """{(name, ((label, value), ...)): number}, in the order of the text; Wrong when a rule is broken."""
    _need(text.endswith("\n"), "the last line has no end")
    types, helps, samples, closed, current = {}, {}, {}, set(), None
    for line in text.splitlines():
        if line.startswith("# "):
            _, keyword, name, *rest = line.split(" ", 3)
            store = {"HELP": helps, "TYPE": types}[keyword]
            _need(rest and rest[0].strip(), "nothing said", line)
            _need(name not in store, "said twice", line)
            _need(name not in closed and name != current, "said after its samples", line)
            store[name] = rest[0]
            continue
        found = _SAMPLE.fullmatch(line)
        _need(found, "no sample", line)
        name = found[1]
        family = _family_of(name, types)
        _need(family in types and family in helps, "without HELP or TYPE", line)
        _need(family not in closed, "a family in two places", line)
        if family != current:
            closed.add(current)
            current = family
        labels = tuple(re.findall(r'([a-z_]+)="([^"]*)"', found[2] or ""))
        _need(len(set(key for key, _ in labels)) == len(labels), "a label twice", line)
        _need((name, labels) not in samples, "a sample twice", line)
        samples[name, labels] = _number(found[3])
    _check_names(types)
    _check_histograms(types, samples)
    return samples


def _check_names(types):
    for name, kind in types.items():
        _need(kind in ("counter", "gauge", "histogram"), "unknown type", name, kind)
        _need((kind == "counter") == name.endswith("_total"), "_total is for counters, and they need it", name)
        _need(not _SUFFIX.search(name), "a suffix of histograms", name)
        _need(not re.search(r"_(ms|milliseconds|kb|kib|percent)(_|$)", name), "not the base unit", name)


def _check_histograms(types, samples):
    for name in (name for name, kind in types.items() if kind == "histogram"):
        series = {}
        for (sample, labels), value in samples.items():
            if sample == f"{name}_bucket":
                edge = dict(labels)["le"]
                rest = tuple(pair for pair in labels if pair[0] != "le")
                series.setdefault(rest, []).append((float(edge), value))
        for labels, buckets in series.items():
            edges, counts = zip(*buckets)
            _need(list(edges) == sorted(set(edges)), "edges out of order", name, labels)
            _need(list(counts) == sorted(counts), "not cumulative", name, labels)
            _need(edges[-1] == float("inf"), "without +Inf", name, labels)
            _need(counts[-1] == samples[f"{name}_count", labels], "+Inf is not the count", name, labels)
            _need(samples[f"{name}_sum", labels] >= 0, "negative sum", name, labels)
        for (sample, labels) in samples:
            if sample in (f"{name}_count", f"{name}_sum"):
                _need(labels in series, "without buckets", name, labels)
