import { AdminApi } from "../../model/admin-api.js";
import type { Image, ImageBuild, Images as ImageList } from "../../model/admin-types.js";
import { durationForInput, formatLeft, formatSize, formatWhen } from "../../model/format.js";
import type { Profile } from "../../model/types.js";
import { useSignedIn } from "../../parts/context.js";
import { Bar } from "../../parts/graph.js";
import { useNow } from "../../parts/hooks.js";
import { Name, Panel, ProblemBox } from "../../parts/ui.js";
import { useOptional } from "../sandbox/use-containers.js";
import { NotTold } from "./admin.js";

const pollMs = 3000;

/** What sandboxes are made from, and with which defaults. */
export function Images() {
  const { api, me } = useSignedIn();
  const admin = new AdminApi(api);
  const images = useOptional("images", (signal) => admin.images(signal), pollMs);
  const profiles = useOptional("profiles", (signal) => admin.profiles(signal), pollMs * 10);
  return (
    <>
      <Panel title="Images" id="images">
        <ProblemBox problem={images.refusal?.problem} />
        {images.isMissing && <NotTold what="of its images" />}
        {images.value && <ImageRows {...images.value} />}
      </Panel>
      <Panel title="Profiles" id="profiles">
        <ul class="rows">
          {(profiles.value ?? me.profiles).map((profile) => (
            <ProfileRow key={profile.name} profile={profile} />
          ))}
        </ul>
        <p class="hint">Profiles are set up in the configuration, /etc/berth/berth.yaml.</p>
      </Panel>
    </>
  );
}

function ImageRows({ images, building }: ImageList) {
  if (images.length + building.length === 0) {
    return (
      <p class="muted">
        None yet: <code>berth image build</code> builds one.
      </p>
    );
  }
  return (
    <ul class="rows">
      {building.map((build) => (
        <BuildRow key={build.startedAt + (build.profile ?? "")} build={build} />
      ))}
      {images.map((image) => (
        <ImageRow key={image.id} image={image} />
      ))}
    </ul>
  );
}

/** One that is being built: how far it is, as of the last second. */
function BuildRow({ build }: { build: ImageBuild }) {
  const now = useNow();
  const { profile, message, bytes, totalBytes, secondsLeft, startedAt } = build;
  const share = bytes === undefined || !totalBytes ? undefined : bytes / totalBytes;
  const moved = bytes === undefined ? undefined : formatSize(bytes);
  return (
    <li>
      <strong>
        <Name>{profile === undefined ? "Image for all sandboxes" : `Images of ${profile}`}</Name>
      </strong>
      <span>
        Being built: <Name>{message}</Name>
        {share !== undefined && (
          <Bar share={share} label="Build" text={`${Math.round(share * 100)} %`} />
        )}
      </span>
      <span class="muted small">
        {[
          `begun ${formatWhen(startedAt, now)}`,
          moved !== undefined &&
            (totalBytes ? `${moved} of ${formatSize(totalBytes)}` : `${moved} so far`),
          secondsLeft ? `${formatLeft(secondsLeft * 1000)} left` : "",
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </li>
  );
}

function ImageRow({ image }: { image: Image }) {
  const now = useNow(60_000);
  return (
    <li>
      <strong>
        <Name>{image.tag || image.id}</Name>
      </strong>
      <span>{image.images.length > 0 && <Name>{`With ${image.images.join(", ")}`}</Name>}</span>
      <span class="muted small">
        {[
          formatSize(image.sizeBytes),
          `built ${formatWhen(image.createdAt, now)}`,
          image.current && "new sandboxes start from it",
          image.inUse && "in use",
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </li>
  );
}

const ProfileRow = ({ profile }: { profile: Profile }) => (
  <li>
    <strong>
      <Name>{profile.name}</Name>
    </strong>
    <span>
      {profile.description}
      {profile.isolation === "privileged" && (
        <span class="warn-text"> Privileged: its user can become root on the host.</span>
      )}
      {!profile.ready && (
        <span class="warn-text">
          {" "}
          Not ready: <code>berth image build {profile.name}</code> builds its images.
        </span>
      )}
    </span>
    <span class="muted small">
      {durationForInput(profile.ttlMs)} · {formatSize(profile.limits.memoryBytes)} memory ·{" "}
      {profile.limits.cpus} CPU · {formatSize(profile.limits.diskBytes)} disk ·{" "}
      {profile.limits.pids} processes
    </span>
  </li>
);
