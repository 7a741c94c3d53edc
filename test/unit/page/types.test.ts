import { expectTypeOf, it } from "vitest";
import type * as page from "../../../src/http/page/model/types.js";
import type { Problem } from "../../../src/lib/contract/problem.js";
import type * as contract from "../../../src/lib/contract/sandbox.js";

// Checked by tsc: where the page says less than the API's own types, it must not drift from them.
it("takes every answer of the API for what the page believes it to be", () => {
  expectTypeOf<contract.StepEvent>().toExtend<page.StepEvent>();
  expectTypeOf<contract.StateEvent>().toExtend<page.StateEvent>();
  expectTypeOf<Problem>().toExtend<page.Problem>();
  expectTypeOf<keyof page.CreateRequest>().toEqualTypeOf<keyof contract.CreateRequest>();
});
