// Bundles the extension into dist/extension.js: `node esbuild.mjs [--production] [--watch]`.
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
  logLevel: "warning",
};

if (process.argv.includes("--watch")) {
  await (await esbuild.context(options)).watch();
} else {
  await esbuild.build(options);
}
