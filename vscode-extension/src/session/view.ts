import * as vscode from "vscode";
import type { TreeNode } from "../workspaces/workspaceTree";
import type { Session } from "./session";
import type { SessionState } from "./state";

/** Shows the session's state in the view: its welcome texts by context keys, trouble as a message above the tree. */
export class SessionView implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    session: Session,
    private readonly view: vscode.TreeView<TreeNode>,
    private readonly signIn: () => Promise<void>,
  ) {
    this.subscriptions = [
      session.onDidChangeState((state) => {
        this.show(state);
      }),
      session.onDidEnd((reason) => {
        void this.reportEnd(reason);
      }),
    ];
    this.show(session.state);
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private show(state: SessionState): void {
    const isSignedIn = state.kind === "signedIn";
    void vscode.commands.executeCommand("setContext", "genba.state", state.kind);
    void vscode.commands.executeCommand("setContext", "genba.isListed", isSignedIn && state.isListed);
    const isDownloadable = state.kind === "noBridge" && state.isDownloadable;
    void vscode.commands.executeCommand("setContext", "genba.isDownloadable", isDownloadable);
    this.view.description = isSignedIn && state.url ? hostOf(state.url) : "";
    this.view.message = messageFor(state) ?? "";
  }

  private async reportEnd(reason: string): Promise<void> {
    if ((await vscode.window.showWarningMessage(reason, "Sign In")) === "Sign In") await this.signIn();
  }
}

/** The line above the tree; undefined when there is none. */
export function messageFor(state: SessionState): string | undefined {
  switch (state.kind) {
    case "starting":
      return "Starting the bridge…";
    // A message would hide the welcome text, which has the buttons; the reason was a notification.
    case "noBridge":
    case "signedOut":
      return undefined;
    case "signedIn":
      return state.trouble === undefined ? undefined : `Reconnecting. ${state.trouble}`;
  }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
