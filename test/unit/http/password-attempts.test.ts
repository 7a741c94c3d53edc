import { expect, it } from "vitest";
import { PasswordAttempts } from "../../../src/http/sign-in/password-attempts.js";

const right = () => Promise.resolve<true>(true);
const wrong = () => Promise.resolve(undefined);

/** How it ends: what was found, or the refusal's code. */
async function attempt(
  attempts: PasswordAttempts,
  ip: string,
  user: string,
  check: () => Promise<true | undefined> = wrong,
) {
  return attempts
    .guard({ ip }, user, check)
    .then((found) => (found ? "in" : "wrong"))
    .catch((error: unknown) => (error as { code: string }).code);
}

async function guessFrom(attempts: PasswordAttempts, addresses: number, user: string) {
  for (let i = 0; i < addresses; i++) {
    for (let j = 0; j < 12; j++) await attempt(attempts, `192.0.2.${i}`, user);
  }
}

it("hears ten wrong ones for a user from an address, and then others' still", async () => {
  const attempts = new PasswordAttempts();
  for (let i = 0; i < 10; i++) expect(await attempt(attempts, "192.0.2.1", "ann")).toBe("wrong");
  expect(await attempt(attempts, "192.0.2.1", "ann", right)).toBe("RATE_LIMITED");
  expect(await attempt(attempts, "192.0.2.1", "bob", right)).toBe("in");
  expect(await attempt(attempts, "192.0.2.2", "ann", right)).toBe("in");
});

it("lets no address shut a user out of the others, however often it tries", async () => {
  const attempts = new PasswordAttempts();
  for (let i = 0; i < 300; i++) await attempt(attempts, "192.0.2.1", "ann");
  expect(await attempt(attempts, "192.0.2.2", "ann", right)).toBe("in");
  expect(await attempt(attempts, "192.0.2.1", "bob", right)).toBe("in");
});

it("hears a hundred from one address, for whomever", async () => {
  const attempts = new PasswordAttempts();
  for (let i = 0; i < 100; i++) await attempt(attempts, "192.0.2.1", `user${i}`);
  expect(await attempt(attempts, "192.0.2.1", "bob", right)).toBe("RATE_LIMITED");
  expect(await attempt(attempts, "192.0.2.2", "bob", right)).toBe("in");
});

it("hears a hundred for one user, but goes on where the user has been in before", async () => {
  const attempts = new PasswordAttempts();
  expect(await attempt(attempts, "198.51.100.1", "ann", right)).toBe("in");
  await guessFrom(attempts, 11, "ann");
  expect(await attempt(attempts, "203.0.113.1", "ann", right)).toBe("RATE_LIMITED");
  expect(await attempt(attempts, "198.51.100.1", "ann", right)).toBe("in");
  for (let i = 0; i < 10; i++) await attempt(attempts, "198.51.100.1", "ann");
  expect(await attempt(attempts, "198.51.100.1", "ann", right)).toBe("RATE_LIMITED");
});

it("does not count right ones", async () => {
  const attempts = new PasswordAttempts();
  for (let i = 0; i < 200; i++) expect(await attempt(attempts, "::1", "ann", right)).toBe("in");
});
