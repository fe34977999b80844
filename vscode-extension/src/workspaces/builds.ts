import * as vscode from "vscode";
import type { Workspace } from "../bridge/messages";
import type { Bridge } from "../bridge/requests";
import type { Choice } from "./choice";
import { isStartable, isStoppable } from "./presentation";
import type { WorkspaceBook } from "./workspaceBook";
import type { TreeNode } from "./workspaceTree";

const SHOW_LOG = "Show Build Log";
const UNDER_WAY = ["pending", "starting", "stopping", "canceling"];

/** Starts and stops workspaces, and says when a build that was begun here has failed. */
export class Builds implements vscode.Disposable {
  private readonly begun = new Set<string>();
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly bridge: Bridge,
    private readonly book: WorkspaceBook,
    private readonly choice: Choice,
    private readonly showLog: (workspace: Workspace) => Promise<void>,
  ) {
    this.subscription = book.onDidChange(() => {
      for (const workspace of book.workspaces) this.noteEnd(workspace);
    });
  }

  async start(node?: TreeNode): Promise<void> {
    const workspace = await this.choice.workspace(node, isStartable, "No workspace is stopped.");
    if (workspace) await this.build("genba/startWorkspace", workspace);
  }

  async stop(node?: TreeNode): Promise<void> {
    const workspace = await this.choice.workspace(node, isStoppable, "No workspace is running.");
    if (!workspace) return;
    const detail = "Its programs end, and its terminals with them.";
    const answer = await vscode.window.showWarningMessage(`Stop ${workspace.name}?`, { modal: true, detail }, "Stop");
    if (answer === "Stop") await this.build("genba/stopWorkspace", workspace);
  }

  dispose(): void {
    this.subscription.dispose();
  }

  private async build(method: "genba/startWorkspace" | "genba/stopWorkspace", workspace: Workspace): Promise<void> {
    const { buildId } = await vscode.window.withProgress({ location: { viewId: "genba.workspaces" } }, () =>
      this.bridge.request(method, { id: workspace.id }),
    );
    this.begun.add(buildId);
    // It may have ended before its answer came.
    const found = this.book.find(workspace.id);
    if (found) this.noteEnd(found);
  }

  private noteEnd(workspace: Workspace): void {
    if (!this.begun.has(workspace.buildId) || UNDER_WAY.includes(workspace.status)) return;
    this.begun.delete(workspace.buildId);
    if (workspace.status === "failed") void this.reportFailure(workspace);
  }

  private async reportFailure(workspace: Workspace): Promise<void> {
    const reason = workspace.statusReason ? `: ${workspace.statusReason}` : ".";
    const message = `Build ${workspace.buildNumber} (${workspace.transition}) of ${workspace.name} failed${reason}`;
    if ((await vscode.window.showErrorMessage(message, SHOW_LOG)) === SHOW_LOG) await this.showLog(workspace);
  }
}
