import * as vscode from "vscode";
import { describeError } from "../bridge/errors";
import type { StreamResult, TerminalParameters, TerminalStateMessage } from "../bridge/messages";
import type { OpenStream, Stream } from "../bridge/stream";
import { Backoff, type BackoffParts } from "../core/backoff";
import { formatLastRemark, PassingRemark } from "./passingRemark";

const DEFAULT_SIZE = { columns: 80, rows: 24 };
const CLEAR_SCREEN = "\x1b[H\x1b[2J\x1b[3J";

export interface TerminalParts {
  readonly agentId: string;
  /** Ask the bridge for the stream of a terminal, once a bridge is there. */
  request(parameters: TerminalParameters): Promise<StreamResult>;
  readonly openStream: OpenStream;
  readonly time: BackoffParts;
  /** Why its programs may have been ended, as far as the workspace's state tells; undefined when it does not. */
  explainEnd(): string | undefined;
}

/** A terminal in a workspace: the bytes of a stream of the bridge, and what becomes of it in grey. */
export class WorkspaceTerminal implements vscode.Pseudoterminal {
  private readonly writeEmitter = new vscode.EventEmitter<string>();
  private readonly closeEmitter = new vscode.EventEmitter<number | undefined>();
  private readonly encoder = new TextEncoder();
  private decoder = new TextDecoder();
  private size: { columns: number; rows: number } = DEFAULT_SIZE;
  private stream: Stream | undefined;
  /** The id by which the same terminal is opened again; empty before the first. */
  private reconnect = "";
  private early: Uint8Array[] = [];
  private phase: "opening" | "open" | "ended" | "closed" = "opening";
  private readonly remark = new PassingRemark((text) => {
    this.write(text);
  });

  readonly onDidWrite = this.writeEmitter.event;
  readonly onDidClose = this.closeEmitter.event;

  private readonly backoff: Backoff;

  constructor(private readonly parts: TerminalParts) {
    this.backoff = new Backoff(parts.time);
  }

  open(size: vscode.TerminalDimensions | undefined): void {
    if (size !== undefined) this.size = size;
    void this.connect();
  }

  close(): void {
    this.phase = "closed";
    this.stream?.close();
    this.writeEmitter.dispose();
    this.closeEmitter.dispose();
  }

  handleInput(typed: string): void {
    if (this.phase === "ended") {
      this.closeEmitter.fire(undefined);
      return;
    }
    const bytes = this.encoder.encode(typed);
    if (this.stream) this.stream.sendBinary(bytes);
    else this.early.push(bytes);
  }

  setDimensions(size: vscode.TerminalDimensions): void {
    this.size = size;
    this.stream?.sendText({ resize: { height: size.rows, width: size.columns } });
  }

  private async connect(): Promise<void> {
    const asked = this.size;
    const { agentId } = this.parts;
    let opened: StreamResult;
    try {
      opened = await this.parts.request({
        agentId,
        height: asked.rows,
        width: asked.columns,
        ...(this.reconnect ? { reconnect: this.reconnect } : {}),
      });
    } catch (error) {
      this.end(describeError(error));
      return;
    }
    if (this.phase === "closed") return;
    const isAgain = this.reconnect !== "";
    this.reconnect = opened.reconnect ?? "";
    this.decoder = new TextDecoder();
    const stream = this.parts.openStream(opened, {
      opened: () => {
        if (!isAgain) return;
        this.remark.takeBack();
        this.write(CLEAR_SCREEN);
      },
      text: (message) => {
        this.handleState(message as TerminalStateMessage);
      },
      binary: (data) => {
        const output = this.decoder.decode(data, { stream: true });
        this.remark.takeBack();
        this.remark.follow(output);
        this.write(output);
      },
      closed: () => {
        this.handleLost();
      },
    });
    this.stream = stream;
    if (asked !== this.size) this.setDimensions(this.size);
    for (const bytes of this.early.splice(0)) stream.sendBinary(bytes);
  }

  private handleState(message: TerminalStateMessage): void {
    switch (message.state) {
      case "connected":
        this.phase = "open";
        this.remark.takeBack();
        return;
      case "reconnecting":
        this.remark.show(
          `reconnecting · ${withoutStop(message.reason ?? "The connection is lost")}`,
          this.size.columns,
        );
        return;
      case "ended":
        this.handleEnded(message);
        return;
    }
  }

  private handleEnded({ exitCode, reason, hint }: TerminalStateMessage): void {
    if (typeof exitCode === "number" && exitCode >= 0) {
      this.exit(exitCode);
      return;
    }
    // A negative code is a signal's: the shell did not end by itself, so the reason is to be read.
    const isSignalled = typeof exitCode === "number";
    const why = isSignalled ? (this.parts.explainEnd() ?? `The shell was ended by signal ${-exitCode}.`) : reason;
    this.end([why, hint].filter(Boolean).join(" ") || "the terminal has ended");
  }

  /** The stream's websocket is gone. Unless the terminal has ended, the bridge has: open it again on the next one. */
  private handleLost(): void {
    this.stream = undefined;
    if (this.phase === "ended" || this.phase === "closed") return;
    this.phase = "opening";
    this.remark.show("reconnecting · The bridge has ended", this.size.columns);
    void this.connectAgain();
  }

  private async connectAgain(): Promise<void> {
    await this.backoff.pause();
    if (this.phase === "opening") await this.connect();
  }

  private exit(code: number): void {
    this.remark.takeBack();
    this.phase = "ended";
    this.closeEmitter.fire(code === 0 ? undefined : code);
  }

  private end(reason: string): void {
    if (this.phase === "closed") return;
    this.phase = "ended";
    this.remark.takeBack();
    this.write(formatLastRemark(`${withoutStop(reason)} · press a key to close this terminal`));
  }

  private write(text: string): void {
    if (this.phase !== "closed") this.writeEmitter.fire(text);
  }
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, "");
}
