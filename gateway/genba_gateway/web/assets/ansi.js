// Text with the escape sequences of terminals, as pieces of plain text with a look. Colours are classes or, where a
// program names one exactly, properties of a style object: no text of a log is ever read as HTML.

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
// Control sequences; then strings (titles, links) to their terminator; then two-byte escapes; then other controls.
const ESCAPES =
  /\x1b\[([0-9;:]*)([ -/]*)([@-~])|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1f\x7f]/g;

export function stripEscapes(text) {
  return lastOverwrite(text).replace(ESCAPES, "");
}

// What a progress bar printed over itself: the last of it.
function lastOverwrite(text) {
  const trimmed = text.replace(/\r+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("\r") + 1);
}

// → [{text, classes: [...], color, background}]
export function readPieces(text) {
  const source = lastOverwrite(text);
  const pieces = [];
  let look = {};
  let at = 0;
  const take = (end) => {
    if (end > at) pieces.push({ text: source.slice(at, end), ...describe(look) });
  };
  for (const found of source.matchAll(ESCAPES)) {
    take(found.index);
    at = found.index + found[0].length;
    if (found[3] === "m" && !found[2]) look = changeLook(look, found[1]);
  }
  take(source.length);
  return pieces;
}

function describe(look) {
  const classes = [];
  for (const kind of ["bold", "faint", "italic", "underline", "strike"]) if (look[kind]) classes.push(`ansi-${kind}`);
  let { front, back } = look;
  if (look.inverse) {
    [front, back] = [back ?? "base", front ?? "text"];
  }
  if (front && !front.startsWith("#")) classes.push(`ansi-${front}`);
  if (back && !back.startsWith("#")) classes.push(`ansi-on-${back}`);
  return {
    classes,
    color: front?.startsWith("#") ? front : "",
    background: back?.startsWith("#") ? back : "",
  };
}

function changeLook(before, parameters) {
  let look = { ...before };
  const codes = parameters.split(/[;:]/).map((each) => Number(each || 0));
  while (codes.length) {
    const code = codes.shift();
    if (code === 0) look = {};
    else if (code === 1) look.bold = true;
    else if (code === 2) look.faint = true;
    else if (code === 3) look.italic = true;
    else if (code === 4) look.underline = true;
    else if (code === 7) look.inverse = true;
    else if (code === 9) look.strike = true;
    else if (code === 22) look.bold = look.faint = false;
    else if (code === 23) look.italic = false;
    else if (code === 24) look.underline = false;
    else if (code === 27) look.inverse = false;
    else if (code === 29) look.strike = false;
    else if (code >= 30 && code <= 37) look.front = NAMES[code - 30];
    else if (code === 38) look.front = exactColor(codes);
    else if (code === 39) look.front = undefined;
    else if (code >= 40 && code <= 47) look.back = NAMES[code - 40];
    else if (code === 48) look.back = exactColor(codes);
    else if (code === 49) look.back = undefined;
    else if (code >= 90 && code <= 97) look.front = `bright-${NAMES[code - 90]}`;
    else if (code >= 100 && code <= 107) look.back = `bright-${NAMES[code - 100]}`;
  }
  return look;
}

function exactColor(codes) {
  const kind = codes.shift();
  if (kind === 2) return hex(codes.splice(0, 3));
  if (kind !== 5) return undefined;
  const number = codes.shift() ?? 0;
  if (number < 8) return NAMES[number];
  if (number < 16) return `bright-${NAMES[number - 8]}`;
  if (number >= 232) return hex(Array(3).fill(8 + (number - 232) * 10));
  const cube = number - 16;
  return hex([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((each) => (each ? 55 + each * 40 : 0)));
}

function hex(parts) {
  return `#${parts.map((each) => Math.min(each || 0, 255).toString(16).padStart(2, "0")).join("")}`;
}
