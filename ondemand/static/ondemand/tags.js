"use strict";
/* A textarea of tags, one a line, becomes a row of tags with an input that completes from the tags in use.
   `textarea[data-tags]` holds the value all along; its data- attributes hold the texts and the address. */
(() => {
  const WAIT = 150;
  let boxes = 0;

  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const cleaned = (text) => text.trim().replace(/\s+/g, " ");

  const enhance = (area) => {
    if (area.dataset.tagsReady !== undefined) {
      return null;
    }
    area.dataset.tagsReady = "";
    const texts = area.dataset;
    const number = boxes++;
    const label = area.id ? document.querySelector(`label[for="${CSS.escape(area.id)}"]`) : null;
    const chips = make("ul", { className: "tags-chips" });
    chips.setAttribute("role", "list");
    const input = make("input", { type: "text", id: `tags-input-${number}`, autocomplete: "off", dir: "auto" });
    const listbox = make("ul", { className: "tags-options", id: `tags-options-${number}`, hidden: true });
    const status = make("span", { className: "tags-status" });
    const name = label ? label.textContent.trim().replace(/:$/, "") : "";
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", listbox.id);
    input.setAttribute("aria-label", [name, texts.tagsAdd].filter(Boolean).join(": "));
    input.placeholder = texts.tagsAdd || "";
    listbox.setAttribute("role", "listbox");
    listbox.setAttribute("aria-label", name || texts.tagsAdd || "");
    status.setAttribute("role", "status");
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
        const remove = make("button", { type: "button", textContent: "×" });
        remove.setAttribute("aria-label", (texts.tagsRemove || "{tag}").replace("{tag}", tag));
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

    let controller = null;
    let timer = 0;
    const options = () => [...listbox.children];
    const active = () => options().find((option) => option.getAttribute("aria-selected") === "true");
    const choose = (option) => {
      options().forEach((other) => other.setAttribute("aria-selected", String(other === option)));
      if (option) {
        input.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      } else {
        input.removeAttribute("aria-activedescendant");
      }
    };
    const close = () => {
      clearTimeout(timer);
      controller?.abort();
      listbox.hidden = true;
      listbox.replaceChildren();
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
      status.textContent = "";
    };
    const open = (found) => {
      listbox.replaceChildren(...found.map((tag, index) => {
        const option = make("li", { id: `tags-option-${number}-${index}`, textContent: tag, dir: "auto" });
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        // Before the input loses the focus.
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          add(tag);
        });
        return option;
      }));
      listbox.hidden = !found.length;
      input.setAttribute("aria-expanded", String(found.length > 0));
      input.removeAttribute("aria-activedescendant");
      status.textContent = (texts.tagsFound || "{count}").replace("{count}", found.length);
    };
    const complete = async () => {
      const prefix = cleaned(input.value);
      if (!prefix || !texts.tagsAddress) {
        close();
        return;
      }
      controller?.abort();
      controller = new AbortController();
      try {
        const answer = await fetch(`${texts.tagsAddress}?${new URLSearchParams({ prefix })}`, { signal: controller.signal });
        const has = new Set(tags());
        open((await answer.json()).values.filter((tag) => !has.has(tag)));
      } catch {
        // Without completions the whole tag is typed.
        listbox.hidden = true;
        input.setAttribute("aria-expanded", "false");
      }
    };

    input.addEventListener("input", () => {
      clearTimeout(timer);
      if (/[\n,]/.test(input.value)) {
        add(input.value);
        return;
      }
      timer = setTimeout(complete, WAIT);
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
  window.enhanceTags = enhance;
})();
