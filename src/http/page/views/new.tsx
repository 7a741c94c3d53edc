import { useLayoutEffect, useRef } from "preact/hooks";
import { faultsOf } from "../model/faults.js";
import { durationForInput, formatSize, freeName, sizeForInput } from "../model/format.js";
import { sandboxPath } from "../model/router.js";
import { forgetDraft, saveCreation } from "../model/storage.js";
import type { CreateRequest, Limits, Me, Problem, Profile } from "../model/types.js";
import { usePage, useSignedIn } from "../parts/context.js";
import { Field, Select } from "../parts/field.js";
import { useAction, useDraft, usePolled } from "../parts/hooks.js";
import { Button, ProblemBox } from "../parts/ui.js";
import { View } from "../parts/view.js";
import { NotReadyNote, PrivilegedNote } from "./home.js";

const names = ["user", "profile", "name", "ttl", "memory", "cpus", "disk", "pids"] as const;
type FieldName = (typeof names)[number];
const empty: Record<FieldName, string> = {
  user: "",
  profile: "",
  name: "",
  ttl: "",
  memory: "",
  cpus: "",
  disk: "",
  pids: "",
};

const listMs = 30_000;

/** The form for a sandbox with settings of one's own. Empty fields are left to the profile. */
export function New() {
  const { api, me } = useSignedIn();
  const { router, announce } = usePage();
  const [draft, set] = useDraft("new", empty);
  const user = me.role === "admin" ? me.user : undefined;
  const list = usePolled("taken names", (signal) => api.list({ user }, signal), listMs);
  const mine = (list.value ?? []).filter((sandbox) => sandbox.user === me.user);
  const free = freeName(mine.map(({ name }) => name));
  const profile = me.profiles.find(({ name }) => name === draft.profile) ?? me.profiles[0];
  const make = useAction(async () => {
    const sandbox = await api.create(requestOf(draft, free));
    saveCreation({ sandbox });
    forgetDraft("new");
    announce(`${sandbox.name} is being made.`);
    router.go(sandboxPath(sandbox.id));
  });
  const { fields, first, rest } = faultsOf(make.problem, names);
  const form = useRef<HTMLFormElement>(null);
  useFaultFocus(form, make.problem, first);
  return (
    <View title="New sandbox">
      <form
        ref={form}
        class="panel form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          make.run();
        }}
      >
        <Basics {...{ me, profile, draft, free, fields, set }} />
        {profile?.isolation === "privileged" && <PrivilegedNote what="A sandbox" />}
        {profile?.ready === false && <NotReadyNote profile={profile} />}
        <fieldset>
          <legend>Limits</legend>
          <p class="hint">Leave a field empty to take what stands in it.</p>
          {profile && (
            <LimitFields
              prefix="new"
              values={draft}
              shown={profile.limits}
              max={me.maxLimits}
              faults={fields}
              onValue={set}
            />
          )}
        </fieldset>
        <ProblemBox problem={rest} />
        <div class="actions">
          <Button kind="primary" class="big" submit busy={make.busy && "Asking…"}>
            Make this sandbox
          </Button>
          <a class="button big quiet" href="/">
            Cancel
          </a>
        </div>
      </form>
    </View>
  );
}

function Basics(props: {
  me: Me;
  profile: Profile | undefined;
  draft: Record<FieldName, string>;
  free: string;
  fields: Partial<Record<FieldName, string>>;
  set: (name: FieldName, value: string) => void;
}) {
  const { me, profile, draft, free, fields, set } = props;
  const to = (name: FieldName) => ({
    id: `new-${name}`,
    fault: fields[name],
    value: draft[name],
    onValue: (value: string) => {
      set(name, value);
    },
  });
  return (
    <>
      {me.role === "admin" && (
        <Field
          {...to("user")}
          label="For user"
          placeholder={me.user}
          hint="Leave it empty to make the sandbox for yourself."
        />
      )}
      <Select
        {...to("profile")}
        value={profile?.name ?? ""}
        label="Profile"
        options={me.profiles.map(({ name, ready }) => ({
          value: name,
          text: ready ? name : `${name} (not ready)`,
        }))}
        hint={profile?.description}
      />
      <div class="pair">
        <Field
          {...to("name")}
          label="Name"
          placeholder={free}
          hint="Lower-case letters, digits and dashes."
        />
        <Field
          {...to("ttl")}
          label="Time"
          placeholder={profile && durationForInput(profile.ttlMs)}
          hint={`Like 90m or 8h, up to ${durationForInput(me.ttl.maxMs)}. You can add time later.`}
        />
      </div>
    </>
  );
}

export type LimitName = "memory" | "cpus" | "disk" | "pids";

/** The four limits; `shown` stands in the empty fields. */
export function LimitFields(props: {
  prefix: string;
  values: Record<LimitName, string>;
  shown: Limits;
  max: Limits;
  faults: Partial<Record<LimitName, string>>;
  onValue: (name: LimitName, value: string) => void;
}) {
  const { prefix, values, shown, max, faults, onValue } = props;
  const to = (name: LimitName, label: string, placeholder: string, limit: string) => (
    <Field
      id={`${prefix}-${name}`}
      label={label}
      placeholder={placeholder}
      hint={`Up to ${limit}.`}
      fault={faults[name]}
      value={values[name]}
      onValue={(value) => {
        onValue(name, value);
      }}
    />
  );
  const size = (bytes: number) => sizeForInput(bytes);
  return (
    <div class="pair limits">
      {to("memory", "Memory", size(shown.memoryBytes), formatSize(max.memoryBytes))}
      {to("cpus", "Processors", String(shown.cpus), String(max.cpus))}
      {to("disk", "Disk", size(shown.diskBytes), formatSize(max.diskBytes))}
      {to("pids", "Processes", String(shown.pids), String(max.pids))}
    </div>
  );
}

/** Puts the focus on the first field that has a fault. */
export function useFaultFocus(
  form: { current: HTMLFormElement | null },
  problem: Problem | undefined,
  first: string | undefined,
): void {
  useLayoutEffect(() => {
    if (first === undefined) return;
    form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [problem]);
}

function requestOf(draft: Record<FieldName, string>, free: string): CreateRequest {
  const request: CreateRequest = {};
  for (const name of names) {
    const value = draft[name].trim();
    if (value !== "") request[name] = value;
  }
  // For somebody else we do not know what is taken: the server's default decides.
  if (request.user === undefined) request.name ??= free;
  return request;
}
