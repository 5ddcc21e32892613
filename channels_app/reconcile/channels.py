"""Channels against IVS, one by one: what was changed or deleted there by hand, and keys that are not the row's."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from channels_app import aws
from channels_app.batches import batches_of
from channels_app.control import (
    data_of,
    mark_deleted,
    name_settle,
    row_again,
    settings_of,
    settings_settle,
)
from channels_app.encryption import UnreadableSecretError
from channels_app.errors import ChannelContendedError
from channels_app.keys import is_key_removed, key_create, key_settle
from channels_app.models import Channel
from channels_app.reconcile.asking import ask, ask_unless_missing
from channels_app.reconcile.differences import Difference, Kind, Scope, Step, not_compared
from channels_app.reconcile.elsewhere import NONE_OF_THEM, elsewhere, elsewhere_of_missing, not_here
from channels_app.services import CHANNEL_ARN, tag_value


def channels(scope: Scope, position: Any) -> Iterator[Step]:
    """Every channel that is ready, with its key."""
    rows = scope.channels().exclude(arn="").filter(status=Channel.Status.READY)
    has_shown, asked = False, 0 if position is None else 1
    for batch in batches_of(rows, after=position, size=aws.CHANNELS_AT_ONCE):
        here = [row for row in batch if CHANNEL_ARN.fullmatch(row.arn) and not elsewhere(row.arn)]
        found = _found(here)
        has_shown, asked = has_shown or bool(found), asked + len(here)
        is_doubted = asked > 1 and (not has_shown or (not found and len(here) > 1))
        for channel in batch:
            yield Step(_differences(channel, found.get(channel.arn), is_doubted=is_doubted), str(channel.uuid))


def _found(batch: list[Channel]) -> dict[str, aws.IvsChannel]:
    """What IVS tells of them at once; each of the others is asked for by itself."""
    try:
        arns = sorted({row.arn for row in batch})
        return {channel.arn: channel for channel in ask(aws.channels_get, arns=arns)} if arns else {}
    except aws.AwsError:
        # One ARN that somebody wrote by hand has them all refused. What fails again is told of each.
        return {}


def _differences(channel: Channel, found: aws.IvsChannel | None, *, is_doubted: bool) -> Iterator[Difference]:
    """`is_doubted`: IVS may be asked in the wrong account, for it knew none of several channels."""
    try:
        if reason := elsewhere(channel.arn):
            yield not_here(reason, channel)
            return
        found = found or ask_unless_missing(aws.channel_get, arn=channel.arn)
        if found is None:
            reason = NONE_OF_THEM if is_doubted else elsewhere_of_missing(channel.arn)
            yield not_here(reason, channel) if reason else _gone(channel)
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
        repair=partial(mark_deleted, channel=channel, arn=channel.arn),
    )


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
    if is_key_removed(channel):
        yield from _key_not_removed(channel, arns)
    elif not arns and channel.stream_key:
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


def _key_not_removed(channel: Channel, arns: list[str]) -> Iterator[Difference]:
    """A ban that was interrupted. It is for people to end it, one way or the other."""
    if arns:
        yield Difference(
            Kind.STREAM_KEY_NOT_REMOVED,
            f'ban it again: POST /channels/{channel.uuid}/stop {{"ban": true}}',
            channel,
            database={"stream_key": None},
            ivs={"stream_key": arns[0]},
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
        key = key_create(channel=channel)
        try:
            key_settle(channel=channel, key=key)
        except ChannelContendedError:
            if is_key_removed(row_again(channel)):
                aws.stream_key_delete(arn=key.arn)
            raise


def _key_take(channel: Channel) -> None:
    key_settle(channel=channel, key=aws.stream_key_find(channel_arn=channel.arn))


def _key_of_now(channel: Channel) -> str:
    return Channel.objects.values_list("stream_key", flat=True).get(pk=channel.pk)
