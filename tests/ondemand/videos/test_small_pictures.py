"""Small versions of the picture of a video: made once, kept in the bucket, and as secret as the recording."""

from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from common import aws as aws_door
from common.aws import AwsError, AwsErrorKind
from ondemand.models import Video
from ondemand.videos.files import CatalogueReader
from ondemand.videos.thumbnails import row_picture
from ondemand.videos.uploads import picture_store
from tests.support.console import member
from tests.support.delivery import FACTS, sign_with
from tests.support.helpers import bearer, make_content
from tests.support.pictures import picture_file
from tests.support.road import BUCKET, PREFIX, put, s3
from tools.local.aws import LocalAws

pytestmark = pytest.mark.django_db
PICTURES = FACTS["thumbnails"]


@pytest.fixture
def pictured(recorded: Video) -> Video:
    """A video with pictures that are wide enough."""
    for path in PICTURES:
        put(f"{PREFIX}/{path}", picture_file("JPEG", (1280, 720)))
    return recorded


def kept() -> list[str]:
    """The names of the small pictures in the bucket."""
    listed = s3().list_objects_v2(Bucket=BUCKET, Prefix="small/")
    return [item["Key"] for item in listed.get("Contents", [])]


def urls_of(video: Video) -> Any:
    return Client().get(f"/on-demand/{video.pk}").json()["picture"]


@pytest.mark.parametrize("delivery", ["direct", "signed"])
def test_small_pictures_are_made_once_and_kept(pictured: Video, aws: LocalAws, settings: Any, delivery: str) -> None:
    if delivery == "signed":
        sign_with(settings, aws, "ecdsa")
    urls = urls_of(pictured)
    base = f"http://testserver/play/{pictured.pk}/small"
    assert urls == {"320": f"{base}/320/{PICTURES[1]}", "640": f"{base}/640/{PICTURES[1]}"}
    for width, url in urls.items():
        answer = Client().get(url)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
        assert answer["Cache-Control"].startswith("public, max-age=120,")
        assert Image.open(BytesIO(answer.content)).size == (int(width), int(width) * 9 // 16)
    assert len(kept()) == 2
    # The large one is not read again.
    s3().delete_object(Bucket=BUCKET, Key=f"{PREFIX}/{PICTURES[1]}")
    assert Client().get(urls["320"]).status_code == 200


def test_the_chosen_picture_is_the_one_that_is_made_small(pictured: Video) -> None:
    content = make_content(pictured, thumbnail=pictured.url_of(PICTURES[2]) or "")
    assert urls_of(pictured)["320"].endswith(PICTURES[2])
    # The page of a moment ago; nobody fills the bucket with the others.
    old = Client().get(f"/play/{pictured.pk}/small/320/{PICTURES[0]}")
    assert (old.status_code, old["Location"], kept()) == (302, pictured.url_of(PICTURES[0]), [])
    content.thumbnail = picture_store(picture_file("JPEG", (1000, 500)))
    content.save()
    uploaded = Client().get(urls_of(pictured)["640"])
    assert Image.open(BytesIO(uploaded.content)).size == (640, 320)
    content.thumbnail = "https://pictures.example.org/a.jpg"
    content.save()
    assert urls_of(pictured) is None


def test_the_large_picture_is_loaded_where_none_can_be_made(pictured: Video) -> None:
    url, large = urls_of(pictured)["320"], f"{PREFIX}/{PICTURES[1]}"

    def is_redirected() -> bool:
        answer = Client().get(url)
        assert answer["Cache-Control"].startswith("public, max-age=120,")
        return (answer.status_code, answer["Location"]) == (302, pictured.url_of(PICTURES[1]))

    s3().delete_object(Bucket=BUCKET, Key=large)
    assert is_redirected()
    assert kept() == []
    put(large, b"no picture")
    assert is_redirected()
    # It is not read and decoded for each visitor.
    put(large, picture_file("JPEG", (1280, 720)))
    assert is_redirected()
    assert len(kept()) == 1


def test_below_the_small_pictures_are_no_other_files(pictured: Video) -> None:
    assert Client().get(f"/play/{pictured.pk}/small/320/master.m3u8").status_code == 404


def test_a_role_that_may_not_write_small_pictures_makes_them_each_time(
    pictured: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(**_: Any) -> None:
        raise AwsError("PutObject", "small", AwsErrorKind.DENIED, "Access Denied")

    monkeypatch.setattr(aws_door, "object_write", denied)
    assert Client().get(urls_of(pictured)["320"])["Content-Type"] == "image/webp"
    assert kept() == []


def test_small_pictures_are_as_secret_as_the_recording(pictured: Video, api_key: str) -> None:
    url = urls_of(pictured)["320"]
    for change in ({"active": False}, {"active": True, "playback": "grant"}):
        Client().patch(f"/on-demand/{pictured.pk}", change, "application/json", headers=bearer(api_key))
        assert Client().get(url).status_code == 404
        by_token = Client().get(url, headers=bearer(api_key))
        assert (by_token.status_code, by_token["Cache-Control"]) == (200, "private, no-store")
        # Lists of the admin would load all of theirs again.
        by_session = member("curate").get(url)
        assert (by_session.status_code, by_session["Cache-Control"]) == (200, "private, max-age=120")
    video = Video.objects.with_content().get()
    assert row_picture(video, CatalogueReader(is_curator=True)) == f"/play/{video.pk}/small/320/{PICTURES[1]}"
    assert row_picture(video, CatalogueReader(is_curator=False)) is None
