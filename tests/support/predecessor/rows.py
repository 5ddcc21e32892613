"""A few hundred rows of every age for the predecessor's tables: what its code wrote, and what hands wrote into it.

`generate` gives the same rows for the same seed. JSON columns are JSON text, so that a number stands as it was written
(1e30, 60000.0) and not as Python would write it again.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection, sql

from tests.support.predecessor.statements import COLUMNS, NOBODY

Row = dict[str, Any]

BUCKET = "example-recordings"
BEFORE_SESSIONS = datetime(2021, 3, 1, 9, 30, tzinfo=UTC)
"""Recordings older than August 2022 lack the `recording_session_*` keys."""
WITH_SESSIONS = datetime(2022, 9, 1, 9, 30, tzinfo=UTC)

ODD_VALUES = (
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1e30",
    '""',
    '" "',
    "{}",
    '{"value": "nested"}',
    "[]",
    "[null]",
    '["one", "two"]',
    '[1, null, {"a": []}, "three", ""]',
)
"""JSON values of every type, where another type is expected."""

LONG_NAME = json.dumps("".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=6000)))  # noqa: S311
"""Longer than what a btree index takes, and not to be compressed into it."""

DURATIONS = (
    *ODD_VALUES,
    "1",
    "999",
    "3600000",
    "3600000.0",
    "1234.567",
    "0.4",
    "-3600000",
    "-0",
    "172800000",
    "2147483648",
    "3000000000",
    "60000000000000",  # 1,901 years: a time of the Roman empire, still one that Python can hold
    "100000000000000",  # 3,169 years: fits a timestamptz, but not Python's datetime
    "250000000000000",  # 7,922 years: fits bigint, but created_at less it fits no timestamptz
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "1e1000",
    "-1e1000",
    "1e-1000",
    "12345678901234567890123456789012345678901234567890",
    '"3600000"',
    '" 3600000 "',
    '"3600000.5"',
    '"1e3"',
    '"1h"',
    '"NaN"',
    '"Infinity"',
    '"9223372036854775808"',
    '"0x10"',
    '"٣٦٠٠"',  # digits, but not ASCII ones
    "[3600000]",
    '{"ms": 3600000}',
)

ODD_DOCUMENTS = (
    "null",
    "true",
    "0",
    "1e30",
    '""',
    '"Recording End"',
    "[]",
    "[null]",
    '[{"recording_duration_ms": 3600000, "recording_s3_key_prefix": "ivs/v1/in/a/list"}]',
    '["recording_duration_ms", "recording_s3_key_prefix", "event_name", "Channel"]',
    "{}",
    '{"": "", "event_name": null, "recording_duration_ms": null}',
    '{"deep": ' + "[" * 500 + "]" * 500 + "}",
)
"""What may stand in a jsonb column instead of the object that is expected there."""

LONG_TEXT = " ".join(f"word{number}".ljust(1000, "x") if number > 1 else f"word{number}" for number in range(1_100))
"""More distinct words than fit one tsvector (1 MB)."""

TAG_LISTS: tuple[list[str | None] | None, ...] = (
    None,
    [],
    [None],
    [""],
    [None, "", None, ""],
    ["news"],
    ["news", "Sport", "news"],
    ["weather", None],
    ["", "music"],
    ["two words", 'with "quotes"', "back\\slash", "{braces}", "comma,comma", "NULL", "tab\tnew\nline"],
    ["é", "日本語", "😀", "ﬁ", "\u0301", "\u202e"],
    ["x" * 3000],
    ["a:1", "'", "!", "&", "*"],
)

TITLES = (
    None,
    "",
    "Morning show",
    "The long run",
    "Ein Abend in Köln",
    "日本の朝",
    "😀",
    "'; drop table x; --",
    "%s {0} \\",
)


@dataclass(frozen=True)
class Rows:
    """All rows, each table's in the order in which the predecessor would have written them."""

    ivs_channels: list[Row] = field(default_factory=list)
    ivs_state_changes: list[Row] = field(default_factory=list)
    on_demand_videos: list[Row] = field(default_factory=list)
    on_demand_video_content: list[Row] = field(default_factory=list)

    def tables(self) -> Iterator[tuple[str, list[Row]]]:
        """Table by table, so that no row comes before the one it refers to."""
        for table in COLUMNS:
            yield table, getattr(self, table)


def document(fields: Mapping[str, str]) -> str:
    """A JSON object of keys and JSON text."""
    return "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in fields.items()) + "}"


def fill(connection: Connection[Any], rows: Rows) -> None:
    """Write the rows as they are, past the predecessor's code."""
    for table, table_rows in rows.tables():
        columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS[table]))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in table_rows:
                copy.write_row([row[name] for name in COLUMNS[table]])


