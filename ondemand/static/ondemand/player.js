// Plays every <video data-hls="playlist"> by hls.js if it runs, because native HLS has known gaps; else natively.
// The library is loaded with the first playlist. With [data-waits] that is when the video is played: until then the
// button [data-start] lies on it, and its length, its qualities and the position are those that the page says.
// Other scripts find the library's player in the property `hls` of the element.
// Below the video are a seek bar with chapters and pictures (from the JSON in #playing), the choice of quality and
// subtitles, and picture in picture. Links and buttons with [data-seek="seconds"] seek.
// The video starts at `?t=` of the address, else where its viewer left [data-video], which this browser alone knows.
import { clock, readStored, store } from "./shared.js";

const WAITING = { maxBufferLength: 4, maxMaxBufferLength: 8 };
const PLAYING = { maxBufferLength: 30, maxMaxBufferLength: 120 };
const OPTIONS = { startLevel: 0, startFragPrefetch: true, capLevelToPlayerSize: true, backBufferLength: 60 };
// `62`, `62.5`, `1h2m3s`.
const START = /^(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,8}(?:\.\d{1,3})?)s?)?$/;
const SKIP = 5;
const POSITIONS = "ivsvod.positions";
const MOST_POSITIONS = 50;
// Seconds: a position is kept from here on, so often, and not at the end.
const [FIRST, OFTEN, LAST] = [3, 5, 10];
const NOTE_MS = 8000;

// Without it hls.js cannot play, and the browser chooses the quality.
const hasMediaSource = "MediaSource" in window || "ManagedMediaSource" in window;

const rootOf = (video) => video.closest(".player");

// The length in seconds that the browser knows, else that of the page; 0 if it is not known.
export function lengthOf(video) {
  return Number.isFinite(video.duration) && video.duration > 0 ? video.duration : Number(video.dataset.length) || 0;
}

export function seek(video, second) {
  // Before anything is loaded this is the position at which the browser will start.
  video.currentTime = Math.min(Math.max(second, 0), Math.max(lengthOf(video) - 0.05, 0));
  if (!video.readyState) {
    video.dispatchEvent(new Event("seeking"));
  }
}

// The second at which the address says to start; 0 if it says nothing, or not before the end.
function startOf(video) {
  const found = START.exec(new URLSearchParams(window.location.search).get("t") || "");
  const [hours, minutes, seconds] = found ? found.slice(1).map((text) => Number(text || 0)) : [0, 0, 0];
  const start = hours * 3600 + minutes * 60 + seconds;
  return start < Number(video.dataset.length) ? start : 0;
}

// Whether it says where to start, be it the beginning.
const asksForStart = () => new URLSearchParams(window.location.search).has("t");

// At once: some browsers allow it within a click alone. Why it does not play shows in an error of the player.
function play(video) {
  video.controls = true;
  video.play().catch(() => {});
}

function showError(video, name) {
  // A page may know better what to say, and what to do.
  if (!video.dispatchEvent(new CustomEvent("ivsvod:failed", { cancelable: true }))) {
    return;
  }
  const root = rootOf(video);
  const place = root.querySelector(".player-error");
  place.textContent = place.dataset[name];
  place.hidden = false;
  // An empty player would show that it is loading forever.
  video.hidden = video.readyState === 0;
  root.querySelector(".player-bar").hidden = true;
}

function loadLibrary(bar) {
  return window.Hls ? Promise.resolve() : new Promise(function (resolve, reject) {
    const script = document.createElement("script");
    Object.assign(script, { integrity: bar.dataset.integrity, crossOrigin: "anonymous", onload: resolve, onerror: reject });
    script.src = bar.dataset.library;
    document.head.append(script);
  });
}

