import { BridgeUnavailable } from "./errors";

/** How to start the bridge. */
export interface BridgeCommand {
  readonly program: string;
  readonly args: readonly string[];
}

/** What is asked about the machine. */
export interface Machine {
  readonly isWindows: boolean;
  /** How gateways call the executable for this kind of machine, `genba-linux-amd64`; undefined: they have none. */
  readonly executable: string | undefined;
  /** Where programs are looked for, first to last. */
  readonly folders: readonly string[];
  joinPath(folder: string, name: string): string;
  /** The path with a leading `~` replaced by the user's home. */
  expandHome(path: string): string;
  isProgram(path: string): Promise<boolean>;
  /** Whether this Python is recent enough and has the bridge installed. */
  hasBridge(python: string): Promise<boolean>;
}

const ARGUMENTS = ["bridge", "--stdio"] as const;
const MODULE = "genba_ide_bridge";
const INSTALL = "Install it with “uv tool install genba”, or name it in the setting genba.bridgePath.";
const DOWNLOAD = "Sign in, and it is downloaded from your gateway.";

/**
 * Find the bridge: the setting, else `genba` on PATH, else a Python on PATH that has it installed, else the one that was
 * downloaded.
 *
 * Throws `BridgeUnavailable` when there is none.
 */
export async function findBridge(
  setting: string,
  machine: Machine,
  findDownloaded: () => Promise<string | undefined>,
): Promise<BridgeCommand> {
  const chosen = machine.expandHome(setting.trim());
  if (chosen) {
    if (await machine.isProgram(chosen)) return { program: chosen, args: ARGUMENTS };
    throw new BridgeUnavailable(
      `There is no program at ${chosen}, which the setting genba.bridgePath names.`,
      "Correct the setting, or empty it to use “genba” on PATH.",
    );
  }
  const genba = await findOnPath(["genba"], machine);
  if (genba[0] !== undefined) return { program: genba[0], args: ARGUMENTS };
  const pythons = await findOnPath(
    ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"],
    machine,
  );
  for (const python of pythons) {
    if (await machine.hasBridge(python)) return { program: python, args: ["-m", MODULE, ...ARGUMENTS] };
  }
  const downloaded = await findDownloaded();
  if (downloaded !== undefined) return { program: downloaded, args: ARGUMENTS };
  const isDownloadable = machine.executable !== undefined;
  throw new BridgeUnavailable(
    pythons.length > 0
      ? "The Genba bridge is not installed: there is no “genba” on PATH, and no Python there has it."
      : "The Genba bridge is not installed: there is neither “genba” nor a Python on PATH.",
    isDownloadable ? DOWNLOAD : INSTALL,
    { isDownloadable },
  );
}

async function findOnPath(names: readonly string[], machine: Machine): Promise<string[]> {
  const found: string[] = [];
  for (const name of names) {
    for (const folder of machine.folders) {
      const path = machine.joinPath(folder, machine.isWindows ? `${name}.exe` : name);
      if (await machine.isProgram(path)) found.push(path);
    }
  }
  return found;
}
