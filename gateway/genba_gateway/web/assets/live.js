// Pieces of a page that come by themselves (web/workspace/pieces.py): what is shown already is not put in again.

document.addEventListener("htmx:sseBeforeMessage", (event) => {
  const found = /^<!--([\w-]+) ([0-9a-f]+)-->/.exec(event.detail.data);
  const place = found && document.getElementById(found[1]);
  if (!place) return;
  if (place.dataset.digest === found[2]) event.preventDefault();
  else place.dataset.digest = found[2];
});
