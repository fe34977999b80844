// Pieces of a page that come by themselves (web/workspace/pieces.py, web/workspaces.py). Served with htmx (assets.py).

(() => {
  // What is shown already is not put in again; what is not will be, and is remembered as shown.
  const isShown = (data) => {
    const found = /^<!--([\w-]+) ([0-9a-f]+)-->/.exec(data);
    const place = found && document.getElementById(found[1]);
    if (!place) return false;
    if (place.dataset.digest === found[2]) return true;
    place.dataset.digest = found[2];
    return false;
  };

  // While somebody presses nothing is replaced: what was pressed would be gone at the release, and so the click.
  const waiting = [];
  let isPressed = false;
  const press = () => { isPressed = true; };
  const release = () => {
    setTimeout(() => { // the click comes behind the release
      isPressed = false;
      for (const { element, data } of waiting.splice(0)) {
        if (!isShown(data)) htmx.swap(element, data, { swapStyle: "none" }, { contextElement: element });
      }
    });
  };
  document.addEventListener("pointerdown", press, true);
  document.addEventListener("pointerup", release, true);
  document.addEventListener("pointercancel", release, true);
  window.addEventListener("blur", release);

  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    const { target: element, detail: { data } } = event;
    if (element.getAttribute("hx-swap") !== "none") return; // a log grows, and replaces nothing
    if (isPressed) waiting.push({ element, data });
    if (isPressed || isShown(data)) event.preventDefault();
  });
})();
