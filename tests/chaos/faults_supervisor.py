"""What can happen to the supervisor, to its configuration, and to the machine."""

import asyncio
import contextlib
import fcntl
import os
import random
import signal
import struct
import subprocess
import tempfile
import time

import rig
from camera import BlackHole
from faults_front import settled
from faults_worker import QUICK
from figures import Goal, cpu_seconds, rss_kib, threads
from house import House, Tamper, alive
from lab import Skipped, fault
from manager import Manager
from watcher import Asker, Connector

GONE_S = 2
F_SETPIPE_SZ = 1031


@fault("supervisor-killed", "The supervisor is killed (SIGKILL) under a manager that keeps the listener: no child outlives "
       "it, nobody is refused, and all cameras are back.", full=30, short=1,
       goals=(Goal("children gone", "max", 0.5), Goal("all cameras again", "max", 5)),
       controls=(Tamper("children do not care about their supervisor", "outlive", sabotage={
           "camhub-worker": "orphan", "camhub-http": "orphan"}),))
async def supervisor_killed(lab, n):
    names = [f"cam{i}" for i in range(16 if n > 5 else 2)]
    await lab.add_house(names, manager=Manager())
    connector = Connector(lab.house)
    try:
        for _ in range(n):
            children = lab.house.pids()
            lab.demand(len(children) > len(names), f"not all processes are there: {children}")
            pidfds = [os.pidfd_open(pid) for pid in children.values()]
            began = time.monotonic()
            lab.house.process.kill()
            await lab.until(lambda fds=pidfds: not left(fds), lambda fds=pidfds: f"{len(left(fds))} processes outlive their "
                            "supervisor", GONE_S if lab.tamper else None)
            lab.figure("children gone", time.monotonic() - began)
            for pidfd in pidfds:
                os.close(pidfd)
            for name in names:
                await lab.until_state(name, "up")
            watcher = await lab.add_watcher(*names)
            lab.figure("all cameras again", time.monotonic() - began)
            await lab.drop_watcher(watcher)
            lab.demand(not connector.refused, lambda: f"refused: {connector.refused[:3]}")
    finally:
        await connector.stop()
    lab.note(f"{connector.connected} connections, {len(connector.refused)} refused")
    await lab.orderly()


def left(pidfds):
    """Those whose process lives. A zombie's pidfd is readable; nobody but the dead supervisor's heir would reap it."""
    rig.orphans()
    found = []
    for pidfd in pidfds:
        with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as info:
            pid = next(int(line.split()[1]) for line in info if line.startswith("Pid:"))
        if pid > 0 and alive(pid):
            found.append(pid)
    return found


@fault("supervisor-hung", "A supervisor that stands still, or spins in its main loop, stops feeding the watchdog: its "
       "manager kills it and the next one serves.", full=10, short=0, goals=(Goal("serves again", "max", 12),),
       controls=(Tamper("the watchdog is fed by a thread", "the watchdog barks", sabotage={"camhub-supervisor": "spin,feeder"}),))
async def supervisor_hung(lab, n):
    spins = lab.tamper is not None
    manager = Manager(watchdog_s=2 if n < 5 else 10)
    await lab.add_house(("door",), manager=manager)
    for _ in range(n):
        barks, began = len(manager.barks), time.monotonic()
        os.kill(lab.house.process.pid, signal.SIGUSR2 if spins else signal.SIGSTOP)
        await lab.soon(lambda since=barks: len(manager.barks) > since, "the watchdog barks")
        await lab.soon(lab.serves, "the next supervisor serves")
        lab.figure("serves again", time.monotonic() - began)
        await lab.until_state("door", "up")
    await lab.orderly()


def runtime_files(house):
    """Names in the runtime directory, without the epochs of the bus."""
    found = []
    for at, _, names in os.walk(house.runtime):
        found += [os.path.join(os.path.relpath(at, house.runtime), name.rsplit("-", 1)[0]) for name in names]
    return sorted(found)


@fault("leaks", "Thousands of restarts of workers and fronts and of reloads: descriptors by kind, threads, files and "
       "zombies are afterwards exactly as before, memory nearly.", full=1000, short=2,
       goals=(Goal("supervisor grew", "max", 1024, "KiB"), Goal("front grew", "max", 5120, "KiB")),
       controls=(Tamper("a descriptor is forgotten now and then", "descriptors", sabotage={"camhub-supervisor": "leak"}),))
