"use strict";

(function () {
  // <button hidden data-own-zone="id of a select" data-label="… {zone}"> chooses the zone of the browser, if it is there.
  function offerOwnZone(button) {
    const select = document.getElementById(button.dataset.ownZone);
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const known = [...select.options].some((option) => option.value === zone);
    if (!known || select.value === zone) {
      return;
    }
    button.textContent = button.dataset.label.replace("{zone}", zone.replaceAll("_", " "));
    button.hidden = false;
    button.addEventListener("click", function () {
      select.value = zone;
      select.focus();
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("button[data-own-zone]").forEach(offerOwnZone);
  });
})();
