"""What can happen to camhub-rtc, and what people do to its port."""

import asyncio
import contextlib
import random
import resource
import signal
import time

from faults_front import no_descriptors, no_more, settled
from faults_worker import HANGS_LONG, USUAL_HANG
from figures import Goal, rss_kib
from house import Tamper
from lab import fault
from rtc_stranger import Forger, Stranger, connect, frames, junk, offer, udp_ports_of
from watcher import Asker

import rig

ROOMY = {"rtc": {"max_per_address": 0}, "limits": {"viewers": 10000}}
LEAKS = Tamper("a descriptor is forgotten now and then", "descriptors", sabotage={"camhub-rtc": "leak"}, times=40)
UNKNOWN_MAX = 64  # connections that have not shown whose they are (rtc/tcp.h)
ATTACKER = "127.0.0.9"


async def came_back(lab, viewers, since, before):
    """All of them have pictures again by themselves."""
    await lab.soon(lambda: viewers.backs >= before + viewers.clients and viewers.playing == viewers.clients,
                   lambda: f"pictures from the new process: {viewers.told}")
    lab.figure("pictures again", time.monotonic() - since)


@fault("rtc-killed", "camhub-rtc is killed (SIGKILL): its viewers have pictures again by themselves, those by WebSocket lose "
       "nothing, no front and no worker is touched.", full=200, short=2,
       goals=(Goal("pictures again", "p95", 2),),
       controls=(Tamper("only camhub-rtc has its sockets", "pictures from the new process", sabotage={"camhub-supervisor": "lets-go"}),
                 Tamper("who ends takes all others along", "the front was restarted", sabotage={"camhub-supervisor": "one-for-all"})))
async def rtc_killed(lab, n):
    await lab.add_house(("door", "yard"))
    witness, viewers = await lab.add_watcher("door", "yard"), await lab.add_rtc_watcher("door", 3, ("--again",))
    front, workers = lab.house.front(), [lab.house.worker(name) for name in ("door", "yard")]
    lab.kills.update(door=0, yard=0)
    asker = Asker(lab.house)
    try:
        for _ in range(n):
            before = viewers.backs
            death = await lab.house.kill(lab.house.rtc())
            await lab.soon(lambda old=death.pid: (lab.house.rtc() or old) != old, "a new camhub-rtc")
            lab.demand(lab.house.front() == front, "the front was restarted")
            await came_back(lab, viewers, death.at, before)
            await lab.sees_by_rtc(viewers, "after the death of camhub-rtc")
    finally:
        await asker.stop()
    lab.demand(asker.times and not asker.refused and not asker.cut and not asker.failed,
               lambda: f"requests: {asker.refused[:2]} {asker.cut} cut off, {asker.failed[:3]}")
    await lab.sees(witness, "by WebSocket, beside all that")
    lab.lost_nothing(witness, "door", "yard")
    lab.demand([lab.house.worker(name) for name in ("door", "yard")] == workers, "a worker was restarted")
    await lab.orderly()


@fault("rtc-stopped", "A camhub-rtc that stands still (SIGSTOP) is found by its silence, killed and replaced; viewers by WebSocket "
       "lose nothing.", full=20, short=1, goals=(Goal("found", "max", 3), Goal("pictures again", "max", 5)),
       controls=(Tamper("silence is not looked at for ten minutes", "a new camhub-rtc", extra=HANGS_LONG),))
async def rtc_stopped(lab, n):
    await lab.add_house(("door",), extra=USUAL_HANG)
    witness, viewers = await lab.add_watcher("door"), await lab.add_rtc_watcher("door", 2, ("--again",))
    for _ in range(n):
        before, pid = viewers.backs, lab.house.rtc()
        began = (await lab.house.kill(pid, signal.SIGSTOP, waits=False)).at
        await lab.soon(lambda old=pid: (lab.house.rtc() or old) != old, "the one that hangs is replaced: a new camhub-rtc")
        lab.figure("found", time.monotonic() - began)
        await came_back(lab, viewers, began, before)
        await lab.sees_by_rtc(viewers, "after camhub-rtc hung")
        lab.lost_nothing(witness, "door")
    lab.demand("hung, no sign of life" in lab.house.log(), "the log does not say that camhub-rtc hung")
    await lab.orderly()


