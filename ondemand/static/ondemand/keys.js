// The keys of a player inside [data-keys], its choice of speed ([data-rate]), and the list of keys ([data-help] opens the
// dialog, whose [data-keys-act] turns keys of one character off). Sound, speed and that choice are remembered.
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
  video.ivsvod.seek(video.currentTime + seconds);
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

const KEYS = {
  " ": toggle,
  k: toggle,
  ArrowLeft: () => skip(-5),
  ArrowRight: () => skip(5),
  j: () => skip(-10),
  l: () => skip(10),
  ",": () => step(-1),
  ".": () => step(1),
  "<": () => changeRate(-1),
  ">": () => changeRate(1),
  m: () => { video.muted = !video.muted; },
  f: () => (document.fullscreenElement ? document.exitFullscreen() : video.requestFullscreen()),
  "?": showHelp,
};
for (let tenth = 0; tenth < 10; tenth += 1) {
  KEYS[String(tenth)] = () => video.ivsvod.seek(video.ivsvod.length() * tenth / 10);
}

function isOurs(event) {
  const target = event.target;
  // Shift makes some signs on some keyboards, and letters mean something else with it.
  if (event.key.length === 1 && (!act.checked || (event.shiftKey && !"<>?".includes(event.key)))) {
    return false;
  }
  if (!video.ivsvod || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help.open) {
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
  const values = { volume: video.volume, muted: video.muted, rate: rate.value, keys: act.checked };
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify(values));
  } catch {
    // The browser stores nothing for this page.
  }
}

function hasRate(value) {
  return [...rate.options].some((option) => option.value === value);
}

function begin() {
  let values = {};
  try {
    values = JSON.parse(localStorage.getItem(REMEMBERED)) || {};
  } catch {
    // Nothing is stored, or the browser stores nothing for this page.
  }
  if (typeof values.volume === "number") {
    video.volume = Math.min(Math.max(values.volume, 0), 1);
  }
  video.muted = values.muted === true;
  act.checked = values.keys !== false;
  if (hasRate(values.rate)) {
    rate.value = values.rate;
  }
  useRate();
  tools.hidden = false;
}

rate.addEventListener("change", function () {
  useRate();
  remember();
});
act.addEventListener("change", remember);
video.addEventListener("volumechange", remember);
video.addEventListener("ratechange", function () {
  const shown = String(video.playbackRate);
  if (hasRate(shown)) {
    rate.value = shown;
    remember();
  }
});
section.querySelector("[data-help]").addEventListener("click", showHelp);
help.querySelector("[data-close]").addEventListener("click", () => help.close());
// Without it there is nothing to play.
if (video.ivsvod) {
  begin();
}
