// <genba-log>: the log of a build or an agent, followed live. What it shows is in templates/workspace/log.html.
//
// All lines are kept as data; the page holds the last of them as elements, and more on request. Lines come over the
// API's websocket, from the last one known on; where no websocket gets through, they are asked for by plain requests.

import { readPieces, stripEscapes } from "./ansi.js";

const SHOWN = 1000; // so many lines are elements at first, and "earlier" adds as many
const BATCH = 2000; // so many are taken in one frame
const KEPT = 200_000; // beyond, the first are forgotten; the download has them
const RETRY_MS = [250, 500, 1000, 2000, 5000];
const POLL_MS = 2000;
const LEVELS = { trace: 0, debug: 0, info: 1, warn: 2, error: 3 };
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

class GenbaLog extends HTMLElement {
  connectedCallback() {
    if (this.lines) return;
    this.lines = [];
    this.waiting = [];
    this.lastId = 0;
    this.fails = 0;
    this.limit = SHOWN;
    this.found = 0;
    this.stage = "";
    this.sources = JSON.parse(this.dataset.sources || "{}");
    for (const part of ["list", "search", "level", "source", "end", "earlier", "state", "count"]) {
      this[part] = this.querySelector(`[data-log="${part}"]`);
    }
    this.list.addEventListener("scroll", () => this.showEnd(), { passive: true });
    // Who looks at the end goes on to do so when the lines break otherwise.
    new ResizeObserver(() => this.end.hidden && this.goToEnd()).observe(this.list);
    this.end.addEventListener("click", () => this.goToEnd());
    this.earlier.addEventListener("click", () => this.showEarlier());
    let typing = 0;
    this.search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.redraw(), 150);
    });
    for (const choice of [this.level, this.source]) choice?.addEventListener("change", () => this.redraw());
    // One that is folded away is fetched when it is unfolded.
    const box = this.closest("details");
    if (!box || box.open) this.follow();
    else box.addEventListener("toggle", () => this.follow(), { once: true });
  }

  disconnectedCallback() {
    this.isGone = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  say(key) {
    const text = key ? this.dataset[`text${key}`] || "" : "";
    if (this.state.textContent !== text) this.state.textContent = text;
  }

  follow() {
    if (this.isGone) return;
    const url = new URL(this.dataset.url, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = `follow&after=${this.lastId}`;
    const socket = (this.socket = new WebSocket(url));
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.fails = 0;
      this.say("following");
    };
    socket.onmessage = (event) => this.take([JSON.parse(event.data)].flat());
    socket.onclose = (event) => {
      if (this.isGone) return;
      if (event.code === 1000) this.say("ended");
      else if (wasOpen) this.later(() => this.follow());
      else this.ask();
    };
  }

  // A websocket that does not open tells no reason: a plain request does, and brings the lines as well.
  async ask() {
    let answer = null;
    try {
      answer = await fetch(`${this.dataset.url}?after=${this.lastId}`, { headers: { Accept: "application/json" } });
    } catch {
      this.say("lost");
      return this.later(() => this.follow());
    }
    if (answer.status === 401) return this.say("signedout");
    if (answer.status === 404) return this.say("gone");
    if (!answer.ok) {
      this.say("lost");
      return this.later(() => this.follow());
    }
    this.take(await answer.json());
    this.say("polling");
    this.timer = setTimeout(() => this.follow(), POLL_MS);
  }

  later(act) {
    this.say("lost");
    const wait = RETRY_MS[Math.min(this.fails++, RETRY_MS.length - 1)];
    this.timer = setTimeout(act, wait * (0.5 + Math.random() / 2));
  }

  take(lines) {
    for (const line of lines) {
      if (line.id > this.lastId) {
        this.lastId = line.id;
        this.waiting.push(line);
      }
    }
    if (!this.isDrawing && this.waiting.length) {
      this.isDrawing = true;
      // A hidden page gets no frames.
      const draw = () => this.drawWaiting();
      document.hidden ? setTimeout(draw, 250) : requestAnimationFrame(draw);
    }
  }

  drawWaiting() {
    this.isDrawing = false;
    const wasAtEnd = this.isAtEnd();
    const fragment = document.createDocumentFragment();
    for (const raw of this.waiting.splice(0, BATCH)) {
      const line = this.read(raw);
      if (!line) continue;
      this.lines.push(line);
      if (!this.fits(line)) continue;
      this.found += 1;
      fragment.append(this.draw(line));
    }
    if (this.lines.length > KEPT) this.lines.splice(0, this.lines.length - KEPT);
    this.list.append(fragment);
    if (wasAtEnd) {
      this.trim();
      this.list.scrollTop = this.list.scrollHeight;
    }
    this.tell();
    if (this.waiting.length) this.take([]);
  }

  read(raw) {
    const time = raw.created_at;
    const level = raw.log_level ?? raw.level;
    if (raw.stage !== undefined && raw.stage !== this.stage) {
      this.stage = raw.stage;
      return { isStage: true, time, level: "info", source: "", text: raw.stage, plain: raw.stage.toLowerCase() };
    }
    if (raw.stage !== undefined && !raw.output) return null; // it marks a stage
    return { time, level, source: raw.source_id ?? "", text: raw.output, plain: stripEscapes(raw.output).toLowerCase() };
  }

  fits(line) {
    if (line.isStage) return !this.search.value;
    const least = LEVELS[this.level.value] ?? 0;
    if ((LEVELS[line.level] ?? 1) < least) return false;
    if (this.source?.value && line.source !== this.source.value) return false;
    return line.plain.includes(this.search.value.toLowerCase());
  }

  draw(line) {
    const row = document.createElement("div");
    row.className = line.isStage ? "log-stage" : `log-line level-${line.level}`;
    const time = document.createElement("span");
    time.className = "log-time";
    time.textContent = clock.format(new Date(line.time));
    row.append(time);
    if (this.source && line.source) {
      const source = document.createElement("span");
      source.className = "log-source";
      source.textContent = this.sources[line.source] || "";
      row.append(source);
    }
    const text = document.createElement("span");
    text.className = "log-text";
    if (line.isStage) text.textContent = this.dataset[`stage${line.text.replace(/\W/g, "").toLowerCase()}`] || line.text;
    else for (const piece of readPieces(line.text)) text.append(...this.drawPiece(piece));
    row.append(text);
    return row;
  }

  drawPiece(piece) {
    const parts = this.search.value ? this.mark(piece.text) : [piece.text];
    if (!piece.classes.length && !piece.color && !piece.background) return parts;
    const span = document.createElement("span");
    if (piece.classes.length) span.className = piece.classes.join(" ");
    if (piece.color) span.style.color = piece.color;
    if (piece.background) span.style.backgroundColor = piece.background;
    span.append(...parts);
    return [span];
  }

  mark(text) {
    const wanted = this.search.value.toLowerCase();
    const lower = text.toLowerCase();
    if (lower.length !== text.length) return [text];
    const parts = [];
    let at = 0;
    for (let next = lower.indexOf(wanted); next >= 0; next = lower.indexOf(wanted, at)) {
      const mark = document.createElement("mark");
      mark.textContent = text.slice(next, next + wanted.length);
      parts.push(text.slice(at, next), mark);
      at = next + wanted.length;
    }
    return [...parts, text.slice(at)];
  }

  redraw() {
    this.limit = SHOWN;
    this.drawAll();
    this.goToEnd();
  }

  drawAll() {
    const fitting = this.lines.filter((line) => this.fits(line));
    this.list.replaceChildren(...fitting.slice(-this.limit).map((line) => this.draw(line)));
    this.found = fitting.length;
    this.tell();
  }

  showEarlier() {
    const fromEnd = this.list.scrollHeight - this.list.scrollTop;
    this.limit += SHOWN;
    this.drawAll();
    this.list.scrollTop = this.list.scrollHeight - fromEnd;
  }

  // Elements beyond the limit go from the top, half a batch at a time so that this is rare.
  trim() {
    const over = this.list.childElementCount - this.limit;
    if (over < SHOWN / 2) return;
    const range = document.createRange();
    range.setStart(this.list, 0);
    range.setEndBefore(this.list.children[over]);
    range.deleteContents();
  }

  isAtEnd() {
    if (!this.list.clientHeight) return true;
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 24;
  }

  goToEnd() {
    this.limit = SHOWN;
    this.trim();
    this.list.scrollTop = this.list.scrollHeight;
    this.tell();
  }

  showEnd() {
    this.end.hidden = this.isAtEnd();
  }

  tell() {
    const isFiltered = this.search.value || this.level.value || this.source?.value;
    this.earlier.hidden = Math.min(this.found, this.lines.length) <= this.list.childElementCount;
    this.count.textContent = (isFiltered ? this.dataset.textsome : this.dataset.textall)
      .replace("{found}", this.found.toLocaleString())
      .replace("{all}", this.lines.length.toLocaleString());
    this.showEnd();
  }
}

customElements.define("genba-log", GenbaLog);
