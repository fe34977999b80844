/** As much of `vscode.Memento` as is used. */
export class FakeMemory {
  readonly values: Record<string, unknown> = {};

  keys(): string[] {
    return Object.keys(this.values);
  }

  // As VS Code declares it.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  get<T>(key: string): T | undefined;
  get<T>(key: string, fallback: T): T;
  get<T>(key: string, fallback?: T): T | undefined {
    return (this.values[key] as T | undefined) ?? fallback;
  }

  update(key: string, value: unknown): Promise<void> {
    this.values[key] = value;
    return Promise.resolve();
  }
}
