"""What makes the pages the operator's own, and that each colour stays readable."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.template import engines
from django.test import Client
from hypothesis import given
from hypothesis.strategies import integers

from ivsvod.branding import colour_style, contrast
from tests.support.console import page
from tests.support.helpers import make_account
from tests.support.settings import NEEDED, shown

OWN = {
    "SITE_NAME": "Acme & Co",
    "SITE_LOGO": "https://www.example.com/logo.svg",
    "SITE_COLOUR": "#ffd400",
    "SITE_FOOTER": "Imprint=https://www.example.com/imprint, Privacy=/privacy?a=b",
}


@pytest.fixture
def own(settings: Any) -> None:
    for name, value in zip(OWN, shown({**NEEDED, **OWN}, *OWN), strict=True):
        setattr(settings, name, value)


def colours(style: str, name: str) -> list[str]:
    """The colours of a variable: of both schemes, or of the one that it has."""
    (value,) = re.findall(rf"--{name}: (.*);", style)
    return re.findall(r"#[0-9a-f]{6}", value)


@given(integers(0, 0xFFFFFF))
def test_every_colour_is_readable_in_both_schemes(number: int) -> None:
    style = colour_style(f"#{number:06x}")
    light, dark = colours(style, "link")
    for backgrounds, link in ((("#ffffff", "#f1f4f8", "#e3edfb"), light), (("#10151c", "#212121", "#1d3357"), dark)):
        assert all(contrast(link, background) >= 4.5 for background in backgrounds)
    for scheme, text in enumerate(colours(style, "on-strong")):
        assert contrast(text, colours(style, "strong")[scheme]) >= 4.5
    assert contrast(colours(style, "header-color")[0], colours(style, "secondary")[0]) >= 4.5


def test_a_colour_that_is_readable_stays_as_it_is() -> None:
    assert colours(colour_style("#0B6E4F"), "link")[0] == "#0b6e4f"


@pytest.mark.django_db
def test_name_logo_colour_and_links_are_on_each_page_of_catalogue_and_admin(own: None) -> None:
    client = Client()
    start, sign_in = page(client, "/"), page(client, "/admin/login/")
    client.force_login(make_account(is_staff=True))
    for html in (start, sign_in, page(client, "/admin/")):
        assert "Acme &amp; Co" in html
        assert '<img src="https://www.example.com/logo.svg"' in html
        (address,) = re.findall(r'href="(/site.css[^"]*)"', html)
        # The last style sheet of the base: it changes variables of those before it.
        assert html.index(address) > max(
            html.index(name) for name in re.findall(r"(?:catalogue|admin)\.\w+\.css", html)
        )
    assert "<title>Acme &amp; Co</title>" in " ".join(start.split()).replace("> ", ">").replace(" <", "<")
    assert re.findall(r'<a href="([^"]*)"><bdi>(\w+)</bdi>', start.split("<footer")[1]) == [
        ("https://www.example.com/imprint", "Imprint"),
        ("/privacy?a=b", "Privacy"),
    ]
    answer = client.get(address)
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("text/css", "public, max-age=86400")
    assert answer.content.decode() == colour_style("#ffd400")


def test_the_policy_allows_the_logo_and_nothing_is_added_without_one() -> None:
    (policy,) = shown({**NEEDED, **OWN}, "CONTENT_SECURITY_POLICY")
    assert "https://www.example.com" in policy["DIRECTIVES"]["img-src"]
    assert shown({**NEEDED, "SITE_LOGO": "/logo.svg"}, "CONTENT_SECURITY_POLICY") == shown(
        NEEDED, "CONTENT_SECURITY_POLICY"
    )
    assert Client().get("/site.css").status_code == 404


@pytest.mark.django_db
def test_templates_of_the_operator_come_first(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "catalogue" / "extra_head.html").write_text('<meta name="theme-color" content="#0b6e4f">')
    (templates,) = shown({**NEEDED, "TEMPLATES_DIR": str(tmp_path)}, "TEMPLATES")
    assert templates[0]["DIRS"][0] == str(tmp_path)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": templates[0]["DIRS"]}]
    assert '<meta name="theme-color" content="#0b6e4f">' in page(Client(), "/").split("</head>")[0]
    assert engines["django"].engine.dirs[0] == str(tmp_path)


@pytest.mark.parametrize("path", ["/nothing", "/watch", "/watch/a/b/c", "/favicon.ico"])
def test_a_browser_gets_a_page_where_there_is_nothing_and_a_program_the_error(path: str, own: None) -> None:
    found = Client().get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (found.status_code, found["Content-Type"], found["Cache-Control"]) == (
        404,
        "text/html; charset=utf-8",
        "no-store",
    )
    html = found.content.decode()
    assert "There is nothing here" in html
    assert "Acme &amp; Co" in html
    assert '<meta name="robots" content="noindex">' in html
    assert Client().get(path).json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/on-demand/a/b", "/channels/a/b/c", "/play/x", "/docs/x", "/healthz/x", "/tags/x/y"])
def test_what_lies_below_the_api_is_an_error_of_the_api(path: str) -> None:
    assert Client().get(path, headers={"Accept": "text/html"}).json()["code"] == "not_found"
