"""The renditions of recordings, and those that an edited video has in common; pure.

https://datatracker.ietf.org/doc/html/rfc8216#section-4.3.4
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ondemand.playback.parts import EditError
from ondemand.playback.playlists import attributes_of, is_uri, path_of, readable_text, whole_number
from ondemand.recordings.playlists import PlaylistError

# The address of rendition n of an edited video, relative to that of the video.
EDITED_PLAYLIST = "edited/{}.m3u8"
_VARIANT, _FRAMES, _MEDIA = "#EXT-X-STREAM-INF", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-MEDIA"
_GROUPS = ("AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS")


@dataclass(frozen=True, slots=True)
class Rendition:
    """A line of a multivariant playlist; attributes are as written. `path`: of its playlist, "" if it has none."""

    tag: str
    attributes: dict[str, str]
    path: str
    bandwidth: int = 0
    # Of a variant: its audio is in files of its own.
    has_separate_audio: bool = False

    @property
    def height(self) -> str:
        """Return it as written, "" for audio alone."""
        return self.attributes.get("RESOLUTION", "").partition("x")[2]

    @property
    def media_name(self) -> tuple[str | None, ...]:
        return tuple(map(self.attributes.get, ("TYPE", "GROUP-ID", "NAME")))

    @property
    def formats(self) -> frozenset[str]:
        """Return the codecs without their profiles: `avc1`, `mp4a`."""
        codecs = self.attributes.get("CODECS", "").strip('"').split(",")
        return frozenset(codec.strip().partition(".")[0] for codec in codecs)


# The same rendition in the recording of each part.
_Same = tuple[Rendition, ...]


@dataclass(frozen=True, slots=True)
class StoredMultivariant:
    """The multivariant playlist of a recording."""

    renditions: tuple[Rendition, ...]
    version: int
    is_independent: bool

    def tagged(self, tag: str) -> Iterator[Rendition]:
        return (rendition for rendition in self.renditions if rendition.tag == tag)


@dataclass(frozen=True, slots=True)
class EditedMultivariant:
    """The multivariant playlist of an edited video.

    `paths[n]` are those of the stored playlists for `edited/n.m3u8`, one for each part. Number 0 is the reference.
    """

    content: bytes
    paths: tuple[tuple[str, ...], ...]


def stored_multivariant(content: bytes, folder: str) -> StoredMultivariant:
    """Return what a multivariant playlist says; renditions of other hosts are left out.

    Raises:
        PlaylistError: not such a playlist, or it names something outside of the recording by a relative URI.
    """
    renditions: list[Rendition] = []
    separate_audio = set()
    variant: dict[str, str] | None = None
    version, is_independent = 1, False
    for line in map(str.strip, readable_text(content).split("\n")):
        tag, _, value = line.partition(":")
        if tag == "#EXTINF":
            raise PlaylistError("it is a media playlist")
        if tag == "#EXT-X-VERSION":
            version = whole_number(value)
        elif tag == "#EXT-X-INDEPENDENT-SEGMENTS":
            is_independent = True
        elif tag == _VARIANT:
            variant = attributes_of(value)
        elif tag in (_FRAMES, _MEDIA):
            attributes = attributes_of(value)
            uri = attributes.pop("URI", "").strip('"')
            if uri and attributes.get("TYPE") == "AUDIO":
                separate_audio.add(attributes.get("GROUP-ID", ""))
            path = path_of(uri, folder) if uri else ""
            if path is not None:
                renditions.append(_rendition(tag, attributes, path))
        elif is_uri(line) and variant is not None:
            path = path_of(line, folder)
            if path is not None:
                renditions.append(_rendition(_VARIANT, variant, path))
            variant = None
    return StoredMultivariant(
        tuple(
            replace(rendition, has_separate_audio=rendition.attributes.get("AUDIO") in separate_audio)
            for rendition in renditions
        ),
        version,
        is_independent,
    )


def _rendition(tag: str, attributes: dict[str, str], path: str) -> Rendition:
    return Rendition(tag, attributes, path, whole_number(attributes.get("BANDWIDTH", "0")))


def edited_multivariant(parts: Sequence[StoredMultivariant]) -> EditedMultivariant:
    """Return the playlist of the renditions that the recordings of all parts have.

    Variants match by height, by codecs regardless of the profile, and by whether their audio is separate. Several are
    paired by bandwidth, the highest first. If all recordings have video but no height in common, the best of each are
    paired. Separate audio and subtitles match by type, group and name. The line of a rendition is taken from the part
    with the highest bandwidth. Lines of other tags are left out.

    Raises:
        EditError: no variant is in all recordings, or its audio is not.
    """
    variants = _in_common(parts, _VARIANT)
    if not any(same[0].height for same in variants):
        variants = [*_best(parts), *variants]
    if not variants:
        raise EditError("the recordings have no rendition in common")
    media = _media(parts, [_line(same) for same in variants])
    media_groups = {(entry.attributes.get("TYPE"), entry.attributes.get("GROUP-ID")) for entry, *_ in media}
    frames = _in_common(parts, _FRAMES)
    numbered = dict.fromkeys(_paths(same) for same in [*variants, *media, *frames] if same[0].path)
    addresses = {paths: EDITED_PLAYLIST.format(number) for number, paths in enumerate(numbered)}
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{max(part.version for part in parts)}",
        *["#EXT-X-INDEPENDENT-SEGMENTS"] * all(part.is_independent for part in parts),
        *(_tag(same[0], addresses.get(_paths(same), "")) for same in media),
    ]
    for same in variants:
        variant = _line(same)
        attributes = {
            name: value
            for name, value in variant.attributes.items()
            if name not in _GROUPS or not value.startswith('"') or (name, value) in media_groups
        }
        if same[0].has_separate_audio and "AUDIO" not in attributes:
            raise EditError("the recordings have no audio in common")
        lines += [_tag(replace(variant, attributes=attributes)), addresses[_paths(same)]]
    lines += [_tag(_line(same), addresses[_paths(same)]) for same in frames]
    content = "".join(f"{line}\n" for line in lines).encode()
    return EditedMultivariant(content, tuple(numbered))


def _in_common(parts: Sequence[StoredMultivariant], tag: str) -> list[_Same]:
    by_kind = []
    for part in parts:
        kinds = defaultdict(list)
        for rendition in sorted(part.tagged(tag), key=lambda rendition: rendition.bandwidth, reverse=True):
            kinds[rendition.height, rendition.formats, rendition.has_separate_audio].append(rendition)
        by_kind.append(kinds)
    first, *others = by_kind
    return [
        same for kind in first for same in zip(first[kind], *(kinds.get(kind, []) for kinds in others), strict=False)
    ]


def _best(parts: Sequence[StoredMultivariant]) -> list[_Same]:
    """Return the best video of each recording as one variant; none if they cannot be joined."""
    videos = [[rendition for rendition in part.tagged(_VARIANT) if rendition.height] for part in parts]
    if not all(videos):
        return []
    best = tuple(map(_line, videos))
    return [best] if len({(rendition.formats, rendition.has_separate_audio) for rendition in best}) == 1 else []


def _media(parts: Sequence[StoredMultivariant], variants: Sequence[Rendition]) -> list[_Same]:
    """Return the members of the groups of the variants: those with a playlist if all recordings have them, else all."""
    groups = {
        (name, variant.attributes[name]) for variant in variants for name in _GROUPS if name in variant.attributes
    }
    by_name = [{rendition.media_name: rendition for rendition in part.tagged(_MEDIA)} for part in parts]
    names = dict.fromkeys(name for entries in by_name for name in entries if name[:2] in groups)
    media = []
    for name in names:
        same = tuple(entries[name] for entries in by_name if name in entries)
        if not any(entry.path for entry in same) or (len(same) == len(parts) and all(entry.path for entry in same)):
            media.append(same)
    return media


def _paths(same: _Same) -> tuple[str, ...]:
    return tuple(rendition.path for rendition in same)


def _line(same: Sequence[Rendition]) -> Rendition:
    return max(same, key=lambda rendition: rendition.bandwidth)


def _tag(rendition: Rendition, uri: str = "") -> str:
    attributes = {**rendition.attributes, **({"URI": f'"{uri}"'} if uri else {})}
    return f"{rendition.tag}:{','.join(f'{name}={value}' for name, value in attributes.items())}"
