"""The lines of the log."""

import logging

import pytest

from common.rest.request_ids import LineFormatter

TOKEN = "KzrRFYUgkau5sssqy62y06Yq_ejsXJ-Iz_5Bb7FLtMk"
JWT = "eyJhbGciOiJFUzM4NCJ9.eyJleHAiOjE3OTU5NX0.c2lnbmF0dXJl-_x"


@pytest.mark.parametrize(
    "text",
    [
        f'"GET /play/g/{TOKEN}/master.m3u8 HTTP/1.1" 200',
        f"Not Found: /play/%67/{TOKEN}",
        f"/play/g%2f{TOKEN}/master.m3u8",
        f"/admin/ondemand/video/?q=http%3A%2F%2Fvod.example.com%2Fplay%2Fg%2F{TOKEN}%2Fmaster.m3u8",
        f"/play/g/%20{TOKEN}",
        f"/api/video/v1/channel.m3u8?token={JWT} 200",
    ],
)
def test_no_line_has_the_token_of_a_grant_or_of_ivs(text: str) -> None:
    line = LineFormatter("%(message)s").format(logging.makeLogRecord({"msg": text}))
    assert "***" in line
    assert not any(part in line for part in (TOKEN, TOKEN[5:30], JWT.split(".")[2]))


def test_ids_and_digests_stay_readable() -> None:
    text = f"event_id=60e4fc25-7d35-4c8a-b06e-6d0f4f7ddfd5 sha256={'ab' * 32} prefix=ivs/v1/111122223333/AjIhKtJ0RlgL"
    assert LineFormatter("%(message)s").format(logging.makeLogRecord({"msg": text})) == text
