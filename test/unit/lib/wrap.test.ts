import { expect, it } from "vitest";
import { wrap } from "../../../src/lib/wrap.js";

it.each([
  ["", 10, []],
  ["one", 10, ["one"]],
  ["one two three", 7, ["one two", "three"]],
  ["one\n  two", 80, ["one two"]],
  ["a word-that-is-too-long b", 6, ["a", "word-that-is-too-long", "b"]],
])("breaks %j at %i between words", (text, width, lines) => {
  expect(wrap(text, width)).toEqual(lines);
});
