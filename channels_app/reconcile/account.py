"""Channels that are half made: rows whose creation was interrupted, and channels of IVS that have no row."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from channels_app import aws
from channels_app.batches import rows_of
from channels_app.models import Channel
from channels_app.reconcile.asking import ask, pages
from channels_app.reconcile.differences import Difference, Kind, Scope, Step, not_compared
from channels_app.services import (
    STAGE_TAG,
    STILL_CREATING,
    UUID_TAG,
    channel_adopt,
    channel_recover,
    is_tagged_as_own,
)
from channels_app.uuids import uuid_or_none


def unfinished(scope: Scope, position: Any) -> Iterator[Step]:
    """Rows whose creation ended neither well nor badly."""
    age = Q(created_at__isnull=True) | Q(created_at__lte=timezone.now() - STILL_CREATING)
    for channel in rows_of(scope.channels().unfinished().filter(age)):
        try:
            arn = ask(aws.channel_arn, name=str(channel.uuid))
        except aws.AwsError as error:
            yield Step([not_compared(error, channel=channel)])
            continue
        yield Step([_unfinished(channel, arn)])


def _unfinished(channel: Channel, arn: str | None) -> Difference:
    return Difference(
        Kind.CHANNEL_UNFINISHED,
        "finish the row from the channel that IVS has" if arn else "remove the row, for IVS has no such channel",
        channel,
        arn or "",
        database={"status": channel.status, "created_at": channel.created_at},
        ivs={"arn": arn},
        repair=partial(ask, channel_recover, channel=channel),
    )


def orphans(scope: Scope, position: Any) -> Iterator[Step]:
    """Channels of IVS that carry our tag and have no row, and those that were deleted here and are there still."""
    for page in pages(aws.channels_page) if scope.channel is None else ():
        ours = {summary.arn: uuid for summary in page if (uuid := _tagged_uuid(summary)) is not None}
        rows = list(Channel.objects.filter(Q(arn__in=ours) | Q(pk__in=ours.values())))
        yield Step(_orphans([summary for summary in page if summary.arn in ours], rows))


def _tagged_uuid(summary: aws.ChannelSummary) -> UUID | None:
    return uuid_or_none(summary.tags.get(UUID_TAG, ""))


def _orphans(summaries: list[aws.ChannelSummary], rows: list[Channel]) -> Iterator[Difference]:
    by_arn = {row.arn: row for row in rows}
    by_uuid = {row.uuid: row for row in rows}
    for summary in summaries:
        row = by_arn.get(summary.arn)
        if row is not None and row.status == Channel.Status.DELETED:
            yield _not_deleted(summary, row)
        elif row is None and (claimed := by_uuid.get(_tagged_uuid(summary))) is not None:  # type: ignore[arg-type]
            yield from _doubled(summary, claimed)
        elif row is None:
            yield from _orphan(summary)


def _orphan(summary: aws.ChannelSummary) -> Iterator[Difference]:
    """Report an orphan of this stage, which is taken over, or one without a stage, which is left to people."""
    told: dict[str, Any] = {"arn": summary.arn, "ivs": {"name": summary.name, "tags": summary.tags}}
    if not summary.tags.get(STAGE_TAG):
        claim = f"import_channel {summary.arn} --owner UUID, where it is of this stage"
        yield Difference(Kind.CHANNEL_UNCLAIMED, claim, **told)
    elif is_tagged_as_own(summary.tags):
        repair = partial(ask, channel_adopt, arn=summary.arn)
        yield Difference(Kind.CHANNEL_ORPHAN, "make its row from its tags, inactive", **told, repair=repair)


def _doubled(summary: aws.ChannelSummary, row: Channel) -> Iterator[Difference]:
    """Of this stage; a row without an ARN is unfinished, and the channel is the one that it waits for."""
    if row.arn and is_tagged_as_own(summary.tags):
        yield Difference(
            Kind.CHANNEL_DOUBLED,
            "delete the one that nobody uses",
            row,
            summary.arn,
            database={"arn": row.arn},
            ivs={"name": summary.name, "tags": summary.tags},
        )


def _not_deleted(summary: aws.ChannelSummary, row: Channel) -> Difference:
    return Difference(
        Kind.CHANNEL_NOT_DELETED,
        f"delete it in the console of AWS, where nobody needs it, or import_channel {row.arn} --owner {row.owner}",
        row,
        database={"status": row.status},
        ivs={"name": summary.name, "tags": summary.tags},
    )
