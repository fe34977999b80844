export const FIRST_PAUSE_MS = 250;
export const LONGEST_PAUSE_MS = 30_000;

/** Time, and chance so that many windows don't come back at once. */
export interface BackoffParts {
  wait(milliseconds: number): Promise<void>;
  now(): number;
  /** From 0 to below 1. */
  random(): number;
}

/** Pauses between attempts that fail: from `FIRST_PAUSE_MS` on, doubling up to `LONGEST_PAUSE_MS`, with jitter. */
export class Backoff {
  private pauseMs = FIRST_PAUSE_MS;
  private resumedAt: number | undefined;

  constructor(private readonly parts: BackoffParts) {}

  /** Wait before the next attempt. One that lasted longer than the longest pause begins anew. */
  async pause(): Promise<void> {
    const { resumedAt } = this;
    if (resumedAt !== undefined && this.parts.now() - resumedAt > LONGEST_PAUSE_MS) this.pauseMs = FIRST_PAUSE_MS;
    const jittered = this.pauseMs * (1 - this.parts.random() / 2);
    this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
    await this.parts.wait(jittered);
    this.resumedAt = this.parts.now();
  }
}
