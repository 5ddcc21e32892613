"""How often somebody may ask: by address, by credential, and by guesses."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from common.rest import throttling
from common.rest.rates import Rate
from common.rest.throttling import client_address
from ivsvod.accounts.models import User
from tests.support.helpers import bearer, make_account, make_token, make_video
from tests.support.settings import NEEDED, shown

pytestmark = pytest.mark.django_db
SECRET = "a secret of a test"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time in seconds, which a test moves by its only item; nothing was counted before."""
    now = [1_000_000.0]
    monkeypatch.setattr(throttling, "time", lambda: now[0])
    cache.clear()
    yield now
    cache.clear()


@pytest.fixture
def limits(settings: Any) -> Any:
    """Three requests a minute of an address, five of a credential, two bad credentials."""
    settings.THROTTLE_ADDRESS, settings.THROTTLE_TOKEN = Rate(3, 60), Rate(5, 60)
    settings.THROTTLE_FAILURES = Rate(2, 60)
    return settings


def statuses(number: int, path: str = "/channels/live", client: Client | None = None, **more: Any) -> list[int]:
    return [(client or Client()).get(path, **more).status_code for _ in range(number)]


def assert_throttled(response: Any) -> None:
    assert response.status_code == 429
    document = response.json()
    assert sorted(document) == ["code", "error", "fields"]
    assert document["code"] == "throttled"
    assert 1 <= int(response["Retry-After"]) <= 60
    assert "no-store" in response["Cache-Control"]


# By address


def test_an_address_may_ask_so_often_and_then_waits(limits: Any, clock: list[float]) -> None:
    assert statuses(3) == [200] * 3
    response = Client().get("/channels/live")
    assert_throttled(response)
    clock[0] += int(response["Retry-After"])
    assert statuses(1) == [200]


def test_every_route_and_method_counts_the_refused_ones_too(limits: Any) -> None:
    client = Client()
    path = f"/on-demand/{make_video().uuid}"
    assert client.delete(path).status_code == 401
    assert client.post("/on-demand").status_code == 405
    assert client.get("/channels/nonsense").status_code == 400
    assert_throttled(client.delete(path))


def test_pages_of_other_origins_may_read_when_to_come_back(limits: Any) -> None:
    statuses(3)
    response = Client().get("/channels/live", headers={"Origin": "https://www.example.com"})
    assert_throttled(response)
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in response["Access-Control-Expose-Headers"]


def test_each_address_has_a_count_of_its_own(limits: Any) -> None:
    assert statuses(4, REMOTE_ADDR="192.0.2.1") == [200, 200, 200, 429]
    assert statuses(1, REMOTE_ADDR="192.0.2.2") == [200]


def test_an_ipv6_network_is_one_client(limits: Any) -> None:
    assert statuses(3, REMOTE_ADDR="2001:db8:1:2::1") == [200] * 3
    assert statuses(1, REMOTE_ADDR="2001:db8:1:2:ffff::9") == [429]
    assert statuses(1, REMOTE_ADDR="2001:db8:1:3::1") == [200]


def test_health_schema_and_preflights_are_not_counted(limits: Any) -> None:
    assert statuses(8, "/healthz") == [200] * 8
    for _ in range(8):
        assert Client().options("/channels", headers={"Access-Control-Request-Method": "GET"}).status_code == 204
    assert statuses(3) == [200] * 3


def test_empty_is_off(settings: Any) -> None:
    settings.THROTTLE_ADDRESS = settings.THROTTLE_TOKEN = settings.THROTTLE_FAILURES = None
    assert statuses(20) == [200] * 20
    assert statuses(40, headers=bearer("wrong")) == [401] * 40


def test_the_local_stack_counts_no_requests(settings: Any) -> None:
    assert (settings.THROTTLE_ADDRESS, settings.THROTTLE_TOKEN, settings.THROTTLE_FAILURES) == (None, None, None)


