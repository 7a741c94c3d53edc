import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { usePage } from "./context.js";
import { useStore } from "./hooks.js";

/** One view: its title names the tab, and takes the focus when somebody came here within the page. */
export function View(props: {
  title: string;
  heading?: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  const { title, heading, aside, children } = props;
  const { router } = usePage();
  const { visit } = useStore(router.place);
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Berth`;
  }, [title]);
  // Before the view is painted: an effect after it would take the focus from a field that is typed in already.
  useLayoutEffect(() => {
    if (visit > 0) head.current?.focus();
  }, [visit]);
  return (
    <>
      <div class="view-head">
        <h1 ref={head} tabIndex={-1}>
          {heading ?? title}
        </h1>
        {aside}
      </div>
      {children}
    </>
  );
}
