"""Tags in use: completed, counted, renamed, merged and removed in one place."""

import re
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ondemand.models import Content, TagCount
from ondemand.search.lookups import tags_beginning
from tests.support.console import VIDEOS, make_channel, make_video, member, messages_of, page

pytestmark = pytest.mark.django_db

TAGS = f"{VIDEOS}tags/"
TAG = f"{TAGS}change/"
COMPLETE = f"{TAGS}complete/"


def completions(client: Client, prefix: str) -> list[str]:
    found: list[str] = client.get(COMPLETE, {"prefix": prefix}).json()["values"]
    return found


def rows(html: str) -> dict[str, str]:
    found = re.findall(r'<bdi class="tag">(.*?)</bdi>.*?<td [^>]*>\s*<a [^>]*>([^<]*)</a>', html, re.DOTALL)
    return dict(found)


def test_tags_are_completed_in_any_letter_case_those_of_hidden_videos_too(browser: Client) -> None:
    make_video("One", tags=["Festival", "fest 2026", "über", "100%_\\"])
    make_video("Two", tags=["Festival", "finale", None, ""], active=False)
    assert completions(browser, "fes") == ["fest 2026", "Festival"]
    assert completions(browser, " FESTIVAL ") == ["Festival"]
    assert completions(browser, "ÜB") == ["über"]
    assert completions(browser, "100%_\\") == ["100%_\\"]
    for nothing in ("", "%", "_", "stival", "\0", "x" * 500):
        assert completions(browser, nothing) == [], nothing


def test_an_unused_tag_is_not_suggested(browser: Client) -> None:
    make_video("One", tags=["gone", "kept"])
    Content.objects.update(tags=["kept"])
    assert completions(browser, "g") == []
    assert list(rows(page(browser, TAGS))) == ["kept"]
    Content.objects.update(tags=["gone"])
    assert completions(browser, "g") == ["gone"]


def test_tags_of_other_programs_are_listed_at_once(browser: Client) -> None:
    video = make_video()
    long = "x" * 5000
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO on_demand_video_content (on_demand_video_uuid, created_by, tags) VALUES (%s, %s, %s)",
            [video.pk, uuid4(), ["psql", long, long]],
        )
    assert completions(browser, "ps") == ["psql"]
    assert tags_beginning("x" * 200, 5) == [{"tag": long, "key": "X" * 100, "uses": 1}]


