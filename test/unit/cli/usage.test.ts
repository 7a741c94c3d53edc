import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { branchesOf, treeOf } from "../../../src/cli/completion/tree.js";
import { documentedProgram } from "../../../src/share-files.js";
import { Bench } from "./support.js";

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.start();
});
afterEach(() => bench[Symbol.asyncDispose]());

describe("a wrong command line", () => {
  it.each([
    ["create alice --memory 1Q", '"1Q" is no size; write it like 512M'],
    ["create alice --disk -5", '"-5" is no size'],
    ["create alice --ttl soon", '"soon" is no duration; write it like 30m'],
    ["create alice --cpus many", "must be a number of cores"],
    ["create alice --pids 1.5", "must be a whole number"],
    ["create alice --name a/b", "must be 1 to 32 characters"],
    ["create ../alice", "must be 1 to 32 characters"],
    ["create", "missing required argument 'user'"],
    ["create alice bob", "too many arguments"],
    ["show alice/b/c", "its id, its user, or user/name"],
    ["show .alice", "must be 1 to 32 characters"],
    ["extend alice", "required option '--ttl <duration>'"],
    ["resize alice", "say what to change: --memory, --cpus, --pids or --disk"],
    ["resize alice --memory 1Q", '"1Q" is no size'],
    ["resize --memory 1G", "missing required argument 'sandbox'"],
    ["remove", "missing required argument 'sandbox'"],
    ["crate alice", "Did you mean create?"],
    ["create alice --memroy 1G", "Did you mean --memory?"],
    ["user ad alice", "Did you mean add?"],
    ["user set alice", "say what to change: --role, --group or --no-groups"],
    ["user set alice --role boss", "Allowed choices are user, admin"],
    ["user set alice --group lab --no-groups", "contradict"],
  ])("`berth %s` exits 2, says what is wrong, and asks nobody", async (line, text) => {
    const { code, stdout, stderr } = await bench.berth(line.split(" "));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^berth: /);
    expect(stderr).toContain(text);
    expect(stderr).toContain("--help");
    expect(bench.api.seen).toEqual([]);
  });

  it("is one JSON document too with --json", async () => {
    const { code, stdout } = await bench.berth(["create", "alice", "--memory", "1Q", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "WRONG_USAGE" } });
  });
});

describe("help", () => {
  it("is grouped, shows the usual path and every verb of the contract", async () => {
    const { code, stdout, stderr } = await bench.berth(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatchInlineSnapshot(`
      "Usage: berth [options] [command]

      A Docker Engine of their own for every user of a shared Linux server.

      Options:
        -V, --version               show the version
        --json                      print one JSON document on stdout and nothing else there
        --url <url>                 address of the Berth to ask (default: BERTH_URL, else the socket)
        -h, --help                  show help

      Sandboxes:
        create [options] <user>     make a sandbox: a Docker Engine of the user's own
        list|ls [options]           list the sandboxes
        show <sandbox>              show one sandbox, with what it uses
        bundle [options] <sandbox>  fetch what Docker needs to reach a sandbox
        env [options] <sandbox>     point this shell's docker at a sandbox
        extend [options] <sandbox>  give a sandbox more time
        resize [options] <sandbox>  change a sandbox's limits while it runs
        verify <sandbox>            check how a sandbox is held
        remove|rm <sandbox...>      remove sandboxes and all that is in them

      Users:
        user                        add, change, list and remove users, set passwords
        whoami                      who Berth takes you for, and what you may ask for

      The host:
        serve [options]             run the daemon
        reap [options]              remove what has expired, mend what disagrees
        image                       build, list and remove the image sandboxes start from
        doctor [options]            check that the host has what Berth needs
        clear-host [options]        take Berth off this host, before it is uninstalled

      Help:
        completion <shell>          print what makes a shell complete berth's words by TAB
        help [verb]                 show help for a verb

      The usual path:
        berth create alice --ttl 2h
        berth bundle alice -o ./alice
        docker context import alice ./alice/berth.dockercontext
        docker --context alice run --rm hello-world
        berth remove alice

      SANDBOX is an id, a user, or user/name.

      Root reaches the daemon over its socket (this machine's, or the embedded host's when that is up).
      Everyone else, from anywhere: set BERTH_URL and BERTH_TOKEN (BERTH_CA for an https address with a
      certificate of your own making).

      Exit codes: 0 done, 1 failed, 2 the command line is wrong, 130 interrupted.

      Where Berth is installed, \`man berth\` has all of this, and \`man berth.yaml\` the configuration.
      For completion by the TAB key: \`berth completion --help\`.
      "
    `);
  });

  it("comes on stderr with exit code 2 when the verb is missing", async () => {
    for (const words of [[], ["user"], ["image"]]) {
      const { code, stdout, stderr } = await bench.berth(words);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("Usage: berth");
    }
  });

  const verbs = branchesOf(treeOf(documentedProgram("1.2.3")))
    .map(({ path }) => path.join(" "))
    .filter((name) => name !== "" && name !== "help");

  it("is there for each verb of the contract", () => {
    const contract =
      "serve,create,list,show,bundle,env,extend,resize,verify,remove,reap,doctor,whoami,completion," +
      "user add,user set,user password,user list,user remove,image build,image list,image remove";
    expect(verbs).toEqual(expect.arrayContaining(contract.split(",")));
  });

  it.each(verbs)("of `%s` teaches by example", async (name) => {
    const { code, stdout } = await bench.berth([...name.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: berth ${name}`);
    expect(stdout).toMatch(/Examples:\n.*berth /);
    expect(stdout).toContain("--json");
  });

  it("prints the version", async () => {
    expect(await bench.berth(["--version"])).toEqual({ code: 0, stdout: "1.2.3\n", stderr: "" });
  });
});
