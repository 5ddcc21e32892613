"use strict";

// The page of a channel fetches the live facts of Amazon IVS: on a click, and every ten seconds while it is live.
(function () {
  const INTERVAL = 10000;
  const panel = document.querySelector(".live-panel");

  function show(answer) {
    panel.querySelector("[data-message]").textContent = answer.message;
    const facts = panel.querySelector("[data-facts]");
    facts.hidden = Object.keys(answer.facts).length === 0;
    facts.querySelectorAll("[data-fact]").forEach(function (value) {
      value.textContent = answer.facts[value.dataset.fact] || "–";
    });
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

  if (panel) {
    const button = panel.querySelector("[data-fetch]");
    if (button) {
      button.addEventListener("click", function (event) {
        event.preventDefault();
        // A screen reader reads the answer to a click, not that of a timer.
        panel.querySelector("[data-message]").setAttribute("role", "status");
        refresh();
      });
    }
    if ("poll" in panel.dataset) {
      poll();
    }
  }

  // A second click does not send a form again.
  document.querySelectorAll("form[data-once]").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      if (form.dataset.sent) {
        event.preventDefault();
      }
      form.dataset.sent = "yes";
      form.querySelector("[type=submit]").setAttribute("aria-disabled", "true");
    });
  });
  // The back button restores the page with the disabled buttons.
  addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      form.querySelector("[type=submit]").removeAttribute("aria-disabled");
    });
  });
})();
