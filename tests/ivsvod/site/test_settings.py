"""Where the public pages of a video are, and the settings that say so."""

from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured
from environs import EnvError

from ondemand.videos.links import embed_code, video_embed_url, video_page_url
from tests.support.settings import NEEDED, settings_of, shown

UUID_OF_A_VIDEO = UUID("27a5c3ce-0539-5cc3-9cce-015067fe390c")
BASE = "https://api.example.com/"


def test_the_page_is_off_and_its_player_may_be_framed_unless_settings_say_otherwise() -> None:
    names = ("CATALOGUE_PAGE", "VIDEO_PAGE_URL", "EMBED_ANCESTORS")
    assert shown(NEEDED, *names) == [False, "", ["*"]]
    chosen = {
        "CATALOGUE_PAGE": "true",
        "VIDEO_PAGE_URL": "https://www.example.com/watch/{uuid}",
        "EMBED_ANCESTORS": "self,https://*.example.com:8443,https:",
    }
    ancestors = ["'self'", "https://*.example.com:8443", "https:"]
    assert shown({**NEEDED, **chosen}, *names) == [True, chosen["VIDEO_PAGE_URL"], ancestors]
    assert shown({**NEEDED, "EMBED_ANCESTORS": ""}, "EMBED_ANCESTORS") == [[]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CATALOGUE_PAGE", "perhaps"),
        ("VIDEO_PAGE_URL", "https://www.example.com/watch"),
        ("VIDEO_PAGE_URL", "/watch/{uuid}"),
        ("VIDEO_PAGE_URL", "javascript:{uuid}"),
        ("EMBED_ANCESTORS", "https://a.example.com; script-src *"),
        ("EMBED_ANCESTORS", "https://a.example.com/path"),
        ("EMBED_ANCESTORS", "'unsafe-inline'"),
        ("EMBED_ANCESTORS", "https://a.example.com,,"),
    ],
)
def test_nonsense_is_refused_by_the_name_of_the_variable(name: str, value: str) -> None:
    with pytest.raises((EnvError, ImproperlyConfigured), match=name):
        settings_of({**NEEDED, name: value})


def test_a_video_has_the_page_of_the_team_or_that_of_the_catalogue(settings: Any) -> None:
    watch, embed = f"{BASE}watch/{UUID_OF_A_VIDEO}", f"{BASE}embed/{UUID_OF_A_VIDEO}"
    assert (video_page_url(UUID_OF_A_VIDEO, BASE), video_embed_url(UUID_OF_A_VIDEO, BASE)) == (watch, embed)
    settings.VIDEO_PAGE_URL = "https://www.example.com/{uuid}/?v={uuid}"
    page = f"https://www.example.com/{UUID_OF_A_VIDEO}/?v={UUID_OF_A_VIDEO}"
    assert (video_page_url(str(UUID_OF_A_VIDEO), BASE), video_embed_url(UUID_OF_A_VIDEO, BASE)) == (page, embed)
    settings.CATALOGUE_PAGE = False
    assert (video_page_url(UUID_OF_A_VIDEO, BASE), video_embed_url(UUID_OF_A_VIDEO, BASE)) == (page, None)
    settings.VIDEO_PAGE_URL = ""
    assert video_page_url(UUID_OF_A_VIDEO, BASE) is None


def test_the_embed_code_is_text_in_which_a_title_stays_a_title(settings: Any) -> None:
    code = embed_code(UUID_OF_A_VIDEO, ' "Morning" <show> ', BASE)
    assert code == (
        f'<iframe src="{BASE}embed/{UUID_OF_A_VIDEO}" title="&quot;Morning&quot; &lt;show&gt;"'
        ' width="640" height="360" loading="lazy" frameborder="0" allowfullscreen></iframe>'
    )
    # A template must escape it.
    assert type(code) is str
    assert 'title="Video"' in str(embed_code(UUID_OF_A_VIDEO, " ", BASE))
    settings.EMBED_ANCESTORS = []
    assert embed_code(UUID_OF_A_VIDEO, "Show", BASE) is None
