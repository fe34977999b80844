import { describe, expect, test } from "vitest";
import { BridgeError, BridgeUnavailable } from "../../../src/bridge/errors";
import { BridgeSupervisor, MAX_ENDINGS } from "../../../src/bridge/supervisor";
import { FakeBridge } from "../../support/fakeBridge";
import { settle } from "../../support/fakeStreams";

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

class World {
  readonly started: FakeBridge[] = [];
  readonly waits: number[] = [];
  running = 0;
  mostRunning = 0;
  now = 0;
  failure: Error | undefined;
  readonly supervisor = new BridgeSupervisor({
    start: async () => {
      await settle();
      if (this.failure) throw this.failure;
      const bridge = new FakeBridge({ "genba/signOut": () => ({}) });
      this.running += 1;
      this.mostRunning = Math.max(this.mostRunning, this.running);
      const stop = bridge.stop.bind(bridge);
      bridge.stop = async () => {
        await settle();
        this.running -= 1;
        await stop();
      };
      this.started.push(bridge);
      return bridge;
    },
    wait: (milliseconds) => {
      this.waits.push(milliseconds);
      return Promise.resolve();
    },
    now: () => this.now,
    log: silent,
  });

  async crash(): Promise<void> {
    this.running -= 1;
    this.started.at(-1)?.crash("killed");
    for (let turn = 0; turn < 5; turn += 1) await settle();
  }
}

describe("BridgeSupervisor", () => {
  test("many restarts at once start no two bridges together, and those that wait are one", async () => {
    const world = new World();
    await Promise.all([1, 2, 3].map(() => world.supervisor.restart()));
    const first = world.supervisor.restart();
    await settle();
    await Promise.all([first, world.supervisor.restart(), world.supervisor.restart()]);
    expect(world.mostRunning).toBe(1);
    expect(world.running).toBe(1);
    expect(world.started).toHaveLength(3);
  });

  test("a bridge that ends is started again", async () => {
    const world = new World();
    await world.supervisor.restart();
    await world.crash();
    expect(world.supervisor.state.kind).toBe("running");
    expect(world.started).toHaveLength(2);
  });

  test("a bridge that keeps ending stays down until it is asked for", async () => {
    const world = new World();
    await world.supervisor.restart();
    for (let ending = 0; ending <= MAX_ENDINGS; ending += 1) await world.crash();
    expect(world.supervisor.state.kind).toBe("failed");
    await expect(world.supervisor.request("genba/signOut", {})).rejects.toThrow(/keeps ending: killed/);
    await world.supervisor.restart();
    expect(world.supervisor.state.kind).toBe("running");
  });

  test("endings that lie apart are forgiven", async () => {
    const world = new World();
    await world.supervisor.restart();
    for (let ending = 0; ending <= MAX_ENDINGS + 2; ending += 1) {
      world.now += 60_000;
      await world.crash();
    }
    expect(world.supervisor.state.kind).toBe("running");
  });

  test("requests tell why there is no bridge", async () => {
    const world = new World();
    await expect(world.supervisor.request("genba/signOut", {})).rejects.toThrow("not running");
    world.failure = new BridgeUnavailable("There is no genba.", "Install it.");
    await world.supervisor.restart();
    await expect(world.supervisor.request("genba/signOut", {})).rejects.toBe(world.failure);
    await expect(world.supervisor.requestOnceRunning("genba/signOut", {})).rejects.toBe(world.failure);
  });

  test("who waits for a bridge is answered when one runs", async () => {
    const world = new World();
    const answer = world.supervisor.requestOnceRunning("genba/signOut", {});
    await world.supervisor.restart();
    expect(await answer).toEqual({});
  });

  test("who waits asks the next bridge when one ends before its answer, be it known or not", async () => {
    const world = new World();
    await world.supervisor.restart();
    const [bridge] = world.started;
    if (bridge === undefined) throw new Error("no bridge");
    bridge.answers["genba/signOut"] = () => {
      throw new BridgeError("Sending request failed.", "stopped");
    };
    const answer = world.supervisor.requestOnceRunning("genba/signOut", {});
    await settle();
    await world.crash();
    expect(await answer).toEqual({});
    expect(bridge.asked).toHaveLength(1);
  });

  test("who waits hears the bridge's refusal", async () => {
    const world = new World();
    await world.supervisor.restart();
    const refusal = new BridgeError("No.", "refused");
    const [bridge] = world.started;
    if (bridge === undefined) throw new Error("no bridge");
    bridge.answers["genba/signOut"] = () => {
      throw refusal;
    };
    await expect(world.supervisor.requestOnceRunning("genba/signOut", {})).rejects.toBe(refusal);
  });

  test("stopping waits for a start that is under way, and nothing starts after it", async () => {
    const world = new World();
    const start = world.supervisor.restart();
    await settle();
    await world.supervisor.stop();
    await start;
    await world.supervisor.restart();
    expect(world.running).toBe(0);
    expect(world.started).toHaveLength(1);
  });

  test("who asks what became of a start waits for it", async () => {
    const world = new World();
    void world.supervisor.restart();
    expect((await world.supervisor.whenSettled()).kind).toBe("running");
    world.failure = new BridgeUnavailable("There is no genba.", "Install it.");
    await world.supervisor.restart();
    expect(await world.supervisor.whenSettled()).toEqual({ kind: "failed", error: world.failure });
  });
});
