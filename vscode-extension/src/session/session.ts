import * as vscode from "vscode";
import { describeError, isKind } from "../bridge/errors";
import type { ConnectionState } from "../bridge/messages";
import type { BridgeConnection } from "../bridge/requests";
import type { BridgeSupervisor, SupervisorState } from "../bridge/supervisor";
import type { WorkspaceBook } from "../workspaces/workspaceBook";
import { type SessionState, withoutBridge } from "./state";

/** Follows the bridge: who is signed in, whether the gateway is there, and which workspaces there are. */
export class Session implements vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<SessionState>();
  private readonly endedEmitter = new vscode.EventEmitter<string>();
  private readonly subscription: vscode.Disposable;
  private current: SessionState = { kind: "starting" };
  /** Counts the loads, so that an answer that comes late changes nothing. */
  private turn = 0;

  readonly onDidChangeState = this.emitter.event;

  /** The session has ended without being asked to; carries the reason. */
  readonly onDidEnd = this.endedEmitter.event;

  constructor(
    private readonly supervisor: Pick<BridgeSupervisor, "onDidChangeState" | "request">,
    private readonly book: WorkspaceBook,
    private readonly log: Pick<vscode.LogOutputChannel, "warn">,
  ) {
    this.subscription = supervisor.onDidChangeState((state) => {
      this.handleBridge(state);
    });
  }

  get state(): SessionState {
    return this.current;
  }

  get username(): string {
    return this.current.kind === "signedIn" ? this.current.username : "";
  }

  /** Ask the bridge anew for all there is. */
  async load(): Promise<void> {
    const turn = ++this.turn;
    try {
      const found = await this.supervisor.request("genba/session", {});
      if (turn !== this.turn) return;
      if (!found.signedIn) {
        this.enter({ kind: "signedOut", url: found.url ?? "" });
        this.book.reset([]);
        return;
      }
      this.signedIn(found.url ?? "", found.username ?? "");
    } catch (error) {
      if (turn !== this.turn) return;
      // There is a session, but nobody to ask about it.
      if (isKind(error, "gatewayUnreachable")) this.heardOfTrouble(describeError(error));
      else this.handleFailure(error);
    }
    if (this.current.kind === "signedIn") await this.watch(turn);
  }

  async signIn(url: string, token: string): Promise<string> {
    const { user } = await this.supervisor.request("genba/signIn", { url, token });
    this.book.reset([]);
    this.enter({ kind: "starting" });
    await this.load();
    return user.username;
  }

  async signOut(): Promise<void> {
    const url = this.current.kind === "signedIn" ? this.current.url : "";
    await this.supervisor.request("genba/signOut", {});
    this.turn += 1;
    this.enter({ kind: "signedOut", url });
    this.book.reset([]);
  }

  dispose(): void {
    this.subscription.dispose();
    this.emitter.dispose();
    this.endedEmitter.dispose();
  }

  private handleBridge(state: SupervisorState): void {
    switch (state.kind) {
      case "running":
        this.listen(state.connection);
        void this.load();
        return;
      case "failed":
        this.turn += 1;
        this.enter(withoutBridge(state.error));
        return;
      case "starting":
      case "stopped":
        this.turn += 1;
        if (this.current.kind === "signedIn") this.heardOfTrouble("The Genba bridge is starting.");
        else this.enter({ kind: "starting" });
        return;
    }
  }

  private listen(connection: BridgeConnection): void {
    connection.onNotification("genba/workspacesChanged", (delta) => {
      this.book.apply(delta);
      this.noteListed();
    });
    connection.onNotification("genba/connection", (told) => {
      this.handleConnection(told);
    });
    connection.onNotification("genba/signedOut", ({ reason }) => {
      this.end(reason);
    });
  }

  private async watch(turn: number): Promise<void> {
    try {
      const { workspaces } = await this.supervisor.request("genba/watchWorkspaces", {});
      if (turn !== this.turn) return;
      this.book.reset(workspaces);
      this.handleConnection({ state: "connected", reason: "" });
      this.noteListed();
    } catch (error) {
      if (turn !== this.turn) return;
      // Watching has begun all the same: the bridge tells when the gateway is there.
      if (isKind(error, "gatewayUnreachable")) this.heardOfTrouble(describeError(error));
      else this.handleFailure(error);
    }
  }

  private handleConnection({ state, reason }: ConnectionState): void {
    if (state !== "connected") {
      this.heardOfTrouble(reason);
      return;
    }
    if (this.current.kind !== "signedIn") return;
    this.enter({ ...this.current, trouble: undefined });
    if (!this.current.username) void this.load();
  }

  private handleFailure(error: unknown): void {
    if (isKind(error, "notSignedIn")) {
      this.end(describeError(error));
    } else if (isKind(error, "stopped")) {
      // The bridge ended in between; what comes of that is told by the supervisor.
      this.log.warn(describeError(error));
    } else {
      this.heardOfTrouble(describeError(error));
    }
  }

  private signedIn(url: string, username: string): void {
    const before = this.current;
    const isListed = before.kind === "signedIn" && before.isListed;
    const trouble = before.kind === "signedIn" ? before.trouble : undefined;
    this.enter({ kind: "signedIn", url, username, trouble, isListed });
  }

  private heardOfTrouble(reason: string): void {
    const before = this.current;
    if (before.kind === "signedIn") this.enter({ ...before, trouble: reason });
    else this.enter({ kind: "signedIn", url: "", username: "", trouble: reason, isListed: false });
  }

  private noteListed(): void {
    if (this.current.kind === "signedIn" && !this.current.isListed) this.enter({ ...this.current, isListed: true });
  }

  private end(reason: string): void {
    if (this.current.kind === "signedOut") return;
    const before = this.current;
    this.turn += 1;
    this.enter({ kind: "signedOut", url: before.kind === "signedIn" ? before.url : "" });
    this.book.reset([]);
    if (before.kind === "signedIn") this.endedEmitter.fire(reason);
  }

  private enter(state: SessionState): void {
    this.current = state;
    this.emitter.fire(state);
  }
}
