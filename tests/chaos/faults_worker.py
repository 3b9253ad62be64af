"""What can happen to a worker and to its camera."""

import asyncio
import os
import random
import signal
import time

import rig
from figures import Goal, cpu_seconds
from house import Tamper
from lab import fault

ONCE_IN_S = 3  # a worker that has delivered for 2 s is started again at once
LONG_AGO = {"restart": {"good": "600s", "first": "600s", "max": "600s", "jitter": "0%"}}
QUICK = {"restart": {"good": "100ms", "min_interval": "50ms", "first": "50ms", "max": "100ms"}}


def count_kill(lab, name):
    lab.kills[name] = lab.kills.get(name, 0) + 1


@fault("worker-killed", "A worker is killed (SIGKILL) while pictures flow: its viewers stay connected and see pictures "
       "again; viewers of the other camera lose none.", full=500, short=2,
       goals=(Goal("restart overhead", "p99", 0.3), Goal("gap at the viewer", "p99", 1.5), Goal("gap at the viewer", "max", 3)),
       controls=(Tamper("nobody starts a worker again for a minute", "a new worker of door", extra=LONG_AGO),
                 Tamper("one worker's death ends all", "viewer was closed", sabotage={"camhub-supervisor": "one-for-all"})))
async def worker_killed(lab, n):
    await lab.add_house(("door", "yard"))
    victim, witness = await lab.add_watcher("door"), await lab.add_watcher("yard")
    lab.kills.update(door=0, yard=0)
    for _ in range(n):
        await delivers_for(lab, "door", ONCE_IN_S + random.uniform(-0.5, 0.5))
        victim.mark()
        source, pid = lab.sources["door"], lab.house.worker("door")
        sessions = len(source.sessions)
        death = await lab.house.kill(pid)
        count_kill(lab, "door")
        await lab.new_worker("door", pid)
        await lab.sees(victim, "after the death of its worker")
        lab.lost_nothing(witness, "yard")
        lab.figure("gap at the viewer", victim.cameras["door"].longest_s)
        asked = [session.asked for session in source.sessions[sessions:] if session.asked]
        if asked:
            lab.figure("restart overhead", max(0, asked[0] - death.dead))
    await lab.orderly()


async def delivers_for(lab, name, seconds):
    """Until the worker of that camera has been up for so long."""
    async def has():
        camera = await lab.house.status_of(name)
        return camera.get("state") == "up" and time.time() * 1000 - camera["since_ms"] > seconds * 1000
    await lab.until(has, f"{name} has delivered for {seconds:.1f} s")


@fault("worker-crash-loop", "One camera's worker dies over and over: the other camera's viewer loses no picture and waits no "
       "longer, and the supervisor has almost nothing to do.", full=1000, short=4,
       goals=(Goal("added gap of the other camera", "p99", 0.05), Goal("supervisor, % of a core", "max", 2, "%")),
       controls=(Tamper("one worker's death ends all", "viewer was closed", sabotage={"camhub-supervisor": "one-for-all"}),))
async def worker_crash_loop(lab, n):
    await lab.add_house(("door", "yard"), extra=QUICK)
    witness = await lab.add_watcher("yard")
    quiet = await quiet_gaps(lab, witness, "yard")
    witness.mark()
    lab.kills.update(door=0, yard=0)
    began, cpu, pid = time.monotonic(), cpu_seconds(lab.house.process.pid), lab.house.worker("door")
    for _ in range(n):
        await lab.house.kill(pid)
        count_kill(lab, "door")
        pid = await lab.new_worker("door", pid)
        lab.lost_nothing(witness, "yard")
    used = 100 * (cpu_seconds(lab.house.process.pid) - cpu) / (time.monotonic() - began)
    await lab.sees(witness, "after the other camera's crashes")
    lab.lost_nothing(witness, "yard")
    lab.figure("supervisor, % of a core", used)
    for gap in witness.cameras["yard"].gaps:
        lab.figure("added gap of the other camera", max(0, gap - quiet))
    await lab.until_state("door", "up")
    await lab.orderly()


async def quiet_gaps(lab, watcher, name):
    """The longest gap while nothing happens, over ten pictures."""
    watcher.mark()
    await lab.sees(watcher, "while nothing happens", name, count=10)
    return watcher.cameras[name].longest_s


SCHEDULE = (0.25, 0.5, 1, 2, 4, 8, 16, 30, 30)


@fault("worker-never-starts", "A worker that dies at once is started again after 0.25 s, 0.5 s, 1 s, ... 30 s, more or less "
       "20 %, and never given up; the other camera is not touched.", full=len(SCHEDULE), short=3,
       goals=(Goal("start later than the schedule", "p99", 0.3),),
       controls=(Tamper("no waiting between starts", "sooner than", extra={"restart": {"first": "10ms", "max": "10ms"}}),))
