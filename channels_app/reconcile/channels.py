"""Channels against IVS: interrupted creations, channels without a row, changed settings, names and stream keys."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db.models import Q
from django.utils import timezone

from channels_app.channels.provisioning import (
    CHANNEL_ARN,
    STAGE_TAG,
    STILL_CREATING,
    UUID_TAG,
    channel_adopt,
    channel_recover,
    is_tagged_as_own,
    settings_of,
    tag_value,
)
from channels_app.channels.stream_keys import is_key_removed, key_create, key_settle
from channels_app.channels.updates import channel_mark_deleted, channel_reload, data_of, name_settle, settings_settle
from channels_app.models import Channel
from channels_app.reconcile.differences import Difference, DifferenceKind, Scope, Step, not_compared
from channels_app.reconcile.other_account import (
    NONE_FOUND,
    other_account,
    other_account_difference,
    other_account_of_missing,
)
from channels_app.reconcile.paced_calls import call_or_none, call_paced, pages
from common import aws
from common.encryption import UnreadableSecretError
from common.errors import ChannelContendedError
from common.rest.uuids import uuid_or_none
from common.sql.rows import batches_of, rows_of


def unfinished(scope: Scope, position: Any) -> Iterator[Step]:
    """Yield the rows whose creation was interrupted."""
    age = Q(created_at__isnull=True) | Q(created_at__lte=timezone.now() - STILL_CREATING)
    for channel in rows_of(scope.channels().unfinished().filter(age)):
        try:
            arn = call_paced(aws.channel_arn, name=str(channel.uuid))
        except aws.AwsError as error:
            yield Step([not_compared(error, channel=channel)])
            continue
        difference = Difference(
            DifferenceKind.CHANNEL_UNFINISHED,
            "finish the row from the channel that IVS has" if arn else "remove the row, for IVS has no such channel",
            channel,
            arn or "",
            database={"status": channel.status, "created_at": channel.created_at},
            ivs={"arn": arn},
            repair=partial(call_paced, channel_recover, channel=channel),
        )
        yield Step([difference])


def orphans(scope: Scope, position: Any) -> Iterator[Step]:
    """Yield the tagged channels of IVS that have no row, another channel's row, or a deleted row."""
    for page in pages(aws.channels_page) if scope.channel is None else ():
        uuids = {summary.arn: uuid_or_none(summary.tags.get(UUID_TAG, "")) for summary in page}
        tagged = {arn: uuid for arn, uuid in uuids.items() if uuid is not None}
        rows = list(Channel.objects.filter(Q(arn__in=tagged) | Q(pk__in=tagged.values())))
        by_arn, by_uuid = {row.arn: row for row in rows}, {row.uuid: row for row in rows}
        differences = [
            _orphan(summary, by_arn.get(summary.arn), by_uuid.get(tagged[summary.arn]))
            for summary in page
            if summary.arn in tagged
        ]
        yield Step([difference for difference in differences if difference])


def _orphan(summary: aws.ChannelSummary, row: Channel | None, claimed: Channel | None) -> Difference | None:
    """Return the difference of a tagged channel. `row` has its ARN, `claimed` the uuid in its tag."""
    tags = summary.tags
    ivs = {"name": summary.name, "tags": tags}
    if row is not None:
        if row.status != Channel.Status.DELETED:
            return None
        choice = f"or import_channel {row.arn} --owner {row.owner}"
        description = f"delete it in the AWS console if nobody needs it, {choice}"
        return Difference(
            DifferenceKind.CHANNEL_NOT_DELETED, description, row, database={"status": row.status}, ivs=ivs
        )
    if claimed is not None:
        # A row without an ARN is unfinished, and this is the channel that it waits for.
        if not claimed.arn or not is_tagged_as_own(tags):
            return None
        description, database = "delete the one that nobody uses", {"arn": claimed.arn}
        return Difference(DifferenceKind.CHANNEL_DOUBLED, description, claimed, summary.arn, database=database, ivs=ivs)
    if not tags.get(STAGE_TAG):
        description = f"import_channel {summary.arn} --owner UUID, if it belongs to this stage"
        return Difference(DifferenceKind.CHANNEL_UNCLAIMED, description, arn=summary.arn, ivs=ivs)
    if not is_tagged_as_own(tags):
        return None
    repair = partial(call_paced, channel_adopt, arn=summary.arn)
    description = "make its row from its tags, inactive"
    return Difference(DifferenceKind.CHANNEL_ORPHAN, description, arn=summary.arn, ivs=ivs, repair=repair)


def channels(scope: Scope, position: Any) -> Iterator[Step]:
    """Compare every ready channel and its stream key."""
    rows = scope.channels().exclude(arn="").filter(status=Channel.Status.READY)
    has_found, requested = False, 0 if position is None else 1
    for batch in batches_of(rows, after=position, size=aws.CHANNELS_AT_ONCE):
        here = [row for row in batch if CHANNEL_ARN.fullmatch(row.arn) and not other_account(row.arn)]
        try:
            arns = sorted({row.arn for row in here})
            found = {each.arn: each for each in call_paced(aws.channels_get, arns=arns)} if arns else {}
        except aws.AwsError:
            # One malformed ARN fails the whole call. Each channel is requested alone below; that reports the error.
            found = {}
        has_found, requested = has_found or bool(found), requested + len(here)
        # IVS has none of several channels: the credentials may be those of the wrong account.
        is_doubtful = requested > 1 and (not has_found or (not found and len(here) > 1))
        for channel in batch:
            yield Step(_differences(channel, found.get(channel.arn), is_doubtful=is_doubtful), str(channel.uuid))


