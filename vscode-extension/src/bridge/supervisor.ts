import * as vscode from "vscode";
import { BridgeError, BridgeUnavailable, isKind } from "./errors";
import type { Bridge, BridgeConnection, Requests } from "./requests";

export type SupervisorState =
  | { readonly kind: "stopped" }
  | { readonly kind: "starting" }
  | { readonly kind: "running"; readonly connection: BridgeConnection }
  | { readonly kind: "failed"; readonly error: Error };

export interface SupervisorParts {
  start(): Promise<BridgeConnection>;
  wait(milliseconds: number): Promise<void>;
  now(): number;
  log: Pick<vscode.LogOutputChannel, "info" | "warn" | "error">;
}

/** A bridge that ends by itself more often than this within `ENDINGS_WITHIN_MS` stays stopped until it is asked for. */
export const MAX_ENDINGS = 3;
export const ENDINGS_WITHIN_MS = 60_000;

const PAUSE_MS = 500;

/** Keeps one bridge running. Starts and stops are queued: there are never two bridges at once. */
export class BridgeSupervisor implements Bridge, vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<SupervisorState>();
  private current: SupervisorState = { kind: "stopped" };
  private tail: Promise<void> = Promise.resolve();
  private waiting: Promise<void> | undefined;
  private endings: number[] = [];
  private isDisposed = false;

  readonly onDidChangeState = this.emitter.event;

  constructor(private readonly parts: SupervisorParts) {}

  get state(): SupervisorState {
    return this.current;
  }

  /** Stop the bridge if one runs, and start one. A request that finds another one waiting joins it. */
  restart(): Promise<void> {
    if (this.waiting) return this.waiting;
    const queued = this.tail.then(async () => {
      this.waiting = undefined;
      await this.stopAndStart();
    });
    this.waiting = queued;
    this.tail = queued;
    return queued;
  }

  async request<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]> {
    if (this.current.kind === "failed") throw this.current.error;
    if (this.current.kind !== "running") {
      throw new BridgeError("The Genba bridge is not running.", "stopped", "Try again in a moment.");
    }
    return this.current.connection.request(method, params);
  }

  async requestOnceRunning<M extends keyof Requests>(
    method: M,
    params: Requests[M]["params"],
  ): Promise<Requests[M]["result"]> {
    for (;;) {
      const connection = await this.whenRunning();
      try {
        return await connection.request(method, params);
      } catch (error) {
        if (!isKind(error, "stopped")) throw error;
        // A request can find out sooner than we are told that the bridge has ended.
        await this.whenState((state) => state.kind !== "running" || state.connection !== connection);
      }
    }
  }

  /** What became of the start that is under way, or of the last one. */
  whenSettled(): Promise<SupervisorState> {
    return this.whenState(({ kind }) => kind === "running" || kind === "failed");
  }

  /** Stop for good; resolves when the bridge has ended. */
  async stop(): Promise<void> {
    this.isDisposed = true;
    await this.tail;
    await this.stopCurrent();
  }

  dispose(): void {
    void this.stop().finally(() => {
      this.emitter.dispose();
    });
  }

  private async whenRunning(): Promise<BridgeConnection> {
    const state = await this.whenSettled();
    if (state.kind === "failed") throw state.error;
    if (state.kind === "running") return state.connection;
    return this.whenRunning();
  }

  private whenState(isWanted: (state: SupervisorState) => boolean): Promise<SupervisorState> {
    if (isWanted(this.current)) return Promise.resolve(this.current);
    return new Promise((resolve) => {
      const subscription = this.onDidChangeState((state) => {
        if (!isWanted(state)) return;
        subscription.dispose();
        resolve(state);
      });
    });
  }

  private async stopAndStart(): Promise<void> {
    await this.stopCurrent();
    if (this.isDisposed) return;
    this.enter({ kind: "starting" });
    try {
      const connection = await this.parts.start();
      connection.onEnded((reason) => {
        this.handleEnded(connection, reason);
      });
      this.enter({ kind: "running", connection });
    } catch (error) {
      this.enter({ kind: "failed", error: toError(error) });
    }
  }

  private async stopCurrent(): Promise<void> {
    if (this.current.kind !== "running") return;
    const { connection } = this.current;
    this.enter({ kind: "stopped" });
    try {
      await connection.stop();
    } catch (error) {
      this.parts.log.warn(`The bridge did not stop in order: ${toError(error).message}`);
    }
  }

  private handleEnded(connection: BridgeConnection, reason: string): void {
    if (this.current.kind !== "running" || this.current.connection !== connection || this.isDisposed) return;
    const now = this.parts.now();
    this.endings = [...this.endings.filter((at) => now - at < ENDINGS_WITHIN_MS), now];
    this.parts.log.warn(`The bridge ended: ${reason}`);
    if (this.endings.length > MAX_ENDINGS) {
      this.endings = [];
      const remedy = "Its log says more; the command “Genba: Restart Bridge” tries again.";
      this.enter({ kind: "failed", error: new BridgeUnavailable(`The Genba bridge keeps ending: ${reason}`, remedy) });
      return;
    }
    this.enter({ kind: "starting" });
    void this.parts.wait(PAUSE_MS * (this.endings.length - 1)).then(() => {
      if (this.current.kind === "starting") return this.restart();
      return undefined;
    });
  }

  private enter(state: SupervisorState): void {
    this.current = state;
    this.emitter.fire(state);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
