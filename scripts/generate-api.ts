// Writes src/lib/api/schema.ts, the types of the API, from its own description; with --check only looks
// whether it is current.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString, type OpenAPI3, type OperationObject } from "openapi-typescript";
import { format, resolveConfig } from "prettier";
import { describeApi } from "../src/http/routes.js";

const file = fileURLToPath(new URL("../src/lib/api/schema.ts", import.meta.url));
const head = "// Made from /openapi.json by `npm run generate:api`; not written by hand.\n\n";

const document = describeApi("0.0.0") as OpenAPI3;
// What goes wrong is a Problem everywhere: said once, in its own schema.
for (const operations of Object.values(document.paths ?? {})) {
  for (const operation of Object.values(operations as Record<string, OperationObject>)) {
    for (const status of Object.keys(operation.responses ?? {})) {
      if (Number(status) >= 400) delete operation.responses?.[status];
    }
  }
}
const source = head + astToString(await openapiTS(document));
const text = await format(source, { ...(await resolveConfig(file)), parser: "typescript" });

if (!process.argv.includes("--check")) {
  await writeFile(file, text);
} else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
  console.error("src/lib/api/schema.ts is not what the routes say; run: npm run generate:api");
  process.exitCode = 1;
}
