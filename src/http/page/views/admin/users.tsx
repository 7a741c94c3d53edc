import { useState } from "preact/hooks";
import { AdminApi } from "../../model/admin-api.js";
import type { AddedUser, User } from "../../model/admin-types.js";
import { formatWhen } from "../../model/format.js";
import type { Role } from "../../model/types.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { CopyButton } from "../../parts/copy-button.js";
import { Confirm } from "../../parts/dialog.js";
import { useAction, useNow, usePolled } from "../../parts/hooks.js";
import { Button, Name, Panel, ProblemBox, Waiting } from "../../parts/ui.js";
import { useOptional } from "../sandbox/use-containers.js";
import { AddUser } from "./add-user.js";
import { Groups } from "./groups.js";

const pollMs = 15_000;

/** Who may use this Berth, as what, and in which groups. */
export function Users() {
  const { api } = useSignedIn();
  const admin = new AdminApi(api);
  const users = usePolled("users", (signal) => admin.users(signal), pollMs);
  const groups = useOptional("groups", (signal) => admin.groups(signal), pollMs);
  const [added, setAdded] = useState<AddedUser>();
  return (
    <>
      {added && <NewToken user={added} />}
      <AddUser
        hasGroups={groups.value !== undefined}
        onAdded={(user) => {
          setAdded(user);
          users.refresh();
        }}
      />
      <ProblemBox problem={users.refusal?.problem} />
      {!users.value && <Waiting what="Looking for users…" />}
      {users.value && <UserTable users={users.value} onChanged={users.refresh} />}
      {groups.value && groups.value.length > 0 && <Groups groups={groups.value} />}
    </>
  );
}

/** The token, which no one is shown a second time. */
const NewToken = ({ user }: { user: AddedUser }) => (
  <div class="callout good" role="status">
    <strong>
      <Name>{user.name}</Name> is added.
    </strong>
    <p>This token signs them in. It is shown only now: copy it and give it to them in private.</p>
    <p class="address">
      <code>{user.token}</code>
      <CopyButton text={user.token} what="the token" />
    </p>
  </div>
);

function UserTable({ users, onChanged }: { users: User[]; onChanged: () => void }) {
  const { api } = useSignedIn();
  const { announce } = usePage();
  const [asking, setAsking] = useState<User>();
  const remove = useAction(async (user: User) => {
    await new AdminApi(api).removeUser(user.name);
    announce(`${user.name} is removed.`);
    onChanged();
  });
  return (
    <Panel title="Users" id="users" aside={<span class="muted">{users.length}</span>}>
      <ProblemBox problem={remove.problem} />
      <ul class="rows users">
        {users.map((user) => (
          <UserRow key={user.name} user={user} onChanged={onChanged} onRemove={setAsking} />
        ))}
      </ul>
      {asking && (
        <Confirm
          title="Remove this user?"
          yes="Remove"
          onNo={() => {
            setAsking(undefined);
          }}
          onYes={() => {
            setAsking(undefined);
            remove.run(asking);
          }}
        >
          “<Name>{asking.name}</Name>” can no longer sign in, and all of their sandboxes are removed
          for good.
        </Confirm>
      )}
    </Panel>
  );
}

function UserRow(props: { user: User; onChanged: () => void; onRemove: (user: User) => void }) {
  const { user } = props;
  const now = useNow(60_000);
  const ways = [user.hasPassword && "password", user.hasToken && "token"].filter(Boolean);
  return (
    <li>
      <strong>
        <Name>{user.name}</Name>
      </strong>
      <ChangeUser user={user} groups={user.groups} onChanged={props.onChanged} />
      <span class="muted small">
        since {formatWhen(user.createdAt, now)}
        {ways.length > 0 && ` · signs in by ${ways.join(" or ")}`}
        {user.lastSeenAt !== undefined && ` · last seen ${formatWhen(user.lastSeenAt, now)}`}
      </span>
      <Button
        kind="danger"
        class="small"
        aria-label={`Remove user ${user.name}`}
        onClick={() => {
          props.onRemove(user);
        }}
      >
        Remove
      </Button>
    </li>
  );
}

/** Role and groups, where this Berth lets admins change them. */
function ChangeUser(props: { user: User; groups: string[]; onChanged: () => void }) {
  const { user, groups, onChanged } = props;
  const { api } = useSignedIn();
  const { announce } = usePage();
  const [typed, setTyped] = useState<string>();
  const change = useAction(async (body: { role?: Role; groups?: string[] }) => {
    await new AdminApi(api).changeUser(user.name, body);
    setTyped(undefined);
    announce(`${user.name} is changed.`);
    onChanged();
  });
  return (
    <form
      class="change-user"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed !== undefined) change.run({ groups: listOf(typed) });
      }}
    >
      <select
        aria-label={`Role of ${user.name}`}
        value={user.role}
        onChange={(event) => {
          change.run({ role: event.currentTarget.value as Role });
        }}
      >
        <option value="user">user</option>
        <option value="admin">admin</option>
      </select>
      <input
        aria-label={`Groups of ${user.name}, separated by commas`}
        placeholder="no groups"
        value={typed ?? groups.join(", ")}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
        }}
      />
      {typed !== undefined && (
        <Button class="small" submit busy={change.busy && "Saving…"}>
          Save
        </Button>
      )}
      <ProblemBox problem={change.problem} />
    </form>
  );
}

/** `a, b` as a list. */
export const listOf = (text: string) =>
  text
    .split(/[,\s]+/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
