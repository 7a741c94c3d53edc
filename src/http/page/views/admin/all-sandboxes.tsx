import { useState } from "preact/hooks";
import { sortKeys, wantedRows, type SortKey } from "../../model/admin-list.js";
import type { Sandbox } from "../../model/types.js";
import { usePage, useSignedIn } from "../../parts/context.js";
import { Field, Select } from "../../parts/field.js";
import { useAction, useDraft, useNow } from "../../parts/hooks.js";
import { ProblemBox, Waiting } from "../../parts/ui.js";
import { ConfirmRemove, removeQuietly } from "../sandbox/remove.js";
import { SandboxRow } from "./sandbox-row.js";
import { useRows } from "./use-rows.js";

const sortWords: Record<SortKey, string> = {
  user: "User and name",
  state: "State",
  left: "Time left",
  memory: "Memory",
  cpu: "Processors",
  disk: "Disk",
};

const extendBy = { ttl: "2h", text: "2 hours" };

/** Everybody's sandboxes: to look for, to sort, to extend and to remove. */
export function AllSandboxes() {
  const rows = useRows();
  const now = useNow(15_000);
  const [wanted, want] = useDraft("admin.list", { search: "", sort: "user", direction: "up" });
  const [asking, setAsking] = useState<Sandbox>();
  const { extend, remove } = useRowActions(rows.refresh);
  const shown = wantedRows(rows.value ?? [], wanted);
  const sortBy = (key: SortKey) => {
    const isSame = wanted.sort === key;
    want("sort", key);
    want("direction", isSame && wanted.direction === "up" ? "down" : "up");
  };
  return (
    <>
      <Toolbar wanted={wanted} want={want} />
      <ProblemBox problem={rows.refusal?.problem ?? extend.problem ?? remove.problem} />
      {!rows.value && <Waiting what="Looking for all sandboxes…" />}
      {rows.value && (
        <p class="muted small" role="status">
          {shown.length} of {rows.value.length} sandboxes
        </p>
      )}
      {shown.length > 0 && (
        <table class="grid" aria-label="Sandboxes">
          <thead>
            <tr>
              {sortKeys.map((key) => (
                <SortHead
                  key={key}
                  text={sortWords[key]}
                  direction={wanted.sort === key ? wanted.direction : undefined}
                  onClick={() => {
                    sortBy(key);
                  }}
                />
              ))}
              <th scope="col">
                <span class="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ sandbox, cores }) => (
              <SandboxRow
                key={sandbox.id}
                sandbox={sandbox}
                cores={cores}
                now={now}
                onExtend={extend.run}
                onRemove={setAsking}
              />
            ))}
          </tbody>
        </table>
      )}
      {asking && (
        <ConfirmRemove
          sandbox={{ ...asking, name: `${asking.user}/${asking.name}` }}
          onAnswer={(yes) => {
            setAsking(undefined);
            if (yes) remove.run(asking);
          }}
        />
      )}
    </>
  );
}

function useRowActions(refresh: () => void) {
  const { api } = useSignedIn();
  const { announce } = usePage();
  const extend = useAction(async (sandbox: Sandbox) => {
    await api.extend(sandbox.id, extendBy.ttl);
    announce(`${sandbox.user}/${sandbox.name} has ${extendBy.text} more.`);
    refresh();
  });
  const remove = useAction(async (sandbox: Sandbox) => {
    await removeQuietly(() => api.remove(sandbox.id));
    announce(`${sandbox.user}/${sandbox.name} is removed.`);
    refresh();
  });
  return { extend, remove };
}

function Toolbar(props: {
  wanted: { search: string; sort: string; direction: string };
  want: (name: "search" | "sort" | "direction", value: string) => void;
}) {
  const { wanted, want } = props;
  return (
    <div class="toolbar" role="search">
      <Field
        id="search"
        label="Search"
        placeholder="User, name, id, state or profile"
        value={wanted.search}
        onValue={(value) => {
          want("search", value);
        }}
      />
      <Select
        id="sort"
        label="Sort by"
        value={wanted.sort}
        options={sortKeys.map((key) => ({ value: key, text: sortWords[key] }))}
        onValue={(value) => {
          want("sort", value);
        }}
      />
    </div>
  );
}

function SortHead(props: { text: string; direction: string | undefined; onClick: () => void }) {
  const words = { up: "ascending", down: "descending", none: "none" } as const;
  const direction =
    props.direction === "up" || props.direction === "down" ? props.direction : "none";
  return (
    <th scope="col" aria-sort={words[direction]}>
      <button type="button" class="sort" onClick={props.onClick}>
        {props.text}
      </button>
    </th>
  );
}
