"""
The pictures of the cameras that camhub shows, for programs that look at them, and a way to say what
they found.

Blocking:

    with camhub.Hub("example") as hub:
        for frame in hub.subscribe("door"):
            ...

asyncio:

    async with camhub.AsyncHub("example") as hub:
        async for frame in hub.subscribe("door"):
            ...

Restarts of camhub and of its workers and frames that were lost are handled inside; `Subscription.stats`
counts them. A hub and what was made of it belong to one thread.
"""

from ._asyncio import AsyncHub, AsyncSubscription
from ._blocking import Hub, Subscription
from ._engine import Away, CamhubError, NoSuchStream, Refused, Stats, Stream, TooManyResults
from ._frame import Frame, NoPicture
from ._header import Codec, Flag, Header, Kind, Malformed, parse

__version__ = "0.1.0"

__all__ = ["AsyncHub", "AsyncSubscription", "Away", "CamhubError", "Codec", "Flag", "Frame", "Header", "Hub",
           "Kind", "Malformed", "NoPicture", "NoSuchStream", "Refused", "Stats", "Stream",
           "Subscription", "TooManyResults", "parse"]
