import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";

export interface Tab {
  key: string;
  title: string;
  content: ComponentChildren;
}

/** After the WAI-ARIA tabs pattern: one stop for Tab, arrow keys, Home and End between them. */
export function Tabs(props: { id: string; label: string; tabs: Tab[]; first?: string }) {
  const { id, label, tabs, first } = props;
  const [chosen, setChosen] = useState(first ?? tabs[0]?.key);
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const index = tabs.findIndex(({ key }) => key === chosen);
    const next = nextTab(event.key, index, tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    setChosen(tabs[next]?.key);
    const button = list.current?.children[next];
    if (button instanceof HTMLElement) button.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {tabs.map(({ key, title }) => (
          <button
            key={key}
            type="button"
            role="tab"
            id={`${id}-${key}`}
            aria-controls={`${id}-${key}-panel`}
            aria-selected={key === chosen ? "true" : "false"}
            tabIndex={key === chosen ? 0 : -1}
            onClick={() => {
              setChosen(key);
            }}
          >
            {title}
          </button>
        ))}
      </div>
      {tabs.map(({ key, content }) => (
        <div
          key={key}
          role="tabpanel"
          id={`${id}-${key}-panel`}
          aria-labelledby={`${id}-${key}`}
          hidden={key !== chosen}
        >
          {content}
        </div>
      ))}
    </>
  );
}

function nextTab(key: string, index: number, count: number): number | undefined {
  if (key === "ArrowRight") return (index + 1) % count;
  if (key === "ArrowLeft") return (index + count - 1) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return undefined;
}
