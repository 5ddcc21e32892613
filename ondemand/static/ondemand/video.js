// The page of a video: a suggested title, chapters at the position of the player, the choice of a picture (all pictures,
// a frame of the player, a file), the keys of the bar, and a question before unsaved changes are lost.
import { clock, make, readStored } from "./shared.js";

const LONGEST_SIDE = 1920;
const QUALITY = 0.9;
// API Gateway takes no more than this, encoded; the service makes pictures this size anyway.
const LARGEST_SENT = 3 * 1024 * 1024;
const MOST_SECONDS = 8;
// Where keys are typed. Radio buttons and sliders take no letters.
const TYPED_INTO = "input:not([type=radio], [type=checkbox], [type=range]), select, textarea, [contenteditable]";

const form = document.getElementById("video_form");
const video = document.querySelector("[data-keys] video");
const grid = document.querySelector(".picture-grid");
const file = document.querySelector("input[type=file][name=picture]");
const given = document.querySelector("[data-upload-choice]");
let isChanged = false;
let isSent = false;

function offerTitle() {
  const button = document.querySelector("[data-use-title]");
  const title = document.querySelector("input[name=title]");
  if (!button || !title) {
    return;
  }
  const offer = function () {
    button.parentElement.hidden = title.value !== "";
  };
  offer();
  title.addEventListener("input", offer);
  button.addEventListener("click", function () {
    title.value = button.dataset.useTitle;
    title.dispatchEvent(new Event("input", { bubbles: true }));
    title.focus();
  });
}

