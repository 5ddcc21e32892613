"""Access to the pages of the admin: every route, as each role, by GET and by POST.

A page that is not in the table fails the first test. To write its row, run that test: it prints what is so now; whether
it should be so is for the person who adds the page to judge.
"""

import re
from collections.abc import Iterable, Iterator
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from channels_app.models import AuditEntry, Channel, ReportedDifference
from ivsvod.accounts.models import User
from ivsvod.accounts.services import api_token_create
from ondemand.models import BulkChange, PlaybackGrant, Video
from tests.support.console import make_channel, make_event, make_stream, make_video, member, messages_of, unrendered
from tools.local.aws import LocalAws

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
# In the order of the letters of a row.
ROLES = ("anonymous", "staff without rights", "Viewers", "Curators", "Channel managers", "superuser")
# l: led to the sign-in, r: led elsewhere, x: refused, n: not found, m: not by this method, .: a page, were it one that
# says what is missing in the form.
NOBODY, STAFF, SUPERUSER, LED, NOT_SO = "lxxxxx", "l.....", "lxxxx.", "lrrrrr", "lmmmmm"
WATCHERS, CURATORS, MANAGERS, AUDITORS = "lx....", "lxx.x.", "lxxx..", "lxx..."
# What stands at `<path:object_id>/` leads to `change/`; the history of what the audit log knows leads there.
TABLE = {
    "": (STAFF, STAFF),
    "<app_label>/": ("ln....", "ln...."),
    "<url>": ("lnnnnn", "lnnnnn"),
    "account/preferences/": (STAFF, STAFF),
    "account/two-step/": (STAFF, STAFF),
    "account/two-step/off/": (LED, LED),
    "account/two-step/recovery-codes/": (LED, LED),
    "account/two-step/set-up/": (LED, LED),
    "accounts/apitoken/": (SUPERUSER, SUPERUSER),
    "accounts/apitoken/<path:object_id>/": (LED, LED),
    "accounts/apitoken/<path:object_id>/change/": (SUPERUSER, NOBODY),
    "accounts/apitoken/<path:object_id>/delete/": (SUPERUSER, SUPERUSER),
    "accounts/apitoken/<path:object_id>/history/": (LED, LED),
    "accounts/apitoken/add/": (SUPERUSER, SUPERUSER),
    "accounts/user/": (SUPERUSER, SUPERUSER),
    "accounts/user/<id>/password/": (SUPERUSER, SUPERUSER),
    "accounts/user/<path:object_id>/": (LED, LED),
    "accounts/user/<path:object_id>/change/": (SUPERUSER, SUPERUSER),
    "accounts/user/<path:object_id>/delete/": (SUPERUSER, SUPERUSER),
    "accounts/user/<path:object_id>/history/": (LED, LED),
    "accounts/user/<path:object_id>/two-step-off/": (SUPERUSER, "lxxxxr"),
    "accounts/user/add/": (SUPERUSER, SUPERUSER),
    "auth/group/": (SUPERUSER, SUPERUSER),
    "auth/group/<path:object_id>/": (LED, LED),
    "auth/group/<path:object_id>/change/": (SUPERUSER, SUPERUSER),
    "auth/group/<path:object_id>/delete/": (SUPERUSER, SUPERUSER),
    "auth/group/<path:object_id>/history/": (LED, LED),
    "auth/group/add/": (SUPERUSER, SUPERUSER),
    "autocomplete/": (NOBODY, NOT_SO),
    "axes/accessattempt/": (SUPERUSER, SUPERUSER),
    "axes/accessattempt/<path:object_id>/": (LED, LED),
    "axes/accessattempt/<path:object_id>/change/": (SUPERUSER, NOBODY),
    "axes/accessattempt/<path:object_id>/delete/": (SUPERUSER, SUPERUSER),
    "axes/accessattempt/<path:object_id>/history/": (SUPERUSER, SUPERUSER),
    "axes/accessattempt/add/": (NOBODY, NOBODY),
    "axes/accesslog/": (SUPERUSER, SUPERUSER),
    "axes/accesslog/<path:object_id>/": (LED, LED),
    "axes/accesslog/<path:object_id>/change/": (SUPERUSER, NOBODY),
    "axes/accesslog/<path:object_id>/delete/": (NOBODY, NOBODY),
    "axes/accesslog/<path:object_id>/history/": (SUPERUSER, SUPERUSER),
    "axes/accesslog/add/": (NOBODY, NOBODY),
    "channels_app/auditentry/": (AUDITORS, AUDITORS),
    "channels_app/auditentry/<path:object_id>/": (LED, LED),
    "channels_app/auditentry/<path:object_id>/change/": (AUDITORS, NOBODY),
    "channels_app/auditentry/<path:object_id>/delete/": (NOBODY, NOBODY),
    # Whoever may see no object of any kind sees no entry at all.
    "channels_app/auditentry/<path:object_id>/history/": ("lrx...", "lrx..."),
    "channels_app/auditentry/add/": (NOBODY, NOBODY),
    "channels_app/channel/": (WATCHERS, WATCHERS),
    "channels_app/channel/<path:object_id>/": (LED, LED),
    "channels_app/channel/<path:object_id>/change/": (WATCHERS, MANAGERS),
    "channels_app/channel/<path:object_id>/delete/": (MANAGERS, "lxxxrr"),
    "channels_app/channel/<path:object_id>/history/": (LED, LED),
    "channels_app/channel/<uuid:pk>/ban/": (MANAGERS, "lxxxrr"),
    "channels_app/channel/<uuid:pk>/delete/": (MANAGERS, "lxxxrr"),
    "channels_app/channel/<uuid:pk>/live.json": (WATCHERS, NOT_SO),
    "channels_app/channel/<uuid:pk>/live/": (WATCHERS, NOT_SO),
    "channels_app/channel/<uuid:pk>/reveal/": (MANAGERS, MANAGERS),
    "channels_app/channel/<uuid:pk>/rotate/": (MANAGERS, "lxxxrr"),
    "channels_app/channel/<uuid:pk>/stop/": (MANAGERS, "lxxxrr"),
    "channels_app/channel/add/": (MANAGERS, MANAGERS),
    "channels_app/inboxevent/": (MANAGERS, MANAGERS),
    "channels_app/inboxevent/<path:object_id>/": (LED, LED),
    "channels_app/inboxevent/<path:object_id>/change/": (MANAGERS, NOBODY),
    "channels_app/inboxevent/<path:object_id>/delete/": (NOBODY, NOBODY),
    "channels_app/inboxevent/<path:object_id>/history/": (MANAGERS, MANAGERS),
    "channels_app/inboxevent/add/": (NOBODY, NOBODY),
    "channels_app/reporteddifference/": (WATCHERS, WATCHERS),
    "channels_app/reporteddifference/<path:object_id>/": (LED, LED),
    "channels_app/reporteddifference/<path:object_id>/change/": (WATCHERS, NOBODY),
    "channels_app/reporteddifference/<path:object_id>/delete/": (NOBODY, NOBODY),
    "channels_app/reporteddifference/<path:object_id>/history/": (WATCHERS, WATCHERS),
    "channels_app/reporteddifference/add/": (NOBODY, NOBODY),
    "channels_app/stream/": (WATCHERS, WATCHERS),
    "channels_app/stream/<path:object_id>/": (LED, LED),
    "channels_app/stream/<path:object_id>/change/": (WATCHERS, NOBODY),
    "channels_app/stream/<path:object_id>/delete/": (NOBODY, NOBODY),
    "channels_app/stream/<path:object_id>/history/": (WATCHERS, WATCHERS),
    "channels_app/stream/add/": (NOBODY, NOBODY),
    "jsi18n/": (STAFF, NOT_SO),
    "login/": (".rrrrr", "......"),
    "login/code/": ("llllll", "llllll"),
    "logout/": ("rmmmmm", "r....."),
    "ondemand/playbackgrant/": (AUDITORS, AUDITORS),
    "ondemand/playbackgrant/<path:object_id>/": (LED, LED),
    "ondemand/playbackgrant/<path:object_id>/change/": (AUDITORS, NOBODY),
    "ondemand/playbackgrant/<path:object_id>/delete/": (NOBODY, NOBODY),
    "ondemand/playbackgrant/<path:object_id>/history/": (LED, LED),
    "ondemand/playbackgrant/<uuid:pk>/revoke-viewer/": (AUDITORS, "lxxrrr"),
    "ondemand/playbackgrant/<uuid:pk>/revoke/": (AUDITORS, "lxxrrr"),
    "ondemand/playbackgrant/add/": (NOBODY, NOBODY),
    "ondemand/video/": (WATCHERS, WATCHERS),
    "ondemand/video/<path:object_id>/": (LED, LED),
    "ondemand/video/<path:object_id>/change/": (WATCHERS, CURATORS),
    "ondemand/video/<path:object_id>/check/": (NOT_SO, "lxxrxr"),
    "ondemand/video/<path:object_id>/delete/": (NOBODY, NOBODY),
    "ondemand/video/<path:object_id>/edit/": (NOT_SO, CURATORS),
    "ondemand/video/<path:object_id>/history/": (LED, LED),
    "ondemand/video/<path:object_id>/in-place/": (NOT_SO, CURATORS),
    "ondemand/video/<path:object_id>/next/": ("lxrrrr", "lxrrrr"),
    "ondemand/video/<path:object_id>/play/": (WATCHERS, NOT_SO),
    "ondemand/video/<path:object_id>/share/": (CURATORS, CURATORS),
    "ondemand/video/<path:object_id>/undo/": (NOT_SO, "lxxrxr"),
    "ondemand/video/add/": (NOBODY, NOBODY),
    "ondemand/video/bulk/": (WATCHERS, "lxmmmm"),
    "ondemand/video/bulk/<uuid:change_uuid>/": (CURATORS, CURATORS),
    "ondemand/video/channels/complete/": (WATCHERS, "lxmmmm"),
    "ondemand/video/tags/": (WATCHERS, "lxmmmm"),
    "ondemand/video/tags/change/": (CURATORS, CURATORS),
    "ondemand/video/tags/complete/": (WATCHERS, "lxmmmm"),
    "password_change/": (STAFF, STAFF),
    "password_change/done/": (STAFF, NOT_SO),
    "r/<path:content_type_id>/<path:object_id>/": ("lnnnnn", "lnnnnn"),
}

