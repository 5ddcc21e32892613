"""The audit log: who changed what, when and by which way, before and after, in the transaction of the change."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

import manage
from channels_app.models import AuditEntry, Channel
from common.audit import Actor, Way, acting, audit_note, audited
from ivsvod.accounts.models import User
from ivsvod.accounts.services import api_token_create
from ondemand.models import Content, Video
from ondemand.videos.services import video_hide, video_update
from tests.support.helpers import OWNER, STREAM_KEY, make_channel, make_video
from tests.support.road import ARN, lambda_takes, recording_change, sample
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
ADA = Actor(Way.ADMIN, "ada", operation="request-1")


def entries(**fields: Any) -> list[dict[str, Any]]:
    """The entries, oldest first, as plain values."""
    found = AuditEntry.objects.filter(**fields).order_by("pk")
    return [
        {
            "of": entry.content_type.model,
            "pk": entry.object_pk,
            "name": entry.object_repr,
            "action": entry.get_action_display(),
            "changes": entry.changes,
            "by": entry.actor_name,
            "way": entry.way,
            "operation": entry.cid,
            "account": entry.actor_id,
        }
        for entry in found
    ]


def last(**fields: Any) -> dict[str, Any]:
    return entries(**fields)[-1]


def test_an_entry_of_an_object_without_a_name_has_its_key() -> None:
    channel = make_channel(name="")
    assert last()["name"] == str(channel.pk)


def test_an_entry_says_who_did_what_to_which_object_before_and_after() -> None:
    video = make_video()
    with acting(ADA):
        video_hide(video_uuid=video.pk)
    assert last() == {
        "of": "video",
        "pk": str(video.pk),
        "name": str(video.pk),
        "action": "update",
        "changes": {"active": [True, False]},
        "by": "ada",
        "way": "admin",
        "operation": "request-1",
        "account": None,
    }


def test_a_change_that_is_rolled_back_leaves_no_entry() -> None:
    video = make_video()
    before = len(entries())
    with acting(ADA), pytest.raises(RuntimeError), audited():
        Video.objects.filter(pk=video.pk).update(active=False)
        raise RuntimeError
    assert len(entries()) == before


def test_what_changes_nothing_that_is_told_leaves_no_entry() -> None:
    video = make_video()
    before = len(entries())
    Video.objects.update(active=True, session_id="another")
    assert len(entries()) == before
    assert video.active is True


def test_content_is_told_as_a_change_of_its_video() -> None:
    video = make_video()
    with acting(ADA):
        video_update(video_uuid=video.pk, by=OWNER, values={"title": "Opening", "tags": ["gala"]})
        video_update(video_uuid=video.pk, by=OWNER, values={"title": "Closing"})
    made, changed = entries(object_pk=str(video.pk), way="admin")
    assert made["changes"] == {
        "title": [None, "Opening"],
        "tags": [None, ["gala"]],
        "description": [None, ""],
        "thumbnail": [None, ""],
    }
    assert (changed["of"], changed["name"], changed["changes"]) == (
        "video",
        "Closing",
        {"title": ["Opening", "Closing"]},
    )


def test_a_statement_that_changes_many_rows_tells_each() -> None:
    videos = [make_video() for _ in range(3)]
    with acting(ADA), audited():
        Video.objects.update(visibility="unlisted")
    logged = entries(way="admin")
    assert {entry["pk"] for entry in logged} == {str(video.pk) for video in videos}
    assert [entry["changes"] for entry in logged] == [{"visibility": ["public", "unlisted"]}] * 3


def test_of_a_secret_only_its_change_is_told() -> None:
    channel = make_channel()
    Channel.objects.filter(pk=channel.pk).update(stream_key="sk_another_secret")
    user = User.objects.create_user("ada", password="a long password 1")
    user.set_password("another long one 2")
    user.save()
    assert entries(object_pk=str(channel.pk))[-1]["changes"] == {"stream_key": ["***", "***"]}
    assert entries(object_pk=str(user.pk))[-1]["changes"] == {"password": ["***", "***"]}
    text = str(entries())
    for secret in (STREAM_KEY, "enc:1:", "sk_", "pbkdf2", "md5", user.password):
        assert secret not in text


def test_what_another_program_writes_is_told_with_its_role() -> None:
    channel = make_channel()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ivs_channels SET active = false WHERE uuid = %s", [channel.pk])
        cursor.execute("SELECT session_user")
        [role] = cursor.fetchone()
    assert (last()["way"], last()["by"]) == ("database", role)


def test_who_acted_is_forgotten_with_the_transaction() -> None:
    video = make_video()
    with acting(ADA):
        video_hide(video_uuid=video.pk)
    with transaction.atomic():
        Video.objects.update(active=True)
    # The test itself is one transaction: what `set_config` said lasts until its end, as in PostgreSQL.
    assert entries(way="admin")


def test_what_is_shown_and_not_changed_is_noted() -> None:
    channel = make_channel()
    with acting(ADA):
        audit_note(model="channel", pk=channel.pk, name=str(channel))
    assert (last()["action"], last()["by"], last()["pk"], last()["changes"]) == (
        "access",
        "ada",
        str(channel.pk),
        None,
    )


# By which way


def test_the_api_is_told_with_token_account_and_request(client: Client) -> None:
    video = make_video()
    token, text = api_token_create(name="Website", account="web", scopes=["curate"])
    headers = {"Authorization": f"Bearer {text}", "X-Request-ID": "request-7"}
    client.delete(f"/on-demand/{video.pk}", headers=headers)
    logged = last(object_pk=str(video.pk))
    assert (logged["way"], logged["by"], logged["account"], logged["operation"]) == (
        "api",
        "web, token Website",
        token.user_id,
        "request-7",
    )


def test_the_shared_key_is_told_as_what_it_is(client: Client, api_key: str) -> None:
    video = make_video()
    client.delete(f"/on-demand/{video.pk}", headers={"Authorization": f"Bearer {api_key}"})
    logged = last(object_pk=str(video.pk))
    assert (logged["way"], logged["by"], logged["account"]) == ("api", "the shared key", None)


def test_staff_in_the_admin_are_told_by_name(browser: Client, staff: User) -> None:
    response = browser.post("/admin/auth/group/add/", {"name": "Editors"})
    assert response.status_code == 302
    logged = last(content_type__model="group")
    assert (logged["action"], logged["name"], logged["way"], logged["by"], logged["account"]) == (
        "create",
        "Editors",
        "admin",
        "boss",
        staff.pk,
    )


def test_what_staff_give_others_is_told(browser: Client) -> None:
    user = User.objects.create_user("ada", password="a long password 1")
    group = browser.post("/admin/auth/group/add/", {"name": "Editors"})
    assert group.status_code == 302
    page = f"/admin/accounts/user/{user.pk}/change/"
    number = AuditEntry.objects.filter(content_type__model="group").latest("pk").object_pk
    browser.post(page, {"username": "ada", "is_active": "on", "groups": [number], "_save": "1"})
    logged = last(object_pk=str(user.pk))
    assert (logged["name"], logged["changes"], logged["by"]) == ("ada", {"groups": [None, "Editors"]}, "boss")


def test_events_are_told_by_name_and_id(aws: LocalAws) -> None:
    make_channel(arn=ARN)
    event = recording_change("Recording Start", 0)
    lambda_takes(event)
    logged = last(content_type__model="video")
    assert (logged["action"], logged["way"], logged["by"], logged["operation"]) == (
        "create",
        "event",
        "Recording Start",
        event["id"],
    )


def test_an_event_that_comes_again_leaves_no_second_entry(aws: LocalAws) -> None:
    make_channel(arn=ARN)
    event = recording_change("Recording Start", 0)
    lambda_takes(event)
    before = len(entries())
    lambda_takes(event)
    lambda_takes(sample("stream_start"))
    assert len(entries()) == before


@pytest.mark.django_db(transaction=True)
def test_commands_are_told_by_name(aws: LocalAws, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("sys.argv", ["manage.py", "create_channel", "Main stage", "--owner", str(OWNER)])
    manage.run()
    logged = last(content_type__model="channel")
    assert (logged["way"], logged["by"]) == ("command", "create_channel")
    assert logged["operation"]


def test_filling_in_what_is_derived_is_not_told() -> None:
    video = make_video()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE on_demand_videos DISABLE TRIGGER USER")
        cursor.execute("UPDATE on_demand_videos SET _status = NULL, _held = NULL WHERE uuid = %s", [video.pk])
        cursor.execute("ALTER TABLE on_demand_videos ENABLE TRIGGER USER")
    before = len(entries())
    call_command("backfill")
    assert Video.objects.get().status == "available"
    assert len(entries()) == before


def test_a_merge_of_two_rows_tells_what_became_of_each(aws: LocalAws) -> None:
    video = make_video()
    Content.objects.create(video=video, created_by=UUID(int=0), title="Opening", description="", tags=[], thumbnail="")
    other = make_video()
    with acting(ADA), audited():
        Content.objects.filter(video=video).update(video=other)
    logged = {entry["pk"]: entry["changes"]["title"] for entry in entries(way="admin")}
    assert logged == {str(video.pk): ["Opening", None], str(other.pk): [None, "Opening"]}


LARGE = {"thumbnails": [f"media/thumbnails/{number}-{uuid4()}.jpg" for number in range(1000)]}
TOASTED = """
    SELECT coalesce(sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0)), 0) FROM pg_stat_xact_all_tables
    WHERE relid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'on_demand_videos'::regclass)
"""


def test_what_is_large_and_not_audited_is_read_by_no_change() -> None:
    """A value of more than 2 kB stands beside its row, in a TOAST table, and each look at it is a scan of that one."""

    def looks() -> int:
        with connection.cursor() as cursor:
            cursor.execute(TOASTED)
            return int(cursor.fetchone()[0])

    for _ in range(3):
        make_video(facts=LARGE, data=LARGE)
    Video.objects.update(facts=LARGE, data=LARGE)
    before, written = looks(), len(entries())
    assert Video.objects.filter(facts__thumbnails__0=LARGE["thumbnails"][0]).count() == 3
    assert looks() >= before + 3
    before = looks()
    Video.objects.update(session_id="another")
    assert (looks(), len(entries())) == (before, written)
    Video.objects.update(visibility="unlisted")
    assert (looks(), len(entries())) == (before, written + 3)
