import { useRef } from "preact/hooks";
import { AdminApi } from "../../model/admin-api.js";
import type { AddedUser } from "../../model/admin-types.js";
import { faultsOf } from "../../model/faults.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { Field, Select } from "../../parts/field.js";
import { useAction, useDraft } from "../../parts/hooks.js";
import { Button, Panel, ProblemBox } from "../../parts/ui.js";
import { useFaultFocus } from "../new.js";
import { listOf } from "./users.js";

const names = ["name", "role", "groups"] as const;
const empty = { name: "", role: "user", groups: "" };

/** The form that adds a user. */
export function AddUser(props: { hasGroups: boolean; onAdded: (user: AddedUser) => void }) {
  const { hasGroups, onAdded } = props;
  const { api } = useSignedIn();
  const { announce } = usePage();
  const [draft, set, reset] = useDraft("admin.add-user", empty);
  const add = useAction(async () => {
    const groups = hasGroups ? listOf(draft.groups) : [];
    const added = await new AdminApi(api).addUser({
      name: draft.name.trim(),
      role: draft.role === "admin" ? "admin" : "user",
      ...(groups.length > 0 ? { groups } : {}),
    });
    reset(empty);
    announce(`${added.name} is added. The token is shown at the top.`);
    onAdded(added);
  });
  const { fields, first, rest } = faultsOf(add.problem, names);
  const form = useRef<HTMLFormElement>(null);
  useFaultFocus(form, add.problem, first);
  const to = (name: (typeof names)[number]) => ({
    id: `add-${name}`,
    fault: fields[name],
    value: draft[name],
    onValue: (value: string) => {
      set(name, value);
    },
  });
  return (
    <Panel title="Add a user" id="add-user">
      <form
        ref={form}
        class="inline"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          add.run();
        }}
      >
        <Field {...to("name")} label="Name" />
        <Select
          {...to("role")}
          label="Role"
          options={[
            { value: "user", text: "user" },
            { value: "admin", text: "admin" },
          ]}
        />
        {hasGroups && <Field {...to("groups")} label="Groups" placeholder="none" />}
        <Button kind="primary" submit busy={add.busy && "Adding…"}>
          Add
        </Button>
      </form>
      <ProblemBox problem={rest} />
    </Panel>
  );
}