function playByLibrary(video) {
  // A live stream may begin again.
  video.hls?.destroy();
  const buffer = video.paused ? WAITING : PLAYING;
  const player = new Hls({ ...OPTIONS, ...buffer, startPosition: video.currentTime || -1 });
  let recovered = false;
  player.on(Hls.Events.ERROR, function (_, problem) {
    if (!problem.fatal) {
      return;
    }
    if (problem.type === Hls.ErrorTypes.MEDIA_ERROR && !recovered) {
      recovered = true;
      player.recoverMediaError();
      return;
    }
    player.destroy();
    showError(video, problem.type === Hls.ErrorTypes.NETWORK_ERROR ? "notLoaded" : "notPlayed");
  });
  video.addEventListener("play", function () {
    Object.assign(player.config, PLAYING);
  }, { once: true });
  player.loadSource(video.dataset.hls);
  player.attachMedia(video);
  video.hls = player;
}

function playNatively(video) {
  video.addEventListener("error", function () {
    const damaged = video.error && video.error.code === MediaError.MEDIA_ERR_DECODE;
    showError(video, damaged ? "notPlayed" : "notLoaded");
  }, { once: true });
  video.src = video.dataset.hls;
}

// Loads the playlist, and goes on playing if the video is played.
export async function begin(video) {
  const bar = rootOf(video).querySelector(".player-bar");
  try {
    if (hasMediaSource) {
      await loadLibrary(bar);
    }
  } catch {
    showError(video, "notLoaded");
    return;
  }
  // It may have been paused meanwhile.
  const isPlayed = !video.paused;
  if (window.Hls && Hls.isSupported()) {
    playByLibrary(video);
    offerLevels(video, bar);
  } else if (video.canPlayType("application/vnd.apple.mpegurl")) {
    playNatively(video);
  } else {
    showError(video, "noHls");
    return;
  }
  if (isPlayed) {
    // A new source may stop it.
    play(video);
  }
}

// Nothing is loaded before somebody plays the video, by the button or by a key.
function waitForPlay(video) {
  const button = rootOf(video).querySelector("[data-start]");
  button.hidden = false;
  button.addEventListener("click", () => play(video));
  video.addEventListener("play", function () {
    const isFocused = document.activeElement === button;
    button.hidden = true;
    video.controls = true;
    if (isFocused) {
      video.focus({ preventScroll: true });
    }
    begin(video);
  }, { once: true });
}

// The pictures and chapters of the page: a picture is the one of its share of the length.
function readPlaying() {
  const text = document.getElementById("playing")?.textContent;
  const { chapters = [], pictures = [], heights = [] } = text ? JSON.parse(text) : {};
  const starts = chapters.map(({ start, title }) => ({ start: Number(start), title }));
  return {
    heights,
    chapters: starts,
    chapterAt: (second) => starts.findLastIndex(({ start }) => start <= second + 0.01),
    pictureAt: (share) => pictures[Math.min(Math.floor(share * pictures.length), pictures.length - 1)],
  };
}

