import { beforeEach, expect, test } from "vitest";
import { formatLastRemark, PassingRemark } from "../../../src/terminals/passingRemark";

let written: string;
let remark: PassingRemark;

beforeEach(() => {
  written = "";
  remark = new PassingRemark((text) => {
    written += text;
  });
});

test("room is made below the cursor for as many rows as the remark takes, before its place is kept", () => {
  remark.show("x".repeat(20), 10);
  expect(written).toBe(`\n\n\n\x1b[3A\x1b7\r\n\x1b[90m[${"x".repeat(20)}]\x1b[0m`);
});

test("the next one replaces it, and it is taken back once", () => {
  remark.show("one", 80);
  written = "";
  remark.show("two", 80);
  expect(written.startsWith("\x1b8\x1b[J\n")).toBe(true);
  remark.takeBack();
  written = "";
  remark.takeBack();
  expect(written).toBe("");
});

test("a program with a screen of its own is not drawn over, however its output was cut", () => {
  remark.follow("vim\x1b[?10");
  remark.follow("49h~");
  remark.show("one", 80);
  expect(written).toBe("");
  remark.follow("\x1b[?1049l$ ");
  remark.show("one", 80);
  expect(written).toContain("[one]");
});

test("the last remark stays", () => {
  expect(formatLastRemark("over")).toBe("\r\n\x1b[90m[over]\x1b[0m\r\n");
});
