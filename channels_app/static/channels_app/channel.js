// The page of a channel fetches the live facts of Amazon IVS: on a click, and every ten seconds while it is live.
const INTERVAL = 10000;
const panel = document.querySelector(".live-panel");

function show({ message, facts }) {
  panel.querySelector("[data-message]").textContent = message;
  panel.querySelector("[data-facts]").hidden = Object.keys(facts).length === 0;
  panel.querySelectorAll("[data-fact]").forEach((value) => { value.textContent = facts[value.dataset.fact] || "–"; });
}

async function refresh() {
  try {
    const response = await fetch(panel.dataset.document);
    show(await response.json());
    return true;
  } catch {
    // If signed out, the answer is the sign-in page, which is not JSON.
    show({ message: panel.dataset.failed, facts: {} });
    return false;
  }
}

// The next request waits for the answer; a hidden page sends none.
async function poll() {
  if (document.hidden || (await refresh())) {
    setTimeout(poll, INTERVAL);
  }
}

panel?.querySelector("[data-fetch]")?.addEventListener("click", (event) => {
  event.preventDefault();
  // A screen reader reads the answer to a click, not that of a timer.
  panel.querySelector("[data-message]").role = "status";
  refresh();
});
if (panel && "poll" in panel.dataset) {
  poll();
}

// A second click does not send a form again; the back button restores the page with a button that sends.
document.querySelectorAll("form[data-once] [type=submit]").forEach((button) => {
  button.form.addEventListener("submit", (event) => {
    if (button.ariaDisabled) {
      event.preventDefault();
    }
    button.ariaDisabled = "true";
  });
  addEventListener("pageshow", () => { button.ariaDisabled = null; });
});
