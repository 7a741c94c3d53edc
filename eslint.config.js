import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

// The parts a provisioner calls. A part imports itself, src/lib and packages: never another part,
// never anything above (see CONTRIBUTING.md, "Calls go one way").
const parts = [
  "slice",
  "storage",
  "certs",
  "image",
  "engine",
  "kernel",
  "door",
  "isolation",
  "probe",
  "bundle",
  "users",
];

/** Rules against imports that leave `folder` for anything but the `allowed` siblings. */
const mayImportOnly = (folder, allowed) =>
  ["*.ts", "*/*.ts"].map((depth) => ({
    files: [`src/${folder}/${depth}`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: `^${depth.split("/").fill("\\.\\./").join("")}(?!(${allowed.map((name) => `${name}/`).join("|")}))`,
              message: `src/${folder} may import only from itself and ${allowed.join(", ")}: calls go one way.`,
            },
          ],
        },
      ],
    },
  }));

export default tseslint.config(
  { ignores: ["dist/", "node_modules/", "coverage/", "test-output/", "src/lib/api/schema.ts"] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: ["eslint.config.js", "scripts/*.mjs", "test/security/*.mjs"],
        },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // A leading underscore marks what is left out on purpose.
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_" }],
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Only src/main.ts reads the environment." },
      ],
    },
  },
  {
    files: ["src/main.ts", "test/**", "scripts/**", "vitest.config.ts"],
    rules: { "no-restricted-properties": "off" },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { globals: { process: "readonly", console: "readonly" } },
  },
  ...["lib", ...parts].flatMap((part) => mayImportOnly(part, ["lib"])),
  // The provisioner sees the parts through the interfaces in its own parts.ts; main.ts plugs them in.
  ...mayImportOnly("provisioner", ["lib"]),
  ...mayImportOnly("http", ["lib", "provisioner"]),
  ...mayImportOnly("cli", ["lib"]),
);
