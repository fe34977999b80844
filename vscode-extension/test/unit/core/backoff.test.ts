import { beforeEach, expect, test } from "vitest";
import { Backoff, LONGEST_PAUSE_MS } from "../../../src/core/backoff";
import { FakeTime } from "../../support/fakeTime";

let time: FakeTime;
let backoff: Backoff;

beforeEach(() => {
  time = new FakeTime();
  backoff = new Backoff(time);
});

test("pauses double up to the longest", async () => {
  for (let attempt = 0; attempt < 9; attempt++) await backoff.pause();
  expect(time.waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test("chance shortens them by up to a half", async () => {
  time.chance = 0.5;
  await backoff.pause();
  time.chance = 0.999;
  await backoff.pause();
  expect(time.waits[0]).toBe(187.5);
  expect(time.waits[1]).toBeCloseTo(250, 0);
});

test("an attempt that lasted longer than the longest pause begins anew", async () => {
  await backoff.pause();
  await backoff.pause();
  time.time += LONGEST_PAUSE_MS;
  await backoff.pause();
  time.time += LONGEST_PAUSE_MS + 1;
  await backoff.pause();
  expect(time.waits).toEqual([250, 500, 1000, 250]);
});
