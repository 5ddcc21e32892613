"use strict";

// The stock widget labels an icon without a role, and screen readers ignore such a label.
window.addEventListener("load", function () {
  document.querySelectorAll("span.search-label-icon[aria-label]").forEach(function (icon) {
    icon.setAttribute("role", "img");
  });
});
