import { describeError } from "../bridge/errors";
import type { LogEnded, LogLines, StreamResult } from "../bridge/messages";
import type { OpenStream, Stream } from "../bridge/stream";
import { Backoff, type BackoffParts } from "../core/backoff";
import { formatLine, formatRemark } from "./lines";

/** Where lines go: an output channel, as far as it is needed here. */
export interface LogSink {
  append(text: string): void;
  clear(): void;
}

export interface LogParts {
  readonly sink: LogSink;
  /** Ask the bridge for the stream of one log, once a bridge is there. */
  request(target: string): Promise<StreamResult>;
  readonly openStream: OpenStream;
  readonly time: BackoffParts;
}

/** Writes one log after the other into a sink: each from its beginning, then as its lines come. */
export class LogFollower {
  private target: string | undefined;
  private stream: Stream | undefined;
  private backoff: Backoff;

  constructor(private readonly parts: LogParts) {
    this.backoff = new Backoff(parts.time);
  }

  /** Follow a log (the id of a build or an agent); that of before is left. The same again changes nothing. */
  async follow(target: string): Promise<void> {
    if (this.target === target) return;
    const isFirst = this.target === undefined;
    this.close();
    this.target = target;
    this.backoff = new Backoff(this.parts.time);
    if (!isFirst) this.parts.sink.append("\n");
    await this.open(target, false);
  }

  close(): void {
    this.target = undefined;
    this.stream?.close();
    this.stream = undefined;
  }

  private async open(target: string, isAgain: boolean): Promise<void> {
    let opened: StreamResult;
    try {
      opened = await this.parts.request(target);
    } catch (error) {
      if (this.target === target) this.remark(describeError(error));
      return;
    }
    if (this.target !== target) return;
    let hasEnded = false;
    let isFresh = isAgain;
    this.stream = this.parts.openStream(opened, {
      text: (message) => {
        if (this.target !== target) return;
        if (isLines(message)) {
          // The bridge tells the whole log again.
          if (isFresh) this.parts.sink.clear();
          isFresh = false;
          this.parts.sink.append(message.lines.map((line) => `${formatLine(line)}\n`).join(""));
        } else if (isEnded(message)) {
          hasEnded = true;
          if (message.reason) this.remark(message.reason);
        }
      },
      closed: (isOrderly) => {
        if (this.target === target && !hasEnded && !isOrderly) void this.openAgain(target);
      },
    });
  }

  private async openAgain(target: string): Promise<void> {
    const { backoff } = this;
    await backoff.pause();
    // Another log, or this one anew, may have been asked for meanwhile.
    if (this.target === target && this.backoff === backoff) await this.open(target, true);
  }

  private remark(text: string): void {
    this.parts.sink.append(`${formatRemark(text)}\n`);
  }
}

function isLines(message: unknown): message is LogLines {
  return typeof message === "object" && message !== null && "lines" in message;
}

function isEnded(message: unknown): message is LogEnded {
  return typeof message === "object" && message !== null && "ended" in message;
}
