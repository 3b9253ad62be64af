"""
An observer beside camctl status, who asks nobody: /proc says which processes there are and what listens, the cameras who
gets pictures from them, the driver's own books how many watch and how often a process was killed. compare() holds what
was seen against what is said; it is pure.
"""

import asyncio
import contextlib
import os
import re

WELL, DEGRADED = 0, 1
NOT_UP = ("connecting", "stalled", "down", "refused", "off")


def listening_inodes():
    """{inode: "address:port"} of TCP sockets that listen."""
    found = {}
    for name, size in (("/proc/net/tcp", 4), ("/proc/net/tcp6", 16)):
        try:
            with open(name, encoding="ascii") as table:
                rows = [line.split() for line in table.readlines()[1:]]
        except OSError:
            continue
        for row in rows:
            if row[3] == "0A":
                address, port = row[1].split(":")
                raw = bytes.fromhex(address)
                text = ".".join(str(byte) for byte in raw[::-1]) if size == 4 else address
                found[int(row[9])] = f"{text}:{int(port, 16)}"
    return found


def listens(pid):
    """Addresses whose listener a process has open."""
    inodes, found = listening_inodes(), set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            match = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{name}"))
        except OSError:
            continue
        if match and int(match[1]) in inodes:
            found.add(inodes[int(match[1])])
    return found


def takes_a_byte(directory):
    """Whether something can be written there: it is tried."""
    path = os.path.join(directory, ".observer")
    try:
        with open(path, "wb", buffering=0) as file:
            return file.write(b"x") == 1
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)


def look(house, sources, watched, kills):
    """
    What is seen. sources: {stream: Source}; watched: {stream: viewers of the driver's}; kills: {stream: how often its
    worker ended}, of those whose count is known.
    """
    return {
        "supervisor": house.process.pid,
        "listens": listens(house.process.pid),
        "has_room": takes_a_byte(house.runtime),
        "children": {words: pid for words, pid in house.pids().items() if not words.startswith("camhub-http")},
        "fronts": house.fronts(),
        "cameras": {name: {"flows": source.flows(), "viewers": watched.get(name, 0), "restarts": kills.get(name)}
                    for name, source in sources.items()},
    }


async def listen_to(house):
    """What is said: by the control channel, by camctl's exit code, by the front."""
    messages = await house.request("status")
    code, _, _ = await house.run_camctl("status", "--json")
    return {
        "supervisor": next((m for m in messages if m["type"] == "supervisor"), {}),
        "processes": [m for m in messages if m["type"] == "process"],
        "cameras": {m["name"]: m for m in messages if m["type"] == "camera"},
        "code": code,
        "pages": await house.get_json_of("/api/streams"),
    }


def compare(seen, said):
    """What does not agree, as texts; nothing when all does."""
    return [*_compare_supervisor(seen, said), *_compare_cameras(seen, said), *_compare_processes(seen, said)]


def _compare_supervisor(seen, said):
    if said["supervisor"].get("pid") != seen["supervisor"]:
        yield f"the supervisor is process {seen['supervisor']}, status says {said['supervisor'].get('pid')}"
    told = set(said["supervisor"].get("listen", []))
    if told and not told <= seen["listens"]:
        yield f"status says that {sorted(told)} are listened on, but {sorted(seen['listens'])} are"
    if seen["has_room"] == bool(said["supervisor"].get("trouble")):
        yield (f"the runtime directory {'takes a byte' if seen['has_room'] else 'takes nothing'}, "
               f"status says {said['supervisor'].get('trouble')}")
    well = seen["has_room"] and all(camera["flows"] for camera in seen["cameras"].values())
    if said["code"] != (WELL if well else DEGRADED):
        yield f"camctl status left with {said['code']}, but all is {'well' if well else 'not well'}"


def _compare_cameras(seen, said):
    if set(said["cameras"]) != set(seen["cameras"]):
        yield f"there are cameras {sorted(seen['cameras'])}, status says {sorted(said['cameras'])}"
    for name in seen["cameras"].keys() & said["cameras"].keys():
        camera, told = seen["cameras"][name], said["cameras"][name]
        page = said["pages"].get(name, {}).get("state")
        if camera["flows"] != (told["state"] == "up") or told["state"] not in ("up", *NOT_UP):
            yield f"{name}: pictures {'flow' if camera['flows'] else 'do not flow'}, status says {told['state']}"
        if page != told["state"]:
            yield f"{name}: status says {told['state']}, the pages say {page}"
        pid = seen["children"].get(f"camhub-worker {name}", 0)
        if told["pid"] != pid:
            yield f"{name}: its worker is process {pid}, status says {told['pid']}"
        if told["viewers"] != camera["viewers"]:
            yield f"{name}: {camera['viewers']} watch, status says {told['viewers']}"
        if camera["restarts"] is not None and told["restarts"] != camera["restarts"]:
            yield f"{name}: its worker ended {camera['restarts']} times, status says {told['restarts']}"


def _compare_processes(seen, said):
    fronts = seen["fronts"]
    told = {message["pid"] for message in said["processes"] if message["name"].startswith("http")} - {0}
    if fronts != told:
        yield f"the fronts are processes {sorted(fronts)}, status says {sorted(told)}"
    known = told | {message["pid"] for message in said["processes"]} | {c["pid"] for c in said["cameras"].values()}
    for words, pid in seen["children"].items():
        if pid not in known and not words.startswith(("camhub-resolve", "camhub-transcode", "camhub-auth", "camhub-event")):
            yield f"process {pid} ({words}) is not in the status"


async def differences(house, sources, watched, kills):
    try:
        said = await listen_to(house)
    except OSError as error:
        return [f"status does not answer: {error!r}"]
    return compare(await asyncio.to_thread(look, house, sources, watched, kills), said)
