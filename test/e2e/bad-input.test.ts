import { request as httpRequest } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { problemSchema, type Problem } from "../../src/lib/contract/problem.js";
import { userList } from "../../src/lib/contract/user.js";
import {
  addUser,
  type ApiClient,
  berth,
  berthJson,
  create,
  ok,
  problemOf,
  traces,
} from "./support.js";

// Whatever comes in: a clear error with a stable code that names the thing, and nothing made.

const user = "e2e-bad";
const newcomer = "e2e-newcomer";
let before: string[];
let client: ApiClient;

beforeAll(async () => {
  before = await traces();
  client = await addUser(user);
});
afterEach(async () => {
  expect(await traces()).toEqual(before);
});
afterAll(async () => {
  ok(await berth("user", "remove", user));
});

interface Refusal {
  status?: number;
  code: string;
  /** In the text. */
  says: (string | RegExp)[];
  /** Where, when it is one part of the request. */
  at?: string;
}

const INVALID = { status: 400, code: "INVALID_REQUEST" };
const OUT_OF_RANGE = { status: 400, code: "LIMIT_OUT_OF_RANGE" };
const NOT_JSON = { status: 400, code: "BODY_NOT_JSON" };

function expectRefusal(problem: Problem, { status, code, says, at }: Refusal): void {
  expect(problem).toMatchObject({ code, ...(status === undefined ? {} : { status }) });
  for (const text of says) expect(problem.detail).toMatch(text);
  if (at !== undefined) expect(problem.errors?.map(({ path }) => path)).toContain(at);
}

const badNames = [
  "a/b",
  "../etc",
  "..",
  ".hidden",
  "Upper",
  "a".repeat(33),
  "<script>alert(1)</script>",
  "",
  "1st",
  "a b",
  "a\n",
  "ä",
  "a\u0000b",
];

