"""Access tokens of an outside identity provider: a provider of the tests signs them and publishes its keys."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from hmac import new as hmac
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import sleep, time
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.cache import cache as django_cache
from django.db import connections
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from common.rest.rates import Rate
from ivsvod.accounts import keyset
from ondemand.models import Content, Video
from tests.support.helpers import bearer, make_video

pytestmark = pytest.mark.django_db
ISSUER = "https://id.example.com/pool"
AUDIENCE = "ivsvod-api"


@cache
def rsa_key(name: str, bits: int = 2048) -> Any:
    """Making one takes long: each name has its key for the whole session."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str, curve: Any = ec.SECP256R1) -> Any:
    return ec.generate_private_key(curve())


def published(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    """A key as a set of keys holds it."""
    kind: Any = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(kind.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


class Provider:
    """Signs tokens, and serves its keys on a port of this machine."""

    def __init__(self) -> None:
        self.keys = [published(rsa_key("first"), "first"), published(ec_key("elliptic"), "elliptic")]
        self.fetches = 0
        self.answer: Callable[[Any], None] | None = None
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.fetches += 1
                if provider.answer:
                    provider.answer(self)
                else:
                    send(self, json.dumps({"keys": provider.keys}).encode())

            def log_message(self, *_: Any) -> None:
                """Tests are silent."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def token(self, *, key: Any = None, algorithm: str = "RS256", kid: str | None = "first", **changes: Any) -> str:
        """A good token but for the changes; a claim that is changed to None is left out."""
        now = int(time())
        claims = {
            "iss": ISSUER,
            "sub": "somebody",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 600,
            "scope": "curate",
            **changes,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, key or rsa_key("first"), algorithm, headers={"kid": kid} if kid else None)


def send(handler: Any, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    # An earlier provider may have had the same port.
    keyset.key_set.cache_clear()
    made = Provider()
    settings.OIDC_ISSUER, settings.OIDC_AUDIENCE, settings.OIDC_JWKS = ISSUER, AUDIENCE, made.url
    yield made
    made.stop()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock of the key set; a test moves it by its only item."""
    now = [1000.0]
    monkeypatch.setattr(keyset, "monotonic", lambda: now[0])
    return now


def hide(token: str) -> Any:
    """Hide a new video: that takes the scope `curate`."""
    return Client(raise_request_exception=False).delete(f"/on-demand/{make_video().uuid}", headers=bearer(token))


def hidden() -> int:
    return Video.objects.filter(active=False).count()


def assert_refused(token: str, status: int = 401, *, case: Any = None) -> None:
    before = hidden()
    response = hide(token)
    assert response.status_code == status, (case, response.content)
    assert sorted(response.json()) == ["code", "error", "fields"]
    if status == 401:
        assert response["WWW-Authenticate"] == "Bearer"
    for part in token.split("."):
        assert len(part) < 8 or part not in response.content.decode()
    assert hidden() == before


def encoded(document: Any) -> str:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# What opens


def test_rs256_and_es256_of_the_issuer_open(provider: Provider) -> None:
    assert hide(provider.token()).status_code == 200
    assert hide(provider.token(key=ec_key("elliptic"), algorithm="ES256", kid="elliptic")).status_code == 200


def test_content_is_stored_with_a_uuid_of_issuer_and_subject(provider: Provider) -> None:
    path = f"/on-demand/{make_video().uuid}"
    for sub in ("somebody", "éü😀", "x" * 255):
        Content.objects.all().delete()
        assert Client().put(path, "{}", "application/json", headers=bearer(provider.token(sub=sub))).status_code == 200
        assert Content.objects.get().created_by == uuid5(uuid5(NAMESPACE_URL, ISSUER), sub)


def test_scopes_come_from_scope_with_or_without_a_resource_prefix(provider: Provider) -> None:
    cases: list[tuple[Any, int]] = [
        ("curate", 200),
        ("ivsvod/curate", 200),
        ("https://api.example.com/curate", 200),
        ("openid read curate", 200),
        ("read", 403),
        ("", 403),
        (None, 403),
        ("Curate", 403),
        ("curate/read", 403),
        ("curate,read", 403),
        ("everything *", 403),
        (["curate"], 403),
        ({"curate": True}, 403),
        (5, 403),
    ]
    for scope, status in cases:
        assert hide(provider.token(scope=scope)).status_code == status, scope


@pytest.mark.parametrize("prefix", ["ivsvod", "https://api.example.com"])
def test_with_a_prefix_the_scopes_of_other_resources_open_nothing(
    provider: Provider, settings: Any, prefix: str
) -> None:
    settings.OIDC_SCOPE_PREFIX = prefix
    assert hide(provider.token(scope=f"openid other/read {prefix}/curate")).status_code == 200
    for scope in (
        "curate",
        "/curate",
        "other-service/curate",
        f"other-{prefix}/curate",
        f"{prefix}/other/curate",
        f"{prefix}curate",
        f"{prefix}//curate",
        f"{prefix.upper()}/curate",
        f"{prefix}/read curate",
    ):
        assert hide(provider.token(scope=scope)).status_code == 403, scope


def test_the_groups_and_permissions_of_no_account_count(provider: Provider, django_user_model: Any) -> None:
    user = django_user_model.objects.create_superuser("root", password="a long password of a test")
    assert_refused(provider.token(sub=str(user.pk), scope="read"), 403)


def test_reads_that_are_not_public_need_the_scope_read(provider: Provider, settings: Any) -> None:
    settings.API_PUBLIC_READ = False
    for scope, status in (("read", 200), ("curate", 403)):
        assert Client().get("/channels", headers=bearer(provider.token(scope=scope))).status_code == status


# Cognito, which names the audience elsewhere


def test_an_access_token_of_cognito_is_for_its_client(provider: Provider) -> None:
    cases: list[tuple[dict[str, Any], int]] = [
        ({"aud": None, "token_use": "access", "client_id": AUDIENCE}, 200),
        ({"aud": None, "token_use": "access", "client_id": "another"}, 401),
        ({"aud": None, "token_use": "access"}, 401),
        ({"aud": None, "token_use": "id", "client_id": AUDIENCE}, 401),
        ({"aud": None, "client_id": AUDIENCE}, 401),
        ({"aud": None, "token_use": "access", "client_id": [AUDIENCE]}, 401),
        ({"token_use": "id"}, 401),
        ({"token_use": "access"}, 200),
        ({"aud": "another", "token_use": "access", "client_id": AUDIENCE}, 401),
    ]
    for claims, status in cases:
        assert hide(provider.token(**claims)).status_code == status, claims


# What does not open


def test_a_wrong_audience_is_refused(provider: Provider) -> None:
    for aud in ("another", None, [], ["another"], "", 5, {AUDIENCE: 1}, AUDIENCE.upper(), [None], True):
        assert_refused(provider.token(aud=aud), case=aud)


def test_the_audience_may_be_one_of_several(provider: Provider) -> None:
    assert hide(provider.token(aud=["another", AUDIENCE])).status_code == 200


def unsigned_claims(**changes: Any) -> dict[str, Any]:
    now = int(time())
    good = {"iss": ISSUER, "sub": "somebody", "aud": AUDIENCE, "iat": now, "exp": now + 600, "scope": "curate"}
    return {**good, **changes}


def signed_by_hand(claims: Any, header: Any = None) -> str:
    """With the provider's key, and with claims and a header that PyJWT would refuse to sign."""
    text = f"{encoded(header or {'alg': 'RS256', 'kid': 'first'})}.{encoded(claims)}"
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(text.encode(), rsa_key("first"))
    return f"{text}.{encoded(signature)}"


def test_a_wrong_issuer_is_refused(provider: Provider) -> None:
    for iss in ("https://evil.example.com", ISSUER + "/", ISSUER.upper(), "", None, [ISSUER], 5):
        assert_refused(signed_by_hand(unsigned_claims(iss=iss)), case=iss)


def test_a_token_without_a_subject_is_refused(provider: Provider) -> None:
    for sub in ("", None, 5, ["somebody"], {}, "\ud800"):
        assert_refused(signed_by_hand(unsigned_claims(sub=sub)), case=sub)


def test_old_and_future_times_are_refused(provider: Provider) -> None:
    cases = [
        ("exp", -3600, 401),
        ("exp", -60, 401),
        # Clocks differ by so much.
        ("exp", -5, 200),
        ("nbf", 60, 401),
        ("nbf", 5, 200),
        ("nbf", -60, 200),
        ("iat", 3600, 401),
        ("iat", 5, 200),
    ]
    for claim, seconds, status in cases:
        assert hide(provider.token(**{claim: int(time()) + seconds})).status_code == status, (claim, seconds)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_times_that_are_none_are_refused(provider: Provider, claim: str) -> None:
    for value in ("soon", [], {}, float("nan"), float("inf"), float("-inf"), "9" * 5000):
        assert_refused(signed_by_hand(unsigned_claims(**{claim: value})), case=value)


@pytest.mark.parametrize(("claim", "value"), [("exp", -(10**400)), ("nbf", 10**400), ("iat", 10**400)])
def test_times_beyond_every_clock_are_times(provider: Provider, claim: str, value: int) -> None:
    assert_refused(signed_by_hand(unsigned_claims(**{claim: value})))


@pytest.mark.parametrize("claim", ["exp", "iss", "sub"])
def test_a_token_without_a_claim_that_is_needed_is_refused(provider: Provider, claim: str) -> None:
    assert_refused(provider.token(**{claim: None}))


@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_a_token_without_a_signature_is_refused(provider: Provider, signature: str) -> None:
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, 5, ["RS256"], "RS256\0"):
        header = encoded({"alg": algorithm, "kid": "first", "typ": "JWT"})
        assert_refused(f"{header}.{encoded(unsigned_claims())}.{signature}", case=algorithm)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_signature_by_hmac_with_the_public_key_is_refused(provider: Provider, algorithm: str) -> None:
    public = rsa_key("first").public_key()
    forms = [
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(provider.keys[0]).encode(),
        b"",
    ]
    for secret in forms:
        text = f"{encoded({'alg': algorithm, 'kid': 'first'})}.{encoded(unsigned_claims())}"
        assert_refused(f"{text}.{encoded(hmac(secret, text.encode(), sha256).digest())}")


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_another_algorithm_of_the_same_key_is_refused(provider: Provider, algorithm: str) -> None:
    assert_refused(provider.token(algorithm=algorithm))


def test_a_key_of_one_kind_never_checks_the_other(provider: Provider) -> None:
    assert_refused(provider.token(kid="elliptic"))
    assert_refused(provider.token(key=ec_key("elliptic"), algorithm="ES256", kid="first"))


@pytest.mark.parametrize("curve", [ec.SECP384R1, ec.SECP521R1, ec.SECP256K1])
def test_another_curve_is_refused(provider: Provider, curve: Any) -> None:
    key = ec_key("other curve", curve)
    provider.keys.append(published(key, "curve"))
    algorithm = {ec.SECP384R1: "ES384", ec.SECP521R1: "ES512", ec.SECP256K1: "ES256K"}[curve]
    assert_refused(provider.token(key=key, algorithm=algorithm, kid="curve"))


def test_a_short_rsa_key_is_refused(provider: Provider) -> None:
    key = rsa_key("short", 1024)
    provider.keys.append(published(key, "short"))
    text = f"{encoded({'alg': 'RS256', 'kid': 'short'})}.{encoded(unsigned_claims())}"
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(text.encode(), key)
    assert_refused(f"{text}.{encoded(signature)}")


def test_the_key_that_a_token_brings_along_is_never_used(provider: Provider) -> None:
    key = rsa_key("of the attacker")
    for header in ({"jwk": published(key, "first")}, {"jku": "http://127.0.0.1:9/"}, {"x5u": "http://127.0.0.1:9/"}):
        now = unsigned_claims()
        assert_refused(jwt.encode(now, key, "RS256", headers={"kid": "first", **header}))


def test_a_header_that_must_be_understood_and_is_not_is_refused(provider: Provider) -> None:
    header = {"alg": "RS256", "kid": "first", "crit": ["exp2"], "exp2": 1}
    assert_refused(signed_by_hand(unsigned_claims(), header))


def test_a_token_whose_claims_were_changed_is_refused(provider: Provider) -> None:
    header, claims, signature = provider.token(scope="read").split(".")
    assert_refused(f"{header}.{encoded(unsigned_claims())}.{signature}")
    assert_refused(f"{header}.{claims}.{signature[:-8]}AAAAAAAA")
    assert_refused(f"{header}.{claims}.")


def test_a_text_that_is_no_token_is_refused(provider: Provider) -> None:
    for token in (
        "..",
        "a.b.c",
        "a..",
        f"{encoded([])}.{encoded({})}.",
        f"{encoded({'alg': 'RS256', 'kid': 5})}.{encoded({})}.AAAA",
        f"{encoded({'alg': 'RS256', 'kid': ['first']})}.{encoded({})}.AAAA",
        f"{encoded({'alg': 'RS256', 'kid': {}})}.{encoded({})}.AAAA",
        f"{encoded(b'[' * 5000)}.{encoded({})}.AAAA",
        f"{encoded({'alg': 'RS256', 'kid': 'first', 'x': 'y' * 20_000})}.{encoded({})}.AAAA",
        "\xff.\xff.\xff",
        "%00.%00.%00",
        "é.é.é",
    ):
        assert_refused(token, case=token)


def test_claims_of_another_form_are_refused(provider: Provider) -> None:
    for claims in ([], "x", 5, None, b"{", b"\xff", b"[" * 5000, {"iss": ISSUER}):
        assert_refused(signed_by_hand(claims), case=claims)


def test_a_token_is_refused_where_no_provider_is_set(provider: Provider, settings: Any) -> None:
    token = provider.token()
    settings.OIDC_ISSUER = settings.OIDC_AUDIENCE = settings.OIDC_JWKS = ""
    assert_refused(token)
    assert provider.fetches == 0


@given(token=st.from_regex(r"[A-Za-z0-9_=-]{0,30}\.[A-Za-z0-9_=-]{0,30}\.[A-Za-z0-9_=-]{0,30}", fullmatch=True))
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_three_parts_with_dots_are_a_401(provider: Provider, token: str) -> None:
    assert Client(raise_request_exception=False).get("/channels", headers=bearer(token)).status_code == 401


# Keys


def test_keys_are_kept(provider: Provider) -> None:
    for _ in range(5):
        assert hide(provider.token()).status_code == 200
    assert provider.fetches == 1


def test_a_new_key_of_the_provider_is_found_at_once(provider: Provider, clock: list[float]) -> None:
    assert hide(provider.token()).status_code == 200
    provider.keys = [published(rsa_key("second"), "second")]
    assert hide(provider.token(key=rsa_key("second"), kid="second")).status_code == 200
    assert provider.fetches == 2
    assert_refused(provider.token())


def test_a_key_that_the_provider_took_back_is_refused_after_a_while(provider: Provider, clock: list[float]) -> None:
    assert hide(provider.token()).status_code == 200
    provider.keys = [published(rsa_key("second"), "second")]
    assert hide(provider.token()).status_code == 200
    clock[0] += keyset.MAX_AGE_SECONDS + 1
    assert_refused(provider.token())


def test_an_unknown_key_is_a_401_and_made_up_ones_make_few_requests(provider: Provider, clock: list[float]) -> None:
    for number in range(keyset.MOST_FETCHES):
        assert_refused(provider.token(kid=f"made-up-{number}"))
    for number in range(20):
        assert_unavailable(provider.token(kid=f"further-{number}"))
    assert provider.fetches == keyset.MOST_FETCHES
    clock[0] += keyset.RESERVE_SECONDS
    assert_refused(provider.token(kid="made-up"))
    assert_unavailable(provider.token(kid="made-up"))
    assert provider.fetches == keyset.MOST_FETCHES + 1


def test_made_up_key_ids_delay_a_rotation_and_never_refuse_its_tokens(
    provider: Provider, clock: list[float], settings: Any
) -> None:
    django_cache.clear()
    settings.THROTTLE_FAILURES = Rate(keyset.MOST_FETCHES + 1, 3600)
    for number in range(keyset.MOST_FETCHES):
        assert_refused(provider.token(kid=f"made-up-{number}"))
    provider.keys = [published(rsa_key("second"), "second")]
    rotated = provider.token(key=rsa_key("second"), kid="second")
    for _ in range(5):
        assert_unavailable(rotated)
    # Those were no failed sign-ins, and the time that they name is the true one.
    clock[0] += int(hide(rotated)["Retry-After"])
    assert hide(rotated).status_code == 200


def test_a_token_without_a_key_id_is_checked_where_one_key_fits(provider: Provider, clock: list[float]) -> None:
    assert hide(provider.token(kid=None)).status_code == 200
    provider.keys.append(published(rsa_key("second"), "second"))
    clock[0] += keyset.MAX_AGE_SECONDS + 1
    assert_refused(provider.token(kid=None))


@pytest.mark.parametrize("more", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "oct", "k": "AAAA"}, {"n": "!"}, {"n": 5}])
def test_a_published_key_for_something_else_is_not_used(provider: Provider, more: dict[str, Any]) -> None:
    provider.keys[0] = published(rsa_key("first"), "first", **more)
    assert_refused(provider.token())


