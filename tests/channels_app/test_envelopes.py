"""Envelopes as typed values: every sample of AWS, payloads of old days, and everything that IVS could not have sent."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_app.envelopes import (
    Event,
    MalformedEventError,
    RecordingFields,
    event_id_of,
    jsonb_safe,
    load_json,
    parse,
    parse_recording,
)
from tests.support.helpers import THOROUGH
from tests.support.road import ARN, EVENTS, sample, without

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SAMPLES = sorted(path.stem for path in EVENTS.glob("*.json"))
DISCRIMINATORS = {
    "IVS Stream State Change": "event_name",
    "IVS Stream Health Change": "event_name",
    "IVS Limit Breach": "limit_name",
    "IVS Recording State Change": "recording_status",
}
ACCOUNT_LEVEL = {"limit_breach_concurrent_broadcasts", "limit_breach_concurrent_viewers"}
DEEP = "[" * 100_000 + "]" * 100_000


def read(document: Any) -> Event:
    return parse(document, received_at=NOW)


def refusal(document: Any) -> str:
    with pytest.raises(MalformedEventError) as refused:
        read(document)
    return str(refused.value)


# What AWS documents


def test_all_seventeen_samples_of_the_facts_sheet_are_here() -> None:
    assert len(SAMPLES) == 17


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_becomes_an_event_with_the_name_that_its_detail_type_puts_elsewhere(name: str) -> None:
    envelope = json.loads((EVENTS / f"{name}.json").read_text())

    event = read(load_json((EVENTS / f"{name}.json").read_text()))

    assert event.id == envelope["id"]
    assert event.detail_type == envelope["detail-type"]
    assert event.time == datetime.fromisoformat(envelope["time"])
    assert event.time.tzinfo is UTC
    assert event.name == envelope["detail"][DISCRIMINATORS[envelope["detail-type"]]]
    assert event.channel_arn == ("" if name in ACCOUNT_LEVEL else ARN)
    assert event.stream_id == envelope["detail"].get("stream_id", "")
    assert dict(event.detail) == envelope["detail"]


@pytest.mark.parametrize("name", sorted(ACCOUNT_LEVEL))
def test_a_limit_breach_of_the_account_has_no_channel_and_no_stream(name: str) -> None:
    event = read(sample(name))

    assert (event.channel_arn, event.stream_id) == ("", "")


def test_the_fields_of_a_recording_end_are_read() -> None:
    fields = parse_recording(read(json.loads((EVENTS / "recording_end.json").read_text())))

    assert fields == RecordingFields(
        bucket="example-recordings",
        prefix="ivs/v1/111122223333/AjIhKtJ0RlgL/2026/3/4/9/5/KOmxgJTeKdNn",
        duration_ms=3_960_000,
        session_id="FRIBXuDL7DxtpYlS",
        stream_ids=("st-JBd0Kh8oOOL8dKLzdocJ2is", "st-u8jzPde0IgxLd6GncfBAepf"),
    )


def test_a_recording_start_failure_has_no_prefix() -> None:
    assert parse_recording(read(sample("recording_start_failure"))).prefix == ""


def test_a_recording_of_before_august_2022_has_no_session_fields() -> None:
    old = sample("recording_end")
    old["detail"] = without(old["detail"], "recording_session_id", "recording_session_stream_ids")

    fields = parse_recording(read(old))

    assert fields.session_id == ""
    assert fields.stream_ids == ("st-JBd0Kh8oOOL8dKLzdocJ2is",)


def test_slashes_around_a_prefix_do_not_make_another_recording() -> None:
    padded = sample("recording_end", detail={"recording_s3_key_prefix": "/ivs/v1/a/b/"})

    assert parse_recording(read(padded)).prefix == "ivs/v1/a/b"


def test_an_event_cannot_be_changed() -> None:
    event = read(sample("stream_start"))

    with pytest.raises(AttributeError):
        event.id = "another"  # type: ignore[misc]
    with pytest.raises(TypeError):
        event.detail["event_name"] = "Stream End"  # type: ignore[index]


# What is unknown is a value


def test_a_detail_type_that_nobody_knows_is_an_event_without_a_name() -> None:
    event = read(sample("stream_start", **{"detail-type": "IVS Failover Slate Change"}))

    assert (event.detail_type, event.name) == ("IVS Failover Slate Change", "")


def test_an_event_of_another_source_is_not_taken_for_one_of_ivs() -> None:
    assert read(sample("stream_start", source="my.application")).detail_type == ""


def test_a_real_time_stage_event_is_read_although_its_detail_is_another() -> None:
    stage = {
        **sample("stream_start"),
        "detail-type": "IVS Stage Update",
        "resources": ["arn:aws:ivs:eu-west-1:111122223333:stage/x4aGUUxIp5Vw"],
        "detail": {"session_id": "st-a1", "event_name": "Participant Published", "participant_id": "ppQWRg"},
    }

    event = read(stage)

    assert (event.detail_type, event.name) == ("IVS Stage Update", "")


@pytest.mark.parametrize("stream_id", [None, 17, ["st-1"], {}, "a\nb", "x" * 300])
def test_an_unknown_detail_type_may_have_any_detail(stream_id: Any) -> None:
    envelope = sample("stream_start", detail={"stream_id": stream_id}, **{"detail-type": "IVS Stage Update"})

    assert read(envelope).detail_type == "IVS Stage Update"


def test_unknown_fields_are_kept_and_not_read() -> None:
    event = read({**sample("stream_start", detail={"slate": {"on": True}}), "replay-name": "archive"})

    assert event.detail["slate"] == {"on": True}


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-03-04T09:05:07Z", datetime(2026, 3, 4, 9, 5, 7, tzinfo=UTC)),
        ("2026-03-04T09:05:07.123Z", datetime(2026, 3, 4, 9, 5, 7, 123_000, tzinfo=UTC)),
        ("2026-03-04T10:05:07+01:00", datetime(2026, 3, 4, 9, 5, 7, tzinfo=UTC)),
    ],
)
def test_a_time_with_a_zone_is_understood_and_comes_out_in_utc(time: str, expected: datetime) -> None:
    event = read(sample("stream_start", time=time))

    assert event.time == expected
    assert event.time.utcoffset() == timedelta(0)


def test_a_clock_may_be_a_day_ahead_and_no_more() -> None:
    assert read(sample("stream_start", time="2026-03-05T12:00:00Z")).time == NOW + timedelta(days=1)
    assert "time" in refusal(sample("stream_start", time="2026-03-05T12:00:01Z"))


# What IVS could not have sent


@pytest.mark.parametrize("document", [None, True, 7, 1.5, "text", [], [{}]])
def test_an_envelope_that_is_no_object_is_refused(document: Any) -> None:
    assert "envelope" in refusal(document)
    assert event_id_of(document) is None


@pytest.mark.parametrize("value", [None, "", 5, True, [], {}, "x" * 201, "a\0b", "a\nb", "\ud800"])
def test_an_id_that_can_be_no_key_is_refused_by_name(value: Any) -> None:
    assert refusal(sample("stream_start", id=value)).startswith("id ")


@pytest.mark.parametrize(
    "value",
    [
        None,
        1772615107,
        "",
        "yesterday",
        "2026-03-04",
        "2026-03-04T09:05:07",
        "2026-02-30T09:05:07Z",
        "2026-03-04T25:05:07Z",
        "2026-03-04T09:05:07+99:00",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "1969-07-20T20:17:40Z",
        "2027-03-04T09:05:07Z",
        "٢٠٢٦-03-04T09:05:07Z",
    ],
)
def test_an_unusable_time_is_refused_by_name(value: Any) -> None:
    assert refusal(sample("stream_start", time=value)).startswith("time ")


@pytest.mark.parametrize("field", ["id", "detail-type", "time", "detail"])
def test_a_field_that_every_envelope_has_is_missed_by_name(field: str) -> None:
    assert refusal(without(sample("stream_start"), field)).startswith(field)


@pytest.mark.parametrize("name", ["stream_start", "starvation_start", "recording_start"])
@pytest.mark.parametrize("field", ["resources", "stream_id"])
def test_an_event_of_a_stream_without_channel_or_stream_is_refused_by_name(name: str, field: str) -> None:
    envelope = sample(name)
    broken = {**without(envelope, field), "detail": without(envelope["detail"], field)}

    assert refusal(broken).startswith(field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"detail-type": 5}, "detail-type"),
        ({"resources": "arn"}, "resources"),
        ({"resources": [5]}, "resources"),
        ({"resources": []}, "resources"),
        ({"resources": {"0": ARN}}, "resources"),
        ({"resources": 0}, "resources is not a list"),
        ({"resources": False}, "resources is not a list"),
    ],
)
def test_a_wrong_type_in_the_envelope_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    assert refusal(sample("stream_start", **changes)).startswith(field)


@pytest.mark.parametrize("value", [None, 5, [], {}, True, ""])
def test_a_stream_id_of_a_wrong_type_is_refused_by_name(value: Any) -> None:
    assert refusal(sample("stream_start", detail={"stream_id": value})).startswith("stream_id")


@pytest.mark.parametrize("value", [None, 5, [], {}, "a\0b"])
@pytest.mark.parametrize("name", ["stream_start", "starvation_start", "limit_breach_ingest_bitrate", "recording_end"])
def test_a_name_of_a_wrong_type_is_refused_by_its_field(name: str, value: Any) -> None:
    field = DISCRIMINATORS[sample(name)["detail-type"]]

    assert refusal(sample(name, detail={field: value})).startswith(field)


@pytest.mark.parametrize("detail", [None, "text", [], 5])
def test_a_detail_that_is_no_object_is_refused_by_name(detail: Any) -> None:
    assert refusal({**sample("stream_start"), "detail": detail}).startswith("detail")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recording_s3_bucket_name", None),
        ("recording_s3_bucket_name", 5),
        ("recording_s3_bucket_name", "b" * 64),
        ("recording_s3_key_prefix", None),
        ("recording_s3_key_prefix", ["a"]),
        ("recording_s3_key_prefix", "a" * 1025),
        ("recording_duration_ms", None),
        ("recording_duration_ms", "3960000"),
        ("recording_duration_ms", True),
        ("recording_duration_ms", -1),
        ("recording_duration_ms", 10**18),
        ("recording_session_id", 5),
        ("recording_session_id", 0),
        ("recording_session_id", False),
        ("recording_session_stream_ids", 0),
        ("recording_session_stream_ids", False),
        ("recording_session_stream_ids", {}),
        ("recording_session_stream_ids", "st-1"),
        ("recording_session_stream_ids", [5]),
    ],
)
def test_a_recording_field_of_a_wrong_type_is_refused_by_name(field: str, value: Any) -> None:
    event = read(sample("recording_end", detail={field: value}))

    with pytest.raises(MalformedEventError, match=f"^{field}"):
        parse_recording(event)


# JSON


@pytest.mark.parametrize(
    "text",
    ["", "{", "not JSON", "\0", '{"a": NaN}', '{"a": Infinity}', '{"a": 1e400}', '{"a": -1e400}', DEEP, "1" * 5000],
    ids=lambda text: f"{text[:12]!r} {len(text)}",
)
def test_a_text_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(MalformedEventError, match=r"^not JSON"):
        load_json(text)


@pytest.mark.parametrize("depth", [5, 50, 90, 150, 300, 450, 600, 900, 2000])
def test_a_document_is_refused_by_its_depth_and_not_by_the_depth_of_the_caller(depth: int) -> None:
    nested = f'{{"a": {"[" * depth}{"]" * depth}}}'
    text = json.dumps(sample("stream_start")).replace('"room-42"', nested)

    if depth > 100:
        with pytest.raises(MalformedEventError, match=r"nested too deep|recursion"):
            load_json(text)
    else:
        json.dumps(dict(read(load_json(text)).detail))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("\U0001f600", "\U0001f600"),
        ({"\0": ["\ud83d", {"a": "\0"}]}, {"\ufffd": ["\ufffd", {"a": "\ufffd"}]}),
        (None, None),
        (1.5, 1.5),
    ],
)
def test_characters_that_jsonb_refuses_are_replaced(value: Any, expected: Any) -> None:
    assert jsonb_safe(value) == expected


# Arbitrary documents

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
names = ["id", "time", "detail-type", "source", "resources", "detail", "version", "account", "region"]
details = [
    "event_name",
    "stream_id",
    "limit_name",
    "recording_status",
    "recording_s3_bucket_name",
    "recording_s3_key_prefix",
    "recording_duration_ms",
    "recording_session_id",
    "recording_session_stream_ids",
]


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A sample with some fields replaced by anything at all."""
    envelope = sample(draw(st.sampled_from(SAMPLES)))
    for field in draw(st.lists(st.sampled_from(names), max_size=2)):
        envelope[field] = draw(anything)
    if isinstance(envelope["detail"], dict):
        for field in draw(st.lists(st.sampled_from(details), max_size=3)):
            envelope["detail"][field] = draw(anything)
    return envelope


@given(anything | spoiled())
@settings(max_examples=400 if THOROUGH else 100, deadline=None, database=None)
def test_any_document_is_an_event_or_is_refused(document: Any) -> None:
    try:
        event = read(document)
        fields = parse_recording(event) if event.detail_type == "IVS Recording State Change" else None
    except MalformedEventError as refused:
        assert str(refused)
        return
    assert event.time.tzinfo is UTC
    json.dumps(dict(event.detail), ensure_ascii=False).encode()
    assert fields is None or all(isinstance(item, str) for item in fields.stream_ids)


@given(st.text(max_size=200) | anything.map(json.dumps))
@settings(max_examples=200 if THOROUGH else 50, deadline=None, database=None)
def test_any_text_is_a_document_or_is_refused(text: str) -> None:
    try:
        document = load_json(text)
    except MalformedEventError as refused:
        assert str(refused).startswith("not JSON")
        return
    json.dumps(document, allow_nan=False)
