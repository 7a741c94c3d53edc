import { defineConfig } from "vitest/config";

// Beside what is printed, the results as JSON: .ci/run counts them.
const results = "test-output/results.json";

/** How many times as long everything may take: see test/e2e/where.ts. */
const slowness = Number(process.env["BERTH_TEST_SLOWNESS"] ?? 1);

/** Suites that share one host: its slices, ports and engine are looked at as a whole. */
const onOneHost = {
  globalSetup: "test/e2e/setup.ts",
  fileParallelism: false,
  testTimeout: 120_000 * slowness,
  hookTimeout: 600_000 * slowness,
  expect: { poll: { timeout: 1_000 * slowness } },
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
