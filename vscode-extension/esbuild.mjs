// Bundles the extension into dist/extension.js: `node esbuild.mjs [--production] [--watch]`. What the licences of the
// packages in it ask to go along goes into dist/THIRD-PARTY-NOTICES.txt.
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import * as esbuild from "esbuild";

const isProduction = process.argv.includes("--production");

/** @type {esbuild.BuildOptions} */
const options = {
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  // ws tries these two native modules and does without them.
  external: ["vscode", "bufferutil", "utf-8-validate"],
  format: "cjs",
  platform: "node",
  target: "node20",
  minify: isProduction,
  sourcemap: !isProduction,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
};

if (process.argv.includes("--watch")) {
  await (await esbuild.context(options)).watch();
} else {
  const { metafile } = await esbuild.build(options);
  await writeFile("dist/THIRD-PARTY-NOTICES.txt", await collectNotices(metafile));
}

/**
 * The licence of each package of which something is in the bundle.
 * @param {esbuild.Metafile} metafile
 */
async function collectNotices(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs)
      .filter(([, input]) => input.bytesInOutput > 0)
      .map(([file]) => file),
  );
  const folders = inputs
    .map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0])
    .filter((folder) => folder !== undefined);
  const notices = await Promise.all([...new Set(folders)].sort().map(describePackage));
  return `The extension contains the packages below, under these licences.\n\n${notices.join("\n")}`;
}

/** @param {string} folder */
async function describePackage(folder) {
  const { name, version, license } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)(\.|-|$)/i.test(file)).sort();
  if (files.length === 0) {
    throw new Error(`${name} ${version} (${license}) comes without a licence file: find out what its licence asks for`);
  }
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), "utf8")));
  return `${"-".repeat(78)}\n${name} ${version} (${license})\n\n${texts.map((text) => text.trim()).join("\n\n")}\n`;
}
