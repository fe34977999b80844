// Forms of parameters: what the server says of a field is tied to it, and sliders show their number.

document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (!target.classList.contains("problem")) return;
  const field = document.querySelector(`[aria-describedby~="${target.id}"]`);
  if (target.textContent.trim()) field?.setAttribute("aria-invalid", "true");
  else field?.removeAttribute("aria-invalid");
});

document.addEventListener("input", ({ target }) => {
  const output = target.type === "range" && document.querySelector(`output[for="${target.id}"]`);
  if (output) output.value = target.value;
});

// A second press while the first is under way would make the same workspace twice.
document.addEventListener("submit", ({ target }) => {
  if (!("busy" in target.dataset)) return;
  for (const button of target.querySelectorAll("button")) setTimeout(() => (button.disabled = true));
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[data-busy] button")) button.disabled = false;
});

document.querySelector('[aria-invalid="true"]')?.focus();
