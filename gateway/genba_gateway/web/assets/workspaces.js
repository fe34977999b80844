// The list of workspaces: what is ticked stays so while rows change, and what changes is said.
import { announce } from "./genba.js";

const chosen = new Set();
const all = document.getElementById("choose-all");
const count = document.getElementById("chosen");
all.parentElement.hidden = false;

const boxes = () => [...document.querySelectorAll('#list input[name="id"]')];

function show() {
  const found = boxes();
  for (const box of found) box.checked = chosen.has(box.value);
  const ticked = found.filter((box) => box.checked).length;
  all.checked = ticked > 0 && ticked === found.length;
  all.indeterminate = ticked > 0 && ticked < found.length;
  count.textContent = ticked ? `${count.dataset.some} ${ticked}` : count.dataset.none;
  for (const button of document.querySelectorAll(".bulk button")) button.disabled = !ticked;
}

document.addEventListener("change", ({ target }) => {
  const changed = target === all ? boxes() : target.name === "id" ? [target] : [];
  for (const box of changed) target.checked ? chosen.add(box.value) : chosen.delete(box.value);
  show();
});

// Rows come as pieces out of band (web/workspaces.py).
const said = (row) => `${row.querySelector(".name")?.textContent}: ${row.querySelector(".status")?.textContent}`;
document.addEventListener("htmx:oobBeforeSwap", ({ detail: { target, fragment } }) => {
  if (!target.classList.contains("row")) return;
  const before = said(target);
  const after = said(fragment);
  if (after !== before) announce(after);
});
document.addEventListener("htmx:oobAfterSwap", show);

for (const box of boxes()) if (box.checked) chosen.add(box.value);
show();
