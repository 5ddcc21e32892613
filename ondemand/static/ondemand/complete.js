// <input list="…" data-complete="address"> offers the values that the address answers for what is typed.
const WAIT = 150;

document.querySelectorAll("input[data-complete]").forEach((input) => {
  let timer = 0;
  let controller = new AbortController();
  const complete = async () => {
    const prefix = input.value.trim();
    if (!prefix) {
      return;
    }
    controller.abort();
    controller = new AbortController();
    const address = new URL(input.dataset.complete, location);
    address.searchParams.set("prefix", prefix);
    try {
      const answer = await fetch(address, { signal: controller.signal });
      // The admin answers `values`, the API rows of tags.
      const { data, values = data.map((row) => row.tag) } = await answer.json();
      input.list.replaceChildren(...values.map((value) => new Option("", value)));
    } catch {
      // Without completions the whole text is typed.
      input.list.replaceChildren();
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(complete, WAIT);
  });
});
