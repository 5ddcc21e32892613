"""A filter is one declaration: one is added here as CONTRIBUTING.md says, and is applied, described and scoped."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import QueryDict
from django.test import Client

from channels_app.api.filters import ChannelFilterSet
from channels_app.models import Channel
from common.rest.filters import BooleanFilter, StrictFilterSet, TextFilter
from ondemand.api.filters import TagFilterSet, VideoFilterSet
from ondemand.api.grants import GrantFilterSet
from ondemand.api.viewsets import VideoViewSet
from ondemand.models import PlaybackGrant, TagCount
from ondemand.search.lists import VideoQuery
from tests.support.helpers import bearer, make_content, make_video
from tools.openapi.schema import filter_parameters


class _TitledFilterSet(VideoFilterSet):
    title = TextFilter(field_name="title_key", scope="curate", help_text="Of this title, in small letters.")


@pytest.fixture
def _titled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(VideoViewSet, "filterset_class", _TitledFilterSet)
    yield


@pytest.mark.django_db
@pytest.mark.usefixtures("_titled")
@pytest.mark.parametrize("others", ["", "&ordering=longest", "&min_duration=0", "&search=show"])
def test_a_further_filter_is_applied_scoped_and_described(client: Client, api_key: str, others: str) -> None:
    """With no other filter, in another order, beside one that an index serves, and in a search."""
    wanted, other = make_video(), make_video()
    make_content(wanted, title="Morning", description="show")
    make_content(other, title="Evening", description="show")
    shown = client.get(f"/on-demand?title=morning{others}", headers=bearer(api_key)).json()
    assert [video["uuid"] for video in shown["data"]] == [str(wanted.pk)]
    assert client.get(f"/on-demand?title=morning{others}").status_code == 401
    assert client.get(f"/on-demand?title={others}", headers=bearer(api_key)).status_code == 400
    assert ("title", "Of this title, in small letters.") in {
        (found.name, found.description) for found in filter_parameters(_TitledFilterSet)
    }


def test_a_filter_that_nothing_would_apply_is_an_error_at_start() -> None:
    with pytest.raises(ImproperlyConfigured, match="No query uses the filter colour"):
        type("Coloured", (VideoFilterSet,), {"colour": TextFilter(help_text="Of this colour.")})


def test_a_filter_without_a_description_is_an_error_at_start() -> None:
    with pytest.raises(ImproperlyConfigured, match="The filter live of Undescribed has no help_text"):
        type("Undescribed", (StrictFilterSet,), {"live": BooleanFilter()})


NOW = datetime(2026, 1, 1, tzinfo=UTC)
VALUES = {
    "BooleanFilter": "true",
    "UUIDFilter": "0" * 32,
    "OwnerFilter": "0" * 32,
    "TimeFilter": "2026-01-01T00:00:00Z",
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", VideoFilterSet.base_filters)
def test_each_filter_of_videos_changes_the_query(name: str) -> None:
    each = VideoFilterSet.base_filters[name]
    text = each.choices[-1] if hasattr(each, "choices") else VALUES.get(type(each).__name__, "7")

    def asked(query: str) -> tuple[VideoQuery, str]:
        found = VideoFilterSet(QueryDict(query), queryset=None, at=NOW)
        assert found.is_valid() or name == "ordering"
        return found.query, found.order

    assert asked(f"{name}={text}") != asked("")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/channels?owner=", "/channels?state=", "/tags?prefix=", "/playback-grants?video=", "/on-demand?channel="]
)
def test_an_empty_value_is_malformed_not_ignored(client: Client, api_key: str, path: str) -> None:
    assert client.get(path, headers=bearer(api_key)).status_code == 400


@pytest.mark.parametrize(
    ("filterset_class", "rows"),
    [
        (ChannelFilterSet, Channel.objects.with_live_state()),
        (GrantFilterSet, PlaybackGrant.objects.all()),
        (TagFilterSet, TagCount.objects.all()),
    ],
)
@pytest.mark.django_db
def test_each_filter_of_the_other_lists_changes_the_queryset(filterset_class: type[StrictFilterSet], rows: Any) -> None:
    for name, each in filterset_class.base_filters.items():
        text = each.choices[-1] if hasattr(each, "choices") else VALUES.get(type(each).__name__, "7")
        found = filterset_class(QueryDict(f"{name}={text}"), queryset=rows)
        assert found.is_valid()
        assert str(found.qs.query) != str(rows.query), name
