import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nameExecutable, thisMachine } from "../../../src/bridge/machine";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "genba-machine-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function writeProgram(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test("a program is a file that may be run", async () => {
  const machine = thisMachine({ PATH: folder }, "/home/ada");
  expect(machine.folders).toEqual([folder, "/home/ada/.local/bin"]);
  expect(await machine.isProgram(writeProgram("runs", "#!/bin/sh\n"))).toBe(true);
  expect(await machine.isProgram(writeProgram("plain", "text", 0o644))).toBe(false);
  expect(await machine.isProgram(folder)).toBe(false);
  expect(await machine.isProgram(join(folder, "absent"))).toBe(false);
});

test("a leading ~ is the user's home, and no other", () => {
  const machine = thisMachine({}, "/home/ada");
  expect(machine.expandHome("~/bin/genba")).toBe("/home/ada/bin/genba");
  expect(machine.expandHome("/opt/~/genba")).toBe("/opt/~/genba");
});

test("a Python has the bridge when it says so", async () => {
  const machine = thisMachine({});
  expect(await machine.hasBridge(writeProgram("good", "#!/bin/sh\nexit 0\n"))).toBe(true);
  expect(await machine.hasBridge(writeProgram("without", "#!/bin/sh\nexit 1\n"))).toBe(false);
});

test.each([
  ["linux", "x64", "genba-linux-amd64"],
  ["linux", "arm64", "genba-linux-arm64"],
  ["linux", "riscv64", undefined],
  ["darwin", "arm64", undefined],
  ["win32", "x64", undefined],
])("gateways call the executable for %s on %s %s", (platform, processor, name) => {
  expect(nameExecutable(platform, processor)).toBe(name);
});
