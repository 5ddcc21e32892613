// The filmstrip with its two handles: their times, a preview of the result by the service, and suggestions.
import { clock } from "./shared.js";

const cut = document.querySelector("[data-cut]");
const video = document.querySelector("[data-keys] video");

const clockOf = (handle) => clock(handle.value / 1000, true);

function begin() {
  const form = document.getElementById("edit-form");
  const [start, end] = cut.querySelectorAll("input[type=range]");
  const status = cut.querySelector(".cut-status");
  const length = Number(end.max);
  // What is played, in times of the player: [from, until] in seconds, one after the other.
  let windows = [];

  function show() {
    cut.style.setProperty("--cut-start", `${100 * start.value / (length || 1)}%`);
    cut.style.setProperty("--cut-after", `${100 - 100 * end.value / (length || 1)}%`);
    cut.querySelector("[data-cut-times]").value = `${clockOf(start)} – ${clockOf(end)}`;
    [start, end].forEach((handle) => handle.setAttribute("aria-valuetext", clockOf(handle)));
  }

  function moved(handle) {
    // A handle pushes the other one, and never passes it.
    if (Number(start.value) > Number(end.value)) {
      (handle === start ? end : start).value = handle.value;
    }
    windows = [];
    status.textContent = "";
    show();
  }

  function set(handle, milliseconds) {
    handle.value = Math.round(milliseconds);
    moved(handle);
  }

  // The handles of a trimmed video stand in times of its whole recording, which another playlist has.
  async function playWhole() {
    const { whole } = cut.dataset;
    if (!whole || video.dataset.hls === whole) {
      return;
    }
    video.dataset.hls = whole;
    const isLoaded = new Promise((resolve) => { video.addEventListener("loadedmetadata", resolve, { once: true }); });
    if (video.hls) {
      video.hls.loadSource(whole);
    } else {
      video.src = whole;
    }
    await isLoaded;
  }

  async function preview() {
    const body = new FormData(form);
    body.append("_preview", "");
    body.set("start_ms", Math.round(start.value));
    body.set("end_ms", Math.round(end.value));
    let answer;
    try {
      const response = await fetch(cut.dataset.address, { method: "POST", body });
      answer = await response.json();
    } catch {
      answer = { refusal: cut.dataset.failed };
    }
    status.textContent = answer.refusal || answer.text;
    if (answer.refusal || !video) {
      return;
    }
    await playWhole();
    // The windows of a joined video or a clip are of several recordings: the handles say where they are.
    const shown = answer.windows.length === 1 && cut.querySelector("[name=_trim]")
      ? answer.windows[0]
      : [Number(start.value), Number(end.value)];
    windows = answer.windows.length ? [shown.map((time) => time / 1000)] : [];
    video.currentTime = windows.length ? windows[0][0] : 0;
    video.play().catch(() => {});
  }

  function stopAtEnd() {
    if (windows.length && video.currentTime >= windows[0][1]) {
      video.pause();
      video.currentTime = windows[0][0];
      windows = [];
    }
  }

  [start, end].forEach((handle) => handle.addEventListener("input", () => moved(handle)));
  // An arrow moves by a second; the end of a recording lies between two.
  end.addEventListener("keydown", function (event) {
    const step = { ArrowLeft: -1000, ArrowDown: -1000, ArrowRight: 1000, ArrowUp: 1000 }[event.key];
    if (step) {
      event.preventDefault();
      const time = Number(end.value) + step;
      set(end, step < 0 && time % 1000 ? Math.ceil(time / 1000) * 1000 : time);
    }
  });
  cut.querySelectorAll("[data-needs-script]").forEach((item) => { item.hidden = false; });
  cut.querySelector("[data-cut-preview]").addEventListener("click", preview);
  cut.querySelectorAll("[data-cut-to-start]").forEach(function (button) {
    button.addEventListener("click", function () {
      set(start, button.dataset.cutToStart || 0);
      set(end, button.dataset.cutToEnd || length);
    });
  });
  for (const [name, handle] of [["start", start], ["end", end]]) {
    cut.querySelector(`[data-cut-${name}]`).addEventListener("click", function () {
      if (!video) {
        return;
      }
      const isOther = cut.dataset.whole && video.dataset.hls !== cut.dataset.whole;
      set(handle, video.currentTime * 1000 + (isOther ? Number(cut.dataset.start || 0) : 0));
    });
  }
  form.addEventListener("formdata", function (event) {
    event.formData.set("start_ms", Math.round(start.value));
    event.formData.set("end_ms", Math.round(end.value));
  });
  if (video) {
    video.addEventListener("timeupdate", stopAtEnd);
  }
  show();
}

if (cut) {
  begin();
}
