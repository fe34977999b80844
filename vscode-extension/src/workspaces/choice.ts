import * as vscode from "vscode";
import type { Workspace } from "../bridge/messages";
import { describeAgent, describeWorkspace, nameWorkspace } from "./presentation";
import type { WorkspaceBook } from "./workspaceBook";
import type { AgentNode, TreeNode } from "./workspaceTree";

/** Finds out which workspace or agent a command is about: the row it was called on, the only one there is, or a pick. */
export class Choice {
  constructor(
    private readonly book: WorkspaceBook,
    private readonly username: () => string,
  ) {}

  /** Undefined when nothing was picked; says so when nothing fits. */
  async workspace(
    node: TreeNode | undefined,
    fits: (workspace: Workspace) => boolean,
    nothing: string,
  ): Promise<Workspace | undefined> {
    if (node !== undefined) return this.book.find(node.workspace.id) ?? node.workspace;
    const items = this.book.workspaces.filter(fits).map((workspace) => ({
      label: nameWorkspace(workspace, this.username()),
      description: describeWorkspace(workspace),
      workspace,
    }));
    return (await pick(items, "Workspace", nothing))?.workspace;
  }

  async agent(
    node: TreeNode | undefined,
    fits: (agent: AgentNode) => boolean,
    nothing: string,
  ): Promise<AgentNode | undefined> {
    if (node?.kind === "agent") return node;
    const workspaces = node === undefined ? this.book.workspaces : [node.workspace];
    const items = workspaces
      .flatMap((workspace) => workspace.agents.map((agent): AgentNode => ({ kind: "agent", workspace, agent })))
      .filter(fits)
      .map((agentNode) => ({
        label: `${nameWorkspace(agentNode.workspace, this.username())}.${agentNode.agent.name}`,
        description: describeAgent(agentNode.agent),
        agentNode,
      }));
    return (await pick(items, "Agent", nothing))?.agentNode;
  }
}

async function pick<T extends vscode.QuickPickItem>(
  items: readonly T[],
  placeHolder: string,
  nothing: string,
): Promise<T | undefined> {
  if (items.length === 0) {
    void vscode.window.showInformationMessage(nothing);
    return undefined;
  }
  if (items.length === 1) return items[0];
  return vscode.window.showQuickPick(items, { placeHolder });
}
