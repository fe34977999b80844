import { describe, expect, test } from "vitest";
import { findBridge, type Machine } from "../../../src/bridge/command";
import { BridgeUnavailable } from "../../../src/bridge/errors";

const none = (): Promise<undefined> => Promise.resolve(undefined);

function find(setting: string, machine: Machine, downloaded = none as () => Promise<string | undefined>) {
  return findBridge(setting, machine, downloaded);
}

function machineWith(programs: string[], bridged: string[] = [], isWindows = false, executable?: string): Machine {
  return {
    isWindows,
    executable,
    folders: ["/one", "/two"],
    joinPath: (folder, name) => `${folder}/${name}`,
    expandHome: (path) => path.replace("~", "/home/ada"),
    isProgram: (path) => Promise.resolve(programs.includes(path)),
    hasBridge: (python) => Promise.resolve(bridged.includes(python)),
  };
}

describe("findBridge", () => {
  test("takes what the setting names", async () => {
    const found = await find(" /opt/genba ", machineWith(["/opt/genba", "/one/genba"]));
    expect(found).toEqual({ program: "/opt/genba", args: ["bridge", "--stdio"] });
  });

  test("takes a path below the user's home", async () => {
    expect((await find("~/genba", machineWith(["/home/ada/genba"]))).program).toBe("/home/ada/genba");
  });

  test("says so when the setting names nothing, and does not take another", async () => {
    await expect(find("/opt/genba", machineWith(["/one/genba"]))).rejects.toThrow(/\/opt\/genba.*bridgePath/);
  });

  test("takes genba of PATH before any Python", async () => {
    const found = await find("", machineWith(["/one/python3", "/two/genba"], ["/one/python3"]));
    expect(found.program).toBe("/two/genba");
  });

  test("takes the first Python that has the bridge", async () => {
    const machine = machineWith(["/one/python3", "/two/python3"], ["/two/python3"]);
    expect(await find("", machine)).toEqual({
      program: "/two/python3",
      args: ["-m", "genba_ide_bridge", "bridge", "--stdio"],
    });
  });

  test("looks for executables of Windows there", async () => {
    expect((await find("", machineWith(["/two/genba.exe"], [], true))).program).toBe("/two/genba.exe");
  });

  test.each([
    [["/one/python3"], /no Python there has it/],
    [[], /neither “genba” nor a Python/],
  ])("names the remedy when there is none: %j", async (programs, words) => {
    const error: unknown = await find("", machineWith(programs)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BridgeUnavailable);
    expect((error as BridgeUnavailable).message).toMatch(words);
    expect((error as BridgeUnavailable).remedy).toContain("genba.bridgePath");
  });

  test("takes the downloaded one when there is no other", async () => {
    const downloaded = (): Promise<string> => Promise.resolve("/storage/genba-linux-amd64");
    const found = await find("", machineWith(["/one/python3"]), downloaded);
    expect(found).toEqual({ program: "/storage/genba-linux-amd64", args: ["bridge", "--stdio"] });
    expect((await find("", machineWith(["/one/genba"]), downloaded)).program).toBe("/one/genba");
  });

  test.each([
    ["genba-linux-amd64", true, /Sign in, and it is downloaded/],
    [undefined, false, /uv tool install genba/],
  ])("with %s to download, what is absent is told so: %s", async (executable, isDownloadable, remedy) => {
    const machine = machineWith([], [], false, executable);
    const error: unknown = await find("", machine).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ isDownloadable, remedy: expect.stringMatching(remedy) as string });
  });
});
