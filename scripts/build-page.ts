// Builds the web page with Vite: index.html and, below assets/, files whose names change with what is
// in them, each with a gzipped twin that src/http/serve-page.ts sends to browsers that take it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import { dist, root } from "./dist.js";

const output = `${dist}http/page/`;

/** Builds src/http/page into dist/http/page. Tells which files it made, and of what. */
export async function buildPage(): Promise<Rolldown.RolldownOutput> {
  const built = (await build({
    root: `${root}src/http/page`,
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
  })) as Rolldown.RolldownOutput;
  const assets = `${output}assets/`;
  for (const name of readdirSync(assets).filter((file) => /\.(js|css|svg)$/.test(file))) {
    writeFileSync(`${assets}${name}.gz`, gzipSync(readFileSync(assets + name), { level: 9 }));
  }
  return built;
}
