// Plays every <video data-hls="playlist"> by hls.js if it runs, because native HLS has known gaps; else natively.
// The library's player is the property `hls` of the element, for scripts that need more of it. Below the video are a
// seek bar with chapters and pictures (from the JSON in #playing), the choice of quality, and picture in picture.
// Links and buttons with [data-seek="seconds"] seek, and `?t=` of the address is where the video starts.
// The first picture needs one small segment; more is loaded when playback starts.
const WAITING = { maxBufferLength: 4, maxMaxBufferLength: 8 };
const PLAYING = { maxBufferLength: 30, maxMaxBufferLength: 120 };
const OPTIONS = { startLevel: 0, startFragPrefetch: true, capLevelToPlayerSize: true, backBufferLength: 60, ...WAITING };
// `62`, `62.5`, `1h2m3s`.
const START = /^(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,8}(?:\.\d{1,3})?)s?)?$/;
const SKIP = 5;

// The second at which the address says to start; 0 if it says nothing, or not before the end.
function startOf(video) {
  const found = START.exec(new URLSearchParams(window.location.search).get("t") || "");
  const [hours, minutes, seconds] = found ? found.slice(1).map((text) => Number(text || 0)) : [0, 0, 0];
  const start = hours * 3600 + minutes * 60 + seconds;
  return start < Number(video.dataset.length) ? start : 0;
}

function showError(video, name) {
  const place = video.parentElement.querySelector(".player-error");
  place.textContent = place.dataset[name];
  place.hidden = false;
  // An empty player would show that it is loading forever.
  video.hidden = video.readyState === 0;
  video.parentElement.querySelector(".player-bar").hidden = true;
}

function playByLibrary(video) {
  const player = new Hls({ ...OPTIONS, startPosition: startOf(video) || -1 });
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
  });
  video.addEventListener("loadedmetadata", function () {
    if (startOf(video)) {
      video.currentTime = startOf(video);
    }
  }, { once: true });
  video.src = video.dataset.hls;
}

function seek(video, second) {
  const end = Number.isFinite(video.duration) ? video.duration : 0;
  video.currentTime = Math.min(Math.max(second, 0), Math.max(end - 0.05, 0));
}

function clock(second) {
  const whole = Math.max(Math.floor(second), 0);
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

// The pictures and chapters of the page: a picture is the one of its share of the length.
function readPlaying() {
  const text = document.getElementById("playing")?.textContent;
  const { chapters = [], pictures = [] } = text ? JSON.parse(text) : {};
  const starts = chapters.map(({ start, title }) => ({ start: Number(start), title }));
  return {
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
    const said = input.dataset.text.replace("{time}", clock(at)).replace("{length}", clock(video.duration));
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
    const share = Math.min(Math.max(second / video.duration, 0), 1);
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

  function begin() {
    // hls.js gives a live stream a length too.
    const isRecorded = "length" in video.dataset && Number.isFinite(video.duration) && video.duration > 0;
    place.hidden = !isRecorded;
    if (!isRecorded) {
      return;
    }
    input.max = video.duration;
    const marks = chapters.filter(({ start }) => start > 0 && start < video.duration).map(function ({ start }) {
      const mark = document.createElement("span");
      mark.style.setProperty("--at", start / video.duration);
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
    showPreview(video.duration * (getComputedStyle(input).direction === "rtl" ? 1 - share : share));
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
  ["loadedmetadata", "durationchange"].forEach((name) => video.addEventListener(name, begin));
  ["timeupdate", "seeking"].forEach((name) => video.addEventListener(name, show));
  begin();
}

function offerQuality(video, bar) {
  const choice = bar.querySelector("[data-quality]");
  const player = video.hls;
  if (!player) {
    return;
  }
  const automatic = choice.options[0];
  const label = automatic.text;

  function text({ height, bitrate }, levels) {
    if (!height) {
      return choice.dataset.sound;
    }
    const isAlone = levels.filter((level) => level.height === height).length === 1;
    return isAlone ? `${height}p` : `${height}p, ${Math.round(bitrate / 1000)} kbit/s`;
  }

  player.on(Hls.Events.MANIFEST_PARSED, function (_, { levels }) {
    const best = levels.map((level, index) => ({ level, index })).reverse();
    choice.replaceChildren(automatic, ...best.map(({ level, index }) => new Option(text(level, levels), index)));
    choice.parentElement.hidden = levels.length < 2;
  });
  player.on(Hls.Events.LEVEL_SWITCHED, function (_, { level }) {
    const isChosen = player.autoLevelEnabled && player.levels.length > 1;
    automatic.text = isChosen ? `${label} (${text(player.levels[level], player.levels)})` : label;
  });
  choice.addEventListener("change", function () {
    player.currentLevel = Number(choice.value);
  });
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

function followLinks(video) {
  document.querySelectorAll("[data-seek]").forEach(function (link) {
    link.disabled = false;
    link.addEventListener("click", function (event) {
      event.preventDefault();
      seek(video, Number(link.dataset.seek));
      video.scrollIntoView({ block: "nearest" });
      video.focus({ preventScroll: true });
    });
  });
}

function start(video) {
  if (window.Hls && Hls.isSupported()) {
    playByLibrary(video);
  } else if (video.canPlayType("application/vnd.apple.mpegurl")) {
    playNatively(video);
  } else {
    showError(video, "noHls");
    return;
  }
  const bar = video.parentElement.querySelector(".player-bar");
  offerPosition(video, bar);
  offerQuality(video, bar);
  offerPictureInPicture(video, bar);
  bar.hidden = false;
  followLinks(video);
}

document.querySelectorAll("video[data-hls]").forEach(start);