# Who is behind the proxies


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "address"),
    [
        (0, "", "192.0.2.9", "192.0.2.9"),
        # Whatever a client claims.
        (0, "198.51.100.1", "192.0.2.9", "192.0.2.9"),
        (1, "198.51.100.1", "192.0.2.9", "198.51.100.1"),
        (1, "203.0.113.7, 198.51.100.1", "192.0.2.9", "198.51.100.1"),
        (2, "203.0.113.7, 198.51.100.1", "192.0.2.9", "203.0.113.7"),
        (2, "1.2.3.4, 203.0.113.7, 198.51.100.1", "192.0.2.9", "203.0.113.7"),
        # Fewer than were promised.
        (5, "198.51.100.1", "192.0.2.9", "198.51.100.1"),
        (1, "", "192.0.2.9", "192.0.2.9"),
        (1, " , ,198.51.100.1 ,", "192.0.2.9", "198.51.100.1"),
        # With the port, as Application Gateway and others write it.
        (1, "198.51.100.1:5678", "192.0.2.9", "198.51.100.1"),
        (1, "[2001:db8:1:2::3]:443", "192.0.2.9", "2001:db8:1:2::"),
        (1, "[2001:db8:1:2::3]", "192.0.2.9", "2001:db8:1:2::"),
        (1, "2001:db8:1:2::3%eth0", "192.0.2.9", "2001:db8:1:2::"),
        (1, "::ffff:198.51.100.1", "192.0.2.9", "198.51.100.1"),
        # What is no address is the proxy that passed it on.
        (1, "nonsense", "192.0.2.9", "192.0.2.9"),
        (1, "198.51.100.1:port", "192.0.2.9", "192.0.2.9"),
        (2, "nonsense, 198.51.100.1", "192.0.2.9", "198.51.100.1"),
        (0, "", "", "unknown"),
        (0, "", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (0, "", "::ffff:192.0.2.9", "192.0.2.9"),
    ],
)
def test_the_client_is_found_behind_so_many_proxies(
    settings: Any, proxies: int, forwarded: str, remote: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get(
        "/", REMOTE_ADDR=remote, **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})
    )
    assert client_address(request) == address


@pytest.mark.parametrize(("proxies", "address"), [(0, "192.0.2.9"), (1, "198.51.100.1")])
def test_on_lambda_the_last_forwarded_address_is_the_connected_one(settings: Any, proxies: int, address: str) -> None:
    """zappa 0.63 takes REMOTE_ADDR from the first of them, which the client wrote."""
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="6.6.6.6", HTTP_X_FORWARDED_FOR="6.6.6.6, 198.51.100.1, 192.0.2.9")
    request.META["lambda.event"] = {}
    assert client_address(request) == address


