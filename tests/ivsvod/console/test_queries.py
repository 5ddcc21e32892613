"""The cost of the admin: each list and each page takes as many queries for 9 rows as for 3, and at most 12."""

from typing import Any
from uuid import uuid4

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from channels_app.models import ReportedDifference
from ivsvod.accounts.models import Authenticator, User
from ivsvod.accounts.services import api_token_create
from ondemand.models import PlaybackGrant
from tests.support.console import happened, make_channel, make_event, make_stream, make_video, page

pytestmark = pytest.mark.django_db

MOST = 12


def rows_of_each_kind(many: int) -> None:
    """So many more rows of each kind that has a list."""
    video = make_video("first")
    channel = make_channel()
    for number in range(many):
        place: dict[str, Any] = {"duplicate_of": video} if number % 3 == 0 else {"channel_id": uuid4()}
        make_video(None if number % 3 == 0 else "a title", **place)
        stream = make_stream(make_channel(), f"st-{uuid4()}", start=number)
        happened(stream, "Ingest Bitrate")
        happened(make_stream(channel, f"st-{uuid4()}", start=number, end=number + 1), "Starvation Start")
        make_event()
        account = User.objects.create_user(f"account-{uuid4()}")
        account.groups.add(Group.objects.create(name=f"group {uuid4()}"))
        Authenticator.objects.create(user=account, confirmed=number % 2 == 0)
        api_token_create(name="Website", account=account.username, scopes=["read"])
        tried = {"username": str(uuid4()), "ip_address": "192.0.2.1", "user_agent": "", "http_accept": ""}
        AccessAttempt.objects.create(path_info="", failures_since_start=1, **tried)
        AccessLog.objects.create(path_info="", **tried)
        ReportedDifference.objects.create(kind="channel_gone", key=str(uuid4()), channel_id=channel.pk)
        target = {"channel": channel} if number % 3 == 0 else {"video": make_video(None)}
        PlaybackGrant.objects.create(**target, viewer="ada", by=uuid4())


def queries_of_pages(client: Client, rows: dict[Any, Any]) -> dict[str, int]:
    """How many queries the list of each model takes, and the page of its row."""
    taken = {}
    for model, key in rows.items():
        listed = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for name, path in (("list", listed), ("page", f"{listed}{key}/change/")):
            with CaptureQueriesContext(connection) as queries:
                page(client, path)
            taken[f"{name} of {model._meta.model_name}"] = len(queries)
    return taken


def test_no_page_takes_more_queries_for_more_rows(browser: Client) -> None:
    rows_of_each_kind(3)
    # With what is looked up once in the life of a process.
    rows = {model: model._default_manager.order_by("pk")[0].pk for model in site._registry}
    few = queries_of_pages(browser, rows)
    rows_of_each_kind(6)
    many = queries_of_pages(browser, rows)
    assert {name: (few[name], taken) for name, taken in many.items() if taken > few[name]} == {}
    assert {name: taken for name, taken in many.items() if taken > MOST} == {}
