// Builds what Node runs: src and every module that it needs, in some thirty files in dist/, where a start would read
// a thousand.
import { build, type Rolldown } from "vite";
import { dist, root } from "./dist.js";

/** Empties dist/ first. Tells which files it made, and of what. */
export async function buildProgram(): Promise<Rolldown.RolldownOutput> {
  return (await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    // Modules written for CommonJS ask where they are.
    define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir: dist,
      emptyOutDir: true,
      target: "node20",
      // What the trace of an error names is found in the sources.
      minify: false,
      rolldownOptions: {
        input: { main: "src/main.ts", "install-steps": "src/install-steps.ts" },
        // dbus-next would look there for the bus of a desktop.
        external: ["x11"],
        output: { entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
      },
    },
  })) as Rolldown.RolldownOutput;
}