async def worker_never_starts(lab, n):
    house = await lab.add_house(("door", "yard"))
    witness = await lab.add_watcher("yard")
    starts = house.path("starts")
    house.wrap("camhub-worker", before=f'[ "$1" = broken ] && {{ date +%s.%N >> {starts}; exit 1; }}')
    await lab.add_source("broken")
    house.configure(lab.cameras())
    lab.demand((await house.run_camctl("reload"))[0] == 0, "the configuration is not taken")

    def times():
        if not os.path.exists(starts):
            return []
        with open(starts, encoding="ascii") as file:
            return [float(line) for line in file.read().split()]

    longest = sum(SCHEDULE[:n]) * 1.2
    await lab.until(lambda: len(times()) > n, lambda: f"{n + 1} starts: {len(times())}", lab.patience_s + longest)
    waits = [after - before for before, after in zip(times(), times()[1:])]
    for wanted, waited in zip(SCHEDULE[:n], waits):
        lab.demand(waited > 0.8 * wanted - 0.01, f"a start after {waited:.2f} s, sooner than {0.8 * wanted:.2f} s")
        lab.figure("start later than the schedule", max(0, waited - 1.2 * wanted))
    lab.lost_nothing(witness, "yard")
    house.configure(lab.cameras("broken"))
    await lab.sources.pop("broken").close()
    lab.demand((await house.run_camctl("reload"))[0] == 0, "the configuration is not taken")
    await lab.orderly()


@fault("password-refused", "A camera that refuses the password is asked again after a minute and not before (cameras lock "
       "accounts); status says refused.", full=3, short=1, goals=(),
       controls=(Tamper("no waiting after a refused password", "was asked again", extra={"restart": {"auth": "1s"}}),))
async def password_refused(lab, n):
    source = await lab.add_source("lock")
    source.refuses = True
    house = await lab.add_house(("door",), credentials={"lock": ("viewer", "wrong-word")}, camera={})
    house.configure([{**camera, **({"credentials": "lock"} if camera["name"] == "lock" else {})} for camera in lab.cameras()],
                    {"lock": ("viewer", "wrong-word")})
    lab.demand((await house.run_camctl("reload"))[0] == 0, "the configuration is not taken")
    await lab.until_state("lock", "refused")
    asked = len(source.sessions)
    seconds = 4 if n == 1 else 50
    with_patience = time.monotonic() + seconds
    while time.monotonic() < with_patience:
        await asyncio.sleep(0.1)
        lab.demand(len(source.sessions) == asked, "a camera that refused the password was asked again within "
                                                  f"{seconds} s")
    await lab.status_is_true()
    source.refuses = False
    lab.note(f"not asked again for {seconds} s")
    await lab.orderly()


USUAL_HANG = {"restart": {"hang_timeout": "2500ms"}}
HANGS_LONG = {"restart": {"hang_timeout": "600s"}}


async def hung(lab, n, signo, **options):
    """Each time: until the worker is dead, until pictures are back."""
    await lab.add_house(("door", "yard"), extra=USUAL_HANG, **options)
    victim, witness = await lab.add_watcher("door"), await lab.add_watcher("yard")
    for _ in range(n):
        await delivers_for(lab, "door", 2.2)
        pid = lab.house.worker("door")
        began = (await lab.house.kill(pid, signo, waits=False)).at
        victim.mark()
        await lab.soon(lambda old=pid: lab.house.worker("door") != old, "the hung worker is replaced: a new worker of door")
        lab.figure("found", time.monotonic() - began)
        await lab.new_worker("door", pid)
        await lab.sees(victim, "after its worker hung")
        lab.figure("pictures again", time.monotonic() - began)
        lab.lost_nothing(witness, "yard")
    lab.demand("hung, no sign of life" in lab.house.log(), "the log does not say that a worker hung")
    await lab.orderly()


@fault("worker-stopped", "A worker that stands still (SIGSTOP) is found by its silence, killed and replaced.", full=20, short=1,
       goals=(Goal("found", "max", 3), Goal("pictures again", "max", 5)),
       controls=(Tamper("silence is not looked at for ten minutes", "a new worker of door", extra=HANGS_LONG),))
async def worker_stopped(lab, n):
    await hung(lab, n, signal.SIGSTOP)


@fault("worker-spins", "A worker that spins in its main loop is found, killed and replaced as well.", full=20, short=0,
       goals=(Goal("found", "max", 3), Goal("pictures again", "max", 5)),
       controls=(Tamper("silence is not looked at for ten minutes", "a new worker of door", extra=HANGS_LONG),))
async def worker_spins(lab, n):
    await hung(lab, n, signal.SIGUSR2, sabotage={"camhub-worker": "spin"})


