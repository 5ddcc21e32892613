"""The stand-in for CloudFront: what it takes, and a thousand URLs that it must not."""

import base64
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from ondemand.playback.signing import UrlSigner, configured_signer, files_below, one_file
from tests.support.ports import free_port
from tests.support.settings import NEEDED, settings_of
from tests.support.signing import KINDS, private_key, public_pem_of
from tools.local import launch
from tools.local.aws import LocalAws
from tools.local.cloudfront import SignedMedia
from tools.local.s3 import StoredObject
from tools.local.serving import MOUNT, served, with_local_aws

BASE = "https://media.example.com"
PREFIX = "ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/KOmxgJTeKdNn"
FILES = ["media/hls/master.m3u8", "media/hls/720p30/playlist.m3u8", "media/hls/720p30/0.ts", "media/thumbnails/th0.jpg"]
NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
END = NOW + timedelta(hours=1)
END_SECONDS = int(END.timestamp())
ALGORITHMS = ("SHA1", "SHA256")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~"


@dataclass
class Edge:
    """The stand-in in front of an origin that serves everything."""

    keys: dict[str, str]
    now: datetime = NOW
    served: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.application = SignedMedia(self._origin, self.keys, clock=lambda: self.now.timestamp())

    def _origin(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.served.append(environ)
        return Response(b"a file")(environ, start_response)

    def get(self, url: str, **environ: str) -> tuple[int, str, Any]:
        """Return status, body and headers for a URL that is sent as it is written."""
        scheme, _, rest = url.partition("://")
        host, slash, target = rest.partition("/")
        path, _, query = f"{slash}{target}".partition("?")
        request = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            # As the server of the demo decodes it.
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": f"{slash}{target}",
            "HTTP_HOST": host,
            "REMOTE_ADDR": "203.0.113.7",
            "wsgi.url_scheme": scheme,
            **environ,
        }
        body, status, headers = run_wsgi_app(self.application, request, buffered=True)
        return int(status.split()[0]), b"".join(body).decode(), headers


def signer(kind: str, algorithm: str = "SHA1", number: int = 0) -> UrlSigner:
    return UrlSigner(f"K{kind.upper()}{number}", private_key(kind, number), algorithm)


def edge_of(*signers: UrlSigner) -> Edge:
    return Edge({each.key_id: public_pem_of(each.private_key) for each in signers})


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode().translate(str.maketrans("+=/", "-_~"))


def decoded(text: str) -> bytes:
    return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")))


def signature_of(kind: str, message: bytes) -> bytes:
    """The signature with SHA-1 that the AWS SDKs make."""
    key = private_key(kind)
    if isinstance(key, RSAPrivateKey):
        return key.sign(message, PKCS1v15(), hashes.SHA1())  # noqa: S303  (CloudFront's default)
    return key.sign(message, ECDSA(hashes.SHA1()))  # noqa: S303


# What is taken


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_signature_opens_each_file_below_its_prefix(kind: str, algorithm: str) -> None:
    key = signer(kind, algorithm)
    edge, query = edge_of(key), key.query(files_below(BASE, PREFIX), END)

    assert {edge.get(f"{BASE}/{PREFIX}/{name}?{query}")[:2] for name in FILES} == {(200, "a file")}
    assert [environ["PATH_INFO"] for environ in edge.served] == [f"/{PREFIX}/{name}" for name in FILES]


@pytest.mark.parametrize("prefix", ["with space/and+plus", "Übertragung/größe", "100%/50%25", "a#b", "a~b&c=d", "a//b"])
def test_a_prefix_of_any_characters_opens_its_own_files_alone(prefix: str) -> None:
    key = signer("ecdsa")
    edge, query = edge_of(key), key.query(files_below(BASE, prefix), END)

    assert edge.get(f"{BASE}/{quote(prefix)}/0.ts?{query}")[0] == 200
    assert edge.get(f"{BASE}/{quote(prefix)}2/0.ts?{query}")[0] == 403


