"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

import pytest

# Whoever has taken the function by its name looks at a clock of its own.
_NOW = ("django.utils.timezone.now", "axes.handlers.proxy.now")
_SECONDS = ("django_otp.oath.time", "ivsvod.accounts.second_factor.time", "ivsvod.accounts.sign_in.time")


class Clock:
    """What the service takes for now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 3, 4, 9, tzinfo=UTC)
        for name in _NOW:
            monkeypatch.setattr(name, lambda: self.now)
        for name in _SECONDS:
            monkeypatch.setattr(name, lambda: self.now.timestamp())

    def shift(self, **length: float) -> None:
        self.now += timedelta(**length)
