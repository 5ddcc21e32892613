"""Short clips, encoded once in a home, of which the recordings and the live stream of the demo are made."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tools.local.broadcast.recording import Recording, Rendition, is_recording, make_recording, read_recording

SECONDS = 12
SEGMENTS = 3
# Few pictures a second, because all are encoded while somebody waits.
RATE = 15
RENDITIONS = (Rendition("360p15", 640, 360), Rendition("160p15", 284, 160))
# The colours of a clip turn once around, so that each of its segments looks different. None needs a font.
_TURN = f"hue=h={360 / SECONDS}*t"
_SMALL, _SCALE = "320x180:rate={rate}", "scale={width}:{height}"
_CELLS = f"160x90:rate={{rate}},{_SCALE}:flags=neighbor"
_MANDELBROT = f"mandelbrot=size={_SMALL}:end_pts={SECONDS * RATE}:maxiter=400"
PICTURES = {
    "bars": f"testsrc2=size={{width}}x{{height}}:rate={{rate}},{_TURN}",
    "valley": f"{_MANDELBROT}:start_scale=2.5:end_scale=0.05,{_SCALE}",
    "coast": f"{_MANDELBROT}:start_x=-0.1011:start_y=0.9563:start_scale=2:end_scale=0.03,{_SCALE},{_TURN}",
    "colony": f"life=mold=20:ratio=0.15:seed=7:death_color=#c83c28:life_color=#f0d060:mold_color=#204080:size={_CELLS}"
    f",{_TURN}",
    "spiral": f"gradients=size={_SMALL}:nb_colors=3:seed=5:speed=0.02:type=spiral,{_SCALE},{_TURN}",
    "rings": f"gradients=size={_SMALL}:nb_colors=5:seed=11:speed=0.03:type=radial,{_SCALE},{_TURN}",
    "weave": f"cellauto=rule=30:seed=3:size={_CELLS},lutrgb=r=val*0.3:g=val*0.8:b=60+val*0.7,{_TURN}",
    "tilt": f"smptehdbars=size={_SMALL},rotate=a=0.4*t:fillcolor=navy,{_SCALE},{_TURN}",
}
LIVE = "bars"


def folder_of(home: Path, name: str) -> Path:
    """Return the folder of a clip in a home."""
    return home / "clips" / name


def clips_make(home: Path, pool: ThreadPoolExecutor) -> dict[str, Future[Recording]]:
    """Return all clips by their names; those that the home has not yet are encoded by the threads of the pool."""
    return {name: pool.submit(_clip, folder_of(home, name), picture) for name, picture in PICTURES.items()}


def _clip(folder: Path, picture: str) -> Recording:
    if is_recording(folder):
        return read_recording(folder)
    return make_recording(folder, seconds=SECONDS, renditions=RENDITIONS, picture=picture, rate=RATE)
