import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";

/** A server that says nothing for so long will not go on. */
export const STALLED_MS = 30_000;

/** More than any executable of ours; a server that sends more is none of ours. */
const MAX_BYTES = 512 * 1024 * 1024;

/** The most that is shown of what a server said. */
const MAX_SAID = 300;

const SHA1_ETAG = /^(?:W\/)?"([0-9a-f]{40})"$/;

/** A program could not be downloaded. The message is a sentence for people. */
export class DownloadFailed extends Error {
  override readonly name = "DownloadFailed";
}

export interface Download {
  readonly url: string;
  /** Where the program is put; what is there already is replaced only when the server has another one. */
  readonly file: string;
  /** Aborts the whole. */
  readonly signal?: AbortSignal;
  readonly stalledMs?: number;
  /** Told how many bytes came, and of how many; 0 where the server did not say. */
  report?(received: number, all: number): void;
}

/**
 * Download a program whose ETag is its SHA-1, as gateways serve them, and make it executable.
 *
 * Throws `DownloadFailed`; the file is then as it was before.
 */
export async function downloadProgram(download: Download): Promise<"fresh" | "unchanged"> {
  const { url, file, signal } = download;
  const watch = new StallWatch(download.stalledMs ?? STALLED_MS, signal);
  try {
    const had = await hashFile(file);
    const response = await fetch(url, {
      headers: { "Accept-Encoding": "identity", ...(had === undefined ? {} : { "If-None-Match": `"${had}"` }) },
      signal: watch.signal,
    });
    if (response.status === 304 && had !== undefined) return "unchanged";
    if (response.status !== 200 || response.body === null) throw new DownloadFailed(await explain(url, response));
    const wanted = SHA1_ETAG.exec(response.headers.get("ETag") ?? "")?.[1];
    if (wanted === undefined) {
      throw new DownloadFailed(`${url} came without a checksum: is this the address of a Genba gateway?`);
    }
    if (wanted === had) return "unchanged";
    await store(response, response.body, wanted, download, watch);
    return "fresh";
  } catch (error) {
    if (error instanceof DownloadFailed || signal?.aborted) throw error;
    throw new DownloadFailed(`Downloading ${url} failed: ${innermost(error)}.`, { cause: error });
  } finally {
    watch.end();
  }
}

async function store(
  response: Response,
  body: ReadableStream<Uint8Array>,
  wanted: string,
  download: Download,
  watch: StallWatch,
): Promise<void> {
  const { url, file } = download;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Beside it, so that the last step is one rename: other windows may start the program at any time.
  const part = `${file}.${process.pid}.part`;
  const all = Number(response.headers.get("Content-Length") ?? 0);
  try {
    const hash = createHash("sha1");
    const target = await open(part, "w", 0o700);
    try {
      let received = 0;
      for await (const chunk of body) {
        watch.refresh();
        received += chunk.byteLength;
        if (received > MAX_BYTES) throw new DownloadFailed(`${url} is too large to be the Genba bridge.`);
        hash.update(chunk);
        await target.writeFile(chunk);
        download.report?.(received, all);
      }
    } finally {
      await target.close();
    }
    if (hash.digest("hex") !== wanted) throw new DownloadFailed(`The download of ${url} was damaged. Try again.`);
    await chmod(part, 0o755);
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
}

/** The SHA-1 of a file in hex; undefined when there is none. */
async function hashFile(file: string): Promise<string | undefined> {
  const hash = createHash("sha1");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return hash.digest("hex");
}

async function explain(url: string, response: Response): Promise<string> {
  const isText = (response.headers.get("Content-Type") ?? "").startsWith("text/plain");
  const said = isText ? ((await response.text()).split("\n", 1)[0] ?? "").slice(0, MAX_SAID).trim() : "";
  return said || `${url} can't be downloaded: the server answered ${response.status} ${response.statusText}`.trimEnd();
}

/** What `fetch` throws says little; why is in its cause. */
function innermost(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error.cause === undefined ? error.message : innermost(error.cause)).replace(/\.$/, "");
}

/** Aborts when nothing came for a while, and when the other signal does. */
class StallWatch {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;

  constructor(limitMs: number, other: AbortSignal | undefined) {
    this.signal = other ? AbortSignal.any([this.controller.signal, other]) : this.controller.signal;
    this.timer = setTimeout(() => {
      this.controller.abort(new Error(`nothing came for ${limitMs / 1000} s`));
    }, limitMs);
  }

  refresh(): void {
    this.timer.refresh();
  }

  end(): void {
    clearTimeout(this.timer);
  }
}