# The provider cannot be reached


def assert_unavailable(token: str) -> None:
    before = hidden()
    response = hide(token)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Retry-After"].isdigit()
    assert "WWW-Authenticate" not in response
    assert hidden() == before


def key_document(others: int = 0) -> bytes:
    """A set that holds the key of `Provider.token`, and others."""
    keys = [published(rsa_key("first"), name) for name in ("first", *map(str, range(others)))]
    return json.dumps({"keys": keys}).encode()


def redirect(handler: Any) -> None:
    """To an address that has the keys."""
    if handler.path == "/keys":
        send(handler, key_document())
    else:
        send(handler, b"", 302, Location="/keys")


ANSWERS = {
    "an error": lambda handler: send(handler, b"{}", 500),
    "not found": lambda handler: send(handler, b"{}", 404),
    "no JSON": lambda handler: send(handler, b"<html>"),
    "no set": lambda handler: send(handler, b"[]"),
    "an empty set": lambda handler: send(handler, b'{"keys": []}'),
    "keys of another form": lambda handler: send(handler, b'{"keys": [1, null, "x", {}]}'),
    "keys that are no list": lambda handler: send(handler, b'{"keys": {}}'),
    "too many keys": lambda handler: send(handler, key_document(others=100)),
    "too much": lambda handler: send(handler, key_document() + b" " * keyset.LARGEST_BYTES),
    "deep": lambda handler: send(handler, b"[" * 100_000),
    "a redirect": redirect,
    "nothing": lambda handler: handler.wfile.close(),
    "half of it": lambda handler: send(handler, b"{}", 200, **{"Content-Length": "999"}),
    "too many headers": lambda handler: send(handler, b"{}", 200, **{f"X-{number}": "x" for number in range(150)}),
    "a header too long": lambda handler: send(handler, b"{}", 200, **{"X-Long": "x" * 100_000}),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_set_of_keys_that_cannot_be_had_is_a_503_and_no_401(provider: Provider, answer: Any) -> None:
    provider.answer = answer
    assert_unavailable(provider.token())


def test_an_unreachable_provider_is_a_503(provider: Provider, settings: Any) -> None:
    settings.OIDC_JWKS = f"http://127.0.0.1:9/{uuid4()}"
    assert_unavailable(provider.token())


def test_a_provider_that_is_slow_is_given_up(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "TIMEOUT_SECONDS", 0.05)
    release = threading.Event()
    provider.answer = lambda handler: release.wait(5)
    assert_unavailable(provider.token())
    release.set()


@pytest.mark.parametrize(
    ("start", "part"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status line", "headers", "one header", "body", "interim answers"],
)
def test_an_answer_that_trickles_in_is_cut_at_the_deadline_of_the_whole_fetch(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, start: bytes, part: bytes
) -> None:
    monkeypatch.setattr(keyset, "TIMEOUT_SECONDS", 0.1)
    cut = threading.Event()

    def trickle(handler: Any) -> None:
        try:
            handler.wfile.write(start)
            # Below the limits of http.client, and each part long before the timeout of a read.
            for _ in range(90):
                handler.wfile.write(part)
                sleep(0.03)
        except OSError:
            cut.set()

    provider.answer = trickle
    assert_unavailable(provider.token())
    assert cut.wait(10)
    for thread in threading.enumerate():
        if thread.name == keyset.THREAD_NAME:
            thread.join(10)
            assert not thread.is_alive()


def test_one_fetch_is_under_way_and_all_others_get_a_503(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyset, "WAIT_SECONDS", 0.05)
    asked, release = threading.Event(), threading.Event()

    def wait(handler: Any) -> None:
        asked.set()
        release.wait(10)
        send(handler, json.dumps({"keys": provider.keys}).encode())

    provider.answer = wait
    token, statuses = provider.token(), []

    def ask() -> None:
        statuses.append(Client().get("/channels", headers=bearer(token)).status_code)
        connections.close_all()

    first = threading.Thread(target=ask)
    first.start()
    assert asked.wait(10)
    for _ in range(3):
        assert_unavailable(token)
    assert Client().get("/healthz").status_code == 200
    assert (statuses, provider.fetches) == ([], 1)
    release.set()
    first.join(10)
    assert (statuses, provider.fetches) == ([200], 1)
    assert hide(token).status_code == 200


def test_an_outage_of_the_provider_leaves_the_keys_that_are_there(provider: Provider, clock: list[float]) -> None:
    assert hide(provider.token()).status_code == 200
    provider.answer = ANSWERS["an error"]
    clock[0] += keyset.MAX_AGE_SECONDS + 1
    assert hide(provider.token()).status_code == 200


def test_an_unknown_key_during_an_outage_is_a_503(provider: Provider, clock: list[float]) -> None:
    assert hide(provider.token()).status_code == 200
    provider.answer = ANSWERS["an error"]
    assert_unavailable(provider.token(key=rsa_key("second"), kid="second"))


def test_an_outage_is_over_when_it_is(provider: Provider, clock: list[float]) -> None:
    provider.answer = ANSWERS["an error"]
    for _ in range(4):
        assert_unavailable(provider.token())
    # It was asked once: a provider that is down is left alone for a while.
    assert provider.fetches == 1
    provider.answer = None
    clock[0] += keyset.RETRY_SECONDS + 1
    assert hide(provider.token()).status_code == 200


def test_tokens_that_cannot_be_checked_are_counted_by_their_address(provider: Provider, settings: Any) -> None:
    django_cache.clear()
    settings.THROTTLE_ADDRESS, settings.THROTTLE_FAILURES = Rate(2, 3600), Rate(2, 3600)
    provider.answer = ANSWERS["an error"]
    statuses = [hide(provider.token()).status_code for _ in range(4)]
    assert statuses == [503, 503, 429, 429]


def test_neither_a_token_nor_its_claims_are_logged(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for token in (provider.token(), provider.token(aud="another"), provider.token(kid="unknown")):
        hide(token)
        assert token.split(".")[2] not in caplog.text
        assert token.split(".")[1] not in caplog.text
    assert "somebody" not in caplog.text
