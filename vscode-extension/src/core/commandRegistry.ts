import * as vscode from "vscode";
import { BridgeUnavailable, describeError, isKind } from "../bridge/errors";
import type { TreeNode } from "../workspaces/workspaceTree";

const SIGN_IN = "Sign In";
const SETTINGS = "Open Settings";
const LOG = "Show Log";

/** Registers the commands, and is the edge where what goes wrong in one is logged and shown. */
export class CommandRegistry implements vscode.Disposable {
  private readonly registrations: vscode.Disposable[] = [];

  constructor(private readonly log: vscode.LogOutputChannel) {}

  /** `node` is the row of the tree that a command was called on. */
  register(id: string, run: (node?: TreeNode) => Promise<void> | void): void {
    const handle = async (node?: TreeNode): Promise<void> => {
      try {
        await run(node);
      } catch (error) {
        await this.report(id, error);
      }
    };
    this.registrations.push(vscode.commands.registerCommand(id, handle));
  }

  /** Log what went wrong, and show it with its remedy. */
  async report(id: string, error: unknown): Promise<void> {
    this.log.error(`${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    const remedy = remedyFor(error);
    const answer = await vscode.window.showErrorMessage(describeError(error), remedy);
    if (answer === SIGN_IN) await vscode.commands.executeCommand("genba.signIn");
    if (answer === SETTINGS) await vscode.commands.executeCommand("genba.openSettings");
    if (answer === LOG) this.log.show();
  }

  dispose(): void {
    for (const registration of this.registrations) registration.dispose();
  }
}

function remedyFor(error: unknown): string {
  if (error instanceof BridgeUnavailable) return error.isDownloadable ? SIGN_IN : SETTINGS;
  return isKind(error, "notSignedIn") ? SIGN_IN : LOG;
}
