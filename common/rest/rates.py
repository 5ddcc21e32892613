"""A request limit, as the settings write it: `600/min`."""

import re
from dataclasses import dataclass

_PERIODS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "day": 86_400}
_FORM = re.compile(r"([1-9][0-9]{0,8})/([a-z]+)")


@dataclass(frozen=True)
class Rate:
    """At most `count` requests in each window of `seconds`."""

    count: int
    seconds: int

    @classmethod
    def of(cls, text: str) -> "Rate":
        """Return the rate of a text: `600/min`, `10/s`, `1000/hour` or `5000/day`; raise ValueError for another."""
        match = _FORM.fullmatch(text)
        if match is None or match[2] not in _PERIODS:
            raise ValueError("not a number from 1, a slash, and s, min, hour or day")
        return cls(int(match[1]), _PERIODS[match[2]])

    def window(self, now: float) -> int:
        """Return the number of the window at a time in seconds."""
        return int(now // self.seconds)

    def seconds_left(self, now: float) -> float:
        """Return the seconds until that window ends."""
        return self.seconds - now % self.seconds