describe("the API refuses", () => {
  const refusals: [what: string, request: unknown, refusal: Refusal][] = [
    ...badNames.map((name): [string, unknown, Refusal] => [
      `the name ${JSON.stringify(name)}`,
      { name },
      { ...INVALID, says: [/name: must be 1 to 32 characters/], at: "name" },
    ]),
    ["a name with a dot", { name: "a.b" }, { ...INVALID, says: [/name:/], at: "name" }],
    ["a user that is none", { user: "../root" }, { ...INVALID, says: [/user:/], at: "user" }],
    ["a size of no unit", { memory: "1Q" }, { ...INVALID, says: [/"1Q" is no size.*512M/] }],
    ["one byte of memory", { memory: "1" }, { ...OUT_OF_RANGE, says: [/memory 1 B .*192 MiB/] }],
    ["memory above the ceiling", { memory: "100T" }, { ...OUT_OF_RANGE, says: [/memory 100 TiB/] }],
    ["negative memory", { memory: -1 }, { ...INVALID, says: [/memory:/], at: "memory" }],
    ["memory as an object", { memory: {} }, { ...INVALID, says: [/memory:/], at: "memory" }],
    ["memory beyond numbers", { memory: "9".repeat(400) }, { ...INVALID, says: [/is no size/] }],
    ["a disk of nothing", { disk: "0" }, { ...OUT_OF_RANGE, says: [/disk 0 B/], at: "disk" }],
    ["a disk above the ceiling", { disk: "100T" }, { ...OUT_OF_RANGE, says: [/disk 100 TiB/] }],
    ["no cpus", { cpus: 0 }, { ...INVALID, says: [/cpus:.*>0/], at: "cpus" }],
    ["negative cpus", { cpus: -1 }, { ...INVALID, says: [/cpus:.*>0/], at: "cpus" }],
    ["a billion cpus", { cpus: 1e9 }, { ...INVALID, says: [/cpus:.*<=4096/], at: "cpus" }],
    ["cpus above the ceiling", { cpus: 4000 }, { ...OUT_OF_RANGE, says: [/cpus 4000.*to 16/] }],
    ["cpus that are no number", { cpus: "NaN" }, { ...INVALID, says: [/cpus: must be a number/] }],
    ["no pids", { pids: 0 }, { ...INVALID, says: [/pids:.*>0/], at: "pids" }],
    ["half a pid", { pids: 99.5 }, { ...INVALID, says: [/pids:.*int/], at: "pids" }],
    ["too few pids", { pids: 1 }, { ...OUT_OF_RANGE, says: [/pids 1 .*from 64/], at: "pids" }],
    ["no time", { ttl: "0h" }, { ...INVALID, says: [/ttl: "0h" is no duration/], at: "ttl" }],
    ["a time without unit", { ttl: "0" }, { ...INVALID, says: [/"0" is no duration/] }],
    ["a time in words", { ttl: "soon" }, { ...INVALID, says: [/"soon" is no duration.*2h/] }],
    ["a time as a number", { ttl: 7200 }, { ...INVALID, says: [/ttl:/], at: "ttl" }],
    ["too long a time", { ttl: "9999h" }, { status: 400, code: "TTL_TOO_LONG", says: [/7d/] }],
    [
      "a profile there is none of",
      { profile: "defualt" },
      { status: 400, code: "PROFILE_UNKNOWN", says: [/"defualt".*did you mean "default"/] },
    ],
    ["a profile that is no text", { profile: 1 }, { ...INVALID, says: [/profile:/] }],
    [
      "a key that it does not know",
      { memroy: "1G" },
      { ...INVALID, says: [/memroy: unknown key, did you mean "memory"/], at: "memroy" },
    ],
    [
      "keys that every object has",
      { constructor: 1, toString: 1 },
      { ...INVALID, says: [/constructor: unknown key/, /toString: unknown key/] },
    ],
    [
      "several faults, and names each",
      { name: "A", ttl: "x", cpu: 1 },
      { ...INVALID, says: [/name:/, /ttl:/, /cpu: unknown key, did you mean "cpus"/] },
    ],
  ];
  it.each(refusals)("%s", async (_what, json, refusal) => {
    expectRefusal(await problemOf(await client.fetch("/v1/sandboxes", { json })), refusal);
  });

  const bodies: [what: string, body: string, refusal: Refusal, headers?: object][] = [
    ["a body that is not JSON", "{name: lab}", { ...NOT_JSON, says: [/not valid JSON/] }],
    ["half a body", '{"name":', { ...NOT_JSON, says: [/not valid JSON/] }],
    ["an array", "[]", { ...INVALID, says: [/expected object, received array/] }],
    ["null", "null", { ...INVALID, says: [/expected object, received null/] }],
    ["a text", '"lab"', { ...INVALID, says: [/expected object, received string/] }],
    ["a number", "7", { ...INVALID, says: [/expected object, received number/] }],
    [
      "a body of 70 kB",
      JSON.stringify({ name: "x".repeat(70_000) }),
      { status: 413, code: "BODY_TOO_LARGE", says: [/64 KiB/] },
    ],
    [
      "arrays thirty thousand deep",
      "[".repeat(30_000) + "]".repeat(30_000),
      { ...INVALID, says: [/received array/] },
    ],
    [
      "objects five thousand deep",
      `${'{"memory":'.repeat(5_000)}1${"}".repeat(5_000)}`,
      { ...INVALID, says: [/memory:/] },
    ],
    [
      "a prototype",
      '{"__proto__": {"memory": "1G"}}',
      { ...INVALID, says: [/__proto__: unknown key/] },
    ],
    [
      "a form",
      "name=lab&memory=1G",
      { ...NOT_JSON, says: [/not valid JSON/] },
      { "content-type": "application/x-www-form-urlencoded" },
    ],
    [
      "another character set",
      "{}",
      { ...NOT_JSON, says: [/./] },
      { "content-type": "application/json; charset=latin1" },
    ],
    [
      "a body that is not what it says it is packed with",
      "hello",
      { ...INVALID, says: [/cannot be read/] },
      { "content-encoding": "gzip" },
    ],
  ];
  it.each(bodies)("%s as the body", async (_what, body, refusal, given = {}) => {
    const headers = { "content-type": "application/json", ...given };
    const init = { method: "POST", body, headers };
    expectRefusal(await problemOf(await client.fetch("/v1/sandboxes", init)), refusal);
  });

  it("addresses that do not decode, and ids that no sandbox can have", async () => {
    const token = `Bearer ${client.token ?? ""}`;
    const raw = (path: string) =>
      new Promise<Problem>((resolve, reject) => {
        const { hostname, port } = new URL(client.url);
        // fetch would tidy the path up first.
        const request = httpRequest({ hostname, port, path, headers: { authorization: token } });
        request.on("error", reject).end();
        request.on("response", (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("end", () => {
            resolve(problemSchema.parse(JSON.parse(text)));
          });
        });
      });
    expectRefusal(await raw("/v1/sandboxes/%E0%A4%A"), { ...INVALID, says: [/cannot be read/] });
    const unknown = { status: 404, code: "SANDBOX_NOT_FOUND", says: [/there is no sandbox/] };
    for (const id of ["..%2f..%2fetc", "%00", "ABCDEFGH", "%3Cscript%3E", "x".repeat(2000)])
      expectRefusal(await raw(`/v1/sandboxes/${id}`), unknown);
    const nowhere = { status: 404, code: "NOT_FOUND", says: [] };
    for (const path of ["/page/..%2f..%2fserve.js", "/page/../../main.js", "//etc/passwd"])
      expectRefusal(await raw(path), nowhere);
  });

  it("queries with keys it does not know, or with one twice", async () => {
    const wrong = await problemOf(await client.fetch("/v1/sandboxes?usr=x"));
    expectRefusal(wrong, { ...INVALID, says: [/usr: unknown key, did you mean "user"/] });
    const twice = await problemOf(await client.fetch("/v1/sandboxes?user=a&user=b"));
    expectRefusal(twice, { ...INVALID, says: [/user:/], at: "user" });
  });

  it("to extend by nonsense", async () => {
    const { id } = await create(user, "--memory", "256M");
    const extend = async (json: unknown) =>
      problemOf(await client.fetch(`/v1/sandboxes/${id}/extend`, { json }));
    expectRefusal(await extend({}), { ...INVALID, says: [/ttl:/], at: "ttl" });
    expectRefusal(await extend({ ttl: "-1h" }), { ...INVALID, says: [/"-1h" is no duration/] });
    expectRefusal(await extend({ tll: "1h" }), { ...INVALID, says: [/did you mean "ttl"/] });
    const long = { status: 400, code: "TTL_TOO_LONG", says: [/at most 7d/], at: "ttl" };
    expectRefusal(await extend({ ttl: "9999h" }), long);
    ok(await berth("remove", id));
  });

  it("to resize to nonsense", async () => {
    const { id } = await create(user, "--memory", "256M", "--disk", "256M");
    const resize = async (json: unknown) =>
      problemOf(await client.fetch(`/v1/sandboxes/${id}/resize`, { json }));
    expectRefusal(await resize({}), { ...INVALID, says: [/names no limit/] });
    expectRefusal(await resize({ memory: "1Q" }), { ...INVALID, says: [/"1Q"/], at: "memory" });
    expectRefusal(await resize({ memroy: "1G" }), { ...INVALID, says: [/did you mean "memory"/] });
    const range = { ...OUT_OF_RANGE, says: [/memory 100 TiB/], at: "memory" };
    expectRefusal(await resize({ memory: "100T" }), range);
    const smaller = { ...OUT_OF_RANGE, says: [/128M .* 256M it has/], at: "disk" };
    expectRefusal(await resize({ disk: "128M" }), smaller);
    ok(await berth("remove", id));
  });

  it("one sandbox more than a user may have", async () => {
    const made = await Promise.all(
      ["one", "two", "three"].map((name) => client.create({ name, memory: "256M" })),
    );
    const problem = await problemOf(await client.fetch("/v1/sandboxes", { json: {} }));
    const says = [/3 of 3 sandboxes/, /one/, /two/, /three/];
    expectRefusal(problem, { status: 409, code: "SANDBOX_LIMIT_REACHED", says });
    ok(await berth("remove", ...made.map(({ id }) => id)));
  });
});

