// Moments as people say them, in the page's language and the viewer's zone. What comes from the gateway says them already
// (web/times.py, in the same words); here it is said anew as time goes by.

const UNITS = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const EVERY_MS = 20000;

const language = document.documentElement.lang;
let relative, nowOrSeconds, absolute;

/** "Jul 3, 2026, 12:30:00 PM". The rules of languages are heavy to load: a page waits for none that it needs not yet. */
function sayExact(moment) {
  absolute ??= new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  return absolute.format(moment);
}

/** "5 minutes ago", "in 2 hours". */
export function sayRelative(moment, now = Date.now()) {
  // In a day's time is not always tomorrow: days are counted, not named. Only what is less than a second away is "now".
  relative ??= new Intl.RelativeTimeFormat(language);
  nowOrSeconds ??= new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const seconds = (moment - now) / 1000;
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  const format = unit === "second" ? nowOrSeconds : relative;
  // What was is told in full units; of what will be, 89.9 days are three months, not two.
  return format.format(seconds > 0 ? Math.round(seconds / length) : Math.trunc(seconds / length), unit);
}

/** Show every <time datetime data-absolute> below an element in the viewer's zone. */
export function showTimes(root) {
  const chosen = "time[datetime][data-absolute]";
  const found = root.matches?.(chosen) ? [root] : root.querySelectorAll(chosen);
  for (const element of found) element.textContent = sayExact(new Date(element.dateTime));
}

function refresh() {
  for (const element of document.querySelectorAll("time[datetime]:not([data-absolute])")) {
    const said = sayRelative(new Date(element.dateTime));
    if (element.textContent !== said) element.textContent = said;
  }
}

document.addEventListener("pointerover", ({ target }) => {
  const time = target.closest?.("time[datetime]");
  if (time && !time.title) time.title = sayExact(new Date(time.dateTime));
});

setInterval(refresh, EVERY_MS);
