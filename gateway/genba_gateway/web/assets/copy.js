"use strict";
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      document.getElementById("copy-status").textContent = button.dataset.done + ".";
    } catch {
      // Browsers give the clipboard to https and localhost only; the text is selected for the keyboard.
      document.getElementById("copy-status").textContent = "Selected: press Ctrl+C or ⌘C.";
    }
  });
}
