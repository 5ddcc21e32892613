"use strict";

// The stock chooser of rights labels an icon that has no role: a label counts only on something that has one.
window.addEventListener("load", function () {
  document.querySelectorAll("span.search-label-icon[aria-label]").forEach(function (icon) {
    icon.setAttribute("role", "img");
  });
});
