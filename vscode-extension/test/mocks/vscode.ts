/** As much of VS Code's API as the units under test touch; what is shown to the user is recorded. */

type Listener<T> = (event: T) => void;

export class EventEmitter<T> {
  private listeners: Listener<T>[] = [];

  readonly event = (listener: Listener<T>): { dispose(): void } => {
    this.listeners.push(listener);
    return {
      dispose: () => {
        this.listeners = this.listeners.filter((each) => each !== listener);
      },
    };
  };

  fire(event: T): void {
    for (const listener of this.listeners) listener(event);
  }

  dispose(): void {
    this.listeners = [];
  }
}

export class ThemeColor {
  constructor(readonly id: string) {}
}

export class ThemeIcon {
  constructor(
    readonly id: string,
    readonly color?: ThemeColor,
  ) {}
}

export class TreeItem {
  id?: string;
  constructor(readonly label: string) {}
}

export enum TreeItemCollapsibleState {
  None,
  Collapsed,
  Expanded,
}

export enum StatusBarAlignment {
  Left = 1,
  Right,
}

export const Uri = { parse: (text: string): { toString(): string } => ({ toString: () => text }) };

export enum ProgressLocation {
  Notification = 15,
}

/** What the progress shown last was told, and its button. */
export const progress = { reported: [] as object[], cancel: (): void => undefined };

type Answer = string | undefined;

/** What a test answers to the next dialogs, and what was shown. */
export const user = {
  shown: [] as string[],
  answers: [] as Answer[],
  inputs: [] as Answer[],
  opened: [] as string[],
  executed: [] as unknown[][],
  channels: [] as FakeChannel[],
  terminals: [] as TerminalOptions[],
  reset(): void {
    const { shown, answers, inputs, opened, executed, channels, terminals } = user;
    for (const list of [shown, answers, inputs, opened, executed, channels, terminals]) list.length = 0;
  },
};

export interface TerminalOptions {
  name: string;
  pty: { open(size: undefined): void };
}

export class FakeChannel {
  text = "";
  isShown = false;
  isDisposed = false;

  constructor(readonly name: string) {}

  append(text: string): void {
    this.text += text;
  }

  clear(): void {
    this.text = "";
  }

  show(): void {
    this.isShown = true;
  }

  dispose(): void {
    this.isDisposed = true;
  }
}

function showMessage(message: string): Promise<Answer> {
  user.shown.push(message);
  return Promise.resolve(user.answers.shift());
}

export const window = {
  showInformationMessage: showMessage,
  showWarningMessage: showMessage,
  showErrorMessage: showMessage,
  showInputBox: (): Promise<Answer> => Promise.resolve(user.inputs.shift()),
  showQuickPick: <T>(items: readonly T[]): Promise<T | undefined> => Promise.resolve(items[0]),
  setStatusBarMessage: (message: string): void => {
    user.shown.push(message);
  },
  withProgress: <T>(_options: object, run: (shown: object, token: object) => Promise<T>): Promise<T> => {
    const cancellation = new EventEmitter<undefined>();
    progress.reported.length = 0;
    progress.cancel = () => {
      cancellation.fire(undefined);
    };
    const report = (step: object): void => {
      progress.reported.push(step);
    };
    return run({ report }, { onCancellationRequested: cancellation.event });
  },
  createTerminal: (options: TerminalOptions): { show(): void } => {
    user.terminals.push(options);
    return { show: () => undefined };
  },
  createOutputChannel: (name: string): FakeChannel => {
    const channel = new FakeChannel(name);
    user.channels.push(channel);
    return channel;
  },
};

const handlers = new Map<string, (...parameters: unknown[]) => Promise<void>>();

export const commands = {
  registerCommand: (id: string, run: (...parameters: unknown[]) => Promise<void>): { dispose(): void } => {
    handlers.set(id, run);
    return { dispose: () => handlers.delete(id) };
  },
  executeCommand: async (id: string, ...parameters: unknown[]): Promise<void> => {
    user.executed.push([id, ...parameters]);
    await handlers.get(id)?.(...parameters);
  },
};

export const env = {
  openExternal: (uri: { toString(): string }): Promise<boolean> => {
    user.opened.push(uri.toString());
    return Promise.resolve(true);
  },
};
