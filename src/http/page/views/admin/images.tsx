import { AdminApi } from "../../model/admin-api.js";
import type { Image } from "../../model/admin-types.js";
import { durationForInput, formatSize, formatWhen } from "../../model/format.js";
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
        {images.value?.length === 0 && (
          <p class="muted">
            None yet: <code>berth image build</code> builds one.
          </p>
        )}
        <ul class="rows">
          {images.value?.map((image, index) => (
            <ImageRow key={image.id ?? image.name ?? index} image={image} />
          ))}
        </ul>
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

function ImageRow({ image }: { image: Image }) {
  const now = useNow(60_000);
  const { progress } = image;
  const percent = progress?.percent;
  return (
    <li>
      <strong>
        <Name>{image.tag ?? image.name ?? image.id ?? "image"}</Name>
      </strong>
      <span>
        {image.state ?? ""} {progress?.step ?? ""}
        {percent !== undefined && (
          <Bar share={percent / 100} label="Build" text={`${Math.round(percent)} %`} />
        )}
      </span>
      <span class="muted small">
        {[
          image.sizeBytes !== undefined && formatSize(image.sizeBytes),
          image.createdAt !== undefined && `built ${formatWhen(image.createdAt, now)}`,
          image.current && "new sandboxes start from it",
          image.inUse && "in use",
          image.usedBy !== undefined && `used by ${image.usedBy} sandboxes`,
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
    </span>
    <span class="muted small">
      {durationForInput(profile.ttlMs)} · {formatSize(profile.limits.memoryBytes)} memory ·{" "}
      {profile.limits.cpus} CPU · {formatSize(profile.limits.diskBytes)} disk ·{" "}
      {profile.limits.pids} processes
    </span>
  </li>
);
