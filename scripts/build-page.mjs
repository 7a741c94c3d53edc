// Builds the web page with Vite: index.html and, below assets/, files whose names change with what is
// in them, each with a gzipped twin that src/http/serve-page.ts sends to browsers that take it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, URL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const root = fileURLToPath(new URL("../src/http/page/", import.meta.url));
const output = fileURLToPath(new URL("../dist/http/page/", import.meta.url));

export async function buildPage() {
  await build({
    root,
    base: "/",
    configFile: false,
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: output,
      emptyOutDir: true,
      target: "es2022",
      // A data: address would need a wider content security policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  });
  const assets = `${output}assets/`;
  for (const name of readdirSync(assets).filter((file) => /\.(js|css|svg)$/.test(file))) {
    writeFileSync(`${assets}${name}.gz`, gzipSync(readFileSync(assets + name), { level: 9 }));
  }
}
