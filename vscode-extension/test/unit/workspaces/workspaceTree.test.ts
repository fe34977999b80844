import { expect, test } from "vitest";
import { WorkspaceBook } from "../../../src/workspaces/workspaceBook";
import { WorkspaceTree } from "../../../src/workspaces/workspaceTree";
import { buildAgent, buildWorkspace } from "../../support/builders";

function rows(tree: WorkspaceTree): string[] {
  return tree
    .getChildren()
    .flatMap((node) => [node, ...tree.getChildren(node)])
    .map((node) => {
      const item = tree.getTreeItem(node);
      return `${String(item.id)} ${item.label as string} ${String(item.description)}`;
    });
}

test("the tree follows the deltas, sorted by owner and name", () => {
  const book = new WorkspaceBook();
  const tree = new WorkspaceTree(book, () => "ada");
  let changes = 0;
  tree.onDidChangeTreeData(() => {
    changes += 1;
  });
  book.reset([buildWorkspace({ id: "2", name: "zoo" }), buildWorkspace({ id: "1", ownerName: "bob", agents: [] })]);
  expect(rows(tree)).toEqual(["2 zoo running", "2/main main ready", "1 bob/demo running"]);
  book.apply({
    added: [buildWorkspace({ id: "3", name: "api", agents: [] })],
    changed: [
      buildWorkspace({ id: "2", name: "zoo", status: "stopping", agents: [buildAgent({ status: "disconnected" })] }),
    ],
    removed: ["1"],
  });
  expect(rows(tree)).toEqual(["3 api running", "2 zoo stopping", "2/main main disconnected"]);
  expect(changes).toBe(2);
});

test("rows are read out with what they are", () => {
  const book = new WorkspaceBook();
  const tree = new WorkspaceTree(book, () => "ada");
  book.reset([buildWorkspace()]);
  const [node] = tree.getChildren();
  expect(node && tree.getTreeItem(node).accessibilityInformation?.label).toBe("Workspace demo, running");
});
