"use strict";

// <button type="button" data-copy="text"> copies the text to the clipboard and shows "Copied", in the language of the page.
const { copied } = document.currentScript.dataset;
document.addEventListener("click", async function (event) {
  const button = event.target.closest("button[data-copy]");
  if (button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.textContent;
    button.textContent = copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  }
});
