/* The list of videos: a picture shows the frame at the pointer and plays its video in a dialog; Escape closes filters. */
const dialog = document.getElementById("quick-player");

/* The pictures of IVS, each loaded when it is first shown: by the pointer, or by the arrow keys with the focus. */
function showFrames(place) {
  const image = place.querySelector("img");
  const urls = place.dataset.frames.split(" ").filter(Boolean);
  if (!image || urls.length < 2) {
    return;
  }
  const own = image.getAttribute("src");
  const isFromRight = getComputedStyle(place).direction === "rtl";
  let shown = -1;
  function show(index) {
    if (index === shown) {
      return;
    }
    shown = index;
    image.src = urls[index] ?? own;
    place.style.setProperty("--shown", (index + 1) / urls.length);
  }
  place.addEventListener("pointermove", ({ pointerType, clientX }) => {
    const { left, width } = place.getBoundingClientRect();
    const share = Math.min(Math.max((clientX - left) / width, 0), 0.999);
    if (pointerType === "mouse") {
      show(Math.floor((isFromRight ? 0.999 - share : share) * urls.length));
    }
  });
  place.addEventListener("keydown", (event) => {
    if (["ArrowLeft", "ArrowRight"].includes(event.key)) {
      event.preventDefault();
      const step = (event.key === "ArrowRight") === isFromRight ? -1 : 1;
      show((Math.max(shown, step < 0 ? 0 : -1) + step + urls.length) % urls.length);
    }
  });
  ["pointerleave", "blur"].forEach((name) => place.addEventListener(name, () => show(-1)));
  image.addEventListener("error", () => show(-1));
}

function play({ title, play: address }, page) {
  const frame = Object.assign(document.createElement("iframe"), {
    src: address,
    title,
    allow: "autoplay; fullscreen; picture-in-picture",
  });
  frame.addEventListener("load", () => {
    if (!frame.contentDocument) {
      // The session has expired: the page to sign in is shown in no frame.
      location.assign(page);
      return;
    }
    frame.contentWindow.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") {
        dialog.close();
      }
    });
    // The browser may refuse to play with sound; its controls are there.
    frame.contentDocument.querySelector("video")?.play().catch(() => {});
  });
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("[data-page]").href = page;
  dialog.querySelector("[data-frame]").replaceChildren(frame);
  dialog.showModal();
}

/* Without a script the picture leads to the page of its video. */
function offerPlayer(link) {
  const button = Object.assign(document.createElement("button"), {
    type: "button",
    className: link.className,
    ariaLabel: dialog.dataset.play.replace("{title}", link.dataset.title),
    ariaHasPopup: "dialog",
  });
  Object.assign(button.dataset, link.dataset);
  button.append(...link.childNodes);
  button.addEventListener("click", () => play(link.dataset, link.href));
  link.replaceWith(button);
  return button;
}

dialog.addEventListener("close", () => dialog.querySelector("[data-frame]").replaceChildren());
document.querySelectorAll("#result_list .picture").forEach((link) => {
  showFrames(link.dataset.play ? offerPlayer(link) : link);
});

// On a phone the tabs scroll.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const filters = document.querySelector("details.filters");
filters.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && filters.open) {
    filters.open = false;
    filters.querySelector("summary").focus();
  }
});
document.addEventListener("click", ({ target }) => {
  if (!filters.contains(target)) {
    filters.open = false;
  }
});
filters.querySelector(".closelink").addEventListener("click", (event) => {
  event.preventDefault();
  filters.open = false;
  filters.querySelector("summary").focus();
});
