"""The watch of the test run finds a secret on each way on which one could leak; see `tests/support/leaks.py`."""

import gzip
import json
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from channels_app.channels.viewer_tokens import ViewerClaims, viewer_token
from channels_app.models import AuditEntry, Channel
from common.aws.ivs import IvsStreamKey
from common.errors import ServiceError
from ivsvod.accounts.models import User
from ondemand.models import PlaybackGrant
from ondemand.playback.grants import GrantRequest, grant_url, video_grant_create
from ondemand.playback.signing import configured_signer
from tests import conftest
from tests.support import leaks
from tests.support.console import CHANNELS, page
from tests.support.delivery import sign_with
from tests.support.helpers import STREAM_KEY, bearer, make_channel, make_token, make_video
from tests.support.leaks import WATCH
from tests.support.private_playback import make_key, private_pem, use_playback_key
from tools.local.aws import LocalAws
from tools.openapi.document import document

pytestmark = pytest.mark.django_db
logger = logging.getLogger("ivsvod.a_part")
SHOWS_KEY = f"shows a secret: {leaks.ENCRYPTED}"


@pytest.fixture
def leaking(db: None) -> Channel:
    """A channel whose name is its stream key, so that all that shows the name shows the key."""
    WATCH.is_meant = True
    return make_channel(name=STREAM_KEY)


def found(leak: Callable[[], object]) -> set[str]:
    """What the watch finds while something leaks."""
    with WATCH.caught() as places:
        leak()
    return set(places)


# Each way


def test_in_a_line_of_the_log(leaking: Channel) -> None:
    place = f"a line of the log of ivsvod.a_part {SHOWS_KEY}"
    assert found(lambda: logger.warning("made %s", leaking.pk)) == set()
    assert found(lambda: logger.warning("made %s", leaking)) == {place}

    def fail() -> None:
        try:
            raise ValueError(STREAM_KEY)
        except ValueError:
            logger.exception("it failed")

    assert found(fail) == {place}


def test_in_an_answer_its_headers_and_an_error(leaking: Channel) -> None:
    client = Client()
    place = f"the answer to GET channel-list {SHOWS_KEY}"
    assert found(lambda: client.get("/channels")) == {place}
    by_header = found(lambda: client.get("/healthz", headers={"X-Request-ID": STREAM_KEY}))
    assert any("a header of the answer to GET" in each for each in by_header)
    assert found(lambda: ServiceError(f"no {STREAM_KEY}")) == {f"an error ServiceError {SHOWS_KEY}"}
    assert found(lambda: CommandError(f"no {STREAM_KEY}")) == {f"the error of a command {SHOWS_KEY}"}


def test_in_a_compressed_answer_and_in_a_cookie(leaking: Channel) -> None:
    request, response = HttpRequest(), HttpResponse(STREAM_KEY * 100)
    request.method, request.path_info, request.resolver_match = "GET", "/channels", resolve("/channels")
    response.set_cookie("messages", STREAM_KEY)
    answer = f"the answer to GET channel-list {SHOWS_KEY}"
    assert found(lambda: WATCH.search_answer(request, response)) == {answer, f"a cookie of {answer}"}
    response = HttpResponse(gzip.compress(STREAM_KEY.encode()), headers={"Content-Encoding": "gzip"})
    assert found(lambda: WATCH.search_answer(request, response)) == {answer}


def test_on_a_page_of_the_admin(browser: Client, leaking: Channel) -> None:
    places = found(lambda: page(browser, CHANNELS))
    assert places == {f"the answer to GET admin:channels_app_channel_changelist {SHOWS_KEY}"}


def test_in_the_rows_of_the_audit_log_a_session_and_a_repr(browser: Client, leaking: Channel) -> None:
    places = found(WATCH._search_rows)
    assert f"a row of {AuditEntry._meta.db_table} {SHOWS_KEY}" in places
    session = browser.session
    session["messages"] = STREAM_KEY
    session.save()
    assert f"a session {SHOWS_KEY}" in found(WATCH._search_rows)
    at_end = found(WATCH.end)
    assert f"the repr of Channel {SHOWS_KEY}" in at_end


def test_in_the_description_of_the_api(leaking: Channel) -> None:
    examples = json.dumps(document())
    assert found(lambda: WATCH.search(examples, "openapi.json")) == set()
    leaky = examples.replace("sk_eu-west-1_AbCdEfGhIjKl_shown-once", STREAM_KEY)
    assert found(lambda: WATCH.search(leaky, "openapi.json")) == {f"openapi.json {SHOWS_KEY}"}
    # What looks like a key that is in use is in no example either.
    assert not re.search(r"eyJ[\w-]{8,}\.|-----BEGIN|AKIA[0-9A-Z]{16}|sk_[\w-]+_[A-Za-z0-9]{20,}", examples)


