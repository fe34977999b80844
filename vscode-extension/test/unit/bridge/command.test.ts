import { describe, expect, test } from "vitest";
import { findBridge, type Machine } from "../../../src/bridge/command";
import { BridgeUnavailable } from "../../../src/bridge/errors";

function machineWith(programs: string[], bridged: string[] = [], isWindows = false): Machine {
  return {
    isWindows,
    folders: ["/one", "/two"],
    joinPath: (folder, name) => `${folder}/${name}`,
    expandHome: (path) => path.replace("~", "/home/ada"),
    isProgram: (path) => Promise.resolve(programs.includes(path)),
    hasBridge: (python) => Promise.resolve(bridged.includes(python)),
  };
}

describe("findBridge", () => {
  test("takes what the setting names", async () => {
    const found = await findBridge(" /opt/genba ", machineWith(["/opt/genba", "/one/genba"]));
    expect(found).toEqual({ program: "/opt/genba", args: ["bridge", "--stdio"] });
  });

  test("takes a path below the user's home", async () => {
    expect((await findBridge("~/genba", machineWith(["/home/ada/genba"]))).program).toBe("/home/ada/genba");
  });

  test("says so when the setting names nothing, and does not take another", async () => {
    await expect(findBridge("/opt/genba", machineWith(["/one/genba"]))).rejects.toThrow(/\/opt\/genba.*bridgePath/);
  });

  test("takes genba of PATH before any Python", async () => {
    const found = await findBridge("", machineWith(["/one/python3", "/two/genba"], ["/one/python3"]));
    expect(found.program).toBe("/two/genba");
  });

  test("takes the first Python that has the bridge", async () => {
    const machine = machineWith(["/one/python3", "/two/python3"], ["/two/python3"]);
    expect(await findBridge("", machine)).toEqual({
      program: "/two/python3",
      args: ["-m", "genba_ide_bridge.cli.main", "bridge", "--stdio"],
    });
  });

  test("looks for executables of Windows there", async () => {
    expect((await findBridge("", machineWith(["/two/genba.exe"], [], true))).program).toBe("/two/genba.exe");
  });

  test.each([
    [["/one/python3"], /no Python there has it/],
    [[], /neither “genba” nor a Python/],
  ])("names the remedy when there is none: %j", async (programs, words) => {
    const error: unknown = await findBridge("", machineWith(programs)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BridgeUnavailable);
    expect((error as BridgeUnavailable).message).toMatch(words);
    expect((error as BridgeUnavailable).remedy).toContain("genba.bridgePath");
  });
});