def _differences(channel: Channel, found: aws.IvsChannel | None, *, is_doubtful: bool) -> Iterator[Difference]:
    try:
        if reason := other_account(channel.arn):
            yield other_account_difference(reason, channel)
            return
        found = found or call_or_none(aws.channel_get, arn=channel.arn)
        if found is not None:
            yield from _changes(channel, found)
            yield from _key_differences(channel)
        elif reason := NONE_FOUND if is_doubtful else other_account_of_missing(channel.arn):
            yield other_account_difference(reason, channel)
        else:
            yield Difference(
                DifferenceKind.CHANNEL_GONE,
                "mark the row deleted; its videos stay",
                channel,
                database={"status": channel.status, "active": channel.active},
                repair=partial(channel_mark_deleted, channel=channel, arn=channel.arn),
            )
    except aws.AwsError as error:
        yield not_compared(error, channel=channel)


def _changes(channel: Channel, found: aws.IvsChannel) -> Iterator[Difference]:
    settings = settings_of(found)
    changed = [name for name, value in settings.items() if getattr(channel, name) != value]
    if changed:
        yield Difference(
            DifferenceKind.CHANNEL_CHANGED,
            f"take {', '.join(changed)} from IVS",
            channel,
            database={name: getattr(channel, name) for name in changed},
            ivs={name: settings[name] for name in changed},
            repair=partial(call_paced, settings_settle, channel=channel),
        )
    # The row owns the name. A channel that was made elsewhere may have it as its IVS name, and no tag.
    tag = found.tags.get("Name")
    if (tag or "") != tag_value(channel.name or "") and (tag is not None or found.name != channel.name):
        yield Difference(
            DifferenceKind.CHANNEL_RENAMED,
            "write the name to the tag Name",
            channel,
            database={"name": channel.name},
            ivs={"name": found.name, "tag": tag},
            repair=partial(call_paced, name_settle, channel=channel),
        )


def _key_differences(channel: Channel) -> Iterator[Difference]:
    arns = call_paced(aws.stream_key_arns, channel_arn=channel.arn)
    stored_arn = _stored_key_arn(channel)
    if is_key_removed(channel):
        # An interrupted ban. Staff decide whether to complete or to end it.
        if arns:
            yield Difference(
                DifferenceKind.STREAM_KEY_NOT_REMOVED,
                f'ban it again: POST /channels/{channel.uuid}/stop {{"ban": true}}',
                channel,
                database={"stream_key": None},
                ivs={"stream_key": arns[0]},
            )
    elif not arns and channel.stream_key:
        # A crash between the two calls of a rotation. If the row has no key by now either, it was a ban.
        if _current_key(channel) and not call_paced(aws.stream_key_arns, channel_arn=channel.arn):
            yield Difference(
                DifferenceKind.STREAM_KEY_MISSING,
                "make a new stream key",
                channel,
                database={"stream_key": stored_arn or "present"},
                ivs={"stream_key": None},
                repair=partial(call_paced, _key_make, channel=channel),
            )
    elif arns and not _has_key(channel, arns):
        yield Difference(
            DifferenceKind.STREAM_KEY_CHANGED,
            "take the stream key from IVS",
            channel,
            database={"stream_key": stored_arn or None},
            ivs={"stream_key": arns[0]},
            repair=partial(call_paced, _key_take, channel=channel),
        )


def _has_key(channel: Channel, arns: list[str]) -> bool:
    """Return whether the row has the key of IVS. Some rows of the predecessor hold no ARN: there the values decide."""
    if not channel.stream_key:
        return False
    if stored_arn := _stored_key_arn(channel):
        return stored_arn in arns
    found = call_paced(aws.stream_key_find, channel_arn=channel.arn)
    try:
        return found is not None and found.value == channel.reveal_stream_key()
    except UnreadableSecretError:
        return False


def _stored_key_arn(channel: Channel) -> str:
    key = data_of(channel).get("StreamKey")
    arn = key.get("Arn") if isinstance(key, dict) else None
    return arn if isinstance(arn, str) else ""


def _key_make(channel: Channel) -> None:
    # The channel may have been banned since it was read.
    if _current_key(channel):
        key = key_create(channel=channel)
        try:
            key_settle(channel=channel, key=key)
        except ChannelContendedError:
            if is_key_removed(channel_reload(channel)):
                aws.stream_key_delete(arn=key.arn)
            raise


def _key_take(channel: Channel) -> None:
    key_settle(channel=channel, key=aws.stream_key_find(channel_arn=channel.arn))


def _current_key(channel: Channel) -> str:
    return Channel.objects.values_list("stream_key", flat=True).get(pk=channel.pk)
