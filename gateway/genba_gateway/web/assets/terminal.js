// The terminal of an agent (contract 3.1): xterm.js over a websocket that is opened again whenever it is lost.
//
// The session is named in the address, so that a reload, another tab or a restarted gateway finds the same shell.
// xterm.js writes style sheets and style attributes; the page's policy takes neither from a script that does not know
// the page's nonce, so the sheets get it here, and attributes are set as properties, which the policy does not concern.

import { Terminal } from "./vendor/xterm.mjs";
import { FitAddon } from "./vendor/xterm-fit.mjs";
import { Unicode11Addon } from "./vendor/xterm-unicode11.mjs";
import { WebLinksAddon } from "./vendor/xterm-web-links.mjs";

const RETRY_MS = [100, 250, 500, 1000, 2000, 5000];
const PASTE_PIECE = 16 * 1024; // characters a message, so that a large paste does not hold up keystrokes
const page = document.querySelector("[data-terminal]");
const screen = document.getElementById("terminal-screen");
const notice = document.getElementById("terminal-notice");
const retryNow = document.getElementById("terminal-retry");
const words = page.dataset;

allowStyles(words.nonce);

function allowStyles(nonce) {
  const make = document.createElement.bind(document);
  document.createElement = (...given) => {
    const made = make(...given);
    if (made instanceof HTMLStyleElement) made.nonce = nonce;
    return made;
  };
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (name === "style" && this.style) this.style.cssText = value;
    else set.call(this, name, value);
  };
}

function readSession() {
  const address = new URL(location.href);
  let session = address.searchParams.get("reconnect") || "";
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(session)) {
    session = newUuid();
    address.searchParams.set("reconnect", session);
    history.replaceState(null, "", address);
  }
  return session;
}