def test_a_signature_for_one_file_opens_no_other() -> None:
    key = signer("ecdsa")
    edge, query = edge_of(key), key.query(one_file(BASE, f"{PREFIX}/media/thumbnails/th1.jpg"), END)

    assert edge.get(f"{BASE}/{PREFIX}/media/thumbnails/th1.jpg?{query}")[0] == 200
    for other in ("th2.jpg", "th1.jpg.bak", "th1.jpg/x", "th11.jpg"):
        assert edge.get(f"{BASE}/{PREFIX}/media/thumbnails/{other}?{query}")[0] == 403


@pytest.mark.parametrize("kind", KINDS)
def test_another_signer_is_taken_and_what_it_may_limit_counts(kind: str) -> None:
    ours = signer(kind)
    edge, url = edge_of(ours), f"{BASE}/{PREFIX}/media/hls/master.m3u8"
    theirs = CloudFrontSigner(ours.key_id, lambda message: signature_of(kind, message))

    def signed(resource: str, **limits: Any) -> str:
        return theirs.generate_presigned_url(url, policy=theirs.build_policy(resource, END, **limits))

    assert edge.get(signed(f"{BASE}/{PREFIX}/*"))[0] == 200
    assert edge.get(signed(f"{BASE}/{PREFIX}/media/hls/master.m?u8"))[0] == 200
    assert edge.get(signed(f"*{PREFIX}*", ip_address="203.0.113.0/24"))[0] == 200
    assert edge.get(signed(url, date_greater_than=NOW - timedelta(seconds=1)))[0] == 200
    assert edge.get(signed(url, date_greater_than=NOW))[0] == 403
    assert edge.get(signed(url, ip_address="203.0.113.8"))[0] == 403
    assert edge.get(signed(f"{BASE}/{PREFIX}/media/hls/master.m?3u8"))[0] == 403
    # A canned policy.
    assert edge.get(theirs.generate_presigned_url(url, date_less_than=END))[0] == 403


def test_live_states_and_uploaded_pictures_need_no_signature() -> None:
    edge = edge_of(signer("ecdsa"))

    assert edge.get(f"{BASE}/live/8d0c0b3e.json")[0] == 200
    assert edge.get(f"{BASE}/thumbnails/{'a' * 64}.jpg")[0] == 200
    for path in (
        "/live/../",
        "/live/%2e%2e/",
        "/thumbnails/..%2f",
        "/thumbnails/..%5c",
        "//live/",
        "/live",
        "/x/live/",
    ):
        assert edge.get(f"{BASE}{path}{PREFIX}/media/thumbnails/th0.jpg")[0] == 403


def test_the_origin_never_sees_a_signature_and_own_parameters_may_stand_on_both_sides() -> None:
    key = signer("rsa", "SHA256")
    edge, query = edge_of(key), key.query(files_below(BASE, PREFIX), END)
    url = f"{BASE}/{PREFIX}/media/hls/720p30/0.ts"

    for asked in (f"{url}?{query}", f"{url}?a=1&{query}", f"{url}?{query}&b=2", f"{url}?a=1&{query}&b=2"):
        assert edge.get(asked)[0] == 200
    assert [environ["QUERY_STRING"] for environ in edge.served] == ["", "a=1", "b=2", "a=1&b=2"]
    assert "Signature" not in repr(edge.served)


def test_a_signature_ends_with_its_second() -> None:
    key = signer("ecdsa")
    edge, url = edge_of(key), f"{BASE}/{PREFIX}/0.ts?{key.query(files_below(BASE, PREFIX), END)}"

    for now, status in ((END - timedelta(seconds=1), 200), (END, 403), (END + timedelta(days=1), 403)):
        edge.now = now
        assert edge.get(url)[0] == status


@pytest.mark.parametrize("kinds", [("rsa", "rsa"), ("rsa", "ecdsa"), ("ecdsa", "rsa"), ("ecdsa", "ecdsa")])
def test_keys_are_rotated_with_no_request_refused(kinds: tuple[str, str]) -> None:
    old, new = signer(kinds[0], number=0), signer(kinds[1], number=1)
    resource = files_below(BASE, PREFIX)
    urls = [f"{BASE}/{PREFIX}/0.ts?{each.query(resource, END)}" for each in (old, new)]

    def statuses(*trusted: UrlSigner) -> list[int]:
        edge = edge_of(*trusted)
        return [edge.get(url)[0] for url in urls]

    assert statuses(old) == [200, 403]
    assert statuses(old, new) == [200, 200]
    assert statuses(new) == [403, 200]


