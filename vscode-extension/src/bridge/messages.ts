// Written by scripts/gen_ts_types.py from genba_ide_bridge/lsp/messages.py: change that, and run it.

/** Of a request that takes none. */
export type NoParameters = Record<string, never>;

/** The result of a request that only does something. */
export type Nothing = Record<string, never>;

/** `genba/signIn`. */
export interface SignInParameters {
  url: string;
  token: string;
}

/** Who signed in. */
export interface SignedInUser {
  id: string;
  username: string;
}

/** Answer of `genba/signIn`; `url` is complete. */
export interface SignInResult {
  url: string;
  user: SignedInUser;
}

/** Answer of `genba/session`; `version` is the bridge's. */
export interface SessionResult {
  signedIn: boolean;
  version: string;
  url?: string;
  username?: string;
}

/** An agent of a workspace's latest build. */
export interface Agent {
  id: string;
  name: string;
  status: string;
  statusReason: string;
  lifecycle: string;
  directory: string;
}

/** A workspace as editors show it. */
export interface Workspace {
  id: string;
  name: string;
  ownerName: string;
  templateName: string;
  templateDisplayName: string;
  status: string;
  statusReason: string;
  outdated: boolean;
  url: string;
  agents: Agent[];
  buildId: string;
  buildNumber: number;
  transition: string;
}

/** Answer of `genba/watchWorkspaces`. */
export interface WatchResult {
  workspaces: Workspace[];
}

/** Notification `genba/workspacesChanged`: what differs from what was told before; `removed` are ids. */
export interface WorkspacesChanged {
  added: Workspace[];
  changed: Workspace[];
  removed: string[];
}

/** Notification `genba/connection`: `connected` or `reconnecting`, and why. */
export interface ConnectionState {
  state: string;
  reason: string;
}

/** Notification `genba/signedOut`. */
export interface SignedOut {
  reason: string;
}

/** `genba/startWorkspace` and `genba/stopWorkspace`. */
export interface WorkspaceParameters {
  id: string;
}

/** Their answer. */
export interface BuildResult {
  buildId: string;
  buildNumber: number;
}

/** `genba/openBuildLog`. */
export interface BuildLogParameters {
  buildId: string;
}

/** `genba/openAgentLog`. */
export interface AgentLogParameters {
  agentId: string;
}

/** `genba/openTerminal`; `reconnect` is the id of a terminal that is there already. */
export interface TerminalParameters {
  agentId: string;
  height: number;
  width: number;
  command?: string;
  reconnect?: string;
}

/** Where the editor opens a stream, and the token that opens it once; `reconnect` is for terminals. */
export interface StreamResult {
  id: string;
  url: string;
  token: string;
  reconnect?: string;
}

/** `genba/closeStream`. */
export interface StreamParameters {
  id: string;
}

/** The first message on a stream's websocket. */
export interface StreamToken {
  token: string;
}

/** One line of a log stream. */
export interface LogLine {
  time: string;
  level: string;
  text: string;
}

/** A message of a log stream. */
export interface LogLines {
  lines: LogLine[];
}

/** The last message of a log stream. */
export interface LogEnded {
  ended: boolean;
  reason?: string;
}

/** Rows and columns. */
export interface ScreenSize {
  height: number;
  width: number;
}

/** A text message of an editor on a terminal's stream. */
export interface TerminalControl {
  resize?: ScreenSize | null;
}

/** A text message of the bridge on a terminal's stream. */
export interface TerminalStateMessage {
  state: string;
  reason?: string;
  exitCode?: number | null;
  hint?: string;
}
