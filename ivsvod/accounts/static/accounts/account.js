// <button hidden data-own-zone data-label="… {zone}"> chooses the zone of the browser, if the list has it.
const button = document.querySelector("button[data-own-zone]");
const select = document.getElementById("id_time_zone");
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();

if (select.value !== timeZone && select.querySelector(`option[value="${timeZone}"]`)) {
  button.textContent = button.dataset.label.replace("{zone}", timeZone.replaceAll("_", " "));
  button.hidden = false;
  button.addEventListener("click", () => {
    select.value = timeZone;
    select.focus();
  });
}
