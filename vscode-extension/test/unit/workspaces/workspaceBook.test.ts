import { beforeEach, expect, test } from "vitest";
import { WorkspaceBook } from "../../../src/workspaces/workspaceBook";
import { buildWorkspace } from "../../support/builders";

let book: WorkspaceBook;
let changes: number;

beforeEach(() => {
  book = new WorkspaceBook();
  changes = 0;
  book.onDidChange(() => changes++);
});

test("workspaces are in the order of owners and names", () => {
  book.reset([
    buildWorkspace({ id: "1", ownerName: "zoe", name: "a" }),
    buildWorkspace({ id: "2", ownerName: "ana", name: "b" }),
    buildWorkspace({ id: "3", ownerName: "ana", name: "a" }),
  ]);
  expect(book.workspaces.map(({ id }) => id)).toEqual(["3", "2", "1"]);
  expect(changes).toBe(1);
});

test("a delta adds, changes and removes", () => {
  book.reset([buildWorkspace({ id: "1" }), buildWorkspace({ id: "2", name: "other" })]);
  const changed = buildWorkspace({ id: "2", name: "renamed" });
  book.apply({ added: [buildWorkspace({ id: "3", name: "third" })], changed: [changed], removed: ["1", "unknown"] });
  expect(book.workspaces.map(({ id }) => id)).toEqual(["2", "3"]);
  expect(book.find("2")).toBe(changed);
  expect(book.find("1")).toBeUndefined();
  expect(changes).toBe(2);
});

test("what was told before is forgotten when everything is told anew", () => {
  book.reset([buildWorkspace({ id: "1" })]);
  book.reset([]);
  expect(book.workspaces).toEqual([]);
});