// A line for the position of the player, at its place among the others; its title is typed behind.
function offerChapter() {
  const button = document.querySelector("[data-add-chapter]");
  const field = document.querySelector("textarea[name=chapters]");
  if (!button || !field || !video) {
    return;
  }
  button.parentElement.hidden = false;
  button.addEventListener("click", function () {
    const time = clock(video.currentTime, true);
    const lines = field.value.split("\n").filter((line) => line.trim());
    let index = lines.findIndex((line) => line.startsWith(`${time} `));
    if (index < 0) {
      // Lines are as the service writes them, except for what was just typed.
      const key = (line) => line.split(/[\s.]/)[0].split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
      index = lines.filter((line) => key(line) <= key(time)).length;
      lines.splice(index, 0, `${time} `);
    }
    field.value = lines.join("\n");
    const end = lines.slice(0, index + 1).join("\n").length;
    field.focus();
    field.setSelectionRange(end, end);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

function pictureChoice({ value, url, label, caption }) {
  return make(
    "label",
    { className: "picture-choice" },
    make("input", { type: "radio", name: "thumbnail", value }),
    make("img", { className: "thumbnail", loading: "lazy", alt: label, src: url }),
    make("span", { className: "picture-caption", ariaHidden: "true", textContent: caption }),
  );
}

function offerMorePictures() {
  const button = document.querySelector("[data-more-pictures]");
  if (!button) {
    return;
  }
  button.hidden = false;
  button.addEventListener("click", function () {
    const shown = new Map([...grid.querySelectorAll("input")].map((radio) => [radio.value, radio.parentElement]));
    const all = JSON.parse(document.getElementById("more-pictures").textContent);
    const labels = all.map((choice) => shown.get(choice.value) || pictureChoice(choice));
    const first = labels.find((label) => !label.isConnected);
    given.before(...labels);
    button.remove();
    if (first) {
      first.querySelector("input").focus();
    }
  });
}

// Shows the picture among the others, chosen.
function preview(source, width, height) {
  const canvas = given.querySelector("canvas");
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  given.hidden = false;
  const radio = given.querySelector("input");
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  return canvas;
}

function asJpeg(canvas) {
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", QUALITY); });
}

function send(blob, name) {
  const transfer = new DataTransfer();
  transfer.items.add(new File([blob], name, { type: "image/jpeg" }));
  file.files = transfer.files;
}

async function showFile() {
  const chosen = file.files[0];
  given.hidden = true;
  if (!chosen) {
    return;
  }
  let bitmap;
  try {
    bitmap = await createImageBitmap(chosen);
  } catch {
    // The browser cannot decode it: the service returns the reason.
    given.querySelector("input").checked = true;
    return;
  }
  const canvas = preview(bitmap, bitmap.width, bitmap.height);
  if (chosen.size > LARGEST_SENT) {
    send(await asJpeg(canvas), chosen.name);
  }
}

// The player may show a small rendition: the picture is taken from the best one, if that loads in time.
async function withBestLevel(take) {
  const player = video.hls;
  if (!player || player.levels.length < 2) {
    return take();
  }
  const heights = player.levels.map((level) => level.height || 0);
  const best = Math.max(...heights);
  const [at, chosen] = [video.currentTime, player.manualLevel];
  video.pause();
  player.currentLevel = heights.indexOf(best);
  const until = performance.now() + MOST_SECONDS * 1000;
  while (performance.now() < until && !(video.videoHeight >= best && video.readyState >= 2 && !video.seeking)) {
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    if (video.videoHeight < best && !video.seeking) {
      // A paused player keeps its old picture; a seek shows the segment that was loaded since.
      video.currentTime = at;
    }
  }
  try {
    return await take();
  } finally {
    player.currentLevel = chosen;
  }
}

async function takeFrame() {
  if (!video.videoWidth || video.readyState < 2) {
    throw new Error("There is no picture yet.");
  }
  send(await asJpeg(preview(video, video.videoWidth, video.videoHeight)), "frame.jpg");
}

function offerFrame() {
  const button = document.querySelector("[data-frame]");
  if (!button || !file) {
    return;
  }
  button.addEventListener("click", async function () {
    const status = document.querySelector(".player-status");
    status.textContent = "";
    button.disabled = true;
    try {
      await withBestLevel(takeFrame);
      given.querySelector("input").focus({ preventScroll: true });
      given.scrollIntoView({ block: "nearest" });
    } catch {
      status.textContent = button.dataset.failed;
    }
    button.disabled = false;
  });
}

function choosePictures() {
  const address = document.querySelector("input[name=address]");
  file.addEventListener("change", showFile);
  // A file or an address takes precedence over a chosen picture, so choosing a picture clears both.
  grid.addEventListener("change", function (event) {
    if (event.target.value !== "upload") {
      file.value = "";
      given.hidden = true;
    }
    if (address) {
      address.value = "";
    }
  });
}

function askBeforeLeaving() {
  ["input", "change"].forEach(function (name) {
    form.addEventListener(name, function (event) {
      isChanged = isChanged || (event.target.form === form && Boolean(event.target.name));
    });
  });
  form.addEventListener("submit", function (event) {
    if (isSent) {
      // A second press would save an outdated page.
      event.preventDefault();
    }
    isChanged = false;
    isSent = true;
  });
  window.addEventListener("pageshow", function () {
    isSent = false;
  });
  window.addEventListener("beforeunload", function (event) {
    if (isChanged) {
      event.preventDefault();
    }
  });
}

// The choice in the list of keys, which keys.js stores; a page without a player has no list.
function keysAct() {
  const box = document.querySelector("[data-keys-act]");
  return box ? box.checked : readStored("ivsvod.player").keys !== false;
}

// Each [data-key] is pressed by its letter while nobody types; T leads to the title, Escape out of a field, and
// Ctrl+Enter in a field presses the first of them.
function useKeys() {
  const buttons = new Map([...document.querySelectorAll("[data-key]")].map((each) => [each.dataset.key, each]));
  const title = document.querySelector("input[name=title]");
  document.addEventListener("keydown", function (event) {
    const isTyped = event.target.matches(TYPED_INTO);
    const isSending = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    const decision = form.querySelector("button[data-key]");
    if (!isTyped || !isSending || !decision || event.isComposing) {
      return;
    }
    // Before the field takes the key; a tag that is typed is added when it loses the focus.
    event.preventDefault();
    event.stopPropagation();
    event.target.blur();
    decision.click();
  }, true);
  document.addEventListener("keydown", function (event) {
    const isTyped = event.target.matches(TYPED_INTO);
    const hasModifier = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    if (event.defaultPrevented || event.repeat || hasModifier || document.querySelector("dialog[open]")) {
      return;
    }
    if (isTyped) {
      if (event.key === "Escape" && !event.isComposing) {
        event.target.blur();
      }
      return;
    }
    if (!keysAct()) {
      return;
    }
    const key = event.key.toUpperCase();
    if (key === "T" && title) {
      event.preventDefault();
      title.focus();
      title.select();
    } else if (buttons.has(key)) {
      event.preventDefault();
      buttons.get(key).click();
    }
  });
}

offerTitle();
offerChapter();
if (grid && file) {
  choosePictures();
  offerMorePictures();
  offerFrame();
}
if (form) {
  askBeforeLeaving();
  useKeys();
}