# What is refused


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "MissingKey"),
        ("Policy={Policy}&Signature={Signature}", "MissingKey"),
        ("Policy={Policy}&Signature={Signature}&Key-Pair-Id=", "MissingKey"),
        ("Policy={Policy}&Signature={Signature}&Key-Pair-Id=KOTHER", "InvalidKey"),
        ("Policy=!&Signature={Signature}&Key-Pair-Id={Key-Pair-Id}", "MalformedPolicy"),
        ("Policy={Signature}&Signature={Signature}&Key-Pair-Id={Key-Pair-Id}", "AccessDenied"),
        ("Signature={Signature}&Key-Pair-Id={Key-Pair-Id}", "AccessDenied"),
    ],
)
def test_a_refusal_is_xml_with_the_code_of_cloudfront_and_pages_may_read_it(query: str, code: str) -> None:
    key = signer("ecdsa")
    edge = edge_of(key)
    good = dict(part.split("=", 1) for part in key.query(files_below(BASE, PREFIX), END).split("&"))
    status, body, headers = edge.get(f"{BASE}/{PREFIX}/0.ts?{query.format(**good)}")

    assert (status, headers["Content-Type"], headers["Access-Control-Allow-Origin"]) == (403, "text/xml", "*")
    assert f"<Error><Code>{code}</Code><Message>" in body
    assert not edge.served


def policy(resource: Any = f"{BASE}/{PREFIX}/*", end: Any = END_SECONDS, **more: Any) -> dict[str, Any]:
    return {"Resource": resource, "Condition": {"DateLessThan": {"AWS:EpochTime": end}, **more}}


@pytest.mark.parametrize(
    "document",
    [
        {"Statement": []},
        {"Statement": [policy(), policy()]},
        {"Statement": policy()},
        [policy()],
        "*",
        {"Statement": [policy([f"{BASE}/*"])]},
        {"Statement": [policy(None)]},
        {"Statement": [policy("media.example.com/*")]},
        {"Statement": [{"Condition": policy()["Condition"]}]},
        {"Statement": [{"Resource": "*"}]},
        {"Statement": [{"Resource": "*", "Condition": {}}]},
        {"Statement": [{**policy(), "Effect": "Allow"}]},
        {"Statement": [policy(end="1999999999")]},
        {"Statement": [policy(end=True)]},
        {"Statement": [policy(end=1e99)]},
        {"Statement": [policy(DateGreaterThan=0)]},
        {"Statement": [policy(IpAddress={"AWS:SourceIp": "everywhere"})]},
        {"Statement": [policy(IpAddress="0.0.0.0/0")]},
        {"Statement": [policy(Other=1)]},
    ],
)
def test_a_policy_of_another_form_is_refused_though_it_is_signed(document: Any) -> None:
    assert signed_policy(json.dumps({"Statement": [policy()]})) == 200
    assert signed_policy(json.dumps(document)) == 403


@pytest.mark.parametrize("text", ["", "{", '{"Statement":[' * 3000, '{"Statement":[],"Statement":[{}]}'])
def test_a_signed_policy_that_is_no_json_or_names_something_twice_is_refused(text: str) -> None:
    twice = json.dumps({"Statement": [policy()]}).replace('"Resource"', '"Resource":"https://other/*","Resource"')
    assert signed_policy(text) == signed_policy(twice) == 403


def signed_policy(text: str) -> int:
    key = signer("ecdsa")
    signature = encoded(signature_of("ecdsa", text.encode()))
    query = f"Policy={encoded(text.encode())}&Signature={signature}&Key-Pair-Id={key.key_id}"
    return edge_of(key).get(f"{BASE}/{PREFIX}/0.ts?{query}")[0]


