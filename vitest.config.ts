import { defineConfig } from "vitest/config";

// Beside what is printed, the results as JSON: .ci/run counts them.
const results = "test-output/results.json";

/** Suites that share one host: its slices, ports and engine are looked at as a whole. */
const onOneHost = {
  globalSetup: "test/e2e/setup.ts",
  fileParallelism: false,
  testTimeout: 120_000,
  hookTimeout: 600_000,
};

export default defineConfig({
  test: {
    reporters: [process.env["CI"] ? "verbose" : "default", ["json", { outputFile: results }]],
    projects: [
      {
        test: { name: "unit", include: ["test/unit/**/*.test.ts", "test/component/**/*.test.tsx"] },
      },
      {
        test: {
          name: "page",
          include: ["test/page/**/*.test.ts"],
          globalSetup: "test/page/setup.ts",
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...onOneHost } },
      { test: { name: "security", include: ["test/security/**/*.test.ts"], ...onOneHost } },
    ],
  },
});
