import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Download, DownloadFailed, downloadProgram } from "../../../src/bridge/download";

const PROGRAM = "#!/bin/sh\necho genba\n".repeat(10_000);

const etagOf = (text: string): string => `"${createHash("sha1").update(text).digest("hex")}"`;

let folder = "";
let server: Server;
let answer: RequestListener;
let asked: IncomingMessage[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "genba-download-"));
  asked = [];
  answer = serve(PROGRAM);
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** As a gateway serves it. */
function serve(text: string, etag = etagOf(text)): RequestListener {
  return (request, response) => {
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304).end();
    } else {
      response.writeHead(200, { ETag: etag, "Content-Length": Buffer.byteLength(text) }).end(text);
    }
  };
}

const port = (): number => (server.address() as AddressInfo).port;

function download(more: Partial<Download> = {}): Promise<"fresh" | "unchanged"> {
  const url = `http://127.0.0.1:${port()}/bin/genba-linux-amd64`;
  return downloadProgram({ url, file: join(folder, "storage", "genba"), ...more });
}

const stored = (): string => readFileSync(join(folder, "storage", "genba"), "utf8");

async function failure(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DownloadFailed);
  return (error as DownloadFailed).message;
}

describe("downloadProgram", () => {
  test("stores an executable file, and tells how far it is", async () => {
    const told: [number, number][] = [];
    expect(await download({ report: (received, all) => told.push([received, all]) })).toBe("fresh");
    expect(stored()).toBe(PROGRAM);
    expect(statSync(join(folder, "storage", "genba")).mode & 0o777).toBe(0o755);
    expect(statSync(join(folder, "storage")).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, "storage"))).toEqual(["genba"]);
    expect(told.at(-1)).toEqual([PROGRAM.length, PROGRAM.length]);
    expect(asked[0]?.headers["accept-encoding"]).toBe("identity");
  });

  test("keeps what the server still has, and replaces what it has not", async () => {
    await download();
    expect(await download()).toBe("unchanged");
    answer = serve("another");
    expect(await download()).toBe("fresh");
    expect(stored()).toBe("another");
    expect(asked.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, etagOf(PROGRAM), etagOf(PROGRAM)]);
  });

  test("throws away what its checksum does not fit, and keeps what was there", async () => {
    await download();
    answer = serve("damaged", etagOf("whole"));
    expect(await failure(download())).toMatch(/was damaged/);
    expect(stored()).toBe(PROGRAM);
    expect(readdirSync(join(folder, "storage"))).toEqual(["genba"]);
  });

  test("takes nothing from a server that is no gateway", async () => {
    answer = (_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<h1>Welcome</h1>");
    expect(await failure(download())).toMatch(/address of a Genba gateway\?$/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ["text/plain; charset=utf-8", "This gateway has no program for linux-amd64.\nmore", /^This gateway has no program/],
    ["text/html", "<h1>no</h1>", /can't be downloaded: the server answered 404 Not Found$/],
  ])("says why the server has none: %s", async (type, text, words) => {
    answer = (_, response) => response.writeHead(404, { "Content-Type": type }).end(text);
    expect(await failure(download())).toMatch(words);
  });

  test("a connection that is cut leaves nothing", async () => {
    answer = (_, response) => {
      response.writeHead(200, { ETag: etagOf(PROGRAM), "Content-Length": PROGRAM.length });
      response.write(PROGRAM.slice(0, 1000), () => response.destroy());
    };
    expect(await failure(download())).toMatch(/^Downloading http.* failed: /);
    expect(readdirSync(join(folder, "storage"))).toEqual([]);
  });

  test("a server that is not there is named", async () => {
    const url = `http://127.0.0.1:${port()}/bin/genba-linux-amd64`;
    await new Promise((resolve) => server.close(resolve));
    expect(await failure(downloadProgram({ url, file: join(folder, "genba") }))).toContain("ECONNREFUSED");
  });

  test("a server that says nothing is given up", async () => {
    answer = () => undefined;
    expect(await failure(download({ stalledMs: 20 }))).toMatch(/nothing came for 0.02 s\.$/);
  });

  test("an abort is no failure of the download", async () => {
    const controller = new AbortController();
    answer = () => {
      controller.abort();
    };
    await expect(download({ signal: controller.signal })).rejects.not.toBeInstanceOf(DownloadFailed);
  });

  test("a file that can't be read is not overwritten", async () => {
    writeFileSync(join(folder, "file"), "");
    expect(await failure(download({ file: join(folder, "file", "genba") }))).toContain("ENOTDIR");
  });
});