// crypto.randomUUID is there in secure contexts only, and a gateway may be reached by plain http.
function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// The colours of terminal.css, as the browser resolves them for the theme that holds.
function readTheme() {
  const probe = document.createElement("span");
  page.append(probe);
  const theme = {};
  for (const name of [
    "background", "foreground", "cursor", "cursorAccent", "selectionBackground",
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    "brightBlack", "brightRed", "brightGreen", "brightYellow", "brightBlue", "brightMagenta", "brightCyan", "brightWhite",
  ]) {
    probe.style.color = `var(--terminal-${name.replace(/[A-Z]/g, (each) => `-${each.toLowerCase()}`)})`;
    theme[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return theme;
}

const session = readSession();
let command = words.command;
const terminal = new Terminal({
  allowProposedApi: true,
  cursorBlink: true,
  fontFamily: 'ui-monospace, "SFMono-Regular", Menlo, Consolas, "Noto Sans Mono", "Noto Sans Mono CJK JP", monospace',
  fontSize: 14,
  macOptionIsMeta: true,
  minimumContrastRatio: 4.5, // programs choose their colours for one background, and there are two
  scrollback: 10_000,
  theme: readTheme(),
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.loadAddon(new Unicode11Addon());
terminal.unicode.activeVersion = "11";
terminal.loadAddon(new WebLinksAddon((_event, uri) => window.open(uri, "_blank", "noopener,noreferrer")));
terminal.open(screen);
fit.fit();
terminal.focus();

let socket = null;
let fails = 0;
let timer = 0;
let onRetry = connectNow;
const heldKeys = { ctrl: false, alt: false };

// What the page waits for, and the one thing that the visitor can do about it.
function say(text, state, act = null, label = "") {
  notice.hidden = !text;
  notice.querySelector("span").textContent = text;
  retryNow.hidden = !act;
  if (act) onRetry = act;
  retryNow.textContent = label;
  page.dataset.state = state;
}

function connectNow() {
  fails = 0;
  connect();
  terminal.focus();
}

function connect() {
  clearTimeout(timer);
  timer = 0;
  if (!words.url) return findOut();
  const url = new URL(words.url, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.search = new URLSearchParams({ reconnect: session, height: terminal.rows, width: terminal.cols, command });
  const opening = (socket = new WebSocket(url));
  opening.binaryType = "arraybuffer";
  let wasOpen = false;
  let isFirst = true;
  opening.onopen = () => {
    wasOpen = true;
    sendSize();
    say("", "connected");
  };
  opening.onmessage = (event) => {
    // Another viewing begins with what the screen shows: what stands here goes.
    if (isFirst) {
      isFirst = false;
      fails = 0;
      terminal.reset();
    }
    terminal.write(new Uint8Array(event.data));
  };
  opening.onclose = (event) => {
    if (socket !== opening) return;
    socket = null;
    if (event.code === 1000) say(`${words.textended} ${event.reason}`.trim(), "ended", openAnew, words.textnew);
    else if (!wasOpen || event.code === 4001 || event.reason.startsWith("dial")) findOut(event.reason);
    else again(words.textlost);
  };
}

function openAnew() {
  const address = new URL(location.href);
  address.searchParams.delete("reconnect");
  location.assign(address);
}

function again(text) {
  say(text, "waiting", connectNow, words.textretry);
  const wait = RETRY_MS[Math.min(fails++, RETRY_MS.length - 1)];
  timer = setTimeout(connect, wait * (0.5 + Math.random() / 2));
}

// A websocket that does not open tells no reason: the gateway's state of the agent does.
async function findOut(reason = "") {
  let answer;
  try {
    answer = await fetch(words.stateurl, { headers: { Accept: "application/json" }, redirect: "manual" });
  } catch {
    return again(words.textgateway);
  }
  const reload = () => location.reload();
  if (answer.type === "opaqueredirect") return say(words.textsignedout, "ended", reload, words.textreload);
  if (answer.status === 404) return say(words.textgone, "ended");
  if (!answer.ok) return again(words.textgateway);
  const state = await answer.json();
  if (state.reload) return reload();
  again(state.message || reason || words.textlost);
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(new TextEncoder().encode(JSON.stringify(message)));
}

function sendSize() {
  send({ height: terminal.rows, width: terminal.cols });
}

function type(data) {
  if (heldKeys.ctrl && data.length === 1) data = String.fromCharCode(data.toUpperCase().charCodeAt(0) & 0x1f);
  if (heldKeys.alt && data.length === 1) data = `\x1b${data}`;
  releaseKeys();
  // A cut inside of a surrogate pair would break a character.
  for (const piece of data.match(new RegExp(`[^]{1,${PASTE_PIECE}}`, "gu")) || []) send({ data: piece });
}

terminal.onData(type);
terminal.onBinary((data) => send({ data }));
terminal.onResize(sendSize);
terminal.onTitleChange((title) => {
  document.title = [title, words.name, "Genba"].filter(Boolean).join(" · ");
});

// Ctrl+Shift+C and +V, and Ctrl+Insert and Shift+Insert, as in other terminals; the browser's own keys stay with it.
terminal.attachCustomKeyEventHandler((event) => {
  const isCopy = (event.ctrlKey && event.shiftKey && event.code === "KeyC") || (event.ctrlKey && event.code === "Insert");
  if (event.type === "keydown" && isCopy && terminal.hasSelection()) {
    event.preventDefault();
    copy(terminal.getSelection());
    return false;
  }
  const isPaste = event.ctrlKey && event.shiftKey && event.code === "KeyV";
  return !isPaste;
});

function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).catch(() => {});
  document.execCommand("copy");
}

retryNow.addEventListener("click", () => onRetry());

let fitting = 0;
new ResizeObserver(() => {
  cancelAnimationFrame(fitting);
  fitting = requestAnimationFrame(() => fit.fit());
}).observe(screen);

// After a laptop's sleep, and when the network is back, there is no use in waiting on.
function hurry() {
  if (timer && !document.hidden) {
    fails = 0;
    connect();
  }
}
document.addEventListener("visibilitychange", hurry);
window.addEventListener("online", hurry);
window.addEventListener("focus", hurry);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (terminal.options.theme = readTheme()));

// Keys that a phone's keyboard lacks.
const keys = document.getElementById("terminal-keys");
keys.addEventListener("pointerdown", (event) => event.preventDefault());
keys.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const hold = button.dataset.hold;
  if (hold) {
    heldKeys[hold] = !heldKeys[hold];
    button.setAttribute("aria-pressed", String(heldKeys[hold]));
  } else {
    const arrows = terminal.modes.applicationCursorKeysMode ? "\x1bO" : "\x1b[";
    type(button.dataset.send.replace("CSI", arrows).replace("ESC", "\x1b").replace("TAB", "\t"));
  }
  terminal.focus();
});

function releaseKeys() {
  for (const button of keys.querySelectorAll("[data-hold]")) {
    heldKeys[button.dataset.hold] = false;
    button.setAttribute("aria-pressed", "false");
  }
}

// A command that stands in the address is run when the visitor says so; a session that runs already is only shown.
const question = document.getElementById("terminal-question");

function begin(chosen) {
  command = chosen;
  sessionStorage.setItem(`genba-terminal-${session}`, chosen);
  if (question) question.hidden = true;
  say(words.textconnecting, "waiting");
  fit.fit();
  connect();
  terminal.focus();
}

const chosenBefore = sessionStorage.getItem(`genba-terminal-${session}`);
if (!words.asks) begin(words.command);
else if (chosenBefore !== null) begin(chosenBefore);
else {
  say("", "asking");
  document.getElementById("terminal-run").addEventListener("click", () => begin(words.command));
  document.getElementById("terminal-shell").addEventListener("click", () => begin(""));
}
