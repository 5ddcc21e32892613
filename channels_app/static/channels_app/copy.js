"use strict";

// <button type="button" class="copy" data-copy="text" data-copied="Copied"> puts the text on the clipboard and says so.
document.addEventListener("click", function (event) {
  const button = event.target.closest("button[data-copy]");
  if (!button) {
    return;
  }
  navigator.clipboard.writeText(button.dataset.copy).then(function () {
    const label = button.textContent;
    button.textContent = button.dataset.copied || "✓";
    setTimeout(function () {
      button.textContent = label;
    }, 2000);
  });
});
