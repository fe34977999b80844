import * as vscode from "vscode";
import { BridgeUnavailable } from "./bridge/errors";
import { buildContainer, type Container } from "./core/container";
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
  void start(container);
}

/** Called when the window closes: the bridge must have ended before the extension host does. */
export async function deactivate(): Promise<void> {
  await supervisor?.stop();
}

async function start({ commands, supervisor: bridge }: Container): Promise<void> {
  await bridge.restart();
  if (bridge.state.kind !== "failed") return;
  const { error } = bridge.state;
  // The view tells of a bridge that was never fetched; every window that opens need not.
  if (error instanceof BridgeUnavailable && error.isDownloadable) return;
  await commands.report("start", error);
}
