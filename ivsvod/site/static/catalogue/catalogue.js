// Times are shown in the zone of the reader. The list follows the form without a reload, and "Show more" appends the next
// page to it. Buttons copy or share the link, with the position of the player. Without scripts the form is sent, and links
// lead to pages.
import { clock } from "../ondemand/shared.js";

const PAUSE_MS = 250;
const DAY = { dateStyle: "long" };
const MINUTE = { year: "numeric", month: "long", day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short" };

function showTimes(root) {
  const language = document.documentElement.lang;
  root.querySelectorAll("time[datetime]").forEach(function (place) {
    const time = new Date(place.dateTime);
    const minute = new Intl.DateTimeFormat(language, MINUTE).format(time);
    place.textContent = "day" in place.dataset ? new Intl.DateTimeFormat(language, DAY).format(time) : minute;
    place.title = "day" in place.dataset ? minute : "";
  });
}

function addressOf(form) {
  const given = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (value.trim()) {
      given.append(name, value.trim());
    }
  }
  const query = given.toString();
  return query ? form.action + "?" + query : form.action;
}

function announce(sentence, isFailure) {
  const count = document.getElementById("count");
  count.textContent = sentence;
  // For screen readers: the list shows the count too.
  count.classList.toggle("unseen", !isFailure);
}

function show(page) {
  document.title = page.title;
  announce(page.getElementById("count").textContent, false);
  const focused = document.activeElement.id;
  document.getElementById("results").replaceChildren(...page.getElementById("results").childNodes);
  showTimes(document.getElementById("results"));
  // The order is chosen within the list.
  document.getElementById(focused)?.focus();
}

async function fetchPage(address, signal) {
  const answer = await fetch(address, { signal });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!page.getElementById("results")) {
    throw new Error("Not a page of the list: " + answer.status);
  }
  return page;
}

// Appends the page that the link leads to. Its address is then that of this page, too.
async function append(link) {
  const results = document.getElementById("results");
  const address = link.href;
  let page;
  results.setAttribute("aria-busy", "true");
  try {
    page = await fetchPage(address);
  } catch {
    // The browser says what is wrong.
    window.location.assign(address);
    return;
  }
  const [shown, more] = [results, page].map((root) => root.querySelector("[aria-labelledby=list] .cards"));
  const [count, further] = [results, page].map((root) => root.querySelector(".count[data-last]"));
  results.removeAttribute("aria-busy");
  if (!more || !link.isConnected) {
    return;
  }
  showTimes(page);
  const first = more.querySelector("a");
  shown.append(...more.children);
  count.dataset.last = further.dataset.last;
  count.textContent = count.dataset.text.replace("{first}", count.dataset.first).replace("{last}", count.dataset.last);
  announce(count.textContent, false);
  const next = page.querySelector("#results [rel=next]");
  if (next) {
    link.href = next.getAttribute("href");
  } else {
    link.parentElement.remove();
  }
  history.replaceState(null, "", address);
  first.focus({ preventScroll: true });
}

function follow(form) {
  const results = document.getElementById("results");
  let running = new AbortController();
  let shown = addressOf(form);
  let timer = 0;

  async function load() {
    const address = addressOf(form);
    if (address === shown) {
      return;
    }
    shown = address;
    running.abort();
    running = new AbortController();
    results.setAttribute("aria-busy", "true");
    try {
      show(await fetchPage(address, running.signal));
      history.replaceState(null, "", address);
      results.removeAttribute("aria-busy");
    } catch (problem) {
      if (problem.name === "AbortError") {
        return;
      }
      shown = "";
      announce(form.dataset.failed, true);
      results.removeAttribute("aria-busy");
    }
  }

  form.addEventListener("input", (event) => {
    if (event.target.name === "search") {
      clearTimeout(timer);
      timer = setTimeout(load, PAUSE_MS);
    }
  });
  // The order belongs to the form, and stands in the list.
  document.addEventListener("change", function (event) {
    if (event.target.form !== form) {
      return;
    }
    if (event.target.id === "tag") {
      // The page has a box for each chosen tag.
      window.location.assign(addressOf(form));
    } else {
      load();
    }
  });
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    load();
  });
  results.addEventListener("click", function (event) {
    const link = event.target.closest("[rel=next]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && !results.hasAttribute("aria-busy")) {
      event.preventDefault();
      append(link);
    }
  });
}

function copies(button) {
  const field = document.getElementById(button.dataset.copy);
  const status = button.closest("section").querySelector(".copy-status");
  button.hidden = "position" in button.dataset;
  button.addEventListener("click", async function () {
    try {
      await navigator.clipboard.writeText(button.value || field.value);
      status.textContent = status.dataset.done;
    } catch {
      // Not allowed, or a page without TLS, which has no clipboard.
      field.value = button.value || field.value;
      field.select();
      status.textContent = status.dataset.failed;
    }
  });
}

// Shows the position that the link has, from the first second on.
function followsPosition(button) {
  const video = document.querySelector("video");
  const link = document.getElementById(button.dataset.copy).value;

  function show() {
    const second = Math.floor(video.currentTime);
    button.hidden = second < 1;
    button.value = `${link}${link.includes("?") ? "&" : "?"}t=${second}`;
    button.textContent = button.dataset.position.replace("{time}", clock(second));
  }

  if (video?.dataset.hls) {
    ["timeupdate", "seeking"].forEach((name) => video.addEventListener(name, show));
    show();
  }
}

// The next video is named on the player when this one has ended.
function namesNext(note) {
  const video = document.querySelector("video");
  video.addEventListener("ended", () => { note.hidden = false; });
  ["play", "seeking"].forEach((name) => video.addEventListener(name, () => { note.hidden = true; }));
}

// The share sheet of the system, where there is one; else the link is copied.
function shares(button) {
  const field = document.getElementById(button.dataset.share);
  const copy = document.querySelector(`[data-copy="${button.dataset.share}"]:not([data-position])`);
  if (!navigator.share) {
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async function () {
    try {
      await navigator.share({ title: document.title, url: field.value });
    } catch (problem) {
      if (problem.name !== "AbortError") {
        copy.click();
      }
    }
  });
}

showTimes(document);
const form = document.getElementById("filters");
if (form) {
  follow(form);
}
document.querySelectorAll("button[data-copy]").forEach(copies);
document.querySelectorAll("button[data-share]").forEach(shares);
document.querySelectorAll("button[data-position]").forEach(followsPosition);
document.querySelectorAll("[data-next]").forEach(namesNext);