@fault("camera-silent", "A camera that says nothing, at each step of RTSP and in the middle of pictures: status does not "
       "say up, it is given up and asked again, and pictures are back when it speaks.", full=35, short=2,
       goals=(Goal("noticed", "max", 5), Goal("asked again", "max", 6), Goal("pictures again after it speaks", "p99", 3)),
       controls=(Tamper("nobody waits for pictures in vain", "door: stalled or", camera={"stall_timeout": "600s"}),))
async def camera_silent(lab, n):
    lab.touchy = {"door"}
    await lab.add_house(("door", "yard"))
    victim, witness = await lab.add_watcher("door"), await lab.add_watcher("yard")
    source = lab.sources["door"]
    steps = ("media", "drip", "DESCRIBE", "SETUP", "PLAY", "OPTIONS", "accept")
    for turn in range(n):
        step = steps[turn % len(steps)]
        began, sessions = time.monotonic(), len(source.sessions)
        if step == "drip":
            source.drips = True
        else:
            source.silent_at = step
        if step not in ("media", "drip"):
            source.drop()
        await lab.until_state("door", "stalled", "down", "connecting")
        lab.figure("noticed", time.monotonic() - began)
        await lab.soon(lambda since=sessions: len(source.sessions) > since, f"the camera, silent at {step}, is asked again")
        lab.figure("asked again", time.monotonic() - began)
        source.silent_at, source.drips = None, False
        began = time.monotonic()
        await lab.sees(victim, f"after a silence at {step}")
        lab.figure("pictures again after it speaks", time.monotonic() - began)
        lab.lost_nothing(witness, "yard")
        await lab.until_state("door", "up")
    await lab.orderly()


class Mangler:
    """Spoils what a camera sends: some sessions in a bit here and there, some with whole pieces repeated, lost or strange."""

    MARK = b"\xde\xad\xbe\xef"  # what a parser with a hole would fall over: see the saboteur's "fragile"

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.share = self.random.choice((0.0001, 0.001, 0.01, 0.05))

    def __call__(self, data):
        rng, out = self.random, bytearray(data)
        for _ in range(max(1, int(len(out) * 8 * self.share))):
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
        kind = rng.randrange(8)
        if kind == 0:
            at = rng.randrange(len(out))
            out[at:at] = self.MARK * rng.randrange(1, 300)
        elif kind == 1:
            del out[rng.randrange(len(out)):]
        elif kind == 2:
            out += bytes(out)
        elif kind == 3:
            out += os.urandom(rng.randrange(1, 3000))
        return bytes(out)


@fault("camera-lies", "Cameras send malformed RTSP, SDP, RTP and H.264: no crash, no other camera loses a picture, and when "
       "a camera is well again so are its pictures.", full=10000, short=8, goals=(Goal("pictures again", "max", 10),),
       controls=(Tamper("a parser that falls over four bytes", "SIGABRT", sabotage={"camhub-worker": "fragile"}, times=100),))
async def camera_lies(lab, n):
    liars = [f"liar{i}" for i in range(8 if n > 100 else 4)]
    lab.touchy = set(liars)
    await lab.add_house((*liars, "yard"), extra=QUICK)
    witness, front = await lab.add_watcher("yard"), lab.house.front()
    for number, name in enumerate(liars):
        lab.sources[name].mangle = Mangler(number)
        lab.sources[name].drop()
    told = 0
    honest = sum(len(lab.sources[name].sessions) for name in liars)

    def sessions():
        return sum(len(lab.sources[name].sessions) for name in liars) - honest

    while sessions() < n:
        before = sessions()
        await lab.until(lambda seen=before: sessions() > seen or crashed(lab), "the next session with a liar")
        for number, name in enumerate(liars):  # whoever believes them for long gets another lie
            for session in lab.sources[name].playing():
                if session.sent > 30:
                    session.transport.abort()
            lab.sources[name].mangle.share = random.choice((0.0001, 0.001, 0.01, 0.05))
        lab.demand(not crashed(lab), lambda: f"a worker crashed: {crashed(lab)}")
        lab.lost_nothing(witness, "yard")
        told = sessions()
    lab.note(f"{told} sessions with liars")
    for name in liars:
        lab.sources[name].mangle = None
        lab.sources[name].drop()
    began = time.monotonic()
    for name in liars:
        await lab.until_state(name, "up")
    lab.figure("pictures again", time.monotonic() - began)
    lab.demand(lab.house.front() == front, "the front was restarted")
    await lab.orderly()


def crashed(lab):
    """The line of the log in which a process died of a signal that nobody sent, or None."""
    for line in lab.house.log().splitlines():
        if any(sign in line for sign in rig.CRASHES + rig.VIOLATIONS):
            return line
    return None

