import type { Command } from "commander";
import type { BuiltImage } from "../../lib/dind-image.js";
import { formatSize } from "../../lib/units.js";
import { BuildReporter } from "../build-reporter.js";
import { Interrupted } from "../failure.js";
import { Progress } from "../progress.js";
import type { Session } from "../session.js";
import { alignColumns } from "../table.js";
import { noun, verb, type AddVerb } from "../verb.js";

interface ConfigOption {
  config?: string;
}

interface BuildOptions extends ConfigOption {
  profile?: string;
  rebuild?: boolean;
  base?: string;
  mirror?: string;
}

export const addImage: AddVerb = (parent, session) => {
  const images = noun(parent, "image", {
    summary: "build, list and remove the image sandboxes start from",
    about:
      "Sandboxes start from an image in the host's Docker Engine, which Berth builds: a small Debian with\n" +
      "Docker in it, and for a profile with `images` one that carries those as well. On the host only.",
    examples: [
      ["image build", "the image that all start from"],
      ["image build exercises", "one that carries a profile's images"],
      ["image list", "which there are, and which are in use"],
    ],
  });
  addBuild(images, session);
  addList(images, session);
  addRemove(images, session);
};

function addBuild(images: Command, session: Session): void {
  verb(images, "build [profile]", {
    summary: "build the image, if its inputs have changed",
    about:
      "Builds the image that sandboxes start from, into the host's Docker Engine: a small Debian\n" +
      "with Docker in it. Its tag is made from its inputs; when it is there already nothing is done.\n" +
      "With a profile: the image that carries the profile's `images` as well, for its sandboxes to\n" +
      "share. Those are taken from the host's engine, from files, or else from a registry.",
    examples: [
      ["image build"],
      ["image build vpn", "with the images that this profile preloads"],
      ["image build exercises", "with those of all exercises that come with Berth"],
      ["image build --mirror http://deb.example.org/debian", "from a mirror nearby"],
      ["image build --base debian:trixie-slim", "on a base image, from a registry"],
    ],
    next: "`berth create USER`.",
  })
    .option("--rebuild", "build it even if it is there")
    .option("--base <image>", "start from this image instead of making a Debian root")
    .option("--mirror <url>", "Debian mirror to install from")
    .option("--config <file>", "the configuration (default: /etc/berth/berth.yaml)")
    .action((profile: string | undefined, options: BuildOptions) =>
      session.onTheHost(() =>
        build(session, { ...options, ...(profile === undefined ? {} : { profile }) }),
      ),
    );
}

async function build(session: Session, options: BuildOptions): Promise<void> {
  const interrupt = new AbortController();
  const off = session.deps.onInterrupt(() => {
    interrupt.abort();
  });
  const progress = new Progress(session.deps.stderr);
  try {
    const { deps, out } = session;
    const request = { ...options, rebuild: options.rebuild ?? false };
    const reporter = new BuildReporter(progress);
    const image = await deps.local.image.build(request, reporter.tell, interrupt.signal);
    progress.clear();
    out.result(image, () => describe(image));
  } catch (error) {
    progress.clear();
    throw interrupt.signal.aborted ? new Interrupted("interrupted; no image was made") : error;
  } finally {
    off();
  }
}

function describe({ tag, built, seconds, sizeBytes, images = [] }: BuiltImage): string[] {
  const how = built ? `built in ${seconds.toFixed(1)} s` : "is up to date";
  return [
    `${tag} ${how}, ${formatSize(sizeBytes)}`,
    ...images.map(({ name, bytes }) => `  ${name}${bytes > 0 ? `, ${formatSize(bytes)}` : ""}`),
  ];
}

function addList(images: Command, session: Session): void {
  verb(images, "list", {
    summary: "list the images sandboxes start from",
    about:
      "Lists Berth's images in the host's Docker Engine: `current` are those that new sandboxes start\n" +
      "from, `in use` those that some sandbox needs; then the images that a profile's one carries.",
    examples: [["image list"], ["image list --json", '{"images": [...]}']],
    next: "`berth image remove TAG` for one that is neither.",
  })
    .alias("ls")
    .option("--config <file>", "the configuration (default: /etc/berth/berth.yaml)")
    .action((options: ConfigOption) =>
      session.onTheHost(async () => {
        const { images: found } = await session.deps.local.image.list(options);
        const rows = found.map((image) => [
          image.tag,
          image.id.replace(/^sha256:/, "").slice(0, 12),
          formatSize(image.sizeBytes),
          image.createdAt,
          [image.current ? "current" : "", image.inUse ? "in use" : ""].filter(Boolean).join(", "),
          image.images.join(" "),
        ]);
        session.out.result({ images: found }, () =>
          rows.length
            ? alignColumns([["TAG", "ID", "SIZE", "CREATED", "", "PRELOADS"], ...rows])
            : [],
        );
        if (rows.length === 0 && !session.out.json) {
          session.out.note("There is no image yet. Build it with: berth image build");
        }
      }),
    );
}

function addRemove(images: Command, session: Session): void {
  verb(images, "remove", {
    summary: "remove an image that nothing uses",
    about:
      "Removes an old image from the host's Docker Engine. One that a sandbox needs, or a new one would\n" +
      "start from, is refused.",
    examples: [
      ["image list", "which there are"],
      ["image remove berth/dind:0f3a9c1b2d4e", "one that is not in use"],
    ],
  })
    .alias("rm")
    .argument("<tag>", "as `berth image list` shows it")
    .option("--config <file>", "the configuration (default: /etc/berth/berth.yaml)")
    .action((tag: string, options: ConfigOption) =>
      session.onTheHost(async () => {
        await session.deps.local.image.remove(tag, options);
        session.out.result({ removed: [tag] }, () => [`removed ${tag}`]);
      }),
    );
}
