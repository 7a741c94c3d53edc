// Compiles src to dist with plain tsc, and the page's browser code beside its html.
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = `${root}node_modules/typescript/bin/tsc`;

rmSync(`${root}dist`, { recursive: true, force: true });
for (const project of ["tsconfig.build.json", "src/http/page/tsconfig.json"]) {
  execFileSync(process.execPath, [tsc, "-p", `${root}${project}`], { stdio: "inherit" });
}
for (const file of ["index.html", "style.css"]) {
  cpSync(`${root}src/http/page/${file}`, `${root}dist/http/page/${file}`);
}
