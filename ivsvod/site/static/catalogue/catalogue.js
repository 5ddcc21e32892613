// The list follows the form without a reload, and buttons copy the field beside them. Without scripts the form is sent.
const PAUSE_MS = 250;

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
  document.getElementById("results").replaceChildren(...page.getElementById("results").childNodes);
  // The default order depends on whether there is a search.
  const orders = document.getElementById("ordering");
  if (orders !== document.activeElement) {
    // The whole element: options that are moved one by one lose the selection.
    orders.replaceWith(page.getElementById("ordering"));
  }
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
      const answer = await fetch(address, { signal: running.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!page.getElementById("results")) {
        throw new Error("Not a page of the list: " + answer.status);
      }
      show(page);
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
  form.addEventListener("change", function (event) {
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
}

function copies(button) {
  const field = document.getElementById(button.dataset.copy);
  const status = button.closest("section").querySelector(".copy-status");
  button.hidden = false;
  button.addEventListener("click", async function () {
    try {
      await navigator.clipboard.writeText(field.value);
      status.textContent = status.dataset.done;
    } catch {
      // Not allowed, or a page without TLS, which has no clipboard.
      field.select();
      status.textContent = status.dataset.failed;
    }
  });
}

// The link carries the position that the player has when the box is ticked.
function sharesPosition(place) {
  const field = document.getElementById("page-url");
  const video = document.querySelector("video");
  const box = place.querySelector("input");
  const link = field.value;
  place.hidden = false;
  box.checked = false;
  box.addEventListener("change", function () {
    const second = Math.floor(video.currentTime);
    field.value = box.checked && second ? `${link}${link.includes("?") ? "&" : "?"}t=${second}` : link;
  });
}

const form = document.getElementById("filters");
if (form) {
  follow(form);
}
document.querySelectorAll("button[data-copy]").forEach(copies);
document.querySelectorAll("[data-share-start]").forEach(sharesPosition);
