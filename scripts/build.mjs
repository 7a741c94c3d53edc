// Compiles src to dist with plain tsc, and the page's browser code beside its html.
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, URL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = `${root}node_modules/typescript/bin/tsc`;

rmSync(`${root}dist`, { recursive: true, force: true });
for (const project of ["tsconfig.build.json", "src/http/page/tsconfig.json"]) {
  execFileSync(process.execPath, [tsc, "-p", `${root}${project}`], { stdio: "inherit" });
}
const page = `${root}src/http/page/`;
for (const file of readdirSync(page).filter((name) => /\.(html|css|svg)$/.test(name))) {
  cpSync(page + file, `${root}dist/http/page/${file}`);
}
// What scripts/lib/build.sh holds the sources' times against; written last.
writeFileSync(`${root}dist/.built`, "");
