import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import type { Problem } from "../model/types.js";

type ButtonProps = Omit<ButtonHTMLAttributes, "type" | "class"> & {
  class?: string;
  kind?: "primary" | "quiet" | "danger" | undefined;
  /** Shown instead of the children while busy; presses do nothing then. */
  busy?: string | false | undefined;
  submit?: boolean;
  children: ComponentChildren;
};

export function Button({ kind, busy, submit, children, onClick, ...rest }: ButtonProps) {
  const classes = ["button", kind, rest.class].filter((name) => name !== undefined);
  return (
    <button
      {...rest}
      type={submit ? "submit" : "button"}
      class={classes.join(" ")}
      // Not `disabled`: that would throw the keyboard's focus away.
      aria-disabled={busy ? "true" : undefined}
      onClick={busy ? undefined : onClick}
    >
      {typeof busy === "string" ? busy : children}
    </button>
  );
}

/** What went wrong, read out at once. */
export function ProblemBox({ problem }: { problem: Problem | undefined }) {
  return (
    <div role="alert" class={problem ? "callout error" : undefined}>
      {problem && (
        <>
          <strong>{problem.title || "Something went wrong"}</strong>
          <p>{problem.detail}</p>
          {problem.errors && problem.errors.length > 0 && (
            <ul>
              {problem.errors.map(({ path, message }, index) => (
                <li key={index}>{path ? `${path}: ${message}` : message}</li>
              ))}
            </ul>
          )}
          {problem.code && <p class="code">{problem.code}</p>}
        </>
      )}
    </div>
  );
}

const stateWords: Record<string, string> = {
  creating: "being made",
  ready: "ready",
  stopped: "stopped",
  removing: "being removed",
  failed: "failed",
};

export function StateBadge({ state }: { state: string }) {
  return <span class={`badge ${state}`}>{stateWords[state] ?? state}</span>;
}

/** A name somebody else chose: kept apart from the text around it, whichever way it is written. */
export const Name = ({ children }: { children: string }) => <bdi class="name">{children}</bdi>;

export function Panel(props: {
  title: string;
  id: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="panel" aria-labelledby={props.id}>
      <div class="panel-head">
        <h2 id={props.id}>{props.title}</h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}

/** Of something on its way: nothing jumps when it arrives. */
export const Waiting = ({ what }: { what: string }) => (
  <p class="waiting" role="status">
    {what}
  </p>
);
