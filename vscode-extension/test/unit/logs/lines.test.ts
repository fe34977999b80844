import { expect, test } from "vitest";
import { formatLine, formatRemark } from "../../../src/logs/lines";

test("a line has its own time, its level, and no control sequences", () => {
  const time = new Date(2026, 10, 4, 9, 5, 3, 7).toISOString();
  const line = { time, level: "warn", text: "\u001b[31mred\u001b[0m words" };
  expect(formatLine(line)).toBe("2026-11-04 09:05:03.007 [warn] red words");
});

test("remarks differ from lines", () => {
  expect(formatRemark("Build 3 (start) succeeded.")).toBe("--- Build 3 (start) succeeded. ---");
});
