"""Times and addresses in descriptions become links."""

import pytest

from ivsvod.site.templatetags.link_times import link_times


def time(start: int, shown: str) -> str:
    return f'<a href="?t={start}" data-seek="{start}">{shown}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("1:02:03 topic", f"{time(3723, '1:02:03')} topic"),
        (
            "0:00 Start\n(2:03) Panel, 90:00.",
            f"{time(0, '0:00')} Start\n({time(123, '2:03')}) Panel, {time(5400, '90:00')}.",
        ),
        ("2:03 – 3:00", f"{time(123, '2:03')} – {time(180, '3:00')}"),  # noqa: RUF001
        # Behind the end, or no time of a recording.
        ("2:00:00 2:60 1:2 12:30pm a1:02 1:02:03:04 1:02/3", "2:00:00 2:60 1:2 12:30pm a1:02 1:02:03:04 1:02/3"),
        ("<b>&</b> 0:01 <i>", f"&lt;b&gt;&amp;&lt;/b&gt; {time(1, '0:01')} &lt;i&gt;"),
        (
            "https://a.org/1:02?a=1&b=2 0:02",
            f'<a href="https://a.org/1:02?a=1&amp;b=2">https://a.org/1:02?a=1&amp;b=2</a> {time(2, "0:02")}',
        ),
        ("", ""),
    ],
)
def test_times_below_the_length_and_addresses_are_links_and_the_rest_is_escaped(text: str, html: str) -> None:
    assert link_times(text, 7200) == html
