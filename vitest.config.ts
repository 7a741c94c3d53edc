import { defineConfig } from "vitest/config";

// Beside what is printed, the results as JSON: .ci/run counts them.
const results = "test-output/results.json";

export default defineConfig({
  test: {
    reporters: [process.env["CI"] ? "verbose" : "default", ["json", { outputFile: results }]],
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: "test/e2e/setup.ts",
          // The suites share one host: its slices, ports and engine are looked at as a whole.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
