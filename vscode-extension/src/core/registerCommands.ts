import * as vscode from "vscode";
import type { TreeNode } from "../workspaces/workspaceTree";
import type { Container } from "./container";

/** Every command of package.json. */
export function registerCommands({ commands, ...parts }: Container): void {
  const anything = (): boolean => true;
  commands.register("genba.signIn", () => parts.signIn.run());
  commands.register("genba.signOut", () => parts.session.signOut());
  commands.register("genba.refresh", () => parts.session.load());
  commands.register("genba.startWorkspace", (node?: TreeNode) => parts.builds.start(node));
  commands.register("genba.stopWorkspace", (node?: TreeNode) => parts.builds.stop(node));
  commands.register("genba.openTerminal", (node?: TreeNode) => parts.terminals.open(node));
  commands.register("genba.showBuildLog", async (node?: TreeNode) => {
    const workspace = await parts.choice.workspace(node, anything, "There is no workspace.");
    if (workspace) await parts.logs.showBuildLog(workspace);
  });
  commands.register("genba.showAgentLog", async (node?: TreeNode) => {
    const chosen = await parts.choice.agent(node, anything, "There is no agent: start a workspace.");
    if (chosen) await parts.logs.showAgentLog(chosen.workspace, chosen.agent);
  });
  commands.register("genba.openDashboard", async (node?: TreeNode) => {
    const { state } = parts.session;
    const url = node?.workspace.url ?? (state.kind === "signedIn" ? state.url : "");
    if (url) await vscode.env.openExternal(vscode.Uri.parse(url));
  });
  commands.register("genba.restartBridge", async () => {
    await parts.supervisor.restart();
    const { state } = parts.supervisor;
    if (state.kind === "failed") throw state.error;
  });
  commands.register("genba.showExtensionLog", () => {
    parts.log.show();
  });
  commands.register("genba.openSettings", async () => {
    await vscode.commands.executeCommand("workbench.action.openSettings", "genba.bridgePath");
  });
}
