// What every page does in the browser. Pages work without it, but for what moves by itself.
import { showTimes } from "./times.js";

document.documentElement.classList.add("scripted");

/** Say something to who listens to the page; `#announce` is a live region. */
export function announce(text) {
  document.getElementById("announce").textContent = text;
}

async function copy(button) {
  const field = document.querySelector(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(field.value ?? field.textContent);
    button.textContent = button.dataset.done;
    announce(button.dataset.done);
  } catch {
    // Browsers give the clipboard to https and localhost only; the text is selected for the keyboard.
    if (field.select) field.select();
    else getSelection().selectAllChildren(field);
    announce(button.dataset.failed);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) void copy(button);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// A chosen theme or language holds at once, without the button that is there when no script runs.
document.addEventListener("change", (event) => {
  event.target.closest(".preferences")?.requestSubmit();
});

// Errors of ours are pieces of a page with their own place (web/pages.py); htmx leaves all others alone.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400 && event.detail.xhr.getResponseHeader("HX-Retarget")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

// The page's one dialog: a piece of the server's is put into it (web/pages.py).
const dialog = document.getElementById("dialog");
document.addEventListener("genba:open", () => dialog.open || dialog.showModal());
document.addEventListener("genba:close", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) {
    event.preventDefault();
    dialog.close();
  }
});

showTimes(document);
document.addEventListener("htmx:load", (event) => showTimes(event.detail.elt));
