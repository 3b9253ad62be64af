"""docs/reliability-report.md, of the results that were kept. Pure but for write()."""

from catalogue import FAULTS
from figures import show

HEAD = """# Reliability report

What happened to camhub when things were done to it on purpose, and whether it kept its promises. All of this is made by

```sh
make chaos-report CHAOS_FLAGS=--controls
```

which anybody can run (docs/testing.md, "Faults"); this file is written by it, from `docs/reliability-results.json`. Each fault is done to a camhub of its own, in a
process of its own, while viewers watch cameras whose every picture is numbered; each ends with `camctl status` being compared
with an observer who asks nobody, an orderly stop that leaves nothing, and an orderly start. A negative control takes the
defence away and must make the same test complain.

Times are of one small shared machine. *Waited* is the share of the time in which some process waited for a core, *late* how
late the measuring program itself was (its 99th percentile): nothing below can be better than that.
"""


def _row(*cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def verdict(fault, result):
    if result["status"] != "held":
        return f"{result['status']}: {result['reason']}"
    if result["missed"]:
        return "held; goal missed"
    if result["n"] < result["full"]:
        return f"held, {result['n']} of {result['full']} times"
    return "held"


def summary_table(results):
    rows = [_row("fault", "done", "verdict", "controls"), _row("---", "---:", "---", "---")]
    for name, fault in FAULTS.items():
        result = results.get(name)
        if result is None:
            rows.append(_row(f"`{name}`", 0, "not run", ""))
            continue
        controls = result["controls"]
        found = sum(control["status"] == "found" for control in controls)
        told = f"{found} of {len(controls)} found" if controls else "not run"
        if not fault.controls:
            told = "none"
        rows.append(_row(f"`{name}`", result["n"], verdict(fault, result), told))
    return "\n".join(rows)


def unit_of(fault, figure):
    return next((goal.unit for goal in fault.goals if goal.figure == figure), "")


def section(fault, result):
    machine, lines = result["machine"], [f"## {fault.name}", "", fault.promise, ""]
    if result["figures"]:
        lines += [_row("figure", "n", "p50", "p99", "max", "goal"), _row("---", "---:", "---:", "---:", "---:", "---")]
        for figure, values in result["figures"].items():
            goals = "; ".join(f"{goal.at} <= {show(goal.bound, goal.unit)}" for goal in fault.goals if goal.figure == figure)
            unit = unit_of(fault, figure)
            lines.append(_row(figure, values["n"], *(show(values[at], unit) for at in ("p50", "p99", "max")), goals))
        lines.append("")
    lines += [f"- {note}" for note in result["notes"]]
    lines += [f"- **goal missed**: {text}" for text in result["missed"]]
    if result["status"] != "held":
        lines.append(f"- **{result['status']}**: {result['reason']}")
    lines += [f"- control, {control['what']}: {control['status']}: {control['reason']}" for control in result["controls"]]
    late = show(result["machine"]["driver_late"]["p99"], "s")
    lines += [f"- {result['n']} of {result['full']} times in {result['seconds']:.0f} s, {result['date']}, {result['commit']}; "
              f"{machine['cores']} cores, load {machine['load']}, waited {machine['waited_percent']} %, stolen "
              f"{machine['stolen_percent']} %, late {late}", ""]
    return "\n".join(lines)


def text(results):
    parts = [HEAD, summary_table(results), ""]
    parts += [section(fault, results[name]) for name, fault in FAULTS.items() if name in results]
    return "\n".join(parts).rstrip() + "\n"


def write(path, results):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text(results))
