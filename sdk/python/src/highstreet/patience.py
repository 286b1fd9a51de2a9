"""How often and for how long a call is made again."""

from dataclasses import dataclass
from datetime import timedelta

import grpc

from .refusal import Refusal, told_to_wait


@dataclass(frozen=True)
class Patience:
    """How often and for how long a call is made again that a street could not answer: because it, or what it needs, is
    away (`UNAVAILABLE`), or because it was asked too much (`RESOURCE_EXHAUSTED` with `RetryInfo`).

    It waits as long as `RetryInfo` says and up to a quarter longer, so that not all come back at once; where it says
    nothing, twice as long each time, from `first`. Never longer than the call's own timeout.
    """

    attempts: int = 5
    """How often it is called at most, the first time counted. 1: never again."""
    first: timedelta = timedelta(milliseconds=100)
    """The first wait, where nobody says how long."""
    longest: timedelta = timedelta(seconds=10)
    """The longest single wait. Who is told to wait longer gives up."""
    in_all: timedelta = timedelta(seconds=30)
    """How long all waits and attempts may take together; no wait is begun that would end later."""

    def wait(self, attempts: int, refusal: Refusal, chance: float) -> timedelta | None:
        """How long to wait after `attempts` of them, the last of which was refused like this; `None` to give up.
        `chance` is from 0 to 1."""
        if attempts >= self.attempts:
            return None
        code = refusal.code()
        if code not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED):
            return None
        told = told_to_wait(refusal)
        if told is not None:
            return told * (1 + chance / 4) if told <= self.longest else None
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            # Too much of something that waiting does not change, such as a message that is too long.
            return None
        # More than 2^30 times the first wait is beyond the longest.
        doubled = self.first * (1 << min(attempts - 1, 30))
        return min(doubled, self.longest) * ((1 + chance) / 2)


PATIENCE = Patience()
"""Five attempts within half a minute."""