# a: offered in the list, -: not offered; x: not even the list. Who is not offered an action cannot send it either.
ACTIONS = {
    ("accounts/apitoken", "delete_selected"): "xxxxa",
    ("accounts/user", "delete_selected"): "xxxxa",
    ("auth/group", "delete_selected"): "xxxxa",
    ("axes/accessattempt", "delete_selected"): "xxxxa",
    ("channels_app/channel", "recover"): "x--aa",
    ("channels_app/inboxevent", "replay"): "xxxaa",
    ("ondemand/playbackgrant", "revoke_selected"): "xxaaa",
    **{
        ("ondemand/video", action): "x-a-a"
        for action in (
            *("show", "hide", "list_", "unlist", "protect", "unprotect", "schedule"),
            *("add_tags", "remove_tags", "check_again"),
        )
    },
}


def routes(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Every route below `admin/`, without that."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern).removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith("admin/"):
            # A route by a regular expression: what it takes is no matter here.
            yield re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route).removeprefix("admin/").removesuffix("$")


@pytest.fixture
def world(db: None, aws: LocalAws) -> dict[str, Any]:
    """One row of each kind that has a page, by the beginning of its routes."""
    channel, video = make_channel(), make_video("Opening")
    row = {"username": "ada", "ip_address": "192.0.2.1", "user_agent": "", "http_accept": "", "path_info": ""}
    token, _ = api_token_create(name="Website", account="web", scopes=["read"])
    return {
        "accounts/apitoken": token.pk,
        "accounts/user": User.objects.create_user("ada").pk,
        "auth/group": Group.objects.get(name="Viewers").pk,
        "axes/accessattempt": AccessAttempt.objects.create(**row, failures_since_start=1).pk,
        "axes/accesslog": AccessLog.objects.create(**row).pk,
        "channels_app/auditentry": AuditEntry.objects.filter(object_pk=video.pk).latest("pk").pk,
        "channels_app/channel": channel.pk,
        "channels_app/inboxevent": make_event().pk,
        "channels_app/reporteddifference": ReportedDifference.objects.create(kind="channel_gone", key="k").pk,
        "channels_app/stream": make_stream(channel, "st-1", start=0, end=5).pk,
        "ondemand/playbackgrant": PlaybackGrant.objects.create(video=video, viewer="ada", by=UUID(int=1)).pk,
        "ondemand/video": video.pk,
        "<uuid:change_uuid>": BulkChange.objects.create(kind="hide", by=UUID(int=1), by_name="boss", chosen=1).pk,
    }


