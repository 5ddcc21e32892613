/* The list of videos: edits titles and tags in place. */
import { make } from "./shared.js";
import { enhance } from "./tags.js";

const settings = document.getElementById("in-place");
const texts = settings.dataset;
const token = document.querySelector("#changelist-form input[name=csrfmiddlewaretoken]").value;
const live = make("p", { className: "visually-hidden", role: "status" });
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
    place.textContent = place.dataset.value || place.dataset.untitled;
    return;
  }
  const tags = place.dataset.value.split("\n").filter(Boolean);
  place.replaceChildren(...tags.flatMap((tag) => [make("bdi", { className: "tag", textContent: tag }), " "]));
};

const label = (place, button) => {
  const isTitle = place.dataset.inPlace === "title";
  const hasTags = !isTitle && place.dataset.value;
  const { value, untitled } = place.closest("td, th").querySelector('[data-in-place="title"]').dataset;
  const action = isTitle ? texts.editTitle : hasTags ? texts.editTags : texts.addTags;
  button.ariaLabel = `${action}: ${value || untitled}`;
  button.title = action;
  button.textContent = isTitle || hasTags ? "✎" : `+ ${action}`;
};

const edit = (place, shown, button) => {
  const isTitle = place.dataset.inPlace === "title";
  const editor = make("div", { className: "in-place" });
  const field = make(isTitle ? "input" : "textarea", {
    value: place.dataset.value,
    dir: "auto",
    ariaLabel: isTitle ? texts.editTitle : texts.editTags,
  });
  const error = make("p", { className: "in-place-error", id: "in-place-error", role: "alert" });
  const save = make("button", { type: "button", className: "button", textContent: texts.save });
  const cancel = make("button", { type: "button", className: "in-place-cancel", textContent: texts.cancel });
  editor.append(field);
  let input = field;
  if (isTitle) {
    field.type = "text";
    field.maxLength = Number(texts.maxlength);
  } else {
    const { tagsAddress, tagsAdd, tagsRemove, tagsFound } = texts;
    Object.assign(field.dataset, { tags: "", tagsAddress, tagsAdd, tagsRemove, tagsFound });
    input = enhance(field);
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
    editor.ariaBusy = "true";
    const found = await send(place, field.value);
    isBusy = false;
    editor.ariaBusy = null;
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
    input.ariaInvalid = "true";
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
  const button = make("button", { type: "button", className: "in-place-edit" });
  // The title stands in the link to its page.
  const shown = place.closest("a") || place;
  label(place, button);
  button.addEventListener("click", () => edit(place, shown, button));
  shown.after(" ", button);
});