@fault("rtc-replaced", "camhub-rtc is replaced (camctl restart rtc): its viewers are told and have pictures again, those by WebSocket lose "
       "nothing.", full=20, short=0, goals=(Goal("pictures again", "p95", 2),),
       controls=(Tamper("the old one leaves at once", "were told", sabotage={"camhub-rtc": "no-drain"}),))
async def rtc_replaced(lab, n):
    await lab.add_house(("door",))
    witness, viewers = await lab.add_watcher("door"), await lab.add_rtc_watcher("door", 3, ("--again",))
    for _ in range(n):
        before, closed, pid, began = viewers.backs, viewers.closed, lab.house.rtc(), time.monotonic()
        code, out, err = await lab.house.run_camctl("restart", "rtc")
        lab.demand(code == 0, f"camctl restart rtc: {code} {out} {err}")
        await lab.soon(lambda old=pid: (lab.house.rtc() or old) != old, "a new camhub-rtc")
        await came_back(lab, viewers, began, before)
        told = viewers.closed - closed
        lab.demand(told == viewers.clients, f"{told} of {viewers.clients} viewers were told")
        await lab.sees_by_rtc(viewers, "after camhub-rtc was replaced")
    await lab.sees(witness, "by WebSocket, beside all that")
    lab.lost_nothing(witness, "door")
    await lab.orderly()


@fault("rtc-churn", "Sessions of WebRTC begin and end, with and without goodbye, over UDP and TCP, some never used: descriptors, memory "
       "and what status says are afterwards as before.", full=4000, short=0,
       goals=(Goal("camhub-rtc grew", "max", 5120, "KiB"),), controls=(LEAKS,))
async def rtc_churn(lab, n):
    await lab.add_house(("door", "yard"), extra=ROOMY)
    rtc, rng = lab.house.rtc(), random.Random(n)
    await rtc_come_and_go(lab, rng, min(n, 40))  # what is allocated once is allocated now
    before, memory = await settled(lab, lambda: rig.fds(rtc), "descriptors"), rss_kib(rtc)
    await rtc_come_and_go(lab, rng, n)
    after = await settled(lab, lambda: rig.fds(rtc), "descriptors", before)
    lab.demand(no_more(after, before), f"camhub-rtc's descriptors: {before} before, {after} after {n} sessions")
    lab.figure("camhub-rtc grew", max(0, rss_kib(rtc) - memory))
    lab.demand(lab.house.rtc() == rtc, "camhub-rtc was restarted")
    await lab.orderly()


async def rtc_come_and_go(lab, rng, n, in_one=5, at_once=4):
    """n sessions; then those that said nothing at their end have run out."""
    async def some():
        status, _ = await offer(lab.house, "door", source=ATTACKER)  # nobody comes for this one
        lab.demand(status in (201, 429), f"an offer was answered with {status}")
        flags = rng.choice(((), ("--tcp",), ("--tcp",), ("--no-rtx", "--no-twcc")))
        viewers = await lab.add_rtc_watcher(rng.choice(("door", "yard")), in_one - 1, flags)
        lab.rtc_watchers.remove(viewers)
        await viewers.end(rng.choice((signal.SIGTERM, signal.SIGTERM, signal.SIGKILL)))
        await viewers.close()

    for done in range(0, n, in_one * at_once):
        await asyncio.gather(*(some() for _ in range(0, min(in_one * at_once, n - done), in_one)))

    async def gone():
        return not any(m.get("viewers") for m in await lab.house.request("status") if m["type"] == "camera")

    await lab.until(gone, "those who said no goodbye are gone", 40)


@fault("rtc-slow", "Viewers by WebRTC who stand still, and neither acknowledge nor say that they are there, are gone after 15 s, and what "
       "they took is given back; others lose nothing.", full=100, short=0,
       goals=(Goal("gone after", "max", 20), Goal("camhub-rtc grew", "max", 5120, "KiB")),
       controls=(Tamper("what they said once counts for ever", "still there", sabotage={"camhub-rtc": "undead"}, times=4),))