def test_in_each_form_in_which_a_text_is_written() -> None:
    secret = 'a"key<with>a\\sign&a space'
    WATCH.plant(secret, "key")
    for text in (
        secret,
        json.dumps({"a": secret}),
        quote(secret, safe=""),
        "a&quot;key&lt;with&gt;a\\sign&amp;a space",
    ):
        assert found(lambda text=text: WATCH.search(f"-{text}-", "it")) == {"it shows a secret: key"}, text


# Each secret


def test_each_secret_is_planted_when_it_is_made(
    aws: LocalAws, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.AUTH_API_KEY = "the shared key of this test"
    sign_with(settings, aws, "ecdsa")
    use_playback_key(aws, settings)
    User.objects.create_user("ada", password="a long password of ada")
    request = GrantRequest(viewer="", ttl=timedelta(hours=1), by=make_token("read")[0].user.pk)
    grant = video_grant_create(video=make_video(playback="grant"), request=request)
    token = viewer_token(
        ViewerClaims(channel_arn="arn"),
        private_key=private_pem(make_key()),
        at=timezone.now(),
        ttl=timedelta(minutes=1),
    )
    call_command("create_api_token", "Website", scope="read")
    made = {
        leaks.ENCRYPTED: make_channel().reveal_stream_key(),
        leaks.API_TOKEN: make_token("read")[1],
        f"{leaks.API_TOKEN} of a command": capsys.readouterr().out.strip().splitlines()[-1],
        leaks.GRANT: urlsplit(grant_url(grant, "https://a/")).path.split("/")[3],
        leaks.JWT: token.value,
        leaks.PASSWORD: "a long password of ada",
        "AUTH_API_KEY": settings.AUTH_API_KEY,
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_ENCRYPTION_KEYS": settings.FIELD_ENCRYPTION_KEYS[0],
        "CLOUDFRONT_PRIVATE_KEY": settings.CLOUDFRONT_PRIVATE_KEY,
        "IVS_PLAYBACK_PRIVATE_KEY": settings.IVS_PLAYBACK_PRIVATE_KEY,
    }
    for kind, secret in made.items():
        assert any(
            each.startswith("it shows a secret: " + kind.partition(" of a command")[0])
            for each in found(lambda secret=secret: WATCH.search(f"x {secret} x", "it"))
        ), kind
    assert PlaybackGrant.objects.get().digest not in made.values()


def test_an_answer_that_is_meant_to_show_a_secret_may_show_that_kind_alone(
    aws: LocalAws, settings: Any, api_key: str
) -> None:
    sign_with(settings, aws, "ecdsa")
    path = f"/on-demand/{make_video(playback='grant').pk}/playback-grants"

    def grant(viewer: str) -> Any:
        return Client().post(path, {"viewer": viewer}, "application/json", headers=bearer(api_key))

    assert found(lambda: grant("a")) == set()
    request, response = HttpRequest(), HttpResponse(f"{STREAM_KEY} {grant('b').content.decode()}")
    request.method, request.path_info, request.resolver_match = "POST", path, resolve(path)
    make_channel()
    shown = found(lambda: WATCH.search_answer(request, response))
    assert shown == {f"the answer to POST video-grant-list {SHOWS_KEY}"}


# The end


def test_a_leak_fails_its_test_and_the_failure_does_not_show_the_secret() -> None:
    make_channel()
    call = conftest.pytest_runtest_call()
    next(call)
    with pytest.raises(pytest.fail.Exception, match=re.escape(SHOWS_KEY)) as failure, WATCH.caught():
        logger.warning("made %s", STREAM_KEY)
        call.send(None)
    assert STREAM_KEY not in str(failure.value)


def test_what_holds_a_secret_does_not_show_it_by_its_repr(aws: LocalAws, settings: Any) -> None:
    sign_with(settings, aws, "ecdsa")
    key = IvsStreamKey(arn="arn:key", value=STREAM_KEY)
    token = viewer_token(
        ViewerClaims(channel_arn="arn"), private_key=private_pem(make_key()), at=timezone.now(), ttl=timedelta(hours=1)
    )
    make_channel()
    for held in (configured_signer(), key, token):
        assert found(lambda held=held: WATCH.search(repr(held), "a repr")) == set()
    assert token.value not in repr(token)
