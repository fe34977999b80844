// Moments as people say them, in the page's language and the viewer's zone.

const UNITS = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const EVERY_MS = 20000;

const language = document.documentElement.lang;
// In a day's time is not always tomorrow: days are counted, not named. Only what is less than a second away is "now".
const relative = new Intl.RelativeTimeFormat(language);
const nowOrSeconds = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
let absolute;

/** "Jul 3, 2026, 12:30:00 PM". Its rules are heavy to load: a page that shows no such text waits for none. */
function sayExact(moment) {
  absolute ??= new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  return absolute.format(moment);
}

/** "5 minutes ago", "in 2 hours". */
export function sayRelative(moment, now = Date.now()) {
  const seconds = (moment - now) / 1000;
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  const format = unit === "second" ? nowOrSeconds : relative;
  // What was is told in full units; of what will be, 89.9 days are three months, not two.
  return format.format(seconds > 0 ? Math.round(seconds / length) : Math.trunc(seconds / length), unit);
}

/** Show every <time datetime> below an element; `data-absolute` asks for the moment itself. */
export function showTimes(root) {
  const found = root.matches?.("time[datetime]") ? [root] : root.querySelectorAll("time[datetime]");
  for (const element of found) {
    const moment = new Date(element.dateTime);
    const said = "absolute" in element.dataset ? sayExact(moment) : sayRelative(moment);
    if (element.textContent !== said) element.textContent = said;
  }
}

document.addEventListener("pointerover", ({ target }) => {
  const time = target.closest?.("time[datetime]");
  if (time && !time.title) time.title = sayExact(new Date(time.dateTime));
});

setInterval(() => showTimes(document), EVERY_MS);