def test_the_page_shows_tags_with_counts_by_name_in_pages(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ondemand.admin.tags.SHOWN_TAGS", 2)
    make_video("One", tags=["b", "A"])
    make_video("Two", tags=["b", "c"])
    html = page(browser, TAGS)
    assert rows(html) == {"A": "1", "b": "2"}
    following = re.search(r'href="(\?q=&amp;after=b)"', html)
    assert following
    html = page(browser, f"{TAGS}?q=&after=b")
    assert rows(html) == {"c": "1"}
    assert "More tags" not in html
    assert rows(page(browser, TAGS, {"q": "B"})) == {"b": "2"}
    assert "No tag in use begins with this text." in page(browser, TAGS, {"q": "zzz"})


def test_the_page_without_tags_explains_how_to_add_some(browser: Client) -> None:
    assert "No video has a tag yet." in page(browser, TAGS)


def change(client: Client, tag: str, button: str, to: str = "") -> str:
    response = client.post(f"{TAG}?tag={tag}", {button: "1", "to": to})
    assert response.status_code == 302, response.content
    return str(response["Location"])


def test_a_tag_is_renamed_merged_and_the_merge_undone(browser: Client) -> None:
    make_video("One", tags=["old", "x"])
    make_video("Two", tags=["new", "old"], active=False)
    make_video("Three", tags=["new"])
    assert "in use by 2 videos" in page(browser, TAG, {"tag": "old"})
    address = change(browser, "old", "_rename", "  new ")
    html = page(browser, address)
    assert "“new” is in use already" in html
    assert "2 videos are chosen" in html
    assert sorted(Content.objects.values_list("tags", flat=True)) == [["new"], ["new", "old"], ["old", "x"]]
    response = browser.post(address, {"_confirm": "1"})
    assert response["Location"] == TAGS
    assert messages_of(response)[0].startswith("Rename a tag: 2 changed.")
    assert rows(page(browser, TAGS)) == {"new": "3", "x": "1"}
    browser.post(address, {"_undo": "1"})
    assert rows(page(browser, TAGS)) == {"new": "2", "old": "2", "x": "1"}


def test_a_new_name_that_is_not_in_use_is_no_merge(browser: Client) -> None:
    make_video("One", tags=["old"])
    assert "is in use already" not in page(browser, change(browser, "old", "_rename", "new"))


def test_a_tag_is_removed_from_all_videos(browser: Client) -> None:
    make_video("One", tags=["a", "b"])
    make_video("Two", tags=["a"])
    address = change(browser, "a", "_remove")
    assert "2 of 2 have it now." in page(browser, address)
    browser.post(address, {"_confirm": "1"})
    assert sorted(Content.objects.values_list("tags", flat=True)) == [[], ["b"]]


@pytest.mark.parametrize(
    ("to", "error"),
    [
        ("", "This field is required."),
        (" ", "This field is required."),
        ("old", "That is its name already."),
        ("x" * 65, "at most 64 characters"),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_an_invalid_name_is_refused(browser: Client, to: str, error: str) -> None:
    make_video("One", tags=["old"])
    response = browser.post(f"{TAG}?tag=old", {"_rename": "1", "to": to})
    assert error in response.content.decode()
    assert Content.objects.get().tags == ["old"]


def test_a_tag_of_any_text_can_be_renamed(browser: Client) -> None:
    for tag in ("  spaces  in it ", "a/b?c&d=é", "x" * 3000):
        video, query = make_video("One", tags=[tag]), f"?{urlencode({'tag': tag})}"
        html = page(browser, TAG, {"tag": tag})
        assert "in use by 1 videos" in html
        response = browser.post(TAG + query, {"_rename": "1", "to": "new"})
        browser.post(response["Location"], {"_confirm": "1"})
        assert Content.objects.get(video=video).tags == ["new"]


def test_who_may_see_and_change_tags() -> None:
    make_video("One", tags=["a"])
    viewer, editor = member("view_video"), member("view_video", "change_content")
    assert "Rename, merge or remove" not in page(viewer, TAGS)
    assert completions(viewer, "a") == ["a"]
    assert viewer.get(TAG, {"tag": "a"}).status_code == 403
    assert viewer.post(f"{TAG}?tag=a", {"_remove": "1"}).status_code == 403
    assert "Rename, merge or remove" in page(editor, TAGS)
    for path in (TAGS, COMPLETE, f"{VIDEOS}channels/complete/"):
        assert member().get(path).status_code == 403
        assert Client().get(path).status_code == 302


def test_names_of_channels_are_completed(browser: Client) -> None:
    for name in ("Main stage", "Main stage", "Side stage", "Foyer"):
        make_channel(name=name)
    found = browser.get(f"{VIDEOS}channels/complete/", {"prefix": "STAGE"}).json()
    assert found == {"values": ["Main stage", "Side stage"]}


def test_hostile_tags_are_shown_and_not_interpreted(browser: Client) -> None:
    hostile = '"><script>alert(1)</script>'
    make_video("One", tags=[hostile])
    for path in (TAGS, f"{TAG}?{urlencode({'tag': hostile})}"):
        html = page(browser, path)
        assert "alert(1)" in html
        assert "<script>alert" not in html


def test_the_page_of_tags_takes_a_fixed_number_of_queries(browser: Client) -> None:
    counts = []
    for many in (3, 60):
        make_video("One", tags=[f"{many}-{n}" for n in range(many)])
        with CaptureQueriesContext(connection) as captured:
            page(browser, TAGS)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 12


def test_completions_use_the_index(browser: Client, settings: Any) -> None:
    TagCount.objects.bulk_create([TagCount(tag=f"tag {n}", videos=1, listed=1) for n in range(2000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ondemand_tagcount")
        with CaptureQueriesContext(connection) as captured:
            completions(browser, "tag 199")
        statement = next(query["sql"] for query in captured if "ondemand_tagcount" in query["sql"])
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "tag_count_beginning" in plan
