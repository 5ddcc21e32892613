"""Channels against IVS, one by one: what was changed or deleted there by hand, and keys that are not the row's."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from channels_app import aws
from channels_app.batches import batches_of
from channels_app.control import (
    data_of,
    key_create,
    key_settle,
    mark_deleted,
    name_settle,
    settings_of,
    settings_settle,
)
from channels_app.encryption import UnreadableSecretError
from channels_app.models import Channel
from channels_app.publishing import live_state_publish
from channels_app.reconcile.asking import ask, ask_unless_missing
from channels_app.reconcile.differences import Difference, Kind, Scope, Step, not_compared
from channels_app.services import CHANNEL_ARN, tag_value


def channels(scope: Scope, position: Any) -> Iterator[Step]:
    """Every channel that is ready, with its key."""
    rows = scope.channels().exclude(arn="").filter(status=Channel.Status.READY)
    for batch in batches_of(rows, after=position, size=aws.CHANNELS_AT_ONCE):
        found = _found([row for row in batch if CHANNEL_ARN.fullmatch(row.arn)])
        for channel in batch:
            yield Step(_differences(channel, found.get(channel.arn)), position=str(channel.uuid))


def _found(batch: list[Channel]) -> dict[str, aws.IvsChannel]:
    """What IVS tells of them at once; each of the others is asked for by itself."""
    try:
        arns = sorted({row.arn for row in batch})
        return {channel.arn: channel for channel in ask(aws.channels_get, arns=arns)} if arns else {}
    except aws.AwsError:
        # One ARN that somebody wrote by hand has them all refused. What fails again is told of each.
        return {}


def _differences(channel: Channel, found: aws.IvsChannel | None) -> Iterator[Difference]:
    try:
        found = found or ask_unless_missing(aws.channel_get, arn=channel.arn)
        if found is None:
            yield _gone(channel)
            return
        yield from _settings(channel, found)
        yield from _name(channel, found)
        yield from _key(channel)
    except aws.AwsError as error:
        yield not_compared(error, channel=channel)


def _gone(channel: Channel) -> Difference:
    return Difference(
        Kind.CHANNEL_GONE,
        "mark the row deleted; its videos stay",
        channel,
        database={"status": channel.status, "active": channel.active},
        repair=partial(_mark_gone, channel),
    )


def _mark_gone(channel: Channel) -> None:
    mark_deleted(channel=channel, arn=channel.arn)
    # A deleted channel is offline, whatever was heard of its last stream.
    live_state_publish(channel_uuid=channel.uuid, state=None, legacy=False)


def _settings(channel: Channel, found: aws.IvsChannel) -> Iterator[Difference]:
    told = settings_of(found)
    changed = [name for name, value in told.items() if getattr(channel, name) != value]
    if changed:
        yield Difference(
            Kind.CHANNEL_CHANGED,
            f"take {', '.join(changed)} from IVS",
            channel,
            database={name: getattr(channel, name) for name in changed},
            ivs={name: told[name] for name in changed},
            repair=partial(ask, settings_settle, channel=channel),
        )


def _name(channel: Channel, found: aws.IvsChannel) -> Iterator[Difference]:
    """The name is that of the row. A channel that was made elsewhere may have it as its own name, and no tag."""
    tag = found.tags.get("Name")
    if (tag or "") == tag_value(channel.name or "") or (tag is None and found.name == channel.name):
        return
    yield Difference(
        Kind.CHANNEL_RENAMED,
        "write the name to the tag Name",
        channel,
        database={"name": channel.name},
        ivs={"name": found.name, "tag": tag},
        repair=partial(ask, name_settle, channel=channel),
    )


# Stream keys


def _key(channel: Channel) -> Iterator[Difference]:
    arns = ask(aws.stream_key_arns, channel_arn=channel.arn)
    if not arns and channel.stream_key:
        yield from _key_missing(channel)
    elif arns and not _holds(channel, arns):
        yield Difference(
            Kind.STREAM_KEY_CHANGED,
            "take the stream key from IVS",
            channel,
            database={"stream_key": _stored_arn(channel) or None},
            ivs={"stream_key": arns[0]},
            repair=partial(ask, _key_take, channel=channel),
        )


def _holds(channel: Channel, arns: list[str]) -> bool:
    """Whether the row has the key; the predecessor kept no ARN in some of its rows, so that the values decide."""
    if not channel.stream_key:
        return False
    stored = _stored_arn(channel)
    if stored:
        return stored in arns
    found = ask(aws.stream_key_find, channel_arn=channel.arn)
    try:
        return found is not None and found.value == channel.reveal_stream_key()
    except UnreadableSecretError:
        return False


def _stored_arn(channel: Channel) -> str:
    key = data_of(channel).get("StreamKey")
    arn = key.get("Arn") if isinstance(key, dict) else None
    return arn if isinstance(arn, str) else ""


def _key_missing(channel: Channel) -> Iterator[Difference]:
    """A crash between the two calls of a rotation. Without a key in the row as well it is a ban, and no difference."""
    if _key_of_now(channel) and not ask(aws.stream_key_arns, channel_arn=channel.arn):
        yield Difference(
            Kind.STREAM_KEY_MISSING,
            "make a new stream key",
            channel,
            database={"stream_key": _stored_arn(channel) or "present"},
            ivs={"stream_key": None},
            repair=partial(ask, _key_make, channel=channel),
        )


def _key_make(channel: Channel) -> None:
    # Somebody may have banned the channel since it was read.
    if _key_of_now(channel):
        key_settle(channel=channel, key=key_create(channel=channel))


def _key_take(channel: Channel) -> None:
    key_settle(channel=channel, key=aws.stream_key_find(channel_arn=channel.arn))


def _key_of_now(channel: Channel) -> str:
    return Channel.objects.values_list("stream_key", flat=True).get(pk=channel.pk)
