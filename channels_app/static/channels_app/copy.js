"use strict";

// <button type="button" class="copy" data-copy="text" data-copied="Copied"> copies the text to the clipboard and shows "Copied".
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
