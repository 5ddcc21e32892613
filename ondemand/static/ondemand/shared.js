// What several scripts of the admin and the catalogue import.
const WAIT_MS = 150;

// Returns `2:03` or `1:02:03`; `hasHours` keeps the hours of a short time.
export function clock(second, hasHours = false) {
  const whole = Math.max(Math.floor(second), 0);
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours || hasHours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// Returns the object that this browser keeps under a name.
export function readStored(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) || {};
  } catch {
    // The browser stores nothing for this page.
    return {};
  }
}

export function store(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // The browser stores nothing for this page.
  }
}

// Shows the values that the address has for a prefix, once typing pauses; none if it does not answer.
export class Completer {
  #controller = new AbortController();
  #timer = 0;

  constructor(address, show) {
    Object.assign(this, { address, show });
  }

  cancel() {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  ask(prefix) {
    this.cancel();
    this.#timer = setTimeout(() => this.#fetch(prefix), WAIT_MS);
  }

  async #fetch(prefix) {
    const { signal } = this.#controller = new AbortController();
    const address = new URL(this.address, location);
    address.searchParams.set("prefix", prefix);
    let found = [];
    try {
      const answer = await fetch(address, { signal });
      // The admin answers `values`, the API rows of tags.
      const { data, values = data.map(({ tag }) => tag) } = await answer.json();
      found = values;
    } catch {
      // The whole text is typed.
    }
    if (!signal.aborted) {
      this.show(found);
    }
  }
}
