import { expectTypeOf, it } from "vitest";
import type * as page from "../../../src/http/page/model/types.js";
import type { Problem } from "../../../src/lib/contract/problem.js";
import type * as contract from "../../../src/lib/contract/sandbox.js";
import type { Me } from "../../../src/lib/contract/user.js";

// Checked by tsc: the page cannot import the contract, so it must not drift from it.
it("takes every answer of the API for what the page believes it to be", () => {
  expectTypeOf<contract.Sandbox>().toExtend<page.Sandbox>();
  expectTypeOf<contract.Incident>().toExtend<page.Incident>();
  expectTypeOf<contract.Usage>().toExtend<page.Usage>();
  expectTypeOf<contract.StepEvent>().toExtend<page.StepEvent>();
  expectTypeOf<contract.StateEvent>().toExtend<page.StateEvent>();
  expectTypeOf<Problem>().toExtend<page.Problem>();
  expectTypeOf<Me>().toExtend<page.Me>();
  expectTypeOf<keyof page.CreateRequest>().toEqualTypeOf<keyof contract.CreateRequest>();
});
