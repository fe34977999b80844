import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Download, DownloadFailed } from "../../../src/bridge/download";
import { ServedBridge } from "../../../src/bridge/servedBridge";
import { FakeMemory } from "../../support/fakeMemory";

let folder = "";
let memory: FakeMemory;
let asked: string[];
let logged: string[];
let failing: Error | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "genba-served-"));
  memory = new FakeMemory();
  asked = [];
  logged = [];
  failing = undefined;
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function make(executable: string | undefined = "genba-linux-amd64"): ServedBridge {
  const log = { info: (line: string) => logged.push(line), warn: (line: string) => logged.push(line) };
  const download = ({ url, file }: Download): Promise<"fresh"> => {
    asked.push(url);
    if (failing) return Promise.reject(failing);
    writeFileSync(file, url);
    return Promise.resolve("fresh");
  };
  return new ServedBridge({ folder, executable, memory, log, download });
}

const { signal } = new AbortController();

test("nothing is asked for before something was fetched", async () => {
  expect(await make().find()).toBeUndefined();
  expect(asked).toEqual([]);
});

test("what was fetched is found, and compared with its gateway", async () => {
  await make().fetch("http://gateway", undefined, signal);
  expect(await make().find()).toBe(join(folder, "genba-linux-amd64"));
  expect(asked).toEqual(Array(2).fill("http://gateway/bin/genba-linux-amd64"));
});

test("without an answer of the gateway the one that is here is taken", async () => {
  await make().fetch("http://gateway", undefined, signal);
  failing = new DownloadFailed("No answer.");
  expect(await make().find()).toBe(join(folder, "genba-linux-amd64"));
  expect(logged.at(-1)).toContain("No answer.");
});

test("a download that failed is not followed", async () => {
  failing = new DownloadFailed("No answer.");
  await expect(make().fetch("http://gateway", undefined, signal)).rejects.toThrow("No answer.");
  await make().follow("http://gateway");
  expect(await make().find()).toBeUndefined();
  expect(memory.values).toEqual({});
});

test("the gateway that was signed in to last is the one to compare with", async () => {
  await make().fetch("http://gateway", undefined, signal);
  await make().follow("http://other");
  await make().find();
  expect(asked.at(-1)).toBe("http://other/bin/genba-linux-amd64");
});

test("a machine that gateways have nothing for has none", async () => {
  const served = new ServedBridge({
    folder,
    executable: undefined,
    memory,
    log: { info: () => undefined, warn: () => undefined },
  });
  expect(await served.find()).toBeUndefined();
  await expect(served.fetch("http://gateway", undefined, signal)).rejects.toThrow("no bridge for this kind");
});
