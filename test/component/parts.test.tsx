// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Field } from "../../src/http/page/parts/field.js";
import { Bar, Graph } from "../../src/http/page/parts/graph.js";
import { Tabs } from "../../src/http/page/parts/tabs.js";
import { Clock, Tide } from "../../src/http/page/parts/tide.js";
import { Button, Name, ProblemBox } from "../../src/http/page/parts/ui.js";

afterEach(cleanup);

describe("Button", () => {
  it("does nothing while busy, and keeps the focus", () => {
    const press = vi.fn();
    const { rerender } = render(<Button onClick={press}>Make</Button>);
    screen.getByRole("button").focus();
    rerender(
      <Button busy="Asking…" onClick={press}>
        Make
      </Button>,
    );
    const button = screen.getByRole("button", { name: "Asking…" });
    fireEvent.click(button);
    expect(press).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(button);
  });
});

describe("Field", () => {
  it("ties hint and fault to its input", () => {
    const typed = vi.fn();
    render(
      <Field id="f" label="Memory" hint="Up to 4 GiB." fault="no size" value="" onValue={typed} />,
    );
    const input = screen.getByLabelText("Memory");
    expect(input.getAttribute("aria-invalid")).toBe("true");
    for (const id of (input.getAttribute("aria-describedby") ?? "").split(" ")) {
      expect(document.getElementById(id)?.textContent).toMatch(/^(Up to 4 GiB.|no size)$/);
    }
    fireEvent.input(input, { target: { value: "2G" } });
    expect(typed).toHaveBeenCalledWith("2G");
  });
});

describe("Tabs", () => {
  it("has one stop for Tab, and arrows that go round", () => {
    const tabs = ["a", "b", "c"].map((key) => ({ key, title: key, content: `about ${key}` }));
    render(<Tabs id="t" label="Ways" tabs={tabs} />);
    const stops = () => screen.getAllByRole("tab").filter(({ tabIndex }) => tabIndex === 0);
    expect(stops().map(({ textContent }) => textContent)).toEqual(["a"]);
    fireEvent.keyDown(screen.getByRole("tab", { name: "a" }), { key: "ArrowLeft" });
    expect(stops().map(({ textContent }) => textContent)).toEqual(["c"]);
    expect(screen.getByRole("tabpanel").textContent).toBe("about c");
    fireEvent.keyDown(screen.getByRole("tab", { name: "c" }), { key: "x" });
    expect(screen.getByRole("tabpanel").textContent).toBe("about c");
  });
});

describe("Clock and Tide", () => {
  it("tell time left, and change at low water", () => {
    const now = Date.UTC(2026, 0, 1);
    const at = (ms: number) => new Date(now + ms).toISOString();
    const { rerender } = render(<Clock expiresAt={at(3_600_000)} now={now} />);
    expect(screen.getByRole("timer").textContent).toBe("1:00:00");
    rerender(<Clock expiresAt={at(-1)} now={now} />);
    expect(screen.getByText("Time is up")).toBeTruthy();
    const { container } = render(<Tide leftMs={60_000} wholeMs={3_600_000} />);
    expect(container.querySelector("svg")?.getAttribute("class")).toBe("tide soon");
  });
});

describe("Graph", () => {
  it("says in words what it shows, and nothing of what was not measured", () => {
    const points = [
      { x: 0, y: 0.5 },
      { x: 1, y: 1 },
    ];
    render(<Graph label="Memory" value="1 of 2" share={0.5} points={points} story="At most 2." />);
    const image = screen.getByRole("img", { name: "Memory: 1 of 2. At most 2." });
    expect(image.querySelector(".line")?.getAttribute("d")).toBe("M0 28L240 1");
    render(<Graph label="Disk" value="up to 2" share={undefined} points={[]} story="" />);
    expect(screen.getByRole("img", { name: /^Disk/ }).querySelector(".line")).toBeNull();
  });

  it("keeps its bar within its track", () => {
    render(<Bar share={7} label="Disk" text="full" />);
    expect(screen.getByRole("meter").getAttribute("aria-valuenow")).toBe("100");
  });
});

describe("text from outside", () => {
  it("stays text", () => {
    const hostile = `<img src=x onerror="alert(1)">`;
    const { container } = render(
      <>
        <Name>{hostile}</Name>
        <ProblemBox problem={{ title: hostile, detail: hostile, code: hostile }} />
      </>,
    );
    expect(container.querySelector("img")).toBeNull();
    expect(container.querySelector("bdi")?.textContent).toBe(hostile);
  });
});