def in_role(role: str) -> Client:
    if role == "anonymous":
        return Client()
    client = member()
    account = User.objects.get(pk=UUID(client.session["_auth_user_id"]))
    account.is_superuser = role == "superuser"
    account.save()
    account.groups.set(Group.objects.filter(name=role))
    return client


def filled(route: str, world: dict[str, Any]) -> str:
    pk = world.get("/".join(route.split("/")[:2]), UUID(int=5))
    values = {"content_type_id": 1, "app_label": "ondemand", "change_uuid": world["<uuid:change_uuid>"]}
    return "/admin/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values.get(found[1], pk)), route)


def letter(response: Any) -> str:
    if response.status_code == 302 and response["Location"].startswith("/admin/login/"):
        return "l"
    known = {200: ".", 301: "r", 302: "r", 400: ".", 403: "x", 404: "n", 405: "m"}
    return known.get(response.status_code, str(response.status_code))


def answer_of(client: Client, method: str, path: str) -> Any:
    # Nobody's request changes what the next one meets, the session included.
    cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
    with transaction.atomic():
        response = getattr(client, method)(path)
        transaction.set_rollback(True)
    client.cookies = cookies
    return response


def actions_of(response: Any) -> set[str] | None:
    """The actions that a list offers; None where there is no list."""
    if response.status_code == 403:
        return None
    offered = re.search(r'<select name="action".*?</select>', response.content.decode(), re.DOTALL)
    return set(re.findall(r'<option value="(\w+)"', offered[0])) if offered else set()


