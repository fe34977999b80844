// The page of a workspace: a restart is a stop, and a start when that is done. What was asked for is kept for this tab,
// not in the address, which anybody's link could hold.

const page = document.querySelector("[data-workspace]");
const kept = `genba-restart-${page.dataset.workspace}`;

page.addEventListener("submit", (event) => {
  const action = event.target.getAttribute("action");
  if (action.endsWith("/actions/restart")) sessionStorage.setItem(kept, "yes");
  else sessionStorage.removeItem(kept);
});

function goOn() {
  if (!sessionStorage.getItem(kept)) return;
  const status = document.getElementById("workspace-status").dataset.status;
  if (status === "stopped") {
    sessionStorage.removeItem(kept);
    document.getElementById("do-start")?.closest("form").requestSubmit();
  } else if (["pending", "stopping", "running"].includes(status)) {
    document.getElementById("restart-note").hidden = status === "running";
  } else {
    sessionStorage.removeItem(kept);
  }
}

goOn();
document.addEventListener("htmx:afterSettle", goOn);