describe("the command line refuses", () => {
  const wrongUsage: [what: string, words: string[], says: RegExp][] = [
    ...["a/b", "..", ".x", "Upper", "a".repeat(33), "<script>"].map(
      (name): [string, string[], RegExp] => [`the user ${name}`, ["create", name], /1 to 32/],
    ),
    ["a name with a slash", ["create", newcomer, "--name", "a/b"], /1 to 32/],
    ["a size of no unit", ["create", newcomer, "--memory", "1Q"], /"1Q" is no size/],
    ["no cpus", ["create", newcomer, "--cpus", "0"], />0/],
    ["negative cpus", ["create", newcomer, "--cpus", "-1"], /number of cores/],
    ["cpus in words", ["create", newcomer, "--cpus", "NaN"], /number of cores/],
    ["1e9 cpus", ["create", newcomer, "--cpus", "1e9"], /number of cores/],
    ["no pids", ["create", newcomer, "--pids", "0"], />0/],
    ["no time", ["create", newcomer, "--ttl", "0"], /is no duration/],
    ["a time in words", ["create", newcomer, "--ttl", "soon"], /"soon" is no duration/],
    ["an option it does not know", ["create", newcomer, "--memroy", "1G"], /--memory/],
    ["a verb it does not know", ["craete", newcomer], /create/],
    ["a sandbox that is no reference", ["show", "a/b/c"], /user\/name/],
    ["extend without a time", ["extend", newcomer], /--ttl/],
    ["resize without a limit", ["resize", newcomer], /--memory, --cpus, --pids or --disk/],
  ];
  it.each(wrongUsage)("%s, with exit code 2", async (_what, words, says) => {
    const said = await berth(...words, "--json");
    expect(said.code).toBe(2);
    expect(said.stderr).toMatch(says);
    expect(JSON.parse(said.stdout)).toMatchObject({ error: { code: "WRONG_USAGE" } });
  });

  const refused: [what: string, words: string[], code: string, says: RegExp][] = [
    ["one byte of memory", ["--memory", "1"], "LIMIT_OUT_OF_RANGE", /memory 1 B/],
    ["memory above the ceiling", ["--memory", "100T"], "LIMIT_OUT_OF_RANGE", /100 TiB/],
    ["too long a time", ["--ttl", "9999h"], "TTL_TOO_LONG", /7d/],
    ["a profile there is none of", ["--profile", "defalt"], "PROFILE_UNKNOWN", /"default"/],
  ];
  it.each(refused)("%s, with exit code 1", async (_what, words, code, says) => {
    const said = await berth("create", newcomer, ...words, "--json");
    expect(said.code).toBe(1);
    expect(said.stderr).toMatch(says);
    const answer = JSON.parse(said.stdout) as { error: { code: string; message: string } };
    expect(answer.error.code).toBe(code);
    expect(answer.error.message).toMatch(says);
    const { users } = userList.parse(await berthJson("user", "list"));
    expect(users.map(({ name }) => name)).not.toContain(newcomer);
  });
});
