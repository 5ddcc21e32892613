/* A textarea of tags, one a line, becomes a row of tags with an input that completes from the tags in use.
   `textarea[data-tags]` holds the value all along; its data- attributes hold the texts and the address. */
import { Completer, make } from "./shared.js";

let boxes = 0;

const cleaned = (text) => text.trim().replace(/\s+/g, " ");

export const enhance = (area) => {
  const texts = area.dataset;
  const number = boxes++;
  const label = area.id ? document.querySelector(`label[for="${CSS.escape(area.id)}"]`) : null;
  const name = label ? label.textContent.trim().replace(/:$/, "") : "";
  const chips = make("ul", { className: "tags-chips", role: "list" });
  const input = make("input", {
    type: "text",
    id: `tags-input-${number}`,
    autocomplete: "off",
    dir: "auto",
    role: "combobox",
    ariaAutoComplete: "list",
    ariaExpanded: "false",
    ariaLabel: [name, texts.tagsAdd].filter(Boolean).join(": "),
    placeholder: texts.tagsAdd,
  });
  const listbox = make("ul", {
    className: "tags-options",
    id: `tags-options-${number}`,
    hidden: true,
    role: "listbox",
    ariaLabel: name || texts.tagsAdd,
  });
  input.setAttribute("aria-controls", listbox.id);
  const status = make("span", { className: "visually-hidden", role: "status" });
  const box = make("div", { className: "tags-box" }, chips, make("div", { className: "tags-entry" }, input, listbox), status);
  if (label) {
    label.htmlFor = input.id;
  }
  area.hidden = true;
  area.after(box);

  const tags = () => area.value.split("\n").map(cleaned).filter(Boolean);
  const write = (list) => {
    area.value = [...new Set(list)].join("\n");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.dispatchEvent(new Event("change", { bubbles: true }));
    show();
  };
  const show = () => {
    chips.replaceChildren(...tags().map((tag) => {
      const ariaLabel = texts.tagsRemove.replace("{tag}", tag);
      const remove = make("button", { type: "button", textContent: "×", ariaLabel });
      remove.addEventListener("click", () => {
        write(tags().filter((other) => other !== tag));
        input.focus();
      });
      return make("li", { className: "tag" }, make("bdi", { textContent: tag }), remove);
    }));
  };
  const add = (text) => {
    const added = text.split(/[\n,]/).map(cleaned).filter(Boolean);
    input.value = "";
    close();
    if (added.length) {
      write([...tags(), ...added]);
    }
  };

  const options = () => [...listbox.children];
  const active = () => options().find((option) => option.ariaSelected === "true");
  const choose = (option) => {
    options().forEach((other) => { other.ariaSelected = String(other === option); });
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };
  const close = () => {
    completer.cancel();
    open([]);
    status.textContent = "";
  };
  const open = (found) => {
    listbox.replaceChildren(...found.map((tag, index) => {
      const id = `tags-option-${number}-${index}`;
      const option = make("li", { id, textContent: tag, dir: "auto", role: "option", ariaSelected: "false" });
      // Before the input loses the focus.
      option.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        add(tag);
      });
      return option;
    }));
    listbox.hidden = !found.length;
    input.ariaExpanded = String(found.length > 0);
    input.removeAttribute("aria-activedescendant");
    status.textContent = texts.tagsFound.replace("{count}", found.length);
  };
  const completer = new Completer(texts.tagsAddress, (found) => {
    const has = new Set(tags());
    open(found.filter((tag) => !has.has(tag)));
  });

  input.addEventListener("input", () => {
    if (/[\n,]/.test(input.value)) {
      add(input.value);
    } else if (cleaned(input.value)) {
      completer.ask(cleaned(input.value));
    } else {
      close();
    }
  });
  const move = (step) => {
    const all = options();
    if (all.length) {
      const at = all.indexOf(active());
      choose(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length]);
    }
  };
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) {
      return;
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && (active() || cleaned(input.value))) {
      event.preventDefault();
      event.stopPropagation();
      add(active() ? active().textContent : input.value);
    } else if (event.key === "Escape" && !listbox.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Backspace" && !input.value && tags().length) {
      write(tags().slice(0, -1));
    }
  });
  // Text that is not added as a tag would be lost when the form is submitted.
  input.addEventListener("blur", () => add(input.value));
  show();
  return input;
};

document.querySelectorAll("textarea[data-tags]").forEach(enhance);
