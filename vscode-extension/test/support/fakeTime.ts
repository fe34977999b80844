import type { BackoffParts } from "../../src/core/backoff";

/** Time that passes by waiting alone, at once; `hold` makes waiting last until `go`. */
export class FakeTime implements BackoffParts {
  readonly waits: number[] = [];
  time = 0;
  chance = 0;
  private held: (() => void)[] | undefined;

  readonly wait = async (milliseconds: number): Promise<void> => {
    this.waits.push(milliseconds);
    const { held } = this;
    if (held) await new Promise<void>((resolve) => held.push(resolve));
    this.time += milliseconds;
  };

  readonly now = (): number => this.time;

  readonly random = (): number => this.chance;

  hold(): void {
    this.held = [];
  }

  go(): void {
    const { held } = this;
    this.held = undefined;
    for (const resolve of held ?? []) resolve();
  }
}