function offerPosition(video, bar) {
  const place = bar.querySelector(".seek");
  const input = place.querySelector("[data-position]");
  const preview = place.querySelector(".seek-preview");
  const picture = preview.querySelector("img");
  const links = [...document.querySelectorAll(".chapters [data-seek]")];
  const { chapters, chapterAt, pictureAt } = readPlaying();
  let isMoved = false;

  const titleAt = (second) => chapters[chapterAt(second)]?.title || "";

  function show() {
    if (place.hidden) {
      return;
    }
    const at = isMoved ? Number(input.value) : video.currentTime;
    if (!isMoved) {
      input.value = at;
    }
    const said = input.dataset.text.replace("{time}", clock(at)).replace("{length}", clock(lengthOf(video)));
    input.setAttribute("aria-valuetext", [said, titleAt(at)].filter(Boolean).join(", "));
    const current = chapterAt(at);
    links.forEach((link, index) => {
      if (index === current) {
        link.setAttribute("aria-current", "true");
      } else {
        link.removeAttribute("aria-current");
      }
    });
  }

  function showPreview(second) {
    const share = Math.min(Math.max(second / lengthOf(video), 0), 1);
    const url = pictureAt(share);
    if (url && picture.getAttribute("src") !== url) {
      picture.src = url;
    }
    picture.hidden = !url;
    preview.querySelector("span").textContent = [clock(second), titleAt(second)].filter(Boolean).join(" ");
    preview.style.setProperty("--at", share);
    preview.hidden = false;
  }

  const hidePreview = () => { preview.hidden = true; };

  function measure() {
    // hls.js gives a live stream a length too.
    const length = "length" in video.dataset ? lengthOf(video) : 0;
    place.hidden = !length;
    if (!length) {
      return;
    }
    input.max = length;
    const marks = chapters.filter(({ start }) => start > 0 && start < length).map(function ({ start }) {
      const mark = document.createElement("span");
      mark.style.setProperty("--at", start / length);
      return mark;
    });
    place.querySelector(".seek-marks").replaceChildren(...marks);
    show();
  }

  picture.addEventListener("error", function () {
    picture.hidden = true;
  });
  input.addEventListener("pointermove", function (event) {
    const { left, width, height } = input.getBoundingClientRect();
    // As the browser places the thumb; it is as wide as 2/3 of the bar are high.
    const half = height / 3;
    const share = Math.min(Math.max((event.clientX - left - half) / (width - 2 * half), 0), 1);
    showPreview(lengthOf(video) * (getComputedStyle(input).direction === "rtl" ? 1 - share : share));
  });
  input.addEventListener("pointerleave", hidePreview);
  input.addEventListener("blur", hidePreview);
  input.addEventListener("focus", function () {
    if (input.matches(":focus-visible")) {
      showPreview(Number(input.value));
    }
  });
  input.addEventListener("input", function () {
    isMoved = true;
    show();
    showPreview(Number(input.value));
  });
  input.addEventListener("change", function () {
    isMoved = false;
    seek(video, Number(input.value));
  });
  input.addEventListener("keydown", function (event) {
    const back = getComputedStyle(input).direction === "rtl" ? "ArrowRight" : "ArrowLeft";
    if (["ArrowLeft", "ArrowRight"].includes(event.key) && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      seek(video, video.currentTime + (event.key === back ? -SKIP : SKIP));
      show();
      showPreview(video.currentTime);
    }
  });
  ["loadedmetadata", "durationchange"].forEach((name) => video.addEventListener(name, measure));
  ["timeupdate", "seeking"].forEach((name) => video.addEventListener(name, show));
  measure();
}

function fillQualities(choice, options) {
  choice.replaceChildren(choice.options[0], ...options);
  choice.parentElement.hidden = options.length < 2;
}

// Before anything is loaded: the heights that the page knows.
function offerHeights(bar) {
  const choice = bar.querySelector("[data-quality]");
  if (hasMediaSource) {
    fillQualities(choice, readPlaying().heights.map((height) => new Option(`${height}p`, height)));
  }
}

function offerLevels(video, bar) {
  const choice = bar.querySelector("[data-quality]");
  const player = video.hls;
  const automatic = choice.options[0];
  const label = choice.dataset.automatic;
  const height = Number(choice.value);

  function text({ height, bitrate }, levels) {
    if (!height) {
      return choice.dataset.sound;
    }
    const isAlone = levels.filter((level) => level.height === height).length === 1;
    return isAlone ? `${height}p` : `${height}p, ${Math.round(bitrate / 1000)} kbit/s`;
  }

  player.on(Hls.Events.MANIFEST_PARSED, function (_, { levels }) {
    const best = levels.map((level, index) => ({ level, index })).reverse();
    fillQualities(choice, best.map(({ level, index }) => new Option(text(level, levels), index)));
    const chosen = height > 0 ? levels.findLastIndex((level) => level.height === height) : -1;
    choice.value = chosen;
    if (chosen >= 0) {
      player.currentLevel = chosen;
    }
  });
  player.on(Hls.Events.LEVEL_SWITCHED, function (_, { level }) {
    const isChosen = player.autoLevelEnabled && player.levels.length > 1;
    automatic.text = isChosen ? `${label} (${text(player.levels[level], player.levels)})` : label;
  });
  choice.onchange = function () {
    player.currentLevel = Number(choice.value);
  };
  player.on(Hls.Events.FRAG_BUFFERED, function (_, { frag }) {
    const isShown = video.videoHeight === player.levels[frag.level]?.height;
    if (video.paused && frag.level === Number(choice.value) && !isShown) {
      // A paused player keeps its old picture; a seek shows the new one.
      seek(video, video.currentTime);
    }
  });
}

