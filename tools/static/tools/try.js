"use strict";

// Shows the panel "Try this" until somebody dismisses it, which this browser remembers for this demo.
const panel = document.querySelector("[data-try]");
const NAME = "ivsvod-try-this";

function isDismissed() {
  try {
    return localStorage.getItem(NAME) === "dismissed";
  } catch {
    return false;
  }
}

panel.hidden = isDismissed();
panel.querySelector("[data-dismiss]").addEventListener("click", function () {
  panel.hidden = true;
  try {
    localStorage.setItem(NAME, "dismissed");
  } catch {
    // It is shown again on the next visit.
  }
});