def insert(connection: Connection[Any], table: str, row: Row) -> None:
    """Write one row with all its columns, times included, so that two ways of writing it can be compared."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, COLUMNS[table])),
        sql.SQL(", ").join(map(sql.Placeholder, COLUMNS[table])),
    )
    connection.execute(statement, row)


def generate(seed: int = 2022) -> Rows:
    """Rows of every age and kind; the same for the same seed."""
    return _Generator(random.Random(seed)).generate()  # noqa: S311 (reproducible, not secret)


class _Generator:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.rows = Rows()

    def generate(self) -> Rows:
        self.add_channels()
        self.add_state_changes()
        self.add_plain_videos()
        self.add_odd_videos()
        self.add_doubled_videos()
        self.rows.on_demand_videos.sort(key=lambda row: (row["created_at"], row["uuid"]))
        self.add_content()
        return self.rows

    # Parts

    def uuid(self) -> UUID:
        return UUID(int=self.rng.getrandbits(128), version=4)

    def word(self, length: int) -> str:
        return "".join(self.rng.choices("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=length))

    def stream_id(self) -> str:
        return "st-" + self.word(23)

    def moment(self, start: datetime, days: int = 500) -> datetime:
        return start + timedelta(microseconds=self.rng.randrange(days * 86_400 * 1_000_000))

    def known_channel(self) -> UUID:
        return self.rng.choice(self.rows.ivs_channels)["uuid"]

    # Channels

    def add_channels(self) -> None:
        owners = [self.uuid() for _ in range(6)]
        for number in range(24):
            uuid, owner, key = self.uuid(), self.rng.choice(owners), f"sk_eu-west-1_{self.word(12)}_{self.word(24)}"
            fields = self.channel_fields(uuid, owner, name=f"Room {number}")
            if number % 3 == 0:  # replies of today's SDK hold what those of 2021 did not
                fields |= {
                    "Authorized": "true" if number % 2 else "false",
                    "InsecureIngest": "false",
                    "Preset": '""',
                    "Srt": document({"Endpoint": '"a1.srt.example.com"', "Passphrase": json.dumps(self.word(40))}),
                }
            if number % 4 == 1:
                fields |= {"Type": '"BASIC"', "LatencyMode": '"NORMAL"', "RecordingConfigurationArn": '""'}
            reply = {
                "Channel": document(fields),
                "StreamKey": document(
                    {"Arn": '"arn:aws:ivs:k"', "ChannelArn": fields["Arn"], "Tags": "{}", "Value": json.dumps(key)}
                ),
                "ResultMetadata": "{}",
            }
            self.add_channel(uuid=uuid, owner=owner, stream_key=key, channel_data=document(reply))
        for part in ("Channel", "StreamKey"):
            for value in ODD_VALUES:
                reply = {"Channel": document({"Arn": '"arn:odd"'}), "StreamKey": document({"Value": '"sk_odd"'})}
                self.add_channel(channel_data=document(reply | {part: value}))
        for name in ("Name", "PlaybackUrl", "Type", "LatencyMode", "Authorized", "RecordingConfigurationArn", "Tags"):
            for value in (*ODD_VALUES[::2], LONG_NAME):
                fields = self.channel_fields(self.uuid(), self.uuid(), name="Odd") | {name: value}
                self.add_channel(channel_data=document({"Channel": document(fields)}))
        for value in ODD_VALUES:
            fields = {"Tags": document({"Name": value, "Owner": value})}
            self.add_channel(channel_data=document({"Channel": document(fields)}))
        for data in ODD_DOCUMENTS:
            self.add_channel(channel_data=data, stream_key="", arn="", rtmp_address="")
        for number, row in enumerate(self.rows.ivs_channels):
            row["active"] = (True, True, False, True, None)[number % 5]
            if number % 7 == 3:
                row["created_at"] = None

    def channel_fields(self, uuid: UUID, owner: UUID, *, name: str) -> dict[str, str]:
        ident = self.word(12)
        return {
            "Arn": json.dumps(f"arn:aws:ivs:eu-west-1:111122223333:channel/{ident}"),
            "Authorized": "false",
            "IngestEndpoint": json.dumps(f"{ident.lower()}.global-contribute.live-video.net"),
            "LatencyMode": '"LOW"',
            "Name": json.dumps(str(uuid)),
            "PlaybackUrl": json.dumps(f"https://a1.eu-west-1.playback.live-video.net/{ident}.m3u8"),
            "RecordingConfigurationArn": '"arn:aws:ivs:eu-west-1:111122223333:recording-configuration/abc"',
            "Tags": document({"Name": json.dumps(name), "Owner": json.dumps(str(owner))}),
            "Type": '"STANDARD"',
        }

    def add_channel(self, **values: Any) -> None:
        row = {
            "uuid": self.uuid(),
            "owner": self.uuid(),
            "created_at": self.moment(BEFORE_SESSIONS),
            "active": True,
            "arn": f"arn:aws:ivs:eu-west-1:111122223333:channel/{self.word(12)}",
            "rtmp_address": "a1b2c3.global-contribute.live-video.net",
            "stream_key": f"sk_eu-west-1_{self.word(24)}",
        }
        self.rows.ivs_channels.append(row | values)

    # State changes

    def add_state_changes(self) -> None:
        for channel in self.rows.ivs_channels[:20]:
            for _ in range(self.rng.randrange(1, 5)):
                self.add_stream(channel["uuid"], faults=self.rng.random())
        for number, value in enumerate((*ODD_VALUES, LONG_NAME)):
            state = ("live", "offline")[number % 2]
            self.add_state_change(
                state=state, data=document({"event_name": value, "stream_id": f'"{self.stream_id()}"'})
            )
            self.add_state_change(state=state, data=document({"event_name": '"Stream Start"', "stream_id": value}))
        for data in (None, *ODD_DOCUMENTS):
            self.add_state_change(state="live", data=data)
            self.add_state_change(state="offline", data=data)
        start, end = (
            document({"event_name": f'"Stream {word}"', "stream_id": '"st-crossed"'}) for word in ("Start", "End")
        )
        self.add_state_change(state="offline", data=start)
        self.add_state_change(state="live", data=end)
        self.add_state_change(
            state="live", data=document({"event_name": '"Stream Takeover"', "stream_id": '"st-other"'})
        )
        self.add_state_change(state="", data=None)
        self.add_state_change(state="LIVE", data="{}")

    def add_stream(self, channel: UUID, *, faults: float) -> None:
        stream, start = self.stream_id(), self.moment(BEFORE_SESSIONS, days=1800)
        end = start + timedelta(seconds=self.rng.randrange(60, 20_000), microseconds=self.rng.randrange(1_000_000))
        if faults < 0.2:  # delivered out of order
            start, end = end, start
        changes = [(start, "live", "Stream Start"), (end, "offline", "Stream End")]
        if 0.2 <= faults < 0.3:
            changes.pop()
        if 0.3 <= faults < 0.4:
            changes.pop(0)
        if 0.4 <= faults < 0.6:  # delivered twice: one row equal to another, one a little later
            changes += [changes[0], (end + timedelta(seconds=3), *changes[-1][1:])]
        for moment, state, name in changes:
            data: str | None = document(
                {
                    "event_name": json.dumps(name),
                    "channel_name": json.dumps(str(channel)),
                    "stream_id": json.dumps(stream),
                }
            )
            if faults > 0.9:
                data = None
            self.add_state_change(timestamp=moment, ivs_channel_uuid=channel, state=state, data=data)

    def add_state_change(self, **values: Any) -> None:
        channels = [row["uuid"] for row in self.rows.ivs_channels[20:]]
        row = {"timestamp": self.moment(BEFORE_SESSIONS, 1800), "ivs_channel_uuid": self.rng.choice(channels)}
        self.rows.ivs_state_changes.append(row | values)

    # Videos

    def recording(self, created: datetime) -> dict[str, str]:
        """The `detail` of a Recording End as IVS sent it in that year."""
        stream = json.dumps(self.stream_id())
        prefix = f"ivs/v1/111122223333/{self.word(12)}/{created.year}/{created.month}/{created.day}/{self.word(12)}"
        fields = {
            "channel_name": json.dumps(str(self.known_channel())),
            "recording_duration_ms": str(self.rng.randrange(1, 8 * 3_600_000)),
            "recording_s3_bucket_name": json.dumps(BUCKET),
            "recording_s3_key_prefix": json.dumps(prefix),
            "recording_status": '"Recording End"',
            "recording_status_reason": '""',
            "stream_id": stream,
        }
        if created >= WITH_SESSIONS:
            fields["recording_session_id"] = json.dumps(self.word(16))
            fields["recording_session_stream_ids"] = f"[{json.dumps(self.stream_id())}, {stream}]"
        return fields

    def add_video(self, created: datetime, data: str, **values: Any) -> Row:
        channel = (self.known_channel(), self.known_channel(), self.uuid(), None)[self.rng.randrange(4)]
        row = {"uuid": self.uuid(), "ivs_channel_uuid": channel, "created_at": created, "active": True, "data": data}
        self.rows.on_demand_videos.append(row | values)
        return row

    def add_plain_videos(self) -> None:
        for number in range(120):
            created = self.moment((BEFORE_SESSIONS, WITH_SESSIONS)[number % 2])
            active = (True, True, True, False, None)[number % 5]
            self.add_video(created, document(self.recording(created)), active=active)

    def add_odd_videos(self) -> None:
        for value in DURATIONS:
            self.add_changed_video(recording_duration_ms=value)
        for name in (
            "recording_s3_bucket_name",
            "recording_s3_key_prefix",
            "recording_session_id",
            "recording_session_stream_ids",
            "recording_status",
            "stream_id",
        ):
            for value in (*ODD_VALUES, LONG_NAME, None):
                self.add_changed_video(**{name: value})
        self.add_changed_video(recording_duration_ms=None)
        self.add_changed_video(recording_duration_ms=None, recording_s3_bucket_name=None, recording_s3_key_prefix=None)
        self.add_changed_video(recording_s3_bucket_name='"another-bucket"')
        self.add_changed_video(recording_started_at='"yesterday"', unknown='{"key": [1, 2, 3]}')
        for data in ODD_DOCUMENTS:
            self.add_video(self.moment(BEFORE_SESSIONS), data)

    def add_changed_video(self, **changes: str | None) -> None:
        """A video whose data has other values, or lacks those that are None."""
        created = self.moment(WITH_SESSIONS)
        fields = {name: value for name, value in (self.recording(created) | changes).items() if value is not None}
        self.add_video(created, document(fields))

    def add_doubled_videos(self) -> None:
        """Recording Ends delivered two or three times, apart by seconds, or by nothing at all."""
        for number in range(24):
            created = self.moment((BEFORE_SESSIONS, WITH_SESSIONS)[number % 2])
            data = document(self.recording(created))
            step = timedelta(seconds=number % 4)
            for copy in range(2 + number % 2):
                active = (True, False, None)[(number + copy) % 3] if number >= 12 else True
                self.add_video(created + step * copy, data, active=active)
        self.add_doubled_without(bucket=True, prefix=False)
        self.add_doubled_without(bucket=False, prefix=True)
        self.add_doubled_without(bucket=False, prefix=False)
        self.add_same_prefix_in_another_bucket()

    def add_doubled_without(self, *, bucket: bool, prefix: bool) -> None:
        created = self.moment(WITH_SESSIONS)
        fields = self.recording(created)
        if not bucket:
            del fields["recording_s3_bucket_name"]
        if not prefix:
            fields["recording_s3_key_prefix"] = '""'
        for copy in range(2):
            self.add_video(created + timedelta(seconds=copy), document(fields))

    def add_same_prefix_in_another_bucket(self) -> None:
        created = self.moment(WITH_SESSIONS)
        fields = self.recording(created)
        for bucket in (BUCKET, "another-bucket"):
            self.add_video(created, document(fields | {"recording_s3_bucket_name": json.dumps(bucket)}))

    # Content

    def add_content(self) -> None:
        groups: dict[str, list[Row]] = {}
        for video in self.rows.on_demand_videos:
            groups.setdefault(video["data"], []).append(video)
        singles = [group[0] for group in groups.values() if len(group) == 1]
        for video in self.rng.sample(singles, k=140):
            self.add_content_of(video)
        doubled = [group for group in groups.values() if len(group) > 1]
        for number, group in enumerate(doubled):
            first, second = number % 2 == 1, number // 2 % 2 == 1
            for video in [group[0]] * first + [group[1]] * second:
                self.add_content_of(video)
        for name, value in (("title", LONG_TEXT), ("description", LONG_TEXT), ("tags", LONG_TEXT.split())):
            self.rows.on_demand_video_content[{"title": 5, "description": 15, "tags": 25}[name]][name] = value
        self.rows.on_demand_video_content.append(
            self.rows.on_demand_video_content.pop()
            | dict.fromkeys(("title", "description", "tags", "data", "thumbnail"))
        )

    def add_content_of(self, video: Row) -> None:
        number = len(self.rows.on_demand_video_content)
        words = " ".join(self.rng.choices(("running", "river", "studio", "interview", "goal", "storm"), k=8))
        self.rows.on_demand_video_content.append(
            {
                "uuid": self.uuid(),
                "on_demand_video_uuid": video["uuid"],
                "created_at": None if number % 11 == 0 else video["created_at"] + timedelta(hours=number),
                "created_by": NOBODY if number % 5 else self.uuid(),
                "title": TITLES[number % len(TITLES)],
                "description": None if number % 6 == 0 else words,
                "tags": TAG_LISTS[number % len(TAG_LISTS)],
                "data": ("null", None, "{}", '{"note": "by hand"}')[number % 4],
                "thumbnail": None if number % 3 else f"https://images.example.com/{self.word(8)}.jpg",
            }
        )


def find(rows: Sequence[Row], uuid: UUID) -> Row:
    """The row of this uuid."""
    return next(row for row in rows if row["uuid"] == uuid)
