"""Every text that people see can be translated: every page in a pseudo-language.

In the pseudo-language each letter of what is translated is a wide one, so that a plain letter on a page is either data
or a text that no translator reaches. What people write is in Greek here.
"""

import re
from datetime import timedelta
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.admin import site
from django.contrib.auth.models import Group
from django.contrib.messages import get_messages
from django.db import transaction
from django.db.models import Value
from django.test import Client
from django.utils import timezone, translation

from channels_app.envelopes import DETAIL_TYPES
from channels_app.models import AuditEntry, Channel, ChannelType, InboxEvent, LatencyMode, ReportedDifference, Stream
from channels_app.models.differences import DifferenceKind
from channels_app.streams.history import KINDS
from common.audit import Actor, Way, acting, audited
from ivsvod.accounts.models import User
from ivsvod.accounts.services import api_token_create
from ondemand.models import BulkChange, BulkChangeRow, PlaybackGrant, SearchWord, Video
from tests.ivsvod.console.test_roles import TABLE, filled, routes
from tests.support.console import happened, make_channel, make_event, make_stream, make_video
from tools.local.aws import LocalAws

pytestmark = pytest.mark.slow

_KEPT = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{[^{}]*\}|<[^<>]+>|&#?\w+;")
_WIDE = {letter: letter + 0xFEE0 for letter in [*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)]}


def pseudo(text: str) -> str:
    """The text in the pseudo-language; placeholders and tags stay."""
    plain, kept = _KEPT.split(text), [*_KEPT.findall(text), ""]
    return "".join(part.translate(_WIDE) + left for part, left in zip(plain, kept, strict=True))


@pytest.fixture
def pseudo_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every catalogue of every library and of ours, in the pseudo-language."""
    functions: dict[str, Any] = {
        "gettext": pseudo,
        "pgettext": lambda _context, text: pseudo(text),
        "ngettext": lambda one, many, number: pseudo(str(one if number == 1 else many)),
        "npgettext": lambda _context, one, many, number: pseudo(str(one if number == 1 else many)),
    }
    for name, function in functions.items():
        monkeypatch.setattr(translation._trans, name, function, raising=False)


# Attributes that people see or hear; of `data-…`, which hold words for scripts too, those of several words.
_SAID = {"title", "alt", "aria-label", "aria-description", "aria-roledescription", "placeholder", "label"}
_SILENT = {"script", "style", "code", "kbd", "pre", "textarea"}


class Texts(HTMLParser):
    """The texts of a page. What stands in `code`, `pre` and text boxes is data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        given = {name: value or "" for name, value in attrs}
        is_button = tag == "input" and given.get("type") in {"submit", "button", "reset"}
        is_shown = tag == "meta" and given.get("name", given.get("property", "")).endswith(("description", "title"))
        for name, value in given.items():
            if (
                name in _SAID
                or (name == "value" and is_button)
                or (name == "content" and is_shown)
                or (name.startswith("data-") and " " in value and not value.startswith(("{", "[", "/", "http")))
            ):
                self.texts.append(value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._silent -= tag in _SILENT

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)


# What is no text of ours to translate, and why.
_IVS_WORDS = sorted((*set(DETAIL_TYPES.values()), *DETAIL_TYPES, *ChannelType.values, *LatencyMode.values), key=len)[
    ::-1
]
DATA = (
    # Times as `zoned` and libraries write them, and units.
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: \w+|\.\d+\+00:00)",
    r"\bUTC\b",
    r"\d ms\b",
    # Ids, keys and addresses.
    r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b",
    r"\b(?:https?|rtmps)://\S+",
    r"\barn:\S+",
    r"\bivs/v1/\S+",
    r"\bivsvod-recordings\b",
    r"\bst-\w+",
    r"\bsk_[\w-]+",
    # What is copied into other pages.
    r"<iframe .*></iframe>",
    # The words of Amazon IVS, as its console and its documentation have them.
    rf"\b(?:{'|'.join(_IVS_WORDS)})\b",
    # Names of rows that a migration made.
    r"\b(?:Channel managers|Curators|Viewers)\b",
    # What Django and django-axes write themselves: the alternative text of an icon, an address that is not known, and
    # what an object of theirs is called.
    r"^(?:True|False|None)$",
    r"^<unknown>$",
    r"\b(?:Attempted Access:|Access Log for) ",
    # What a script fills in.
    r"\{\w+\}",
    # The name of the program.
    r"\bivsvod\b",
)
_DATA = re.compile("|".join(DATA))
# The zones of the machine are one long list of names; permissions and groups are rows.
_NAMES = re.compile(r'<select name="(?:time_zone|permissions|user_permissions|groups)".*?</select>', re.DOTALL)
# What the audit log holds, as it is stored.
_VALUES = re.compile(r'<bdi>[^<]*</bdi> → <bdi>[^<]*</bdi>|<td class="value">.*?</td>', re.DOTALL)


