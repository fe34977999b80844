// The log of a job that is under way: its end stays in sight, and when it is over the page shows what it made.

document.addEventListener("htmx:sseMessage", ({ target }) => {
  if (target.querySelector("[data-over]")) location.reload();
  target.scrollTop = target.scrollHeight;
});