def access_of(chosen: Iterable[str], world: dict[str, Any]) -> tuple[dict[str, Any], dict[tuple[str, str], str]]:
    """The rows of both tables that these routes would have."""
    clients = [in_role(role) for role in ROLES]
    pages, actions = {}, {}
    for route in chosen:
        path = filled(route, world)
        # The status alone counts: what a page says is tested with it, but for the actions that a list offers.
        with unrendered():
            got, posted = ([answer_of(client, method, path) for client in clients] for method in ("get", "post"))
        pages[route] = ("".join(map(letter, got)), "".join(map(letter, posted)))
        if (group := route.removesuffix("/")) in world:
            offered = [actions_of(answer_of(client, "get", path)) for client in clients[1:]]
            for action in offered[-1] or ():
                letters = ["x" if known is None else "a" if action in known else "-" for known in offered]
                actions[group, action] = "".join(letters)
    return pages, actions


def test_every_page_of_the_admin_is_in_the_table(world: dict[str, Any]) -> None:
    missing = sorted(set(routes()) - set(TABLE))
    rows = "".join(f"\n    {route!r}: {row!r}," for route, row in access_of(missing, world)[0].items())
    assert not missing, f"what is so now of pages without a row:{rows}"
    assert set(TABLE) == set(routes())


def test_each_page_opens_for_the_roles_of_the_table_and_offers_them_their_actions(world: dict[str, Any]) -> None:
    pages, actions = access_of(TABLE, world)
    assert pages == TABLE
    assert actions == ACTIONS


def test_an_action_that_is_not_offered_does_nothing(world: dict[str, Any]) -> None:
    clients = {role: in_role(role) for role in ROLES[1:-1]}
    before = {
        model: list(model.objects.order_by("pk").values())
        for model in (Video, Channel, BulkChange, Group, PlaybackGrant)
    }
    for (group, action), letters in ACTIONS.items():
        sent = {"action": action, "_selected_action": [str(world[group])], "post": "yes"}
        for (role, client), offered in zip(clients.items(), letters[:-1], strict=True):
            if offered == "a":
                continue
            with unrendered():
                response = client.post(filled(f"{group}/", world), sent)
            # A list that offers nothing at all is shown once more.
            refused = response.status_code in {200, 403} or "No action selected." in messages_of(response)
            assert refused, (role, group, action)
    assert before == {model: list(model.objects.order_by("pk").values()) for model in before}