def untranslated(html: str) -> list[str]:
    """The texts of a page that hold a plain letter which is no data."""
    shown = _VALUES.sub("", _NAMES.sub("", html))
    return [text.strip() for text in Texts(shown).texts if re.search("[A-Za-z]", _DATA.sub("", text))]


@pytest.fixture
def world(db: None, aws: LocalAws) -> dict[str, Any]:
    """Rows in every state that a page tells apart; those that have pages, by the beginning of their routes."""
    AuditEntry.objects.all().delete()
    with acting(Actor(Way.COMMAND, "εντολή", operation=uuid4().hex)), audited():
        channel = make_channel(name="Κανάλι")
        make_channels()
        stream = make_streams(channel)
        video = make_videos(channel)
    for outcome in InboxEvent.Outcome:
        event = make_event(outcome=outcome, error="σφάλμα", detail_type="IVS Stream State Change", name="Stream Start")
    for kind in DifferenceKind:
        difference = ReportedDifference.objects.create(kind=kind, key=kind, would="γράψε", problem="σφάλμα")
    sign_in = {"username": "άδα", "ip_address": "192.0.2.1", "user_agent": "", "http_accept": "", "path_info": ""}
    for expiry in (None, timedelta(days=-1), timedelta(days=1)):
        token, _ = api_token_create(name="Ιστός", account="ιστός", scopes=["read"], expires_in=expiry)
    return {
        "accounts/apitoken": token.pk,
        "accounts/user": User.objects.create_user("άδα").pk,
        "auth/group": Group.objects.create(name="Ομάδα").pk,
        "axes/accessattempt": AccessAttempt.objects.create(**sign_in, failures_since_start=1).pk,
        "axes/accesslog": AccessLog.objects.create(**sign_in).pk,
        "channels_app/auditentry": AuditEntry.objects.filter(object_pk=str(video.pk)).latest("pk").pk,
        "channels_app/channel": channel.pk,
        "channels_app/inboxevent": event.pk,
        "channels_app/reporteddifference": difference.pk,
        "channels_app/stream": stream.pk,
        "ondemand/playbackgrant": make_grants(video, channel).pk,
        "ondemand/video": video.pk,
        "<uuid:change_uuid>": make_bulk_changes(video).pk,
    }


def make_channels() -> None:
    for status in Channel.Status:
        make_channel(name="Σκηνή", status=status, stream_key="", type="BASIC", latency_mode="LOW", private=True)


def make_streams(channel: Channel) -> Stream:
    """One that is over, with all that can happen to a stream, and those that are in other states."""
    make_stream(channel, "st-4", start=90)
    make_stream(make_channel(name="Σκηνή"), "st-3", start=0)
    make_stream(channel, "st-2", start=-90)
    make_stream(channel, "")
    stream = make_stream(channel, "st-1", start=0, end=50)
    Stream.objects.filter(pk=stream.pk).update(start_reconciled=True)
    for minute, name in enumerate(KINDS):
        detail = {"limit_value": 5, "exceeded_by": 1, "limit_unit": "μ", "reason": "αιτία"}
        happened(stream, name, minute, detail=detail)
    return stream


