// The keys of a player inside [data-keys], its choice of speed ([data-rate], which a live stream has not), and the list of
// keys ([data-help] opens the dialog, whose [data-keys-act] turns keys of one character off). Sound, speed and that choice
// are remembered.
import { lengthOf, seek } from "./player.js";
import { readStored, store } from "./shared.js";

const FRAME = 1 / 30;
const REMEMBERED = "ivsvod.player";
const KEPT_BY_CONTROLS = "input:not([data-position]), select, textarea, [contenteditable]";

const section = document.querySelector("[data-keys]");
const video = section.querySelector("video");
const tools = section.querySelector(".player-tools");
const rate = section.querySelector("[data-rate]");
const status = section.querySelector(".player-status");
const help = section.querySelector("dialog");
const act = help.querySelector("[data-keys-act]");

function skip(seconds) {
  seek(video, video.currentTime + seconds);
}

function toggle() {
  if (video.paused) {
    // The error message of the browser.
    video.play().catch(({ message }) => { status.textContent = message; });
  } else {
    video.pause();
  }
}

function step(frames) {
  if (video.paused) {
    skip(frames * FRAME);
  }
}

function changeRate(steps) {
  const index = Math.min(Math.max(rate.selectedIndex + steps, 0), rate.options.length - 1);
  rate.selectedIndex = index;
  useRate();
  status.textContent = rate.options[index].text;
}

function useRate() {
  // Loading a source sets the speed to the default one.
  video.defaultPlaybackRate = video.playbackRate = Number(rate.value);
}

function showHelp() {
  help.showModal();
  // Not the box: Space would turn the keys off by accident.
  help.querySelector("[data-close]").focus();
}

function changeVolume(change) {
  video.muted = false;
  video.volume = Math.min(Math.max(video.volume + change, 0), 1);
}

function changeCaptions() {
  const choice = section.querySelector("[data-captions]");
  choice.selectedIndex = (choice.selectedIndex + 1) % choice.options.length;
  choice.dispatchEvent(new Event("change"));
}

// Where hls.js keeps a live stream, or the newest second that the browser has.
function goLive() {
  const { seekable } = video;
  if (seekable.length) {
    video.currentTime = video.hls?.liveSyncPosition ?? seekable.end(seekable.length - 1);
  }
  video.play().catch(() => {});
}

const KEYS = {
  " ": toggle,
  k: toggle,
  m: () => { video.muted = !video.muted; },
  "-": () => changeVolume(-0.1),
  "+": () => changeVolume(0.1),
  c: changeCaptions,
  i: () => section.querySelector("[data-picture-in-picture]").click(),
  f: () => (document.fullscreenElement ? document.exitFullscreen() : video.requestFullscreen()),
  "?": showHelp,
};
if (rate) {
  Object.assign(KEYS, {
    ArrowLeft: () => skip(-5),
    ArrowRight: () => skip(5),
    j: () => skip(-10),
    l: () => skip(10),
    ",": () => step(-1),
    ".": () => step(1),
    "<": () => changeRate(-1),
    ">": () => changeRate(1),
  });
  for (let tenth = 0; tenth < 10; tenth += 1) {
    KEYS[tenth] = () => seek(video, lengthOf(video) * tenth / 10);
  }
} else {
  KEYS.l = goLive;
}

function isOurs(event) {
  const target = event.target;
  // Shift makes some signs on some keyboards, and letters mean something else with it.
  if (event.key.length === 1 && (!act.checked || (event.shiftKey && !"<>?+".includes(event.key)))) {
    return false;
  }
  if (!video.dataset.hls || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help.open) {
    return false;
  }
  // The browser's own controls and buttons handle the space key themselves.
  const isButtonKey = event.key === " " && (target === video || target.matches("button, summary, a"));
  if (isButtonKey || target.matches(KEPT_BY_CONTROLS)) {
    return false;
  }
  return target.matches("body, main") || section.contains(target);
}

document.addEventListener("keydown", function (event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (Object.hasOwn(KEYS, key) && isOurs(event)) {
    event.preventDefault();
    KEYS[key]();
  }
});

function remember() {
  const kept = readStored(REMEMBERED);
  store(REMEMBERED, {
    volume: video.volume, muted: video.muted, rate: rate ? rate.value : kept.rate, keys: act.checked,
  });
}

function hasRate(value) {
  return [...rate.options].some((option) => option.value === value);
}

function offerRate(value) {
  if (hasRate(value)) {
    rate.value = value;
  }
  useRate();
  rate.addEventListener("change", function () {
    useRate();
    remember();
  });
  video.addEventListener("ratechange", function () {
    const shown = String(video.playbackRate);
    if (hasRate(shown)) {
      rate.value = shown;
      remember();
    }
  });
}

function begin() {
  const values = readStored(REMEMBERED);
  if (typeof values.volume === "number") {
    video.volume = Math.min(Math.max(values.volume, 0), 1);
  }
  video.muted = values.muted === true;
  act.checked = values.keys !== false;
  if (rate) {
    offerRate(values.rate);
  }
  tools.hidden = false;
  act.addEventListener("change", remember);
  video.addEventListener("volumechange", remember);
}

section.querySelector("[data-help]").addEventListener("click", showHelp);
help.querySelector("[data-close]").addEventListener("click", () => help.close());
// Without it there is nothing to play.
if (video.dataset.hls) {
  begin();
}