def test_a_client_cannot_be_another_address_each_time(limits: Any) -> None:
    found = [
        Client().get("/channels/live", headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(4)
    ]
    assert found == [200, 200, 200, 429]


@given(st.text(max_size=80), st.text(max_size=40), st.integers(0, 10))
def test_no_address_breaks_the_count(forwarded: str, remote: str, proxies: int) -> None:
    from django.test import override_settings

    request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
    with override_settings(TRUSTED_PROXIES=proxies):
        assert len(client_address(request)) < 50


# By credential


def test_a_token_has_a_count_of_its_own_wherever_it_comes_from(limits: Any) -> None:
    _, text = make_token("read")
    _, other = make_token("read")
    found = [
        Client().get("/channels/live", headers=bearer(text), REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(6)
    ]
    assert found == [200] * 5 + [429]
    assert statuses(1, headers=bearer(other)) == [200]
    # Nor does it count against its address.
    assert statuses(3, REMOTE_ADDR="192.0.2.1") == [200] * 3


def test_the_shared_key_and_a_session_are_counted_too(limits: Any) -> None:
    limits.AUTH_API_KEY = SECRET
    assert statuses(6, headers=bearer(SECRET)) == [200] * 5 + [429]
    browser = Client()
    browser.force_login(make_account("read", is_staff=True))
    assert statuses(6, client=browser) == [200] * 5 + [429]


def test_a_session_that_is_none_counts_by_address(limits: Any) -> None:
    found = []
    for number in range(4):
        client = Client()
        client.cookies["sessionid"] = f"made-up-{number}-0123456789"
        found.append(client.get("/channels/live").status_code)
    assert found == [200, 200, 200, 429]


# Guesses


def test_bad_credentials_of_an_address_are_refused_unseen_after_some(limits: Any, clock: list[float]) -> None:
    limits.AUTH_API_KEY = SECRET
    assert statuses(2, headers=bearer("wrong")) == [401, 401]
    # The right one gets the same answer now: guessing on is of no use.
    for guess in ("wrong", SECRET):
        assert_throttled(Client().get("/channels/live", headers=bearer(guess)))
    assert statuses(1, headers=bearer(SECRET), REMOTE_ADDR="192.0.2.8") == [200]
    clock[0] += 60
    assert statuses(1, headers=bearer(SECRET)) == [200]


def test_bad_credentials_from_a_whole_network_are_refused_too(limits: Any) -> None:
    def guess(network: int, number: int) -> int:
        return statuses(1, headers=bearer("wrong"), REMOTE_ADDR=f"2001:db8:{network}:{number:x}::1")[0]

    assert [guess(7, number) for number in range(22)] == [401] * 20 + [429] * 2
    assert guess(8, 1) == 401


def test_a_credential_that_was_good_lately_is_not_locked_out_by_a_neighbour(limits: Any) -> None:
    limits.AUTH_API_KEY = SECRET
    _, text = make_token("read")
    assert statuses(1, headers=bearer(text)) == [200]
    assert statuses(3, headers=bearer("wrong")) == [401, 401, 429]
    assert statuses(1, headers=bearer(text)) == [200]
    assert statuses(1) == [200]


def test_malformed_headers_and_tokens_of_no_provider_are_guesses_too(limits: Any) -> None:
    found = [
        Client().get("/channels/live", headers={"Authorization": text}).status_code
        for text in ("x", "Bearer a.b.c", "y")
    ]
    assert found == [401, 401, 429]


def sign_in(password: str, **more: Any) -> Any:
    return Client().post("/admin/login/", {"username": "boss", "password": password}, **more)


def test_passwords_are_not_guessed_without_an_end(limits: Any, clock: list[float]) -> None:
    User.objects.create_superuser("boss", password=SECRET)
    for _ in range(2):
        assert "correct username and password" in sign_in("wrong").content.decode()
    # The right one gets the same answer now.
    for password in ("wrong", SECRET):
        response = sign_in(password)
        assert (response.status_code, response["Retry-After"].isdigit()) == (429, True)
        assert "too many wrong attempts" in response.content.decode()
    assert statuses(1, headers=bearer("wrong")) == [429]
    assert sign_in(SECRET, REMOTE_ADDR="192.0.2.8").status_code == 302
    clock[0] += 60
    assert sign_in(SECRET).status_code == 302


def test_the_counts_hold_no_credential(limits: Any) -> None:
    limits.AUTH_API_KEY = SECRET
    statuses(1, headers=bearer(SECRET))
    statuses(1, headers=bearer("another-wrong-secret"))
    stored = repr(cache._cache)
    assert "throttle:" in stored
    assert SECRET not in stored
    assert "another-wrong-secret" not in stored


# A cache that is away


class BrokenCache:
    def __init__(self) -> None:
        self.calls = 0

    def add(self, *_: Any) -> bool:
        self.calls += 1
        raise ConnectionError("redis://:a-password@cache.example.com")

    get_many = get = incr = add


def test_an_unavailable_cache_stops_no_request_and_is_not_used_for_a_while(
    limits: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, now = BrokenCache(), [5000.0]
    monkeypatch.setattr(throttling, "cache", broken)
    monkeypatch.setattr(throttling, "monotonic", lambda: now[0])
    monkeypatch.setattr(throttling, "_rests_until", 0.0)
    assert statuses(8) == [200] * 8
    assert broken.calls == 1
    now[0] += 11
    assert statuses(1) == [200]
    assert broken.calls == 2
    assert "a-password" not in caplog.text
    assert statuses(1, headers=bearer("wrong")) == [401]


def test_a_redis_that_is_away_fails_as_the_others_do(limits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    [caches] = shown({**NEEDED, "CACHE_URL": "redis://127.0.0.1:9/0"}, "CACHES")
    monkeypatch.setattr(throttling, "cache", RedisCache(caches["default"]["LOCATION"], caches["default"]))
    monkeypatch.setattr(throttling, "_rests_until", 0.0)
    assert statuses(5) == [200] * 5


def test_a_count_that_was_dropped_begins_anew(limits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(key: str) -> int:
        raise ValueError(key)

    statuses(1)
    monkeypatch.setattr(cache, "incr", gone)
    assert statuses(5) == [200] * 5


# Rates


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [("600/min", 600, 60), ("1/s", 1, 1), ("10/sec", 10, 1), ("5/m", 5, 60), ("7/h", 7, 3600), ("9/day", 9, 86_400)],
)
def test_a_rate_is_read(text: str, count: int, seconds: int) -> None:
    assert Rate.of(text) == Rate(count, seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0/min",
        "600",
        "/min",
        "600/",
        "-1/min",
        "1.5/min",
        "600/fortnight",
        " 600/min",
        "6e2/min",
        "٦/min",
        "1" * 10 + "/s",
    ],
)
def test_a_malformed_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        Rate.of(text)


@given(st.floats(0, 1e10), st.sampled_from([1, 60, 3600, 86_400]))
def test_the_wait_leads_to_the_next_window(now: float, seconds: int) -> None:
    rate = Rate(1, seconds)
    left = rate.seconds_left(now)
    assert 0 < left <= seconds
    assert rate.window(now + left + 1e-3) == rate.window(now) + 1
