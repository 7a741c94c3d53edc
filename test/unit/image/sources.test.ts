import { describe, expect, it } from "vitest";
import { sourcesForSuite } from "../../../src/image/sources.js";

const deb822 = `Types: deb deb-src
URIs: http://mirror.test/debian
# a remark
Suites: trixie trixie-updates trixie-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.test/security
Suites: trixie-security
Components: main
`;
const deb822File = { name: "sources.list.d/debian.sources", text: deb822 };
const listFile = (text: string) => ({ name: "sources.list", text });

describe("the machine's apt sources for a suite", () => {
  it("are Debian's own suites with the component main, keyrings kept", () => {
    expect(sourcesForSuite("trixie", [deb822File])).toBe(`Types: deb
URIs: http://mirror.test/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.test/security
Suites: trixie-security
Components: main
`);
  });

  it("are read from one-line files too", () => {
    const text =
      "# old\ndeb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian trixie main # x\n";
    expect(sourcesForSuite("trixie", [listFile(text)])).toBe(
      "Types: deb\nURIs: http://mirror.test/debian\nSuites: trixie\nComponents: main\nSigned-By: /k.gpg\n",
    );
  });

  it("keep a key that is written in the file", () => {
    const text = `${deb822.split("\n\n")[0]?.replace(/Signed-By.*/, "Signed-By:\n -----BEGIN\n .\n abc") ?? ""}\n`;
    expect(sourcesForSuite("trixie", [{ name: "a.sources", text }])).toContain(
      "Signed-By: \n -----BEGIN\n .\n abc\n",
    );
  });

  it.each([
    ["another release", [listFile("deb http://mirror.test/debian bookworm main\n")]],
    ["only its updates", [listFile("deb http://mirror.test/debian trixie-updates main\n")]],
    ["another vendor's component", [listFile("deb http://vendor.test/apt trixie stable\n")]],
    [
      "a disabled stanza",
      [{ name: "a.sources", text: `Enabled: no\n${deb822.split("\n\n")[0] ?? ""}` }],
    ],
    ["sources of sources", [listFile("deb-src http://mirror.test/debian trixie main\n")]],
    ["no files at all", []],
  ])("are none with %s", (_, files) => {
    expect(sourcesForSuite("trixie", files)).toBeUndefined();
  });
});
