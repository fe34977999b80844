import type {
  AgentLogParameters,
  BuildLogParameters,
  BuildResult,
  ConnectionState,
  NoParameters,
  Nothing,
  SessionResult,
  SignedOut,
  SignInParameters,
  SignInResult,
  StreamParameters,
  StreamResult,
  TerminalParameters,
  WatchResult,
  WorkspaceParameters,
  WorkspacesChanged,
} from "./messages";

/** The requests of docs/bridge.md: what goes there, and what comes back. */
export interface Requests {
  "genba/signIn": { params: SignInParameters; result: SignInResult };
  "genba/signOut": { params: NoParameters; result: Nothing };
  "genba/session": { params: NoParameters; result: SessionResult };
  "genba/watchWorkspaces": { params: NoParameters; result: WatchResult };
  "genba/startWorkspace": { params: WorkspaceParameters; result: BuildResult };
  "genba/stopWorkspace": { params: WorkspaceParameters; result: BuildResult };
  "genba/openBuildLog": { params: BuildLogParameters; result: StreamResult };
  "genba/openAgentLog": { params: AgentLogParameters; result: StreamResult };
  "genba/openTerminal": { params: TerminalParameters; result: StreamResult };
  "genba/closeStream": { params: StreamParameters; result: Nothing };
}

/** What the bridge says by itself. */
export interface Notifications {
  "genba/workspacesChanged": WorkspacesChanged;
  "genba/connection": ConnectionState;
  "genba/signedOut": SignedOut;
}

export interface Disposable {
  dispose(): void;
}

/** A bridge that runs. */
export interface BridgeConnection {
  /** Rejects with a `BridgeError` when the bridge answers with an error, or ends before it answers. */
  request<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]>;
  onNotification<N extends keyof Notifications>(name: N, handle: (params: Notifications[N]) => void): Disposable;
  /** Told once, when the bridge ended without `stop`. */
  onEnded(handle: (reason: string) => void): void;
  stop(): Promise<void>;
}

/** Who can be asked: the bridge that runs at the moment. */
export interface Bridge {
  request<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]>;
  /** Ask once a bridge runs, and again when it ends before it answers; rejects when no bridge can be had. */
  requestOnceRunning<M extends keyof Requests>(
    method: M,
    params: Requests[M]["params"],
  ): Promise<Requests[M]["result"]>;
}
