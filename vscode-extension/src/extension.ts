import * as vscode from "vscode";
import { buildContainer } from "./core/container";
import { registerCommands } from "./core/registerCommands";
import type { BridgeSupervisor } from "./bridge/supervisor";

let supervisor: BridgeSupervisor | undefined;

/** Called once by VS Code: wires everything and starts the bridge. */
export function activate(context: vscode.ExtensionContext): void {
  const container = buildContainer(context);
  supervisor = container.supervisor;
  registerCommands(container);
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("genba.bridgePath")) void vscode.commands.executeCommand("genba.restartBridge");
    }),
  );
  // As a command, so that what goes wrong is shown with its remedy.
  void vscode.commands.executeCommand("genba.restartBridge");
}

/** Called when the window closes: the bridge must have ended before the extension host does. */
export async function deactivate(): Promise<void> {
  await supervisor?.stop();
}
