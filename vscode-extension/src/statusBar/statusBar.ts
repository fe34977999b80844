import * as vscode from "vscode";
import type { Session } from "../session/session";
import type { SessionState } from "../session/state";
import type { WorkspaceBook } from "../workspaces/workspaceBook";

/** What the item shows. */
export interface StatusBarLook {
  readonly text: string;
  readonly tooltip: string;
  readonly command: string;
  readonly isWarning: boolean;
}

/** The item of the status bar: the connection, and how many workspaces run. */
export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("genba.status", vscode.StatusBarAlignment.Left, 1);
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly session: Session,
    private readonly book: WorkspaceBook,
  ) {
    this.item.name = "Genba";
    const show = (): void => {
      this.show();
    };
    this.subscriptions = [session.onDidChangeState(show), book.onDidChange(show)];
    this.show();
    this.item.show();
  }

  dispose(): void {
    this.item.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private show(): void {
    const running = this.book.workspaces.filter((workspace) => workspace.status === "running").length;
    const look = lookOfStatusBar(this.session.state, running, this.book.workspaces.length);
    this.item.text = look.text;
    this.item.tooltip = look.tooltip;
    this.item.command = look.command;
    this.item.accessibilityInformation = { label: look.tooltip };
    this.item.backgroundColor = look.isWarning ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
  }
}

const SHOW_VIEW = "genba.workspaces.focus";

export function lookOfStatusBar(state: SessionState, running: number, all: number): StatusBarLook {
  switch (state.kind) {
    case "starting":
      return {
        text: "$(sync~spin) Genba",
        tooltip: "Genba: the bridge is starting",
        command: SHOW_VIEW,
        isWarning: false,
      };
    case "noBridge":
      if (state.isDownloadable) {
        const tooltip = `Genba: ${state.reason}`;
        return { text: "$(sign-in) Genba: sign in", tooltip, command: "genba.signIn", isWarning: false };
      }
      return { text: "$(warning) Genba", tooltip: `Genba: ${state.reason}`, command: SHOW_VIEW, isWarning: true };
    case "signedOut":
      return {
        text: "$(sign-in) Genba: sign in",
        tooltip: "Genba: you are signed out",
        command: "genba.signIn",
        isWarning: false,
      };
    case "signedIn":
      if (state.trouble !== undefined) {
        const tooltip = `Genba: reconnecting. ${state.trouble}`;
        return { text: "$(sync~spin) Genba: reconnecting", tooltip, command: SHOW_VIEW, isWarning: true };
      }
      return {
        text: `$(${running > 0 ? "vm-running" : "vm-outline"}) Genba: ${running} running`,
        tooltip: `Genba: ${running} of ${all} workspaces run\n${state.username} at ${state.url}`,
        command: SHOW_VIEW,
        isWarning: false,
      };
  }
}