def make_videos(channel: Channel) -> Video:
    """One that anyone finds, with all that a page shows of it, and those that are in other states."""
    later, earlier = (timezone.now() + timedelta(days=days) for days in (1, -1))
    states: list[dict[str, Any]] = [
        {"status": "recording", "qa": None, "active": None},
        {"status": "failed", "qa": "failed", "active": None},
        {"status": None, "started_at": None, "duration_ms": None},
        {"active": False},
        {"held": True, "held_by_check": True, "qa": "warning"},
        {"visibility": "unlisted", "awaits_review": True},
        {"publish_from": later},
        {"publish_until": earlier},
    ]
    for state in states:
        make_video(None, channel=None, **state)
    video = make_video(
        "Έναρξη",
        ["νέα"],
        channel=channel,
        stream_ids=["st-1"],
        qa="ok",
        started_at=timezone.now() - timedelta(hours=3),
        metadata={"κλειδί": 1},
    )
    make_video(None, channel=channel, duplicate_of=video)
    return video


def make_grants(video: Video, channel: Channel) -> PlaybackGrant:
    """One in each state for a viewer, and one of a channel with the limits of a token of IVS."""
    later, earlier = (timezone.now() + timedelta(days=days) for days in (1, -1))
    made = {"viewer": "θεατής", "by": UUID(int=1), "by_name": "άδα"}
    for state in ({"expires_at": earlier}, {"expires_at": None}, {"revoked_at": earlier}, {"viewer": ""}):
        PlaybackGrant.objects.create(video=video, **{**made, "expires_at": later, **state})
    claims = {"origins": [], "single_use": True, "maximum_resolution": None}
    return PlaybackGrant.objects.create(channel=channel, expires_at=later, claims=claims, **made)


def make_bulk_changes(video: Video) -> BulkChange:
    """Done and undone ones of each kind; the last one waits for its confirmation."""
    now = timezone.now()
    values = {"tags": ["νέα"], "to": "παλιά", "publish_from": now.isoformat(), "publish_until": None}
    outcomes = dict.fromkeys(BulkChangeRow.Outcome.values, 2)
    made = {"by": UUID(int=1), "by_name": "άδα", "chosen": 1, "values": values, "outcomes": outcomes}
    for kind in BulkChange.Kind:
        BulkChange.objects.create(kind=kind, state="done", **made)
    BulkChange.objects.create(kind="hide", state="undone", **made)
    change = BulkChange.objects.create(kind="hide", state="done", **made)
    for outcome in BulkChangeRow.Outcome:
        BulkChangeRow.objects.create(
            change=change, video_uuid=video.pk if outcome == "changed" else uuid4(), outcome=outcome
        )
    return change


@pytest.fixture
def superuser(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("μέλος"))
    return client


def untranslated_texts(client: Client, method: str, path: str, data: Any = None) -> list[str]:
    """Return the untranslated texts of the answer and of its messages, and undo the changes of the request."""
    cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
    with transaction.atomic():
        response = getattr(client, method)(path, data or {})
        messages = [str(message) for message in get_messages(response.wsgi_request)]
        transaction.set_rollback(True)
    client.cookies = cookies
    pages = [response.content.decode()] if response.get("Content-Type", "").startswith("text/html") else []
    return [text for html in (*pages, *messages) for text in untranslated(html)]


def assert_all_translated(found: dict[str, str]) -> None:
    """`found` gives each untranslated text a page where it stands."""
    assert not found, "".join(f"\n{where}: {text}" for text, where in found.items())


UNREAD = {"jsi18n/"}


def test_every_page_of_the_admin_speaks_the_language_of_its_reader(
    superuser: Client, world: dict[str, Any], pseudo_language: None
) -> None:
    # A list answers a form without an action by the list, and one refusal of each kind is enough.
    unread, refusals = {f"{place}/" for place in world}, {"m", "n", "x"}
    requests = []
    for route, (method, roles) in product(routes(), (("get", 0), ("post", 1))):
        answer = TABLE[route][roles][-1]
        if route in UNREAD or (method == "post" and route in unread) or (answer in "mnx" and answer not in refusals):
            continue
        refusals.discard(answer)
        requests.append((method, filled(route, world)))
    assert_all_translated({text: " ".join(each) for each in requests for text in untranslated_texts(superuser, *each)})


