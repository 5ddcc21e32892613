"use strict";
/* The list of videos: edits titles and tags in place, and completes the text of filters. */
(() => {
  const WAIT = 150;

  const completing = (input) => {
    let timer = 0;
    let controller = null;
    const complete = async () => {
      controller?.abort();
      controller = new AbortController();
      const query = new URLSearchParams({ prefix: input.value });
      try {
        const answer = await fetch(`${input.dataset.complete}?${query}`, { signal: controller.signal });
        const { values } = await answer.json();
        input.list.replaceChildren(...values.map((value) => Object.assign(document.createElement("option"), { value })));
      } catch {
        // Without completions the whole text is typed.
        input.list.replaceChildren();
      }
    };
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(complete, WAIT);
    });
  };
  document.querySelectorAll("input[data-complete]").forEach(completing);

  const settings = document.getElementById("in-place");
  if (!settings) {
    return;
  }
  const texts = settings.dataset;
  const token = document.querySelector("#changelist-form input[name=csrfmiddlewaretoken]").value;
  const live = document.createElement("p");
  live.className = "in-place-live";
  live.setAttribute("role", "status");
  settings.after(live);

  const send = async (place, value) => {
    const sent = new URLSearchParams({
      field: place.dataset.inPlace,
      version: place.dataset.version,
      [place.dataset.inPlace]: value,
    });
    try {
      const answer = await fetch(place.dataset.address, {
        method: "POST",
        headers: { "X-CSRFToken": token },
        body: sent,
      });
      const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
      if (answer.redirected || !isJson) {
        return { error: answer.redirected || answer.status === 403 ? texts.signedOut : texts.failed };
      }
      const found = await answer.json();
      return { ...found, isConflict: answer.status === 409 };
    } catch {
      return { error: texts.failed };
    }
  };

  const show = (place) => {
    if (place.dataset.inPlace === "title") {
      place.textContent = place.dataset.value || "\u2013";
      return;
    }
    const tags = place.dataset.value.split("\n").filter(Boolean);
    const chip = (tag) => Object.assign(document.createElement("bdi"), { className: "tag", textContent: tag });
    place.replaceChildren(...tags.flatMap((tag) => [chip(tag), " "]));
  };

  const label = (place, button) => {
    const isTitle = place.dataset.inPlace === "title";
    const hasTags = !isTitle && place.dataset.value;
    const title = place.closest("td, th").querySelector('[data-in-place="title"]').dataset.value;
    const action = isTitle ? texts.editTitle : hasTags ? texts.editTags : texts.addTags;
    button.setAttribute("aria-label", [action, title].filter(Boolean).join(": "));
    button.title = action;
    button.textContent = isTitle || hasTags ? "✎" : `+ ${action}`;
  };

  const edit = (place, shown, button) => {
    const isTitle = place.dataset.inPlace === "title";
    const editor = document.createElement("div");
    editor.className = "in-place";
    const field = document.createElement(isTitle ? "input" : "textarea");
    field.value = place.dataset.value;
    field.dir = "auto";
    field.setAttribute("aria-label", isTitle ? texts.editTitle : texts.editTags);
    const error = Object.assign(document.createElement("p"), { className: "in-place-error", id: "in-place-error" });
    error.setAttribute("role", "alert");
    const save = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: texts.save });
    const cancel = Object.assign(document.createElement("button"), { type: "button", className: "in-place-cancel", textContent: texts.cancel });
    editor.append(field);
    let input = field;
    if (isTitle) {
      field.type = "text";
      field.maxLength = Number(texts.maxlength);
    } else {
      const { tagsAddress, tagsAdd, tagsRemove, tagsFound } = texts;
      Object.assign(field.dataset, { tags: "", tagsAddress, tagsAdd, tagsRemove, tagsFound });
      input = window.enhanceTags(field);
    }
    editor.append(save, cancel, error);
    shown.hidden = true;
    button.hidden = true;
    button.after(editor);
    input.focus();
    if (isTitle) {
      field.select();
    }

    let isBusy = false;
    let isOver = false;
    // After an error only the save button or Enter sends it again.
    let isRefused = false;
    const end = (message) => {
      isOver = true;
      editor.remove();
      shown.hidden = false;
      button.hidden = false;
      show(place);
      label(place, button);
      button.focus();
      live.textContent = message;
    };
    const submit = async () => {
      if (isBusy || isOver) {
        return;
      }
      if (field.value.trim() === place.dataset.value && !isRefused) {
        end("");
        return;
      }
      isBusy = true;
      editor.setAttribute("aria-busy", "true");
      const found = await send(place, field.value);
      isBusy = false;
      editor.removeAttribute("aria-busy");
      if (found.version !== undefined) {
        place.dataset.version = found.version;
        place.dataset.value = found.value;
      }
      if (!found.error) {
        end(texts.saved);
        return;
      }
      isRefused = true;
      error.textContent = found.isConflict ? `${found.error} ${texts.changed}` : found.error;
      input.setAttribute("aria-describedby", error.id);
      input.setAttribute("aria-invalid", "true");
    };
    editor.addEventListener("keydown", (event) => {
      if (event.isComposing) {
        return;
      }
      if (event.key === "Enter" && event.target === input) {
        event.preventDefault();
        submit();
      } else if (event.key === "Escape") {
        event.preventDefault();
        end("");
      }
    });
    save.addEventListener("click", submit);
    cancel.addEventListener("click", () => end(""));
    editor.addEventListener("focusout", (event) => {
      // Removing a tag removes its button, which had the focus.
      const isInside = editor.contains(event.relatedTarget) || !editor.contains(event.target);
      if (!isInside && event.target.isConnected && document.hasFocus() && !isRefused) {
        setTimeout(() => {
          if (!editor.contains(document.activeElement)) {
            submit();
          }
        });
      }
    });
  };

  document.querySelectorAll("#result_list [data-in-place]").forEach((place) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "in-place-edit" });
    // The title stands in the link to its page.
    const shown = place.closest("a") || place;
    label(place, button);
    button.addEventListener("click", () => edit(place, shown, button));
    shown.after(" ", button);
  });
})();
