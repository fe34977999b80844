import * as vscode from "vscode";
import type { Workspace } from "../bridge/messages";
import type { Bridge } from "../bridge/requests";
import type { OpenStream } from "../bridge/stream";
import type { BackoffParts } from "../core/backoff";
import type { Choice } from "../workspaces/choice";
import { nameAgent } from "../workspaces/presentation";
import type { WorkspaceBook } from "../workspaces/workspaceBook";
import type { AgentNode, TreeNode } from "../workspaces/workspaceTree";
import { WorkspaceTerminal } from "./workspaceTerminal";

/** Opens terminals in workspaces. */
export class Terminals {
  constructor(
    private readonly bridge: Bridge,
    private readonly book: WorkspaceBook,
    private readonly choice: Choice,
    private readonly openStream: OpenStream,
    private readonly time: BackoffParts,
  ) {}

  async open(node?: TreeNode): Promise<void> {
    const isConnected = ({ agent }: AgentNode): boolean => agent.status === "connected";
    const chosen = await this.choice.agent(node, isConnected, "No workspace's agent is connected: start a workspace.");
    if (!chosen) return;
    const pty = new WorkspaceTerminal({
      agentId: chosen.agent.id,
      request: (parameters) => this.bridge.requestOnceRunning("genba/openTerminal", parameters),
      openStream: this.openStream,
      time: this.time,
      explainEnd: () => explainEnd(this.book.find(chosen.workspace.id)),
    });
    const name = nameAgent(chosen.workspace, chosen.agent);
    vscode.window.createTerminal({ name, pty, iconPath: new vscode.ThemeIcon("vm-running") }).show();
  }
}

/** What a build does to the terminals of a workspace, in words. */
export function explainEnd(workspace: Workspace | undefined): string | undefined {
  if (workspace === undefined || workspace.transition === "delete") return "The workspace was deleted.";
  return workspace.transition === "stop" ? "The workspace was stopped." : undefined;
}
