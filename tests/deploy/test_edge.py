"""`deploy/edge.yaml`: access to the recordings, how long they are cached, and the API behind it."""

import json
import shutil
import subprocess
from fnmatch import fnmatchcase
from typing import Any

import pytest
from django.conf import settings

from tests.support.cloudformation import of_type, resolved

SIGNED = {"SigningPublicKey": "-----BEGIN PUBLIC KEY-----"}
RECORDING = "ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/KOmxgJTeKdNn"


def distribution(name: str, **parameters: str) -> dict[str, Any]:
    return of_type(resolved("edge", **parameters), "AWS::CloudFront::Distribution")[name]["DistributionConfig"]


def behaviours(**parameters: str) -> dict[str, Any]:
    media = distribution("Media", **parameters)
    return {**{item["PathPattern"]: item for item in media["CacheBehaviors"]}, "*": media["DefaultCacheBehavior"]}


def test_recordings_are_public_without_a_signing_key() -> None:
    assert not [path for path, behaviour in behaviours().items() if "TrustedKeyGroups" in behaviour]


def test_with_a_signing_key_all_files_of_recordings_need_a_signature() -> None:
    signed = {path for path, behaviour in behaviours(**SIGNED).items() if "TrustedKeyGroups" in behaviour}

    assert signed == {"*.m3u8", "*/latest_thumbnail/*", "*"}


def behaviour_of(path: str, **parameters: str) -> str:
    """The pattern of the behaviour that CloudFront chooses for a path: the first that fits, with `*` and `?`."""
    return next(pattern for pattern in behaviours(**parameters) if fnmatchcase(path, pattern.removeprefix("/")))


@pytest.mark.parametrize(
    ("path", "is_signed"),
    [
        ("live/8d0c0b3e-5f0a-4d5e-9a53-1c2f5f1c7a10.json", False),
        ("live.json", False),
        (f"thumbnails/{'a' * 64}.jpg", False),
        (f"{RECORDING}/media/hls/master.m3u8", True),
        (f"{RECORDING}/media/hls/720p30/0.ts", True),
        (f"{RECORDING}/media/thumbnails/720p30/thumb0.jpg", True),
        (f"{RECORDING}/media/latest_thumbnail/720p30/thumb.jpg", True),
        (f"{RECORDING}/live/0.ts", True),
    ],
)
def test_files_of_people_and_live_states_alone_need_no_signature(path: str, is_signed: bool) -> None:
    parameters = {**SIGNED, "LiveStateLegacyKey": "live.json"}
    pattern = behaviour_of(path, **parameters)

    assert ("TrustedKeyGroups" in behaviours(**parameters)[pattern]) is is_signed


def test_a_key_may_be_there_before_signatures_are_required() -> None:
    document = resolved("edge", **SIGNED, RequireSignatures="false")

    assert not [
        path for path, item in behaviours(**SIGNED, RequireSignatures="false").items() if "TrustedKeyGroups" in item
    ]
    assert document["Resources"]["SigningKeys"]["Properties"]["KeyGroupConfig"]["Items"] == ["FirstKey.Ref"]
    assert document["Outputs"]["CloudfrontKeyId"]["Value"] == "FirstKey.Ref"


def test_mutable_objects_are_cached_for_seconds_and_all_others_for_long() -> None:
    short = {
        path
        for path, item in behaviours(LiveStateLegacyKey="l.json").items()
        if item["CachePolicyId"] == "ShortCache.Ref"
    }
    policies = of_type(resolved("edge"), "AWS::CloudFront::CachePolicy")

    assert short == {"*.m3u8", "*/latest_thumbnail/*", "live/*", "l.json"}
    assert policies["ShortCache"]["CachePolicyConfig"]["MaxTTL"] <= 12
    assert policies["LongCache"]["CachePolicyConfig"]["DefaultTTL"] >= 24 * 3600


@pytest.mark.parametrize(
    ("key", "group"), [("first", ["FirstKey.Ref", "SecondKey.Ref"]), ("second", ["FirstKey.Ref", "SecondKey.Ref"])]
)
def test_keys_are_exchanged_while_both_are_good(key: str, group: list[str]) -> None:
    document = resolved("edge", **SIGNED, SecondSigningPublicKey="-----BEGIN PUBLIC KEY-----", SigningKey=key)

    assert document["Resources"]["SigningKeys"]["Properties"]["KeyGroupConfig"]["Items"] == group
    assert document["Outputs"]["CloudfrontKeyId"]["Value"] == f"{key.capitalize()}Key.Ref"


