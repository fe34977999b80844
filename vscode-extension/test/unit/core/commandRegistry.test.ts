import type { LogOutputChannel } from "vscode";
import { beforeEach, expect, test } from "vitest";
import { BridgeError, BridgeUnavailable } from "../../../src/bridge/errors";
import { CommandRegistry } from "../../../src/core/commandRegistry";
import { commands, user } from "../../mocks/vscode";

let logged: string[];
let registry: CommandRegistry;

beforeEach(() => {
  user.reset();
  logged = [];
  const log = { error: (line: string) => logged.push(line), show: () => logged.push("shown") };
  registry = new CommandRegistry(log as unknown as LogOutputChannel);
});

test.each([
  [new BridgeError("You are signed out.", "notSignedIn"), "Sign In", "genba.signIn"],
  [new BridgeUnavailable("None.", "Install it."), "Open Settings", "genba.openSettings"],
  [new BridgeUnavailable("None.", "Sign in.", { isDownloadable: true }), "Sign In", "genba.signIn"],
])("what goes wrong is logged and shown with its remedy: %s", async (error, answer, command) => {
  registry.register("genba.test", () => Promise.reject(error));
  user.answers.push(answer);
  await commands.executeCommand("genba.test");
  expect(user.shown).toHaveLength(1);
  expect(logged[0]).toContain("genba.test: ");
  expect(user.executed.at(-1)).toEqual([command]);
});

test("another error offers the log", async () => {
  registry.register("genba.test", () => {
    throw new Error("odd");
  });
  user.answers.push("Show Log");
  await commands.executeCommand("genba.test");
  expect(user.shown).toEqual(["odd"]);
  expect(logged.at(-1)).toBe("shown");
});

test("disposing takes the commands away", async () => {
  let runs = 0;
  registry.register("genba.test", () => {
    runs += 1;
  });
  registry.dispose();
  await commands.executeCommand("genba.test");
  expect(runs).toBe(0);
});
