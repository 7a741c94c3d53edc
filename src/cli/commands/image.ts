import type { Command } from "commander";
import type { BuiltImage } from "../../lib/dind-image.js";
import { formatSize } from "../../lib/units.js";
import { Interrupted } from "../failure.js";
import type { BuildProgress } from "../local.js";
import { Progress } from "../progress.js";
import type { Session } from "../session.js";
import { alignColumns } from "../table.js";
import { noun, verb, type AddVerb } from "../verb.js";

interface ConfigOption {
  config?: string;
}

interface BuildOptions extends ConfigOption {
  rebuild?: boolean;
  base?: string;
  mirror?: string;
}

export const addImage: AddVerb = (parent, session) => {
  const images = noun(parent, "image", "build, list and remove the image sandboxes start from");
  addBuild(images, session);
  addList(images, session);
  addRemove(images, session);
};

function addBuild(images: Command, session: Session): void {
  verb(images, "build [exercise]", {
    summary: "build the image, if its inputs have changed",
    about:
      "Builds the image that sandboxes start from, into the host's Docker Engine: a small Debian\n" +
      "with Docker in it. Its tag is made from its inputs; when it is there already nothing is done.\n" +
      "With a name: the image of that exercise instead, or with `exercises` those of all.",
    examples: [
      ["image build"],
      ["image build exercises", "the images of all exercises"],
      ["image build --mirror http://deb.example.org/debian", "from a mirror nearby"],
      ["image build --base debian:trixie-slim", "on a base image, from a registry"],
    ],
    next: "`berth create USER`.",
  })
    .option("--rebuild", "build it even if it is there")
    .option("--base <image>", "start from this image instead of making a Debian root")
    .option("--mirror <url>", "Debian mirror to install from")
    .option("--config <file>", "the configuration (default: /etc/berth/berth.yaml)")
    .action((exercise: string | undefined, options: BuildOptions) =>
      session.onTheHost(() => build(session, exercise, options)),
    );
}

async function build(
  session: Session,
  exercise: string | undefined,
  options: BuildOptions,
): Promise<void> {
  const interrupt = new AbortController();
  const off = session.deps.onInterrupt(() => {
    interrupt.abort();
  });
  const progress = new Progress(session.deps.stderr);
  try {
    const { deps, out } = session;
    const request = { ...options, rebuild: options.rebuild ?? false };
    const { image } = deps.local;
    const tell = reporter(progress);
    const result =
      exercise === undefined
        ? await image.build(request, tell, interrupt.signal)
        : await image.buildExercises(exercise, request, tell, interrupt.signal);
    progress.clear();
    out.result(result, () => ("images" in result ? result.images : [result]).map(describe));
  } catch (error) {
    progress.clear();
    throw interrupt.signal.aborted ? new Interrupted("interrupted; no image was made") : error;
  } finally {
    off();
  }
}

function describe({ tag, built, seconds, sizeBytes }: BuiltImage): string {
  const how = built ? `built in ${seconds.toFixed(1)} s` : "is up to date";
  return `${tag} ${how}, ${formatSize(sizeBytes)}`;
}

/** A line for each phase as it begins; on a terminal also how far it is. */
function reporter(progress: Progress): (step: BuildProgress) => void {
  let phase: string | undefined;
  return (step) => {
    if (step.phase !== phase) {
      phase = step.phase;
      progress.line(`  ${step.seconds.toFixed(1).padStart(5)} s  ${phase}: ${step.message}`);
    }
    const moved = step.bytes === undefined ? "" : `, ${formatSize(step.bytes)}`;
    progress.update(`  ${step.seconds.toFixed(1).padStart(5)} s  ${step.message}${moved}`);
  };
}

function addList(images: Command, session: Session): void {
  verb(images, "list", {
    summary: "list the images sandboxes start from",
    about: "Lists Berth's images in the host's Docker Engine.",
    examples: [["image list"]],
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
        ]);
        session.out.result({ images: found }, () =>
          rows.length ? alignColumns([["TAG", "ID", "SIZE", "CREATED", ""], ...rows]) : [],
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
    about: "Removes an old image from the host's Docker Engine.",
    examples: [["image remove berth/dind:0f3a9c1b2d4e"]],
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
