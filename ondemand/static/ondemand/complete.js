// <input list="…" data-complete="address"> offers the values that the address answers for what is typed.
import { Completer } from "./shared.js";

document.querySelectorAll("input[data-complete]").forEach((input) => {
  const completer = new Completer(input.dataset.complete, (values) => {
    input.list.replaceChildren(...values.map((value) => new Option("", value)));
  });
  input.addEventListener("input", () => {
    const prefix = input.value.trim();
    if (prefix) {
      completer.ask(prefix);
    } else {
      completer.cancel();
    }
  });
});