def test_every_field_in_the_audit_log_has_a_label_that_can_be_translated(
    world: dict[str, Any], pseudo_language: None
) -> None:
    log = site.get_model_admin(AuditEntry)
    entries = AuditEntry.objects.annotate(to_curator=Value(True))
    assert_all_translated({text: str(entry) for entry in entries for text in untranslated(log.changes_table(entry))})


ACTIONS = (
    ("ondemand/video/", ("show", "hide", "list_", "unlist", "schedule", "add_tags", "remove_tags", "check_again")),
    ("channels_app/channel/", ("recover",)),
    ("channels_app/inboxevent/", ("replay",)),
    ("ondemand/playbackgrant/", ("revoke_selected",)),
    ("accounts/apitoken/", ("delete_selected",)),
)


def test_every_action_and_every_form_speaks_the_language_of_its_reader(
    superuser: Client, world: dict[str, Any], pseudo_language: None
) -> None:
    chosen = {"_selected_action": [0], "select_across": "1"}
    requests = [(f"/admin/{page}", {"action": name, **chosen}) for page, names in ACTIONS for name in names]
    channel = f"/admin/channels_app/channel/{world['channels_app/channel']}"
    video = f"/admin/ondemand/video/{world['ondemand/video']}"
    requests += [
        (f"{channel}/change/", {"name": "x" * 300, "shown": "{}"}),
        ("/admin/channels_app/channel/add/", {"name": "Ω", "owner": "5", "channel_type": "?", "latency_mode": "LOW"}),
        (f"{video}/change/", {"title": "x" * 999, "tags": "x" * 999, "address": "?", "publish_from": "3000"}),
        (f"{video}/in-place/", {"field": "tags", "tags": "x" * 999}),
        ("/admin/ondemand/video/tags/change/?tag=ά", {"_rename": "1", "to": "ά"}),
        ("/admin/accounts/apitoken/add/", {"name": "\n", "account": "\n", "scopes": "?", "expires_days": "-1"}),
        ("/admin/accounts/apitoken/add/", {"name": "Ω", "account": "ω", "scopes": "read"}),
        ("/admin/account/preferences/", {"time_zone": "?"}),
        ("/admin/account/two-step/set-up/", {"password": "?"}),
        ("/admin/password_change/", {"old_password": "?", "new_password1": "1", "new_password2": "2"}),
        ("/admin/accounts/user/add/", {"username": "?", "password1": "1", "password2": "2"}),
        ("/admin/login/", {"username": "?", "password": "?"}),
    ]
    found = [(path, untranslated_texts(superuser, "post", path, data)) for path, data in requests]
    assert_all_translated({text: path for path, texts in found for text in texts})


def test_every_page_of_the_catalogue_speaks_the_language_of_its_reader(
    world: dict[str, Any], pseudo_language: None
) -> None:
    watch = world["ondemand/video"]
    live = Stream.objects.filter(ended_at__isnull=True, started_at__isnull=False).latest("started_at").channel_id
    wrong = "channel=ξ&started_after=ξ&started_before=ξ&min_duration=ξ&max_duration=ξ&ordering=ξ&cursor=ξ&tag=%00"
    SearchWord.objects.create(word="έναρξη")
    paths = [
        "/",
        "/?search=Έναρξη",
        "/?search=Ένραξη",
        "/?tag=νέα&min_duration=60&max_duration=9999&started_after=2026-01-01",
        "/?search=τίποτα",
        f"/?channel={world['channels_app/channel']}&ordering=oldest",
        f"/?{wrong}",
        f"/watch/{watch}",
        f"/embed/{watch}",
        f"/watch/{UUID(int=1)}",
        f"/embed/{UUID(int=1)}",
        f"/c/{live}",
        f"/watch/live/{live}",
        f"/watch/live/{world['channels_app/channel']}",
    ]
    assert_all_translated({text: path for path in paths for text in untranslated_texts(Client(), "get", path)})
