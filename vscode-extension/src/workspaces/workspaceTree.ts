import * as vscode from "vscode";
import type { Agent, Workspace } from "../bridge/messages";
import {
  contextOfAgent,
  contextOfWorkspace,
  describeAgent,
  describeWorkspace,
  explainAgent,
  explainWorkspace,
  type Look,
  lookOfAgent,
  lookOfWorkspace,
  nameWorkspace,
} from "./presentation";
import type { WorkspaceBook } from "./workspaceBook";

export interface WorkspaceNode {
  readonly kind: "workspace";
  readonly workspace: Workspace;
}

export interface AgentNode {
  readonly kind: "agent";
  readonly workspace: Workspace;
  readonly agent: Agent;
}

export type TreeNode = WorkspaceNode | AgentNode;

/** The view's tree: workspaces, and their agents below. */
export class WorkspaceTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<undefined>();
  private readonly subscription: vscode.Disposable;

  readonly onDidChangeTreeData = this.emitter.event;

  constructor(
    private readonly book: WorkspaceBook,
    private readonly username: () => string,
  ) {
    this.subscription = book.onDidChange(() => {
      // Items carry ids, so the whole tree can be told: what is open and selected stays so.
      this.emitter.fire(undefined);
    });
  }

  getChildren(node?: TreeNode): TreeNode[] {
    if (node === undefined) return this.book.workspaces.map((workspace) => ({ kind: "workspace", workspace }));
    if (node.kind === "agent") return [];
    return node.workspace.agents.map((agent) => ({ kind: "agent", workspace: node.workspace, agent }));
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    return node.kind === "workspace" ? this.workspaceItem(node.workspace) : agentItem(node);
  }

  dispose(): void {
    this.subscription.dispose();
    this.emitter.dispose();
  }

  private workspaceItem(workspace: Workspace): vscode.TreeItem {
    const item = new vscode.TreeItem(nameWorkspace(workspace, this.username()));
    item.id = workspace.id;
    item.description = describeWorkspace(workspace);
    item.iconPath = toIcon(lookOfWorkspace(workspace));
    item.tooltip = explainWorkspace(workspace).join("\n");
    item.contextValue = contextOfWorkspace(workspace);
    item.collapsibleState =
      workspace.agents.length > 0 ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.None;
    item.accessibilityInformation = { label: `Workspace ${workspace.name}, ${describeWorkspace(workspace)}` };
    return item;
  }
}

function agentItem({ workspace, agent }: AgentNode): vscode.TreeItem {
  const item = new vscode.TreeItem(agent.name);
  // By name: a build makes new agents, and the row is the same to whoever looks at it.
  item.id = `${workspace.id}/${agent.name}`;
  item.description = describeAgent(agent);
  item.iconPath = toIcon(lookOfAgent(agent));
  item.tooltip = explainAgent(agent).join("\n");
  item.contextValue = contextOfAgent(agent);
  item.accessibilityInformation = { label: `Agent ${agent.name}, ${describeAgent(agent)}` };
  return item;
}

function toIcon(look: Look): vscode.ThemeIcon {
  return new vscode.ThemeIcon(look.icon, look.color === undefined ? undefined : new vscode.ThemeColor(look.color));
}