async def leaks(lab, n):
    house = await lab.add_house(("door", "yard"), extra=QUICK)
    watcher = await lab.add_watcher("door", "yard")
    await restart_things(lab, watcher, min(n, 3), min(n, 3), 1)
    supervisor = house.process.pid
    before = await settled(lab, lambda: footprint(house, supervisor), "descriptors")
    memory = rss_kib(supervisor)
    await restart_things(lab, watcher, 0, 0, max(1, n // 5))
    front = house.front()
    await restart_things(lab, watcher, 2, 2, 0)
    front_before, front_memory = await settled(lab, lambda: footprint(house, front), "descriptors"), rss_kib(front)
    await restart_things(lab, watcher, n, n, 0)
    after = await settled(lab, lambda: footprint(house, supervisor), "descriptors")
    front_after = await settled(lab, lambda: footprint(house, front), "descriptors")
    lab.demand(after == before, f"the supervisor's descriptors, threads, files: {before} before, {after} after")
    lab.demand(front_after == front_before, f"the front's descriptors: {front_before} before, {front_after} after")
    lab.demand(not zombies(supervisor), lambda: f"zombies: {zombies(supervisor)}")
    lab.figure("supervisor grew", max(0, rss_kib(supervisor) - memory))
    lab.figure("front grew", max(0, rss_kib(front) - front_memory))
    lab.note(f"{n} restarts of a worker, {n} reloads, {max(1, n // 5)} restarts of the front")
    await lab.orderly()


def footprint(house, pid):
    return {**rig.fds(pid), "threads": threads(pid), "files": runtime_files(house)}


def zombies(root):
    return [pid for pid, (ppid, state, _) in rig.processes().items() if ppid == root and state == "Z"]


async def restart_things(lab, watcher, workers, reloads, fronts):
    house = lab.house
    for _ in range(fronts):
        await house.kill(house.front())
        await lab.soon(lambda: watcher.closed, "the viewer's socket ends")
        await asyncio.wait_for(watcher.reopen(), lab.patience_s)
        await lab.sees(watcher, "from the new front")
    for _ in range(workers):
        pid = house.worker("door")
        await house.kill(pid)
        await lab.new_worker("door", pid)
    for turn in range(reloads):
        house.configure([{**camera, "title": f"turn {turn % 2}"} for camera in lab.cameras()])
        lab.demand((await house.request("reload"))[-1]["code"] == 0, "the configuration is not taken")
    await lab.sees(watcher, "after restarts and reloads")


BAD = ("cameras:\n  - name: Door!\n    url: gopher://x\n", "cameras: [\n", "http: { listen: [ nowhere ] }\ncameras: []\n",
       "", "cameras:\n  - { name: door, url: 'rtsp://user:word@127.0.0.1/' }\n")


@fault("reload", "Valid and invalid configurations in turn: what is invalid is refused with its line and changes nothing; "
       "what is valid touches only the cameras that changed; all others lose no picture.", full=1000, short=4,
       goals=(Goal("reload", "p99", 0.25),),
       controls=(Tamper("one worker's end ends all", "viewer was closed", sabotage={"camhub-supervisor": "one-for-all,gentle"}),))
async def reload(lab, n):
    house = await lab.add_house(("door", "yard", "attic"))
    witness = await lab.add_watcher("yard")
    lab.kills.update(yard=0)
    workers, front = house.worker("yard"), house.front()
    for turn in range(n):
        if turn % 2 == 0:
            before = house.pids()
            house.write("camhub.yaml", BAD[turn // 2 % len(BAD)])
            code, out, err = await house.run_camctl("reload")
            lab.demand(code != 0, f"an invalid configuration was taken: {out}")
            lab.demand("camhub.yaml" in out + err, f"no word on where the mistake is: {out}{err}")
            lab.demand(house.pids() == before, f"a refused configuration changed something: {before} {house.pids()}")
        else:
            house.configure(lab.cameras(*("attic",) * (turn // 2 % 2 == 0)))
            began = time.monotonic()
            answer = (await house.request("reload"))[-1]
            lab.demand(answer["code"] == 0, f"a valid configuration was refused: {answer['text']}")
            lab.figure("reload", time.monotonic() - began)
            await lab.soon(lambda there=turn // 2 % 2: bool(house.worker("attic")) == bool(there), "attic comes and goes")
        lab.lost_nothing(witness, "yard")
    house.configure(lab.cameras())
    lab.demand((await house.request("reload"))[-1]["code"] == 0, "the last configuration is not taken")
    await lab.until_state("attic", "up")
    await lab.sees(witness, "after reloads")
    lab.lost_nothing(witness, "yard")
    lab.demand((house.worker("yard"), house.front()) == (workers, front), "what did not change was restarted")
    await lab.orderly()


@fault("restart", "The whole service is restarted in order while many ask: nobody is refused; the next one serves.", full=20, short=0,
       goals=(Goal("all cameras again", "max", 5),), controls=())
async def restart(lab, n):
    names = [f"cam{i}" for i in range(4)]
    manager = Manager()
    await lab.add_house(names, manager=manager)
    asker = Asker(lab.house, every_s=0.005)
    try:
        for _ in range(n):
            began, old = time.monotonic(), lab.house.process
            old.send_signal(signal.SIGTERM)
            await lab.until(lambda before=old: before.poll() is not None, "the old supervisor leaves")
            lab.demand(old.returncode == 0, f"the supervisor left with {old.returncode}")
            await lab.until(lambda before=old: lab.house.process is not before, "the next supervisor")
            for name in names:
                await lab.until_state(name, "up")
            lab.figure("all cameras again", time.monotonic() - began)
    finally:
        await asker.stop()
    lab.demand(not asker.refused, lambda: f"refused: {asker.refused[:3]}")
    lab.note(f"{len(asker.times)} requests answered, {asker.cut} cut off in the middle, 0 refused")
    await lab.orderly()


@fault("boot-unreachable", "Many cameras and none of them answers: the pages are served at once, camctl status answers, and "
       "the supervisor is idle.", full=64, short=8,
       goals=(Goal("until READY", "max", 1), Goal("status", "p99", 0.05), Goal("supervisor, % of a core", "max", 2, "%")),
       controls=(Tamper("connects are waited for", "READY", sabotage={"camhub-supervisor": "waits"}),))
async def boot_unreachable(lab, n):
    hole = BlackHole()
    try:
        manager = Manager()
        lab.sources, began = {}, time.monotonic()
        lab.house = make_house(lab, [{"name": f"cam{i}", "url": hole.url()} for i in range(n)], manager)
        await lab.soon(lambda: manager.readies, "READY")
        lab.figure("until READY", manager.readies[0] - began)
        await lab.soon(lab.serves, "the pages are served")
        for _ in range(40 if n > 20 else 10):
            asked = time.monotonic()
            messages = await lab.house.request("status")
            lab.figure("status", time.monotonic() - asked)
            states = {message["state"] for message in messages if message["type"] == "camera"}
            lab.demand("up" not in states, "a camera that does not answer is up")
        cpu, began = cpu_seconds(lab.house.process.pid), time.monotonic()
        await asyncio.sleep(5 if n > 20 else 1)  # when nobody asks it anything is what is measured
        lab.figure("supervisor, % of a core", 100 * (cpu_seconds(lab.house.process.pid) - cpu) / (time.monotonic() - began))
        await lab.end_house()
    finally:
        hole.stop()


def make_house(lab, cameras, manager, **options):
    house = House(cameras, tamper=lab.tamper, manager=manager, **options)
    house.port = manager.port
    manager.watch(house)
    return house


@fault("status-truth", "camctl status agrees with an observer who asks nobody, whatever is done to a camera; it leaves with "
       "0, 1, 2, 3 or 4, and does not wait for a supervisor that stands still.", full=20, short=1,
       goals=(Goal("status", "p99", 0.05), Goal("camctl, supervisor stopped", "max", 2.5)),
       controls=(Tamper("status says up of whatever is down", "status is not true", sabotage={"camhub-supervisor": "rosy"}),))
async def status_truth(lab, n):
    house = await lab.add_house(("door", "yard"), extra=QUICK)
    await lab.add_watcher("door")
    lab.kills.update(yard=0)
    source = lab.sources["door"]
    for _ in range(n):
        await lab.status_is_true()
        await source.stop()
        await lab.until_state("door", "down", "up" if lab.tamper else "down")
        await lab.status_is_true()
        await source.start()
        await lab.until_state("door", "up")
        await lab.status_is_true()
        for _ in range(5):
            asked = time.monotonic()
            await house.request("status")
            lab.figure("status", time.monotonic() - asked)
        os.kill(house.process.pid, signal.SIGSTOP)
        asked = time.monotonic()
        code, _, _ = await house.run_camctl("status")
        lab.figure("camctl, supervisor stopped", time.monotonic() - asked)
        os.kill(house.process.pid, signal.SIGCONT)
        lab.demand(code == 4, f"camctl left with {code} while the supervisor stood still")
        lab.demand((await house.run_camctl("status", "--nonsense"))[0] == 2, "camctl takes nonsense")
        await lab.until_state("door", "up")
    await lab.orderly()
    lab.demand((await house.run_camctl("status"))[0] == 3, "camctl does not say that nothing runs")


@fault("log-unread", "Nobody reads the log: pictures flow, status answers, reloads work, and what was not said is counted.",
       full=1, short=1, goals=(Goal("status", "p99", 0.05),),
       controls=(Tamper("who logs waits for the reader", "the first pictures", sabotage={"camhub-supervisor": "patient-log"}),))
async def log_unread(lab, n):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    os.write(writer, b"x" * 4000)
    await lab.add_house(("door", "yard"))
    await lab.end_house()
    lab.house.log_to = writer
    lab.house.start()
    await lab.soon(lab.serves, "the pages are served, status answers")
    watcher = await lab.add_watcher("door", "yard")
    for _ in range(10 * n):
        lab.demand((await lab.house.request("set-log-level", level="debug"))[-1]["code"] == 0, "status: no debug level")
        asked = time.monotonic()
        await lab.soon(lambda: lab.house.request("status", timeout_s=lab.after_fault_s or 60), "status answers")
        lab.figure("status", time.monotonic() - asked)
        await lab.sees(watcher, "while nobody reads the log")
    lab.lost_nothing(watcher, "door", "yard")
    lab.house.log_to = None
    await lab.orderly()
    os.close(reader)
    os.close(writer)


@fault("disk-full", "The disk is full, for the log and for the runtime directory: pictures flow, a killed worker comes back, "
       "status answers and says so, a reload works.", full=5, short=1, goals=(Goal("pictures again", "max", 5),),
       controls=())
async def disk_full(lab, n):
    await lab.add_house(("door", "yard"))
    await lab.end_house()
    house, full = lab.house, os.open("/dev/full", os.O_WRONLY)
    with small_disk(house.runtime) as fill:
        house.log_to = full
        house.start()
        await lab.soon(lab.serves, "the pages are served")
        watcher = await lab.add_watcher("door", "yard")
        fill()
        for _ in range(n):
            pid = house.worker("door")
            death = await house.kill(pid)
            await lab.new_worker("door", pid)
            await lab.sees(watcher, "with a full disk")
            lab.figure("pictures again", time.monotonic() - death.at)
            lab.demand((await house.request("reload"))[-1]["code"] == 0, "no reload with a full disk")
        await lab.status_is_true()
        os.unlink(house.path("run", "filler"))
        await lab.status_is_true()
        await lab.drop_watcher(watcher)
        await lab.end_house()
    house.log_to = None
    os.close(full)
    house.start()
    await lab.until(lab.serves, "the pages are served after an orderly restart")
    await lab.orderly()


@contextlib.contextmanager
def small_disk(directory):
    """Mounts 64 KiB there; the function that fills it. Skipped where nothing can be mounted."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", directory], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise Skipped(f"no small disk: {done.stderr.strip()}")

    def fill():
        with open(os.path.join(directory, "filler"), "wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass

    try:
        yield fill
    finally:
        subprocess.run(["umount", "--lazy", directory], check=False)


class Clocks:
    """The clocks of a camhub, to be set: realtime and monotonic, in seconds beside the true ones."""

    def __init__(self, house_directory):
        self.path = os.path.join(house_directory, "clocks")
        self.realtime = self.monotonic = 0
        self.write()

    def write(self):
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644), "wb") as file:
            file.write(struct.pack("=qq", int(self.realtime * 1e9), int(self.monotonic * 1e9)))


DAY_S = 86400
TIMED = ("camhub-supervisor", "camhub-worker", "camhub-http")


@fault("clock-jumps", "The wall clock jumps by a day, forth and back: nobody is restarted, no picture is lost, and nothing "
       "begins to spin.", full=20, short=0, goals=(Goal("all processes, % of a core", "max", 60, "%"),),
       controls=(Tamper("all time is wall time", "the wall clock off", sabotage={name: "wall-time" for name in TIMED}),))
async def clock_jumps(lab, n):
    with tempfile.TemporaryDirectory(prefix="camhub-clocks-") as directory:
        clocks = Clocks(directory)
        sabotage = {name: f"clocks,@{clocks.path}" for name in TIMED}
        house = await lab.add_house(("door", "yard"), sabotage=sabotage)
        watcher, before = await lab.add_watcher("door", "yard"), house.pids()
        for _ in range(n):
            for clocks.realtime in (DAY_S, 0, -DAY_S, 0, random.uniform(-3600, 3600)):
                clocks.write()
                pids = [house.process.pid, *before.values()]
                cpu, began = sum(cpu_seconds(pid) or 0 for pid in pids), time.monotonic()
                await lab.sees(watcher, f"with the wall clock off by {clocks.realtime:.0f} s", count=30)
                lab.demand(house.pids() == before, 
                           lambda: f"with the wall clock off something was restarted: {before} {house.pids()}")
                lab.lost_nothing(watcher, "door", "yard")
                used = sum(cpu_seconds(pid) or 0 for pid in pids) - cpu
                lab.figure("all processes, % of a core", 100 * used / (time.monotonic() - began))
        await lab.orderly()

