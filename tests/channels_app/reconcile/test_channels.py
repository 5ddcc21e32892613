"""`reconcile`: channels against IVS, and `import_channel` with the past of a channel."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from channels_app.channels import stream_keys
from channels_app.channels.provisioning import PROJECT_TAG, STAGE_TAG, UUID_TAG, channel_create
from channels_app.channels.stream_keys import stream_key_rotate, stream_stop
from channels_app.models import Channel, InboxEvent, Stream
from common import aws as door
from tests.support.helpers import OWNER, STREAM_KEY, ivs, ivs_channels, make_channel
from tests.support.reconciling import Asked, Past, in_aws, kinds, mended, reconcile, tables
from tests.support.road import at, ingest_file, lambda_takes, live, live_file, stream_change
from tools.local.aws import LocalAws
from tools.local.ivs import Fault

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def channel(aws: LocalAws) -> Channel:
    return channel_create(name="Morning show", owner=OWNER)


class Killed(BaseException):
    """The process is gone."""


def again(channel: Channel) -> Channel:
    return Channel.objects.get(pk=channel.pk)


def keys_of(channel: Channel) -> list[str]:
    listed = ivs().list_stream_keys(channelArn=channel.arn, maxResults=50)["streamKeys"]
    return [ivs().get_stream_key(arn=item["arn"])["streamKey"]["value"] for item in listed]


def key_delete(channel: Channel) -> None:
    [listed] = ivs().list_stream_keys(channelArn=channel.arn)["streamKeys"]
    ivs().delete_stream_key(arn=listed["arn"])


def lately() -> datetime:
    """A recording that began so runs still."""
    return timezone.now() - timedelta(minutes=20)


def make_unfinished(**values: Any) -> Channel:
    """A row whose creation began an hour ago and did not end."""
    made = {"arn": "", "stream_key": "", "status": "provisioning", "created_at": timezone.now() - timedelta(hours=1)}
    return make_channel(**{**made, **values})


def without_row(channel: Channel) -> None:
    """The database forgets the channel."""
    Channel.objects.filter(pk=channel.pk).delete()


# Half made


def test_a_row_whose_channel_ivs_has_is_finished(aws: LocalAws) -> None:
    row = make_unfinished(active=False)
    made = ivs().create_channel(name=str(row.uuid), tags={"Name": row.name, UUID_TAG: str(row.uuid)})
    (found,) = mended("channel_unfinished")
    assert found["ivs"] == {"arn": made["channel"]["arn"]}
    assert (again(row).status, again(row).active, again(row).arn) == ("ready", True, made["channel"]["arn"])
    assert again(row).reveal_stream_key() == made["streamKey"]["value"]


def test_a_row_of_which_ivs_has_nothing_is_removed(aws: LocalAws) -> None:
    make_unfinished()
    (found,) = mended("channel_unfinished")
    assert "remove" in found["would"]
    assert not Channel.objects.exists()


def test_a_row_that_is_being_made_is_left_alone(aws: LocalAws) -> None:
    make_unfinished(created_at=timezone.now())
    assert reconcile("--apply") == (0, [], "")


# Orphans


def test_a_new_channel_is_tagged_as_one_of_this_stage(channel: Channel, settings: Any) -> None:
    tags = ivs_channels()[0]["tags"]
    assert (tags[PROJECT_TAG], tags[STAGE_TAG]) == (settings.PROJECT_NAME, settings.STAGE)


def test_an_orphan_of_this_stage_is_taken_over_inactive_with_all_that_it_did(channel: Channel, past: Past) -> None:
    past.broadcast(channel, at(0), is_recorded=False)
    plan, events = past.broadcast(channel, lately(), is_over=False)
    without_row(channel)
    ingest_file(json.dumps(events[0]))
    assert InboxEvent.objects.get().outcome == "parked"
    status, found, _ = reconcile()
    assert (status, kinds(found)) == (3, ["channel_orphan", "unknown_channel"])
    assert found[0]["ivs"]["tags"][UUID_TAG] == str(channel.uuid)
    status, repaired, _ = reconcile("--apply")
    assert status == 0
    assert kinds(repaired)[0] == "channel_orphan"
    # Of the second stream an event waited.
    assert set(kinds(repaired)) == {
        "channel_orphan",
        "stream_missing",
        "stream_start_missing",
        "recording_missing",
    }
    row = again(channel)
    assert (row.active, row.status, row.owner, row.name) == (False, "ready", OWNER, "Morning show")
    assert row.reveal_stream_key() == channel.reveal_stream_key()
    assert InboxEvent.objects.get(event_id=events[0]["id"]).outcome == "applied"
    assert live(row) == ("live", plan.streams[0].stream_id)
    assert row.videos.get().status == "recording"
    assert reconcile("--apply") == (0, [], "")


def test_an_orphan_of_another_stage_or_project_is_left_alone(channel: Channel, settings: Any) -> None:
    without_row(channel)
    for name in ("STAGE", "PROJECT_NAME"):
        own = getattr(settings, name)
        setattr(settings, name, "another")
        assert reconcile("--apply") == (0, [], ""), name
        setattr(settings, name, own)


def test_an_orphan_that_names_no_project_is_taken_over_and_one_without_a_stage_is_left_to_people(
    channel: Channel,
) -> None:
    without_row(channel)
    ivs().untag_resource(resourceArn=channel.arn, tagKeys=[PROJECT_TAG])
    assert kinds(reconcile()[1]) == ["channel_orphan"]
    ivs().untag_resource(resourceArn=channel.arn, tagKeys=[STAGE_TAG])
    for arguments in ([], ["--apply"]):
        status, lines, _ = reconcile(*arguments)
        assert (status, kinds(lines)) == (3, ["channel_unclaimed"])
        assert f"import_channel {channel.arn}" in lines[0]["would"]
    assert not Channel.objects.exists()


def test_an_orphan_without_a_valid_owner_tag_is_reported_as_not_repaired(channel: Channel) -> None:
    without_row(channel)
    ivs().tag_resource(resourceArn=channel.arn, tags={"Owner": "somebody"})
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["channel_orphan"])
    assert "owner" in lines[0]["failed"]
    assert not Channel.objects.exists()


def test_channels_of_others_and_copied_tags_are_no_orphans(channel: Channel) -> None:
    ivs().create_channel(name="somebody-elses")
    ivs().create_channel(name="a-copy", tags={UUID_TAG: str(channel.uuid)})
    ivs().create_channel(name="nonsense", tags={UUID_TAG: "x"})
    assert reconcile("--apply") == (0, [], "")
    assert Channel.objects.count() == 1


def test_a_second_channel_with_the_tags_of_a_row_is_reported(channel: Channel) -> None:
    second = ivs().create_channel(name=str(channel.uuid), tags=ivs_channels()[0]["tags"])["channel"]["arn"]
    for arguments in ([], ["--apply"]):
        status, lines, _ = reconcile(*arguments)
        assert (status, kinds(lines)) == (3, ["channel_doubled"])
        assert (lines[0]["channel"], lines[0]["arn"]) == (str(channel.uuid), second)
        assert lines[0]["database"] == {"arn": channel.arn}
    assert len(ivs_channels()) == 2


def test_a_channel_that_was_deleted_here_alone_is_reported(channel: Channel) -> None:
    Channel.objects.update(status="deleted", active=False)
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["channel_not_deleted"])
    assert len(ivs_channels()) == 1


def test_the_list_of_channels_is_read_to_its_end(aws: LocalAws, asked: Asked) -> None:
    for number in range(100):
        ivs().create_channel(name=f"other-{number}")
    channel = channel_create(name="The last one", owner=OWNER)
    without_row(channel)
    assert kinds(reconcile()[1]) == ["channel_orphan"]
    assert asked.count("ListChannels") == 2


# Changed


def test_the_row_takes_what_somebody_changed_in_ivs(channel: Channel) -> None:
    ivs().update_channel(
        arn=channel.arn, type="BASIC", latencyMode="NORMAL", authorized=True, recordingConfigurationArn=""
    )
    Channel.objects.update(playback_url="https://old.example.com/a.m3u8", rtmp_address="old.example.com")
    (found,) = mended("channel_changed")
    assert found["ivs"] == {
        "type": "BASIC",
        "latency_mode": "NORMAL",
        "private": True,
        "record": False,
        "playback_url": channel.playback_url,
        "rtmp_address": channel.rtmp_address,
    }
    assert found["database"]["type"] == "STANDARD"
    row = again(channel)
    assert (row.type, row.latency_mode, row.private, row.record) == ("BASIC", "NORMAL", True, False)
    assert row.channel_data["Channel"]["Type"] == "BASIC"


def test_the_tag_takes_the_name_of_the_row(channel: Channel) -> None:
    ivs().tag_resource(resourceArn=channel.arn, tags={"Name": "Renamed in the console"})
    (found,) = mended("channel_renamed")
    assert (found["database"]["name"], found["ivs"]["tag"]) == ("Morning show", "Renamed in the console")
    assert again(channel).name == "Morning show"
    assert ivs_channels()[0]["tags"]["Name"] == "Morning show"


def test_a_channel_that_was_made_elsewhere_needs_no_tag_for_its_name(aws: LocalAws) -> None:
    arn = ivs().create_channel(name="studio-1")["channel"]["arn"]
    call_command("import_channel", arn, "--owner", str(OWNER), stdout=io.StringIO())
    assert reconcile("--apply") == (0, [], "")


def test_a_channel_that_somebody_deleted_in_ivs_becomes_one_that_is_deleted(
    channel: Channel, past: Past, asked: Asked
) -> None:
    lambda_takes(*past.broadcast(channel, at(0), is_recorded=False)[1])
    ivs().delete_channel(arn=channel.arn)
    deleted = asked.count("DeleteChannel")
    mended("channel_gone")
    row = again(channel)
    assert (row.status, row.active, row.stream_key) == ("deleted", False, "")
    assert asked.count("DeleteChannel") == deleted
    assert live_file(channel)["state"] == "offline"


@pytest.mark.usefixtures("one_try")
def test_a_channel_of_which_ivs_does_not_answer_is_not_gone(channel: Channel, aws: LocalAws) -> None:
    other = channel_create(name="Evening show", owner=OWNER)
    aws.ivs.faults += [Fault("BatchGetChannel", "error500", times=3), Fault("GetChannel", "error500", times=3)]
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["not_compared"])
    assert lines[0]["ivs"]["operation"] == "GetChannel"
    assert {again(channel).status, again(other).status} == {"ready"}


def test_a_channel_of_another_region_or_account_is_not_gone(channel: Channel, settings: Any) -> None:
    others = {
        said: make_channel(arn=arn)
        for said, arn in (
            ("us-east-1", "arn:aws:ivs:us-east-1:111122223333:channel/AjIhKtJ0RlgL"),
            ("999922223333", "arn:aws:ivs:eu-west-1:999922223333:channel/AjIhKtJ0RlgL"),
        )
    }
    lambda_takes(
        *(stream_change("Stream Start", 0, arn=other.arn, stream_id=f"st-{other.pk}") for other in others.values())
    )
    for configuration in (settings.RECORDING_CONFIG_ARN, ""):
        settings.RECORDING_CONFIG_ARN = configuration
        status, lines, _ = reconcile("--apply")
        assert status == 3
        assert set(kinds(lines)) == {"not_compared"}
        errors = {line["channel"]: line["ivs"]["error"] for line in lines}
        assert set(errors) == {str(other.uuid) for other in others.values()}
        for said, other in others.items():
            assert said in errors[str(other.uuid)]
            assert again(other).status == "ready", said
            assert live(other)[0] == "live", said


@pytest.mark.parametrize("count", [1, 3])
def test_where_ivs_has_none_of_the_channels_none_is_gone(aws: LocalAws, settings: Any, count: int) -> None:
    """Credentials of another account: it has no channel, or others."""
    settings.RECORDING_CONFIG_ARN = "" if count == 1 else settings.RECORDING_CONFIG_ARN
    channels = [make_channel() for _ in range(count)]
    lambda_takes(stream_change("Stream Start", 0, arn=channels[0].arn))
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["not_compared"] * count)
    assert all("right account" in line["ivs"]["error"] for line in lines)
    assert {again(channel).status for channel in channels} == {"ready"}
    assert live(channels[0])[0] == "live"


def test_the_last_channels_of_many_are_not_gone_where_ivs_had_none_before(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "CHANNELS_AT_ONCE", 2)
    channels = [make_channel() for _ in range(3)]
    assert kinds(reconcile("--apply")[1]) == ["not_compared"] * 3
    assert {again(channel).status for channel in channels} == {"ready"}


def test_more_channels_of_others_than_ivs_may_leave_unanswered_keep_no_other_from_being_compared(
    channel: Channel,
) -> None:
    for number in range(12):
        make_channel(uuid=UUID(int=number), arn=f"arn:aws:ivs:us-east-1:111122223333:channel/Other{number}")
    ivs().update_channel(arn=channel.arn, type="BASIC")
    assert kinds(reconcile("--apply")[1]) == [*["not_compared"] * 12, "channel_changed"]
    assert again(channel).type == "BASIC"


def test_a_stream_of_a_channel_that_is_gone_ends_when_its_row_is_deleted(channel: Channel) -> None:
    lambda_takes(stream_change("Stream Start", 0, arn=channel.arn))
    ivs().delete_channel(arn=channel.arn)
    assert kinds(reconcile("--apply")[1]) == ["channel_gone"]
    assert live(channel)[0] == "offline"
    mended("stream_end_unknown")


def test_an_arn_that_somebody_wrote_by_hand_keeps_no_other_from_being_compared(channel: Channel, aws: LocalAws) -> None:
    for arn in ("by hand", "", "arn:aws:ivs:eu-west-1:111122223333:channel/" + "x" * 200):
        make_channel(arn=arn)
    ivs().update_channel(arn=channel.arn, type="BASIC")
    status, lines, _ = reconcile("--apply")
    assert status == 3
    assert sorted(set(kinds(lines))) == ["channel_changed", "not_compared"]
    assert again(channel).type == "BASIC"


def test_fifty_channels_are_asked_for_at_once(channel: Channel, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    assert door.CHANNELS_AT_ONCE == 50
    monkeypatch.setattr(door, "CHANNELS_AT_ONCE", 2)
    for number in range(2):
        channel_create(name=f"Room {number}", owner=OWNER)
    assert reconcile() == (0, [], "")
    assert (asked.count("BatchGetChannel"), asked.count("GetChannel")) == (2, 0)


# Keys


def test_a_channel_that_a_crash_left_without_a_key_gets_a_new_one(channel: Channel) -> None:
    key_delete(channel)
    mended("stream_key_missing")
    assert keys_of(channel) == [again(channel).reveal_stream_key()]
    assert again(channel).reveal_stream_key() != channel.reveal_stream_key()


def test_a_ban_is_no_difference(channel: Channel, past: Past) -> None:
    stream_stop(channel=channel, ban=True)
    assert reconcile("--apply") == (0, [], "")
    assert keys_of(channel) == []


@contextmanager
def killed_around(monkeypatch: pytest.MonkeyPatch, aws: LocalAws, operation: str, *, done: bool) -> Iterator[None]:
    """The process inside dies before it asks this of IVS, or when it is done."""
    perform = aws.ivs._with_faults

    def die(model: Any, arguments: dict[str, Any], **options: Any) -> Any:
        if model.name == operation:
            if done:
                perform(model, arguments, **options)
            raise Killed
        return perform(model, arguments, **options)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(aws.ivs, "_with_faults", die)
        yield


def test_a_ban_that_was_killed_when_the_key_was_gone_is_not_undone(
    channel: Channel, aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_around(monkeypatch, aws, "DeleteStreamKey", done=True):
        stream_stop(channel=channel, ban=True)
    assert reconcile("--apply") == (0, [], "")
    assert keys_of(channel) == []


@pytest.mark.parametrize("operation", ["ListStreamKeys", "DeleteStreamKey"])
def test_a_ban_that_was_killed_before_the_key_was_gone_is_reported_and_not_undone(
    channel: Channel, aws: LocalAws, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    with killed_around(monkeypatch, aws, operation, done=False):
        stream_stop(channel=channel, ban=True)
    [key] = keys_of(channel)
    status, lines, _ = reconcile("--apply")
    assert (status, kinds(lines)) == (3, ["stream_key_not_removed"])
    assert f"/channels/{channel.uuid}/stop" in lines[0]["would"]
    assert key not in json.dumps(lines)
    assert (again(channel).stream_key, keys_of(channel)) == ("", [key])
    stream_stop(channel=again(channel), ban=True)
    assert reconcile("--apply") == (0, [], "")
    assert keys_of(channel) == []


@pytest.mark.usefixtures("one_try")
def test_a_ban_whose_reply_was_lost_is_not_undone(channel: Channel, aws: LocalAws) -> None:
    aws.ivs.faults.append(Fault("DeleteStreamKey", "drop_reply", times=3))
    with pytest.raises(door.AwsError):
        stream_stop(channel=channel, ban=True)
    assert reconcile("--apply") == (0, [], "")
    assert keys_of(channel) == []


def test_a_new_key_ends_a_ban(channel: Channel) -> None:
    stream_stop(channel=channel, ban=True)
    stream_key_rotate(channel=channel)
    assert keys_of(channel) == [again(channel).reveal_stream_key()]
    assert reconcile("--apply") == (0, [], "")
    key_delete(channel)
    mended("stream_key_missing")


@pytest.mark.parametrize("made", [True, False])
def test_a_ban_that_begins_while_a_key_is_mended_stands(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, made: bool
) -> None:
    key_delete(channel)
    if not made:
        ivs().create_stream_key(channelArn=channel.arn)
    settle = stream_keys.key_settle

    def banned_first(**values: Any) -> Any:
        stream_stop(channel=channel, ban=True)
        if not made:
            # As a ban that was killed before it removed the key.
            ivs().create_stream_key(channelArn=channel.arn)
        return settle(**values)

    monkeypatch.setattr("channels_app.reconcile.channels.key_settle", banned_first)
    status, lines, _ = reconcile("--apply")
    assert (status, "failed" in lines[0]) == (3, True)
    assert again(channel).channel_data["StreamKey"] == {"Removed": True}
    assert len(keys_of(channel)) == (0 if made else 1)


def test_a_channel_that_is_banned_meanwhile_gets_no_key(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    key_delete(channel)
    answers = iter(["a key", ""])
    monkeypatch.setattr("channels_app.reconcile.channels._current_key", lambda _: next(answers))
    assert kinds(reconcile("--apply")[1]) == ["stream_key_missing"]
    assert keys_of(channel) == []


@pytest.mark.parametrize("stored", ["another", ""])
def test_the_row_takes_the_key_that_ivs_has(channel: Channel, stored: str) -> None:
    key_delete(channel)
    ivs().create_stream_key(channelArn=channel.arn)
    if not stored:
        Channel.objects.update(stream_key="")
    mended("stream_key_changed")
    assert keys_of(channel) == [again(channel).reveal_stream_key()]


def test_of_a_row_of_the_predecessor_without_the_arn_of_its_key_the_value_decides(channel: Channel) -> None:
    data = {"Channel": channel.channel_data["Channel"]}
    Channel.objects.update(channel_data=data, stream_key=keys_of(channel)[0])
    assert reconcile() == (0, [], "")
    Channel.objects.update(stream_key=STREAM_KEY)
    mended("stream_key_changed")
    assert again(channel).reveal_stream_key() == keys_of(channel)[0]
    Channel.objects.update(channel_data=data, stream_key="enc:1:nonsense")
    mended("stream_key_changed")


def test_no_line_holds_a_stream_key(channel: Channel) -> None:
    value = keys_of(channel)[0]
    key_delete(channel)
    made = ivs().create_stream_key(channelArn=channel.arn)["streamKey"]["value"]
    text = json.dumps([reconcile()[1], reconcile("--apply")[1]])
    assert value not in text
    assert made not in text


# What changes nothing


def test_a_report_changes_nothing_anywhere(channel: Channel, past: Past, aws: LocalAws) -> None:
    key_delete(channel)
    ivs().tag_resource(resourceArn=channel.arn, tags={"Name": "Renamed in the console"})
    past.broadcast(channel, at(0), "starvation")
    past.broadcast(channel, at(10), is_over=False)
    orphan, gone = (channel_create(name=name, owner=OWNER) for name in ("Orphan", "Gone"))
    without_row(orphan)
    ivs().delete_channel(arn=gone.arn)
    make_unfinished()
    before = tables(), in_aws(aws)
    status, lines, _ = reconcile()
    assert status == 3
    assert len(set(kinds(lines))) >= 7
    assert (tables(), in_aws(aws)) == before


# import_channel


def import_channel(arn: str) -> tuple[dict[str, Any], str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    call_command("import_channel", arn, "--owner", str(OWNER), stdout=stdout, stderr=stderr)
    (line,) = stdout.getvalue().splitlines()
    return json.loads(line), stderr.getvalue()


@pytest.fixture
def elsewhere(aws: LocalAws, settings: Any) -> Channel:
    """A channel that somebody made in IVS; no row."""
    made = ivs().create_channel(name="studio-1", recordingConfigurationArn=settings.RECORDING_CONFIG_ARN)
    return Channel(uuid=uuid4(), arn=made["channel"]["arn"])


def test_import_channel_takes_the_past_of_the_channel_over(elsewhere: Channel, past: Past) -> None:
    merged, _ = past.broadcast(elsewhere, at(0), "reconnect", "starvation")
    _, events = past.broadcast(elsewhere, lately(), is_over=False)
    lambda_takes(events[0])
    answer, said = import_channel(elsewhere.arn)
    assert said == ""
    row = Channel.objects.get(pk=UUID(answer["uuid"]))
    assert answer["live"]["state"] == "live"
    assert Stream.objects.filter(channel=row).count() == 3
    ended, running = row.videos.order_by("started_at")
    assert (ended.status, running.status) == ("available", "recording")
    assert ended.stream_ids == [stream.stream_id for stream in merged.streams]
    assert import_channel(elsewhere.arn)[0]["uuid"] == answer["uuid"]
    assert reconcile("--apply") == (0, [], "")


def test_import_channel_brings_a_row_back_that_is_deleted_though_ivs_has_the_channel(
    channel: Channel, past: Past
) -> None:
    lambda_takes(*past.broadcast(channel, at(0))[1])
    key = channel.reveal_stream_key()
    Channel.objects.update(status="deleted", active=False, stream_key="")
    for _ in range(2):
        answer, said = import_channel(channel.arn)
        assert (answer["uuid"], answer["streamKey"], said) == (str(channel.uuid), key, "")
        row = again(channel)
        assert (row.status, row.active, row.owner, row.name) == ("ready", True, OWNER, "Morning show")
        assert row.videos.count() == 1
    assert reconcile("--apply") == (0, [], "")


def test_import_channel_brings_no_row_of_another_owner_back(channel: Channel) -> None:
    Channel.objects.update(status="deleted", owner=uuid4())
    with pytest.raises(CommandError, match="already"):
        import_channel(channel.arn)
    assert again(channel).status == "deleted"


def test_import_channel_ends_a_stream_whose_end_was_lost(elsewhere: Channel, past: Past) -> None:
    _, events = past.broadcast(elsewhere, at(0), is_recorded=False)
    lambda_takes(*events[:2])
    assert import_channel(elsewhere.arn)[0]["live"]["state"] == "offline"
    assert Stream.objects.get().ended_at == at(1) + timedelta(seconds=13)


@pytest.mark.usefixtures("one_try")
def test_import_channel_says_how_to_go_on_where_the_past_could_not_be_had(
    elsewhere: Channel, past: Past, aws: LocalAws
) -> None:
    past.broadcast(elsewhere, at(0))
    aws.ivs.faults.append(Fault("ListStreamSessions", "error500", times=3))
    answer, said = import_channel(elsewhere.arn)
    assert said.strip().endswith(f"reconcile --apply --channel {answer['uuid']}")
    assert len(said.strip().splitlines()) == 1
    assert reconcile("--apply", "--channel", answer["uuid"])[0] == 0
    assert Stream.objects.get().ended_at is not None


def test_a_channel_of_another_is_not_what_one_channel_is_compared_with(channel: Channel, past: Past) -> None:
    other = channel_create(name="Evening show", owner=OWNER)
    for each in (channel, other):
        ivs().tag_resource(resourceArn=each.arn, tags={"Name": "Renamed"})
        lambda_takes(stream_change("Stream Start", 0, arn=each.arn))
    status, lines, _ = reconcile("--apply", "--channel", str(other.uuid))
    assert (status, kinds(lines)) == (0, ["stream_end_unknown", "channel_renamed"])
    assert {line["channel"] for line in lines} == {str(other.uuid)}
    assert live(channel)[0] == "live"
