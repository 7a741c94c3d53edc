import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { hostScript, isEmbedded, ok, onHost, run } from "./support.js";

// The script that boots and enters the embedded host, as people and other scripts call it.

const host = (...args: string[]) => run(hostScript, args);

describe.skipIf(!isEmbedded())(
  "scripts/host (there is none where Berth has a real machine)",
  () => {
    it("says with status that the host is up, for people and as JSON, with exit code 0", async () => {
      const plain = await host("status");
      expect(plain.code).toBe(0);
      expect(plain.stdout).toMatch(/^state {4}up$/m);
      const { address, ...rest } = JSON.parse(ok(await host("status", "--json"))) as Record<
        string,
        unknown
      >;
      expect(rest).toMatchObject({ up: true, systemd: "running", berth: "active" });
      expect(plain.stdout).toContain(String(address));
    });

    it.each([
      [[], "which verb?"],
      [["reboot"], "unknown verb reboot"],
      [["status", "--loud"], "unknown argument --loud"],
      [["up", "--loud"], "unknown argument --loud"],
      [["down", "--loud"], "unknown argument --loud"],
      [["exec"], "which command?"],
      [["exec", "--"], "which command?"],
      [["exec", "--loud", "true"], "unknown option --loud"],
      [["exec", "-e", "NAME", "true"], "NAME=VALUE"],
    ])("answers %j with what is wrong and exit code 2", async (args, message) => {
      const said = await host(...args);
      expect(said.stderr).toContain(message);
      expect(said.stderr).toContain("scripts/host --help");
      expect(said.code).toBe(2);
    });

    it("passes stdin, stdout, stderr, arguments and the exit code of a command through", async () => {
      const script = 'cat; printf "<%s>" "$@"; echo "to stderr" >&2; exit 42';
      const args = ["exec", "--", "bash", "-c", script, "bash", "a b", "'$HOME'", "", "--help"];
      const said = await run(hostScript, args, { input: "line 1\nline 2\n" });
      expect(said.stdout).toBe("line 1\nline 2\n<a b><'$HOME'><><--help>");
      expect(said.stderr).toBe("to stderr");
      expect(said.code).toBe(42);
      expect((await host("exec", "no-such-program")).code).toBe(127);
    });

    it("passes bytes through unchanged", async () => {
      const bytes = Buffer.from(
        Array.from({ length: 1 << 20 }, (_, i) => (i * 7 + (i >> 8)) % 256),
      );
      const { stdout } = await execa(hostScript, ["exec", "cat"], {
        input: bytes,
        encoding: "buffer",
      });
      expect(Buffer.compare(Buffer.from(stdout), bytes)).toBe(0);
    });

    it("gives a command a clean environment and what -e names", async () => {
      const env = { SECRET_OF_MINE: "1" };
      const said = await run(hostScript, ["exec", "-e", "GREETING=hello there", "env"], { env });
      expect(ok(said)).toContain("GREETING=hello there");
      expect(said.stdout).not.toContain("SECRET_OF_MINE");
    });

    it("ends the command inside when it is killed itself", async () => {
      const child = execa(hostScript, ["exec", "--", "bash", "-c", "echo $$; exec sleep 600"], {
        reject: false,
      });
      const pid = await new Promise<string>((resolve) => {
        child.stdout.once("data", (data: Buffer) => {
          resolve(data.toString().trim());
        });
      });
      child.kill("SIGKILL");
      await child;
      const alive = async () => (await onHost(`kill -0 ${pid}`)).code === 0;
      await expect.poll(alive, { timeout: 5_000 }).toBe(false);
    });

    it("changes nothing when up runs again, twice at once", async () => {
      const look = "systemctl show --property MainPID,NRestarts berth docker; cat /proc/1/stat";
      const pids = async () => ok(await onHost(`${look} | grep -o -e '^Main.*' -e '^1 ([a-z]*)'`));
      ok(await host("up"));
      const before = await pids();
      const status = ok(await host("status"));
      for (const said of await Promise.all([host("up"), host("up")])) ok(said);
      expect(await pids()).toBe(before);
      expect(ok(await host("status"))).toBe(status);
    });
  },
);