@pytest.mark.parametrize(("policy", "name"), [("RecordingsPolicy", "Media"), ("StaticPolicy", "Site")])
def test_a_bucket_lets_in_its_own_distribution_alone(policy: str, name: str) -> None:
    document = of_type(resolved("edge"), "AWS::S3::BucketPolicy")[policy]["PolicyDocument"]
    (allow,) = [item for item in document["Statement"] if item["Effect"] == "Allow"]

    assert allow["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert allow["Action"] == "s3:GetObject"
    assert allow["Condition"] == {
        "StringEquals": {"AWS:SourceArn": f"arn:aws:cloudfront::111122223333:distribution/{name}.Ref"}
    }


API = {
    "ApiOriginDomain": "abc.execute-api.eu-west-1.amazonaws.com",
    "ApiOriginPath": "/production",
    "OriginSecret": "arn:s",
}


def test_cloudfront_identifies_itself_to_the_api_by_a_secret_header() -> None:
    (origin,) = [item for item in distribution("Site", **API)["Origins"] if item["Id"] == "api"]

    assert (origin["DomainName"], origin["OriginPath"]) == (API["ApiOriginDomain"], "/production")
    assert origin["OriginCustomHeaders"] == [
        {"HeaderName": "X-Origin-Secret", "HeaderValue": "{{resolve:secretsmanager:arn:s:SecretString}}"}
    ]
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


def test_the_api_takes_all_methods_and_no_answer_to_one_caller_reaches_another() -> None:
    behaviour = distribution("Site", **API)["DefaultCacheBehavior"]
    cache = of_type(resolved("edge", **API), "AWS::CloudFront::CachePolicy")["ApiCache"]["CachePolicyConfig"]
    key = cache["ParametersInCacheKeyAndForwardedToOrigin"]

    assert set(behaviour["AllowedMethods"]) == {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}
    assert (cache["MinTTL"], cache["DefaultTTL"]) == (0, 0)
    assert key["CookiesConfig"]["CookieBehavior"] == key["QueryStringsConfig"]["QueryStringBehavior"] == "all"
    assert {"Authorization", "Origin"} <= set(key["HeadersConfig"]["Headers"])


def test_before_there_is_an_api_the_site_has_static_files_alone() -> None:
    site = distribution("Site")

    assert [item["Id"] for item in site["Origins"]] == ["static"]
    assert "PublicHost" not in resolved("edge")["Outputs"]


def test_addresses_are_those_of_own_host_names_where_there_are_some() -> None:
    arn = "arn:aws:acm:us-east-1:111122223333:certificate/1"
    named = {"CertificateArn": arn, "MediaDomain": "media.example.com", "SiteDomain": "www.example.com"}
    outputs = {name: item["Value"] for name, item in resolved("edge", **named, **API)["Outputs"].items()}

    assert outputs["PlaybackBaseUrl"] == "https://media.example.com"
    assert outputs["StaticUrl"] == "https://www.example.com/static/"
    assert outputs["PublicHost"] == outputs["AllowedHosts"] == "www.example.com"


def test_a_key_that_is_not_there_signs_nothing() -> None:
    assert "CloudfrontKeyId" not in resolved("edge", **SIGNED, SigningKey="second")["Outputs"]
    assert "CloudfrontKeyId" not in resolved("edge")["Outputs"]


def test_a_web_acl_and_access_logs_are_there_where_they_are_named() -> None:
    acl = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/ours/8d0c0b3e"
    for name, place in (("Media", "recordings"), ("Site", "site")):
        assert not {"WebACLId", "Logging"} & distribution(name).keys()
        found = distribution(name, WebAclArn=acl, AccessLogBucket="our-logs")
        assert found["WebACLId"] == acl
        assert found["Logging"] == {"Bucket": "our-logs.s3.amazonaws.com", "Prefix": f"ivsvod-production/{place}/"}


def test_every_distribution_speaks_tls_alone_to_viewers() -> None:
    for name in ("Media", "Site"):
        config = distribution(name, **API)
        policies = {
            item["ViewerProtocolPolicy"] for item in [*config["CacheBehaviors"], config["DefaultCacheBehavior"]]
        }
        assert policies == {"redirect-to-https"}


def test_recordings_have_thumbnails_and_all_renditions() -> None:
    (configuration,) = of_type(resolved("edge"), "AWS::IVS::RecordingConfiguration").values()

    assert configuration["RenditionConfiguration"] == {"RenditionSelection": "ALL"}
    assert configuration["ThumbnailConfiguration"]["RecordingMode"] == "INTERVAL"
    assert configuration["ThumbnailConfiguration"]["Storage"] == ["SEQUENTIAL", "LATEST"]


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node")
def test_pages_are_cached_once_for_each_language_that_they_have() -> None:
    document = resolved("edge", **API)
    function = of_type(document, "AWS::CloudFront::Function")["OneLanguage"]["FunctionCode"]
    cache = of_type(document, "AWS::CloudFront::CachePolicy")["ApiCache"]["CachePolicyConfig"]
    asked = {
        "de-AT,de;q=0.9,en;q=0.8": "de",
        "fr-FR, es-MX;q=0.8": "es",
        "est, *": "en",
        "fr": "en",
        "": "en",
        None: "en",
    }
    headers = [{} if each is None else {"accept-language": {"value": each}} for each in asked]
    calls = f"{json.dumps(headers)}.map((headers) => handler({{ request: {{ headers }} }}).headers)"
    done = subprocess.run(
        ["node", "-e", f"{function}\nconsole.log(JSON.stringify({calls}))"], capture_output=True, check=True
    )

    assert [each["accept-language"]["value"] for each in json.loads(done.stdout)] == list(asked.values())
    assert f"LANGUAGES = {json.dumps(list(dict(settings.LANGUAGES)))};" in function
    assert "Accept-Language" in cache["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"]["Headers"]
    (association,) = distribution("Site", **API)["DefaultCacheBehavior"]["FunctionAssociations"]
    assert "OneLanguage" in str(association["FunctionARN"])
