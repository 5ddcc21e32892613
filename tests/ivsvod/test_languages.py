"""The language of pages is that of their reader; the API speaks English."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from ivsvod.accounts.models import User
from tests.support.helpers import make_channel, make_video
from tests.support.settings import NEEDED, shown

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}


@pytest.mark.parametrize(
    ("asked", "language", "heading"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de", "Noch keine Videos"),
        ("fr, en;q=0.1, es-MX;q=0.7", "es", "Todavía no hay vídeos"),
        ("fr", "en", "No videos yet"),
        ("*", "en", "No videos yet"),
        ("nonsense;;q=x\x00", "en", "No videos yet"),
        ("", "en", "No videos yet"),
    ],
)
def test_the_catalogue_is_in_the_first_language_of_the_browser_that_it_has(
    asked: str, language: str, heading: str
) -> None:
    # Caches do not distinguish cookies: none decides.
    client = Client()
    client.cookies["django_language"] = "es"
    response = client.get("/", headers={"Accept-Language": asked})
    assert f'<html lang="{language}" dir="ltr"' in " ".join(response.content.decode().split())
    assert heading in response.content.decode()
    assert response["Content-Language"] == language
    assert "Accept-Language" in response["Vary"]
    missing = client.get("/nowhere", headers={"Accept-Language": asked, "Accept": "text/html"})
    assert (missing.status_code, missing["Content-Language"]) == (404, language)


def test_a_language_has_a_version_of_its_own() -> None:
    versions = {language: Client().get("/", headers={"Accept-Language": language})["ETag"] for language in ("en", "de")}
    for language, status in (("de", 304), ("en", 200)):
        held = {"If-None-Match": versions["de"], "Accept-Language": language}
        response = Client().get("/", headers=held)
        assert (response.status_code, "Accept-Language" in response["Vary"]) == (status, True)


def test_the_admin_is_in_the_language_of_the_browser_refusals_and_messages_included(client: Client) -> None:
    assert "Passwort" in client.get("/admin/login/", headers=GERMAN).content.decode()
    client.force_login(User.objects.create_superuser("boss"))
    response = client.get("/admin/", headers=GERMAN)
    assert "Handlungsbedarf" in response.content.decode()
    assert "Accept-Language" in response["Vary"]
    missing = client.get("/admin/nowhere/", headers={**GERMAN, "Accept": "text/html"})
    assert "Unter dieser Adresse gibt es nichts" in missing.content.decode()
    saved = client.post("/admin/account/preferences/", {"time_zone": ""}, headers=GERMAN, follow=True)
    assert "Die Einstellungen wurden gespeichert." in saved.content.decode()


@pytest.mark.parametrize("fixed", ["", "de"])
def test_the_api_speaks_english_whatever_the_caller_or_the_setting_says(settings: Any, fixed: str) -> None:
    if fixed:
        settings.LANGUAGES, settings.LANGUAGE_CODE = [("de", "German")], "de"
    video, channel = make_video(), make_channel()
    paths = [
        "/on-demand?min_duration=x&started_after=x",
        "/on-demand?pageSize=1&unknown=1",
        f"/on-demand/{uuid4()}",
        f"/on-demand/{video.pk}",
        f"/channels/{channel.pk}",
        "/channels?owner=x",
        "/nowhere",
        "/docs",
    ]
    for path in paths:
        plain, german = Client().get(path), Client().get(path, headers=GERMAN)
        assert german.content == plain.content
        assert "Accept-Language" not in german.get("Vary", "")
        assert "Content-Language" not in german
    # A sentence of Django REST framework, which has it in German, too.
    assert "not allowed" in Client().delete("/tags", headers=GERMAN).json()["error"]


def test_a_setting_makes_one_language_that_of_all_readers(settings: Any) -> None:
    assert shown(NEEDED, "LANGUAGE_CODE", "LANGUAGES") == [
        "en",
        [["de", "German"], ["en", "English"], ["es", "Spanish"]],
    ]
    settings.LANGUAGE_CODE, settings.LANGUAGES = shown({**NEEDED, "LANGUAGE_CODE": "es"}, "LANGUAGE_CODE", "LANGUAGES")
    assert "Todavía no hay vídeos" in Client().get("/", headers=GERMAN).content.decode()
