import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { Machine } from "./command";

const CHECK = "import sys; assert sys.version_info >= (3, 11); import genba_ide_bridge";

/** A Python that takes longer to say its version is one that hangs, as the shims of version managers can. */
const CHECK_MS = 20_000;

/** The kinds of processors that there is an executable for, as Node and as gateways call them. */
const PROCESSORS: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** The machine that this extension runs on. */
export function thisMachine(environment: NodeJS.ProcessEnv = process.env, home = homedir()): Machine {
  const isWindows = process.platform === "win32";
  return {
    isWindows,
    executable: nameExecutable(process.platform, process.arch),
    // An editor that was started from a menu may not have the PATH of a terminal: uv and pipx install to the last one.
    folders: [
      ...(environment.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
      join(home, ".local", "bin"),
    ],
    joinPath: join,
    expandHome: (path) => path.replace(/^~(?=[/\\])/, home),
    isProgram: async (path) => {
      try {
        await access(path, isWindows ? constants.F_OK : constants.X_OK);
        return (await stat(path)).isFile();
      } catch {
        return false;
      }
    },
    hasBridge: (python) =>
      new Promise((resolve) => {
        execFile(python, ["-c", CHECK], { timeout: CHECK_MS, windowsHide: true }, (error) => {
          resolve(error === null);
        });
      }),
  };
}

/** How gateways call their executable for a kind of machine; undefined when they have none. */
export function nameExecutable(platform: string, processor: string): string | undefined {
  const name = PROCESSORS[processor];
  return platform === "linux" && name !== undefined ? `genba-linux-${name}` : undefined;
}
