"""What the services of channels refuse, and why; `ivsvod/api/errors.py` says which answer each one is."""


class ChannelError(Exception):
    """The base of all of them; the message is a sentence for the client, and names no secret."""


class ChannelNotFoundError(ChannelError):
    """There is no such channel, or the caller may not know of it."""

    def __init__(self) -> None:
        super().__init__("IVS Channel not found")


class ChannelLeftBehindError(ChannelError):
    """A channel may be in IVS and is not usable here; the message names it."""


class ChannelDeletedError(ChannelError):
    """The channel was deleted; its row stays for its videos."""

    def __init__(self) -> None:
        super().__init__("The channel was deleted")


class ChannelUnfinishedError(ChannelError):
    """The creation of the channel is under way, or was interrupted."""

    def __init__(self) -> None:
        super().__init__(
            "The creation of the channel is under way or was interrupted: repeat the request that made it, "
            "or delete the channel after a minute"
        )


class ChannelLiveError(ChannelError):
    """Amazon IVS neither changes nor deletes a channel that is live."""

    def __init__(self) -> None:
        super().__init__("The channel is live: stop the stream, wait for its end, and try again")


class ChannelOfflineError(ChannelError):
    """There is no stream to be stopped."""

    def __init__(self) -> None:
        super().__init__("The channel is offline")


class ChannelGoneError(ChannelError):
    """The channel is here and not in IVS: somebody deleted it there."""

    def __init__(self) -> None:
        super().__init__("Amazon IVS no longer has this channel: it can only be deleted")


class ChannelContendedError(ChannelError):
    """Others went on changing the same thing of the channel in IVS."""

    def __init__(self) -> None:
        super().__init__("Other requests are changing the same channel: try again")


class ChannelChangedError(ChannelError):
    """Somebody else changed the channel since it was read by whoever wants to change it."""

    def __init__(self) -> None:
        super().__init__("The channel was changed meanwhile: look at it again")


class StreamKeyMissingError(ChannelError):
    """The channel has no stream key: a ban removed it, or its replacement was interrupted."""

    def __init__(self) -> None:
        super().__init__("The channel has no stream key: replace it, which makes one")


class RecordingNotConfiguredError(ChannelError):
    """A channel is to be recorded, and the service has no recording configuration that exists."""

    def __init__(self) -> None:
        super().__init__("Channels cannot be recorded: RECORDING_CONFIG_ARN is not set, or Amazon IVS does not have it")


class ChannelImportError(ChannelError):
    """A channel of IVS cannot be taken over; the message says why."""


class IdempotencyKeyReusedError(ChannelError):
    """The key came before with another body."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body")


class IdempotencyKeyInFlightError(ChannelError):
    """A request with the same key may be at work for as many seconds as `retry_after` says."""

    def __init__(self, seconds: int = 1) -> None:
        super().__init__("A request with this Idempotency-Key is at work: try again")
        self.retry_after = str(seconds)