# A thousand tampered URLs


@dataclass(frozen=True)
class Url:
    """A signed URL in its parts."""

    scheme: str
    host: str
    prefix: str
    name: str
    query: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in self.query)
        return f"{self.scheme}://{self.host}/{self.prefix}/{self.name}?{query}"

    def value(self, name: str) -> str:
        return dict(self.query)[name]

    def having(self, name: str, value: str) -> "Url":
        return replace(self, query=tuple((each, value if each == name else old) for each, old in self.query))


Mutation = Callable[[random.Random, Url], Url | str]
# Ids of keys that are trusted too, so that they are known.
OTHERS = [signer(kind, number=2) for kind in KINDS]


def character_changed(rng: random.Random, text: str, alphabet: str = ALPHABET) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice([each for each in alphabet if each != text[at]]) + text[at + 1 :]


def segment_changed(rng: random.Random, url: Url) -> Url:
    """Another account, channel, date or recording."""
    segments = url.prefix.split("/")
    at = rng.randrange(len(segments))
    segments[at] = character_changed(rng, segments[at], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789_")
    return replace(url, prefix="/".join(segments))


def segments_added_or_left_out(rng: random.Random, url: Url) -> Url:
    segments = url.prefix.split("/")
    at = rng.randrange(len(segments))
    changed = [*segments[:at], *rng.choice([[], ["x", segments[at]], ["ivs", segments[at]]]), *segments[at + 1 :]]
    return replace(url, prefix="/".join(changed))


def sibling(rng: random.Random, url: Url) -> Url:
    """A prefix that begins with the signed one, or the other way round."""
    longer = url.prefix + "".join(rng.choices(ALPHABET, k=rng.randint(1, 3)))
    return replace(url, prefix=rng.choice([longer, url.prefix[: -rng.randint(1, 11)]]))


def letter_case(rng: random.Random, url: Url) -> Url:
    at = rng.choice([n for n, each in enumerate(url.prefix) if each.isalpha()])
    return replace(url, prefix=f"{url.prefix[:at]}{url.prefix[at].swapcase()}{url.prefix[at + 1 :]}")


def dot_segments(rng: random.Random, url: Url) -> Url:
    """Out of the prefix and into another, with each spelling of dots and slashes."""
    dots = rng.choice(["..", "%2e%2e", "%2E%2E", ".%2e", "%2E.", ".", "%2e"])
    slash = rng.choice(["/", "%2f", "%2F", "\\", "%5c", "%5C"])
    inside = url.name.split("/")
    at = rng.randint(0, len(inside) - 1)
    ways = [dots] * rng.randint(1, 11)
    return replace(url, name="/".join([*inside[:at], slash.join([*ways, rng.choice(["other", PREFIX])]), *inside[at:]]))


def dots_before_the_prefix(rng: random.Random, url: Url) -> Url:
    dots = rng.choice(["..", "%2e%2e", ".", "%2e", "live/..", "thumbnails/..", "live/%2e%2e", "thumbnails/%2E%2E"])
    return replace(url, prefix=f"{dots}/{url.prefix}")


def slashes(rng: random.Random, url: Url) -> Url:
    at = rng.choice([n for n, each in enumerate(f"/{url.prefix}") if each == "/"])
    other = rng.choice(["//", "///", "%2f", "%2F", "/%2f", "%2f/", "\\", "%5c", ";/", "/;/"])
    return replace(url, prefix=f"/{url.prefix}"[:at].removeprefix("/") + other + f"/{url.prefix}"[at + 1 :])


def percent_encoded(rng: random.Random, url: Url) -> Url:
    """The same key, in a URL that is not the one of the policy."""
    at = rng.randrange(len(url.prefix))
    code = f"{ord(url.prefix[at]):02x}"
    code = rng.choice([f"%{code}", f"%{code.upper()}", f"%25{code}", f"%u00{code}"])
    return replace(url, prefix=f"{url.prefix[:at]}{code}{url.prefix[at + 1 :]}")


def wildcards(rng: random.Random, url: Url) -> Url:
    at = rng.randrange(len(url.prefix))
    other = rng.choice(["*", "%2A", "%2a", "%3F", "%3f"])
    return replace(url, prefix=f"{url.prefix[:at]}{other}{url.prefix[at + 1 :]}")


def host(rng: random.Random, url: Url) -> Url:
    name = url.host
    ports = [f"{name}:443", f"{name}:80", f"{name}."]
    others = [f"{name}.evil.test", f"x.{name}", f"user@{name}", "recordings.s3.amazonaws.com"]
    changed = [character_changed(rng, name, "abcdefghij"), name.title(), name.upper()]
    return replace(url, host=rng.choice([*ports, *others, *changed]))


def scheme(rng: random.Random, url: Url) -> Url:
    return replace(url, scheme=rng.choice(["http", "HTTPS", "wss"]))


def other_policy(rng: random.Random, url: Url) -> Url:
    """A wider resource or a later end, with the signature of the old one."""
    document = json.loads(decoded(url.value("Policy")))
    [statement] = document["Statement"]
    wider = rng.choice(["later", "resource", "no resource", "no end", "second", "spaces"])
    if wider == "later":
        statement["Condition"]["DateLessThan"]["AWS:EpochTime"] += rng.randint(1, 10**9)
    elif wider == "resource":
        parts = statement["Resource"].split("/")
        statement["Resource"] = rng.choice(["*", "https://*", "/".join([*parts[: rng.randint(3, 12)], "*"])])
    elif wider == "no resource":
        del statement["Resource"]
    elif wider == "no end":
        statement["Condition"] = rng.choice([{}, {"DateGreaterThan": {"AWS:EpochTime": rng.randint(1, 99)}}])
    elif wider == "second":
        document["Statement"].append({**statement, "Resource": rng.choice(["*", f"{BASE}/*", "http*"])})
    spaces = rng.randint(1, 40) if wider == "spaces" else None
    return url.having("Policy", encoded(json.dumps(document, indent=spaces).encode()))


def character_of_a_value(rng: random.Random, url: Url) -> Url:
    name = rng.choice(["Policy", "Signature", "Key-Pair-Id"])
    return url.having(name, character_changed(rng, url.value(name)))


def other_spelling(rng: random.Random, url: Url) -> Url:
    """The same bytes, or some of them, in another spelling of base64."""
    name = rng.choice(["Policy", "Signature"])
    text = url.value(name)
    at = rng.randrange(len(text))
    before, character, after = text[:at], text[at], text[at + 1 :]
    data = text.rstrip("_")
    padding = data if data != text else f"{text}=="
    # With padding the last bit of the last character is in no byte.
    unused = f"{data[:-1]}{ALPHABET[ALPHABET.index(data[-1]) ^ 1]}{text[len(data) :]}"
    added = rng.choice(["+", "/", "=", ".", "!", "%20", "%0A", "_", *ALPHABET])
    spellings = [
        text.translate(str.maketrans("-_~", "+=/")),
        f"{before}%{ord(character):02X}{after}",
        padding,
        unused,
        unused,
    ]
    pieces = ["", before, after, f"{before}{after}", f"{before}{added}{character}{after}", f"{text}{added}"]
    return url.having(name, rng.choice([*spellings, *pieces]))


def bits_of_the_signature(rng: random.Random, url: Url) -> Url:
    signature = bytearray(decoded(url.value("Signature")))
    for _ in range(rng.randint(1, 3)):
        signature[rng.randrange(len(signature))] ^= 1 << rng.randrange(8)
    return url.having("Signature", encoded(bytes(signature)))


def signature_of_something_else(rng: random.Random, url: Url) -> Url:
    other = rng.choice(OTHERS)
    prefix = f"{PREFIX}{rng.randint(0, 10**9)}"
    found = dict(part.split("=", 1) for part in other.query(files_below(BASE, prefix), END).split("&"))
    whole = replace(url, query=tuple(found.items()))
    return rng.choice([whole, url.having("Signature", found["Signature"]), url.having("Policy", found["Policy"])])


def key_id(rng: random.Random, url: Url) -> Url:
    known = [each.key_id for each in OTHERS]
    text = url.value("Key-Pair-Id")
    return url.having(
        "Key-Pair-Id", rng.choice([*known, text.lower(), f"{text}%00", f"{text},{known[0]}", f"{text} ", "*"])
    )


def algorithm(rng: random.Random, url: Url) -> Url:
    names = dict(url.query)
    wrong = ["MD5", "sha256", "sha1", "SHA-1", "SHA-256", "", "none", "SHA512", f"SHA{rng.randint(2, 255)}"]
    wrong.append("SHA1" if names.get("Hash-Algorithm") == "SHA256" else "SHA256")
    names["Hash-Algorithm"] = rng.choice(wrong)
    items = list(names.items())
    rng.shuffle(items)
    return replace(url, query=tuple(items))


def parameter_twice(rng: random.Random, url: Url) -> Url:
    """A parameter that stands twice, alike or not, at any place."""
    items = list(url.query)
    name, value = rng.choice(items)
    items.insert(rng.randint(0, len(items)), (name, rng.choice([value, "", character_changed(rng, value)])))
    return replace(url, query=tuple(items))


def parameter_missing(rng: random.Random, url: Url) -> Url:
    items = list(url.query)
    at = rng.randrange(len(items))
    name, value = items[at]
    renamed = rng.choice([name.lower(), name.upper(), f"{name}%00", f"x-{name}", f"%{ord(name[0]):02x}{name[1:]}"])
    items[at : at + 1] = rng.choice([[], [(renamed, value)]])
    return replace(url, query=tuple(items))


def parameter_added(rng: random.Random, url: Url) -> Url:
    name = rng.choice(["Expires", "%45xpires", "%50olicy", "Signatur%65", "Key%2DPair%2DId", "Hash-Algorith%6D"])
    items = [*url.query, (name, rng.choice(["1", str(rng.randint(1, 10**10)), "SHA1"]))]
    rng.shuffle(items)
    return replace(url, query=tuple(items))


def other_separator(rng: random.Random, url: Url) -> str:
    path, _, query = str(url).partition("?")
    return rng.choice(
        [f"{path};{query}", f"{path}%3F{query}", f"{path}#{query}", f"{path}?{query.replace('&', ';')}", path]
    )


MUTATIONS: list[Mutation] = [
    *(segment_changed, segments_added_or_left_out, sibling, letter_case, dot_segments, dots_before_the_prefix),
    *(slashes, percent_encoded, wildcards, host, scheme, other_policy, character_of_a_value, other_spelling),
    *(bits_of_the_signature, signature_of_something_else, key_id, algorithm, parameter_twice, parameter_missing),
    *(parameter_added, other_separator),
]


def tampered(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield the name of a mutation and its URL, without end: each mutation in turn, on a URL of any kind."""
    signers = [signer(kind, name) for kind in KINDS for name in ALGORITHMS]
    pairs = [(part.split("=", 1) for part in each.query(files_below(BASE, PREFIX), END).split("&")) for each in signers]
    good = [Url("https", "media.example.com", PREFIX, FILES[0], tuple((n, v) for n, v in each)) for each in pairs]
    while True:
        for mutate in MUTATIONS:
            url = replace(rng.choice(good), name=rng.choice(FILES))
            changed = str(mutate(rng, url))
            if changed != str(url):
                yield mutate.__name__, changed


def test_a_thousand_tampered_urls_are_refused() -> None:
    edge = edge_of(*(signer(kind) for kind in KINDS), *OTHERS)
    tried: dict[str, str] = {}
    for name, url in tampered(random.Random(14)):  # noqa: S311  (the same ones each time)
        tried.setdefault(url, name)
        if len(tried) == 1000:
            break
    taken = {url: name for url, name in tried.items() if edge.get(url)[0] != 403}

    assert not taken
    assert not edge.served
    # Each mutation has its share, but for those that have few results.
    counts = Counter(tried.values())
    assert set(counts) == {mutate.__name__ for mutate in MUTATIONS}
    assert min(counts[mutate.__name__] for mutate in MUTATIONS if mutate not in (scheme, dots_before_the_prefix)) > 15


# In the local stack


@pytest.fixture
def protected(tmp_path: Path) -> tuple[LocalAws, dict[str, str]]:
    """A local AWS with the files of a recording, and the variables that sign its URLs."""
    variables = launch.signing_environment(tmp_path)
    aws = LocalAws(tmp_path, launch.trusted_keys(variables))
    for key in (f"{PREFIX}/media/hls/720p30/0.ts", "with space/größe/0.ts", "live/1.json", f"{PREFIX}2/0.ts"):
        stored = StoredObject("recordings", key, key.encode(), {}, '"1"', NOW)
        aws.s3.journal.write(stored)
    return aws, variables


def test_the_key_of_a_home_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    variables = launch.signing_environment(tmp_path)

    assert (tmp_path / "signing.json").stat().st_mode & 0o777 == 0o600
    assert launch.signing_environment(tmp_path) == variables
    found = settings_of({**NEEDED, "PLAYBACK_BASE_URL": "http://127.0.0.1:8000/_local/media", **variables})
    assert found["CLOUDFRONT_KEY_ID"] == variables["CLOUDFRONT_KEY_ID"]
    assert launch.trusted_keys({}) == {}


def test_protected_is_what_the_demo_was_started_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def begins(value: str) -> bool:
        monkeypatch.setenv("PROTECTED", value)
        return launch.is_protected(tmp_path, starts_demo=True, runs_demo=False)

    for value, protects in (("", False), ("1", True), ("0", False), ("1", True)):
        assert begins(value) is protects
        assert launch.is_protected(tmp_path, starts_demo=False, runs_demo=True) is protects
    # Without a demo nothing checks signatures.
    assert not launch.is_protected(tmp_path, starts_demo=False, runs_demo=False)
    with pytest.raises(SystemExit, match="PROTECTED"):
        begins("yes")


def test_the_server_of_the_demo_serves_signed_urls_alone_and_sees_them_as_they_were_sent(
    protected: tuple[LocalAws, dict[str, str]], settings: Any
) -> None:
    aws, variables = protected
    settings.CLOUDFRONT_KEY_ID, settings.CLOUDFRONT_PRIVATE_KEY = variables.values()
    ours, port, end = configured_signer(), free_port(), datetime.now(UTC) + timedelta(minutes=5)
    base = f"http://127.0.0.1:{port}{MOUNT}/media"
    assert ours

    def get(path: str, prefix: str = "", **headers: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        query = f"?{ours.query(files_below(base, prefix), end)}" if prefix else ""
        connection.request("GET", f"{MOUNT}/media/{path}{query}", headers=headers)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        return response.status, body

    with served(with_local_aws(Response(b""), aws), port):
        file, odd = f"{PREFIX}/media/hls/720p30/0.ts", "with space/größe"
        assert get(file, PREFIX) == (200, file.encode())
        assert get(file, PREFIX, Range="bytes=0-2") == (206, b"ivs")
        assert get(f"{quote(odd)}/0.ts", odd) == (200, f"{odd}/0.ts".encode())
        assert get("live/1.json") == (200, b"live/1.json")
        # Neither is an object of S3, so its answer is the same as that to a URL without a signature.
        refused = [
            get(file)[0],
            get(f"{PREFIX}2/0.ts", PREFIX)[0],
            get(f"{PREFIX}/%2e%2e/KOmxgJTeKdNn2/0.ts", PREFIX)[0],
            get(f"{PREFIX}/..%2fKOmxgJTeKdNn2/0.ts", PREFIX)[0],
            get(f"{quote(odd)}/0.ts".replace("%20", "+"), odd)[0],
            get(f"{quote(odd)}/0.ts".replace("e/", "%65/", 1), odd)[0],
            get(file.replace("/720p30", "//720p30"), PREFIX)[0],
            get(f"{PREFIX}/media/hls/720p30/1.ts", PREFIX)[0],
        ]
        assert refused == [403] * 8
