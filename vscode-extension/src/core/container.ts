import { setTimeout as wait } from "node:timers/promises";
import * as vscode from "vscode";
import { findBridge } from "../bridge/command";
import { startLanguageServer } from "../bridge/languageServer";
import { thisMachine } from "../bridge/machine";
import { ServedBridge } from "../bridge/servedBridge";
import { openStream } from "../bridge/stream";
import { BridgeSupervisor } from "../bridge/supervisor";
import { LogChannels } from "../logs/logChannels";
import { Provision } from "../session/provision";
import { Session } from "../session/session";
import { SignIn } from "../session/signIn";
import { SessionView } from "../session/view";
import { StatusBar } from "../statusBar/statusBar";
import { Terminals } from "../terminals/terminals";
import { Builds } from "../workspaces/builds";
import { Choice } from "../workspaces/choice";
import { WorkspaceBook } from "../workspaces/workspaceBook";
import { type TreeNode, WorkspaceTree } from "../workspaces/workspaceTree";
import type { BackoffParts } from "./backoff";
import { CommandRegistry } from "./commandRegistry";

/** The parts that commands call. */
export interface Container {
  readonly log: vscode.LogOutputChannel;
  readonly supervisor: BridgeSupervisor;
  readonly session: Session;
  readonly signIn: SignIn;
  readonly choice: Choice;
  readonly builds: Builds;
  readonly logs: LogChannels;
  readonly terminals: Terminals;
  readonly commands: CommandRegistry;
}

/** Build all parts and wire them; what is disposable goes into the context's subscriptions. */
export function buildContainer(context: vscode.ExtensionContext): Container {
  const own = <T extends vscode.Disposable>(part: T): T => {
    context.subscriptions.push(part);
    return part;
  };
  const time: BackoffParts = {
    wait: (milliseconds) => wait(milliseconds),
    now: () => performance.now(),
    random: () => Math.random(),
  };
  const log = own(vscode.window.createOutputChannel("Genba", { log: true }));
  const machine = thisMachine();
  const { executable } = machine;
  const folder = context.globalStorageUri.fsPath;
  const served = new ServedBridge({ folder, executable, memory: context.globalState, log });
  const supervisor = own(
    new BridgeSupervisor({
      start: async () => {
        const setting = vscode.workspace.getConfiguration("genba").get<string>("bridgePath", "");
        return startLanguageServer(await findBridge(setting, machine, () => served.find()), log);
      },
      ...time,
      log,
    }),
  );
  const book = own(new WorkspaceBook());
  const session = own(new Session(supervisor, book, log));
  const username = (): string => session.username;
  const choice = new Choice(book, username);
  const signIn = new SignIn(session, new Provision(supervisor, served), context.globalState);
  const logs = own(new LogChannels(supervisor, book, openStream, time));
  const builds = own(new Builds(supervisor, book, choice, (workspace) => logs.showBuildLog(workspace)));
  const terminals = new Terminals(supervisor, book, choice, openStream, time);
  const tree = own(new WorkspaceTree(book, username));
  const view = own(
    vscode.window.createTreeView<TreeNode>("genba.workspaces", { treeDataProvider: tree, showCollapseAll: true }),
  );
  own(new SessionView(session, view, () => signIn.run()));
  own(new StatusBar(session, book));
  const commands = own(new CommandRegistry(log));
  return { log, supervisor, session, signIn, choice, builds, logs, terminals, commands };
}
