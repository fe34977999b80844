import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { StreamResult } from "../../../src/bridge/messages";
import { openStream } from "../../../src/bridge/stream";

let server: WebSocketServer;
let opened: StreamResult;

beforeEach(async () => {
  server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  opened = { id: "s", url: `ws://127.0.0.1:${port}/streams/s`, token: "once" };
});

afterEach(() => {
  server.close();
});

async function accept(): Promise<{ socket: WebSocket; origin: string | undefined; next: () => Promise<string> }> {
  const [socket, request] = (await once(server, "connection")) as [WebSocket, { headers: { origin?: string } }];
  const waiting: string[] = [];
  socket.on("message", (data, isBinary) =>
    waiting.push(`${isBinary ? "binary" : "text"} ${(data as Buffer).toString()}`),
  );
  const next = async (): Promise<string> => {
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return waiting.shift() ?? "";
  };
  return { socket, origin: request.headers.origin, next };
}

test("the token goes first, what was sent early after it, and no Origin", async () => {
  const stream = openStream(opened, { text: () => undefined, closed: () => undefined });
  stream.sendBinary(new TextEncoder().encode("early"));
  stream.sendText({ resize: { height: 1, width: 2 } });
  const { next, origin } = await accept();
  expect(await next()).toBe('text {"token":"once"}');
  expect(await next()).toBe("binary early");
  expect(await next()).toBe('text {"resize":{"height":1,"width":2}}');
  expect(origin).toBeUndefined();
  stream.close();
});

test("text comes decoded, bytes as they are, and a normal close is orderly", async () => {
  const heard: unknown[] = [];
  const ended = new Promise<boolean>((resolve) => {
    openStream(opened, {
      text: (message) => heard.push(message),
      binary: (data) => heard.push(Buffer.from(data).toString()),
      closed: resolve,
    });
  });
  const { socket } = await accept();
  socket.send(JSON.stringify({ state: "connected" }));
  socket.send(Buffer.from("bytes"));
  socket.close(1000);
  expect(await ended).toBe(true);
  expect(heard).toEqual([{ state: "connected" }, "bytes"]);
});

test.each(["terminated", "refused"])("a stream that is %s closes out of order", async (how) => {
  if (how === "refused") opened = { ...opened, url: "ws://127.0.0.1:1/streams/s" };
  const ended = new Promise<boolean>((resolve) => {
    openStream(opened, { text: () => undefined, closed: resolve });
  });
  if (how === "terminated") (await accept()).socket.terminate();
  expect(await ended).toBe(false);
});
