import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");

interface Manifest {
  contributes: {
    commands: { command: string }[];
    menus: Record<string, { command: string }[]>;
    viewsWelcome: { contents: string }[];
  };
}

const { contributes } = JSON.parse(read("package.json")) as Manifest;
const declared = contributes.commands.map(({ command }) => command).sort();

test("every command of package.json is registered, and no other", () => {
  const source = read("src/core/registerCommands.ts");
  const registered = [...source.matchAll(/commands\.register\("([^"]+)"/g)].map(([, id]) => id);
  expect(registered.sort()).toEqual(declared);
});

test("menus and welcome texts name commands that there are", () => {
  const inMenus = Object.values(contributes.menus).flatMap((entries) => entries.map(({ command }) => command));
  const inTexts = contributes.viewsWelcome.flatMap(({ contents }) =>
    [...contents.matchAll(/\(command:([^)]+)\)/g)].map(([, id]) => id ?? ""),
  );
  expect([...inMenus, ...inTexts].filter((id) => !declared.includes(id))).toEqual([]);
});