function offerPictureInPicture(video, bar) {
  const button = bar.querySelector("[data-picture-in-picture]");
  button.hidden = !document.pictureInPictureEnabled || video.disablePictureInPicture;
  button.addEventListener("click", async function () {
    try {
      await (document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture());
    } catch {
      // Nothing is loaded yet, or the browser refuses it here.
    }
  });
  ["enterpictureinpicture", "leavepictureinpicture"].forEach(function (name) {
    video.addEventListener(name, () => button.setAttribute("aria-pressed", name === "enterpictureinpicture"));
  });
}

// The subtitles and captions of the playlist, and of the stream itself.
function offerCaptions(video, bar) {
  const choice = bar.querySelector("[data-captions]");
  const none = choice.options[0];
  const tracks = () => [...video.textTracks].filter(({ kind }) => kind === "subtitles" || kind === "captions");

  function show() {
    const names = tracks().map(({ label, language }, index) => new Option(label || language || index + 1, index));
    choice.replaceChildren(none, ...names);
    choice.value = tracks().findIndex(({ mode }) => mode === "showing");
    choice.parentElement.hidden = !names.length;
  }

  ["addtrack", "removetrack", "change"].forEach((name) => video.textTracks.addEventListener(name, show));
  choice.addEventListener("change", function () {
    const chosen = tracks()[Number(choice.value)];
    tracks().forEach((track) => { track.mode = track === chosen ? "showing" : "disabled"; });
  });
}

const readPositions = () => Object.entries(readStored(POSITIONS));

// Keeps the position, as the newest of those that are kept.
function keepPosition(video) {
  const [uuid, second, length] = [video.dataset.video, Math.floor(video.currentTime), lengthOf(video)];
  const kept = readPositions().filter(([each]) => each !== uuid);
  if (second >= FIRST && second < length - Math.min(LAST, length / 10)) {
    kept.push([uuid, second]);
  }
  store(POSITIONS, Object.fromEntries(kept.slice(-MOST_POSITIONS)));
}

function resume(video) {
  const note = rootOf(video).querySelector("[data-resumed]");
  const [, second] = readPositions().find(([uuid]) => uuid === video.dataset.video) || [];
  let kept = 0;
  if (!asksForStart() && second > 0 && second < lengthOf(video)) {
    seek(video, second);
    const text = note.querySelector("span");
    text.textContent = text.textContent.replace("{time}", clock(second));
    note.hidden = false;
  }
  note.querySelector("button").addEventListener("click", function () {
    note.hidden = true;
    seek(video, 0);
    video.focus({ preventScroll: true });
  });
  video.addEventListener("playing", () => setTimeout(() => { note.hidden = true; }, NOTE_MS), { once: true });
  video.addEventListener("timeupdate", function () {
    if (!video.paused && Math.abs(video.currentTime - kept) >= OFTEN) {
      kept = video.currentTime;
      keepPosition(video);
    }
  });
  video.addEventListener("pause", () => keepPosition(video));
  video.addEventListener("ended", function () {
    note.hidden = true;
    keepPosition(video);
  });
  window.addEventListener("pagehide", function () {
    if (video.readyState) {
      keepPosition(video);
    }
  });
}

function followLinks(video) {
  document.querySelectorAll("[data-seek]").forEach(function (link) {
    link.disabled = false;
    link.addEventListener("click", function (event) {
      event.preventDefault();
      seek(video, Number(link.dataset.seek));
      if ("waits" in video.dataset && !video.readyState) {
        play(video);
      }
      video.scrollIntoView({ block: "nearest" });
      video.focus({ preventScroll: true });
    });
  });
}

function start(video) {
  const bar = rootOf(video).querySelector(".player-bar");
  if (startOf(video)) {
    seek(video, startOf(video));
  }
  if ("video" in video.dataset) {
    resume(video);
  }
  offerPosition(video, bar);
  offerHeights(bar);
  offerCaptions(video, bar);
  offerPictureInPicture(video, bar);
  bar.hidden = false;
  followLinks(video);
  if ("waits" in video.dataset) {
    waitForPlay(video);
  } else {
    begin(video);
  }
}

document.querySelectorAll("video[data-hls]").forEach(start);