async def rtc_slow(lab, n):
    await lab.add_house(("door",), source={"padding": 20000}, extra=ROOMY)
    rtc, good = lab.house.rtc(), await lab.add_rtc_watcher("door", 2)
    await slow_ones_are_gone(lab, n, good)  # what is allocated once is allocated now
    before, memory = await settled(lab, lambda: rig.fds(rtc), "descriptors"), rss_kib(rtc)
    await slow_ones_are_gone(lab, n, good)
    after = await settled(lab, lambda: rig.fds(rtc), "descriptors", before)
    lab.demand(no_more(after, before), f"camhub-rtc's descriptors: {before} before, {after} after slow viewers")
    lab.figure("camhub-rtc grew", max(0, rss_kib(rtc) - memory))
    await lab.sees_by_rtc(good, "after slow viewers", 10)
    lab.lost_nothing_by_rtc(good)
    lab.demand(lab.house.rtc() == rtc, "camhub-rtc was restarted")
    await lab.orderly()


async def slow_ones_are_gone(lab, n, good):
    """Half of them over UDP, half over TCP: they watched, and stand still."""
    slow = [await lab.add_rtc_watcher("door", max(n // 2, 1), flags) for flags in ((), ("--tcp",))]
    since = time.monotonic()
    try:
        for viewers in slow:
            lab.rtc_watchers.remove(viewers)
            viewers.signal(signal.SIGSTOP)

        async def gone():
            return (await lab.house.status_of("door")).get("viewers") == good.clients

        await lab.until(gone, "viewers who stand still are still there", 40)
        lab.figure("gone after", time.monotonic() - since)
    finally:
        for viewers in slow:
            await viewers.end(signal.SIGKILL)
            await viewers.close()


@fault("rtc-garbage", "Random and mutated datagrams and connections at camhub-rtc's port, some in a viewer's name: whoever has no password "
       "is not answered, whoever has one gets no more than he sent, viewers lose nothing, descriptors are as before.",
       full=100000, short=400, goals=(Goal("camhub-rtc grew", "max", 5120, "KiB"),),
       controls=(Tamper("any password will do", "was answered", sabotage={"camhub-rtc": "trusting"}, times=400),
                 LEAKS._replace(times=400)))
async def rtc_garbage(lab, n):
    await lab.add_house(("door",), extra=ROOMY)
    good = [await lab.add_rtc_watcher("door", 2), await lab.add_rtc_watcher("door", 1, ("--tcp",))]
    rtc, rng = lab.house.rtc(), random.Random(n)
    await throw_junk(lab, rng, min(n, 200), good)
    before, memory = await settled(lab, lambda: rig.fds(rtc), "descriptors"), rss_kib(rtc)
    await throw_junk(lab, rng, n, good)
    after = await settled(lab, lambda: rig.fds(rtc), "descriptors", before)
    lab.demand(no_more(after, before), f"camhub-rtc's descriptors: {before} before, {after} after the garbage")
    lab.figure("camhub-rtc grew", max(0, rss_kib(rtc) - memory))
    for viewers in good:
        await lab.sees_by_rtc(viewers, "after the garbage", 10)
    lab.lost_nothing_by_rtc(*good)
    lab.demand(lab.house.rtc() == rtc, "camhub-rtc was restarted")
    await lab.orderly()


async def throw_junk(lab, rng, n, good, in_one=50):
    """A twentieth of it on connections."""
    strangers = [Stranger(lab.house, f"127.0.0.{at}") for at in (4, 5, 6, 7)]
    forger = None
    with contextlib.suppress(PermissionError):
        forger = Forger(lab.house)
    ports = udp_ports_of(good[0].process.pid, lab.house.rtc_port)
    lab.demand(ports, "the viewers' own ports were not found")
    try:
        for done in range(0, n, 1000):
            session = await taken_offer(lab)
            for _ in range(0, min(1000, n - done), in_one):
                for _ in range(in_one):
                    rng.choice(strangers).send(junk(rng, session))
                    if forger is not None:
                        forger.send(rng.choice(ports), junk(rng, session))
                await asyncio.gather(*(throw_frames(lab, rng, session) for _ in range(in_one // 20)))
            await asyncio.sleep(0.2)  # for what should not come
            for stranger in strangers:
                lab.demand(stranger.look() == 0, lambda bad=stranger: f"a stranger was answered with {bad.received} bytes")
            await no_amplifier(lab, rng)
    finally:
        for peer in [*strangers, *filter(None, [forger])]:
            peer.close()


async def throw_frames(lab, rng, session):
    """On a connection: nothing comes back but its end."""
    reader, writer = await connect(lab.house, f"127.0.0.{rng.randrange(10, 100)}")
    try:
        writer.write(frames(rng, session))
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(1), lab.patience_s)
        lab.demand(not answer, "a stranger's connection was answered")
    except asyncio.TimeoutError:
        lab.demand(False, "a stranger's connection is still open")
    except OSError:
        pass  # it was closed before all of it was read
    finally:
        writer.close()


async def taken_offer(lab):
    status, session = await offer(lab.house, "door", source=ATTACKER)
    lab.demand(status == 201, f"an offer was answered with {status}")
    return session


async def no_amplifier(lab, rng):
    """Who has the password, but never shows that it is his address: an answer to each check, and never more than he sent."""
    owner, session = Stranger(lab.house), await taken_offer(lab)
    try:
        owner.send(session.check(1))
        await lab.until(owner.look, "an answer to a check")
        for make in (session.check, lambda number: junk(rng, session)):
            for number in range(2, 20):
                owner.send(make(number))
            await asyncio.sleep(0.3)  # for what comes unasked, as a flight that is sent again
            lab.demand(owner.look() <= owner.sent, f"{owner.sent} bytes were answered with {owner.received}")
            owner.sent = owner.received = 0
    finally:
        owner.close()


@fault("rtc-tcp-flood", "Many connections (ICE-TCP) say nothing or a byte now and then: few of them are held, none for long, viewers lose "
       "nothing, others come in, and all descriptors are given back.", full=1000, short=100,
       goals=(Goal("closed after", "max", 8), Goal("held at once", "max", UNKNOWN_MAX, "")), controls=(LEAKS._replace(times=300),))
async def rtc_tcp_flood(lab, n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, n + 500)), hard))
    await lab.add_house(("door",), extra=ROOMY)
    good = [await lab.add_rtc_watcher("door"), await lab.add_rtc_watcher("door", 1, ("--tcp",))]
    rtc = lab.house.rtc()
    before = await settled(lab, lambda: rig.fds(rtc), "descriptors")
    floods = [asyncio.create_task(hold(lab, f"127.0.0.{10 + at % 40}", at % 2)) for at in range(n)]
    try:
        newcomer = await lab.add_rtc_watcher("door")
        while not all(task.done() for task in floods):
            held = sum(rig.fds(rtc).values()) - sum(before.values())
            lab.demand(held <= UNKNOWN_MAX + 8, f"{held} descriptors are held for strangers")
            lab.figure("held at once", held)
            await asyncio.sleep(0.1)
        for task in floods:
            lab.figure("closed after", await task)
    finally:
        for task in floods:
            task.cancel()
        await asyncio.gather(*floods, return_exceptions=True)
    await lab.drop_rtc_watcher(newcomer)
    after = await settled(lab, lambda: rig.fds(rtc), "descriptors", before)
    lab.demand(no_more(after, before), f"camhub-rtc's descriptors: {before} before, {after} after the flood")
    await lab.add_rtc_watcher("door", 1, ("--tcp",))
    lab.lost_nothing_by_rtc(*good)
    await lab.orderly()


async def hold(lab, address, drips):
    """How long the connection was held."""
    reader, writer = await connect(lab.house, address)
    since, end = time.monotonic(), asyncio.create_task(reader.read(1))
    try:
        while not (await asyncio.wait({end}, timeout=0.5))[0]:
            lab.demand(time.monotonic() - since < lab.patience_s, "a connection that says nothing is still open")
            if drips:
                writer.write(b"\x01")
        with contextlib.suppress(OSError):
            lab.demand(not await end, "a stranger's connection was answered")
        return time.monotonic() - since
    finally:
        end.cancel()
        writer.close()


@fault("rtc-descriptors", "camhub-rtc has no descriptor left: who watches goes on watching, it does not spin, and viewers come in over TCP "
       "as soon as there are descriptors again.", full=20, short=1, goals=(Goal("rtc front, % of a core", "max", 30, "%"),),
       controls=(Tamper("accepting is not paused, and nothing is kept for then", "the rtc front spins",
                        sabotage={"camhub-rtc": "no-pause,leak"}),))
async def rtc_descriptors(lab, n):
    await lab.add_house(("door",), extra=ROOMY)
    good, rtc = [await lab.add_rtc_watcher("door"), await lab.add_rtc_watcher("door", 1, ("--tcp",))], lab.house.rtc()
    for _ in range(n):
        async with no_descriptors(lab, rtc, lab.house.rtc_port, "rtc front"):
            for viewers in good:
                await lab.sees_by_rtc(viewers, "while camhub-rtc has no descriptors", 15)
        lab.lost_nothing_by_rtc(*good)
        newcomer = await lab.add_rtc_watcher("door", 1, ("--tcp", "--again"))
        await lab.drop_rtc_watcher(newcomer)
    lab.demand(lab.house.rtc() == rtc, "camhub-rtc was restarted")
    await lab.orderly()


PER_ADDRESS = 8


@fault("rtc-offers", "A flood of offers from one address: it has as many sessions as it may and then 429, others are served meanwhile, viewers "
       "lose nothing, and what nobody came for is gone after 15 s.", full=5000, short=0,
       goals=(Goal("others are answered", "max", 2), Goal("camhub-rtc grew", "max", 5120, "KiB")),
       controls=(Tamper("nobody counts an address's sessions", "sessions of one address", extra={"rtc": {"max_per_address": 0}}, times=100),))
async def rtc_offers(lab, n):
    await lab.add_house(("door",), extra={"rtc": {"max_per_address": PER_ADDRESS}})
    good, rtc = await lab.add_rtc_watcher("door", 2), lab.house.rtc()
    memory, made, taken, ends = rss_kib(rtc), 0, 0, f"viewer at {ATTACKER} ends: nobody came"
    while made < n:
        answers = await flood_offers(lab, n - made)
        made, taken = made + len(answers), taken + answers.count(201)
        await lab.until(lambda count=taken: lab.house.log().count(ends) == count,
                        lambda: f"{taken} sessions that nobody came for are gone: {lab.house.log().count(ends)}", 40)
    lab.figure("camhub-rtc grew", max(0, rss_kib(rtc) - memory))
    await lab.sees_by_rtc(good, "after a flood of offers", 10)
    lab.lost_nothing_by_rtc(good)
    lab.demand(lab.house.rtc() == rtc, "camhub-rtc was restarted")
    await lab.orderly()


async def flood_offers(lab, n, at_once=10):
    """The statuses, all within the time in which the first ones are waited for."""
    began, answers = time.monotonic(), []
    while len(answers) < n and time.monotonic() - began < 10:
        answers += [status for status, _ in await asyncio.gather(*(offer(lab.house, "door", ATTACKER) for _ in range(at_once)))]
        lab.demand(set(answers) <= {201, 429}, lambda: f"offers were answered with {set(answers)}")
        lab.demand(answers.count(201) <= PER_ADDRESS, lambda: f"{answers.count(201)} sessions of one address")
        if len(answers) % 50 == 0:
            await other_is_served(lab)
    lab.note(f"{len(answers)} offers in {time.monotonic() - began:.0f} s, {answers.count(201)} taken")
    lab.demand(answers.count(429) > 0 or n <= PER_ADDRESS, "nobody was refused")
    await other_is_served(lab)
    return answers


async def other_is_served(lab):
    """By a fresh address each time: what it is given it keeps for 15 s."""
    since = time.monotonic()
    status, _ = await offer(lab.house, "door", f"127.0.{random.randrange(1, 250)}.{random.randrange(1, 250)}")
    lab.demand(status == 201, f"another one's offer was answered with {status}")
    lab.figure("others are answered", time.monotonic() - since)
