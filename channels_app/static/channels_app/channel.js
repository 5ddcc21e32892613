"use strict";

// The page of a channel asks what Amazon IVS says of it: by its button, and while it is live every ten seconds.
(function () {
  const EVERY = 10000;
  const panel = document.querySelector(".live-panel");

  function show(answer) {
    panel.querySelector("[data-told]").textContent = answer.told;
    const facts = panel.querySelector("[data-facts]");
    facts.hidden = Object.keys(answer.facts).length === 0;
    facts.querySelectorAll("[data-fact]").forEach(function (place) {
      place.textContent = answer.facts[place.dataset.fact] || "–";
    });
  }

  async function ask() {
    try {
      const response = await fetch(panel.dataset.document);
      show(await response.json());
      return true;
    } catch {
      // Signed out, the answer is the page of the sign-in.
      show({ told: panel.dataset.failed, facts: {} });
      return false;
    }
  }

  // The next question waits for the answer; a page that nobody sees asks nothing.
  async function poll() {
    if (document.hidden || (await ask())) {
      setTimeout(poll, EVERY);
    }
  }

  if (panel) {
    const button = panel.querySelector("[data-ask]");
    if (button) {
      button.addEventListener("click", function (event) {
        event.preventDefault();
        // Whoever asks wants to hear the answer; what comes by itself is not read out.
        panel.querySelector("[data-told]").setAttribute("role", "status");
        ask();
      });
    }
    if ("poll" in panel.dataset) {
      poll();
    }
  }

  // A form that is on its way is not sent again by a second click.
  document.querySelectorAll("form[data-once]").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      if (form.dataset.sent) {
        event.preventDefault();
      }
      form.dataset.sent = "yes";
      form.querySelector("[type=submit]").setAttribute("aria-disabled", "true");
    });
  });
  // The way back shows the page as it was left.
  addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      form.querySelector("[type=submit]").removeAttribute("aria-disabled");
    });
  });
})();
