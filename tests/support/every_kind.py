"""Rows of every kind that staff meet, with the longest and strangest texts that people give."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from channels_app.channels.viewer_tokens import LONGEST_VIEWER_ID
from channels_app.models import AuditEntry, Channel, InboxEvent, ReportedDifference, Stream
from channels_app.models.differences import DifferenceKind
from common.audit import Actor, Way, acting
from ivsvod.accounts.models import User
from ivsvod.accounts.services import api_token_create
from ondemand.models import BulkChange, BulkChangeRow, PlaybackGrant, Video
from ondemand.videos.services import video_hide, video_update
from tests.support.chromium import eventful
from tests.support.console import make_channel, make_event, make_stream, make_video

ARABIC = "مسرح المدينة الرئيسي للبث المباشر خلال مهرجان الصيف الكبير مع جميع الضيوف والعروض الختامية"
HEBREW = "ערב הפתיחה של פסטיבל הקיץ הגדול עם כל האורחים, שני הפאנלים והקונצרט המסכם תחת כיפת השמיים"
UNBROKEN = "W" * 200
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"


def every_kind(video: Video) -> dict[str, Any]:
    """Rows beside a recorded video; of each kind that has a page one key, by the beginning of its routes."""
    channel, live = Channel.objects.get(), make_channel(name=ARABIC)
    videos = every_video(video, channel, live)
    streams = every_stream(live)
    token, _ = api_token_create(name="Website of the festival", account="web", scopes=["read", "curate"])
    return {
        "accounts/apitoken": token.pk,
        "accounts/user": User.objects.create_user("ada", email="ada.lovelace@example.com", is_staff=True).pk,
        "auth/group": every_group(),
        **every_sign_in(),
        "channels_app/auditentry": AuditEntry.objects.filter(changes__has_key="metadata").latest("pk").pk,
        "channels_app/channel": live.pk,
        "channels_app/inboxevent": every_event(live),
        "channels_app/reporteddifference": every_difference(live),
        "channels_app/stream": streams["live"].pk,
        "ondemand/playbackgrant": every_grant([video, *videos.values()], channel),
        "ondemand/video": video.pk,
        **every_bulk_change([video, *videos.values()]),
        "offline channel": channel.pk,
        **{f"{word} video": each.pk for word, each in videos.items()},
        **{f"{word} stream": each.pk for word, each in streams.items()},
    }


def every_video(recorded: Video, channel: Channel, live: Channel) -> dict[str, Video]:
    """Titles that are long, go from right to left, and cannot be broken, in every state of listing."""
    now = timezone.now()
    staff = Actor(Way.ADMIN, "boss", operation="request-1")
    videos = {
        "hebrew": make_video(HEBREW, ["פסטיבל", "מוזיקה חיה"], channel=live, awaits_review=True, held=True),
        "unbroken": make_video(UNBROKEN, ["x" * 100, "day one"], channel=channel),
        "scheduled": make_video("Soon", ["festival"], channel=channel, publish_from=now + timedelta(days=3)),
        "expired": make_video("Over", None, channel=channel, publish_until=now - timedelta(days=3)),
        "today": make_video("Today", ["festival"], channel=channel, started_at=now, ended_at=now, duration_ms=12_400),
    }
    with acting(staff):
        values = {"season": "2", "הערה": HEBREW, "address": f"https://www.example.com/{'a' * 200}"}
        video_update(video_uuid=videos["unbroken"].pk, by=UUID(int=1), values={"metadata": values, "active": True})
        video_hide(video_uuid=videos["expired"].pk)
    # So that they have files that play.
    shared = {"bucket": recorded.bucket, "prefix": recorded.prefix, "facts": recorded.facts, "duplicate_of": None}
    Video.objects.filter(pk__in=[each.pk for each in videos.values()]).update(**shared)
    facts = recorded.facts or {}
    many = {**facts, "thumbnails": facts["thumbnails"] * 15}
    Video.objects.filter(pk=videos["hebrew"].pk).update(facts=many, qa=Video.Qa.WARNING, qa_reasons=["It is odd."])
    return videos


def every_stream(channel: Channel) -> dict[str, Stream]:
    """Streams that are live, have no end, and never were live; and channels that are gone or not finished."""
    begun = datetime.now(UTC) - timedelta(hours=2)
    live = Stream.objects.create(
        channel=channel, stream_id="st-live1234567890abcdefgh", started_at=begun, first_event_at=begun
    )
    open_ended = make_stream(make_channel(name="Gone", status=Channel.Status.DELETED, active=False), "st-open", start=0)
    make_channel(name="Half made", status=Channel.Status.PROVISIONING, arn="", stream_key="")
    eventful(make_stream(channel, f"st-{'x' * 60}", start=-500, end=-300), "second")
    return {"live": live, "open": open_ended, "never": make_stream(channel, "st-never")}


def every_event(channel: Channel) -> int:
    """An event of each outcome; the key of the failed one, whose id is long too."""
    shown = {
        "detail_type": "IVS Recording State Change",
        "name": "Recording End",
        "event_time": timezone.now(),
        "channel_arn": channel.arn,
        "stream_id": "st-1",
    }
    for outcome in InboxEvent.Outcome:
        make_event(outcome=outcome, **shown)
    error = f"PlaylistError: {'a' * 90} cannot be read, for its first line is not #EXTM3U"
    body = '{"detail-type": "IVS Recording State Change", "detail": {"recording_s3_key_prefix": "%s"}}' % ("x" * 300)
    failed = {"outcome": InboxEvent.Outcome.FAILED, "error": error, "attempts": 4, "body": body}
    return make_event(event_id=f"reconcile:{'x' * 240}", **shown, **failed).pk


def every_difference(channel: Channel) -> int:
    """A few differences; the key of the one that names a recording and could not be mended."""
    values = {"channel": channel, "arn": channel.arn, "would": "The end of the stream would be written."}
    ReportedDifference.objects.create(key="1", kind=DifferenceKind.STREAM_END_MISSING, stream_id="st-live", **values)
    ReportedDifference.objects.create(
        key="2", kind=DifferenceKind.CHANNEL_ORPHAN, arn=channel.arn, would="Import the channel."
    )
    place = {"bucket": "ivsvod-recordings", "prefix": f"ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/{'x' * 12}"}
    problem = "S3 gave no answer to GetObject within ten seconds"
    made = ReportedDifference.objects.create(
        key="3", kind=DifferenceKind.RECORDING_UNREADABLE, problem=problem, **values, **place
    )
    return made.pk


def every_grant(videos: list[Video], channel: Channel) -> UUID:
    """Grants in every state, of a viewer whose name cannot be broken; the key of one with the limits of a token."""
    now = timezone.now()
    made = {"viewer": "x" * LONGEST_VIEWER_ID, "by": UUID(int=1), "by_name": "Website of the festival"}
    states = ({"expires_at": now - timedelta(hours=1)}, {}, {"revoked_at": now}, {"viewer": ""})
    for video, state in zip(videos, states, strict=False):
        PlaybackGrant.objects.create(video=video, **{**made, **state})
    claims = {"origins": ["https://www.example.com"] * 20, "single_use": True, "maximum_resolution": "HD"}
    end = now + timedelta(days=1)
    return PlaybackGrant.objects.create(channel=channel, expires_at=end, claims=claims, uses=9, **made).pk


def every_bulk_change(videos: list[Video]) -> dict[str, UUID]:
    """A bulk change that is done, and two that wait for what is typed."""
    by = {"by": UUID(int=1), "by_name": "boss", "chosen": len(videos)}
    tags = BulkChange.objects.create(kind=BulkChange.Kind.ADD_TAGS, **by)
    schedule = BulkChange.objects.create(kind=BulkChange.Kind.SCHEDULE, **by)
    done = BulkChange.objects.create(
        kind=BulkChange.Kind.RENAME_TAG,
        values={"tags": ["x" * 100], "to": "פסטיבל"},
        state=BulkChange.State.DONE,
        outcomes={"changed": len(videos)},
        **by,
    )
    for change, outcome in ((tags, "waiting"), (schedule, "waiting"), (done, "changed")):
        BulkChangeRow.objects.bulk_create(
            BulkChangeRow(change=change, video_uuid=video.pk, outcome=outcome) for video in videos
        )
    return {"<uuid:change_uuid>": done.pk, "tags draft": tags.pk, "schedule draft": schedule.pk}


def every_group() -> int:
    """A group with rights to choose from, and a name that cannot be broken."""
    group = Group.objects.create(name=f"Curators of {'x' * 120}")
    group.permissions.set(Permission.objects.filter(content_type__app_label="ondemand"))
    return group.pk


def every_sign_in() -> dict[str, int]:
    """A sign-in and a wrong password."""
    row = {"username": "ada.lovelace@example.com", "ip_address": "2001:db8:85a3:8d3:1319:8a2e:370:7348"}
    values = {**row, "user_agent": AGENT, "http_accept": "text/html", "path_info": "/admin/login/"}
    return {
        "axes/accessattempt": AccessAttempt.objects.create(**values, failures_since_start=3).pk,
        "axes/accesslog": AccessLog.objects.create(**values).pk,
    }
