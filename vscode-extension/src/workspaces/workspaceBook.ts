import * as vscode from "vscode";
import type { Workspace, WorkspacesChanged } from "../bridge/messages";

/** The workspaces as the bridge told them last. */
export class WorkspaceBook implements vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<void>();
  private byId = new Map<string, Workspace>();

  readonly onDidChange = this.emitter.event;

  /** All of them, by owner and name. */
  get workspaces(): Workspace[] {
    return [...this.byId.values()].sort(
      (one, other) => one.ownerName.localeCompare(other.ownerName) || one.name.localeCompare(other.name),
    );
  }

  find(id: string): Workspace | undefined {
    return this.byId.get(id);
  }

  reset(workspaces: readonly Workspace[]): void {
    this.byId = new Map(workspaces.map((workspace) => [workspace.id, workspace]));
    this.emitter.fire();
  }

  apply(delta: WorkspacesChanged): void {
    for (const workspace of [...delta.added, ...delta.changed]) this.byId.set(workspace.id, workspace);
    for (const id of delta.removed) this.byId.delete(id);
    this.emitter.fire();
  }

  dispose(): void {
    this.emitter.dispose();
  }
}
