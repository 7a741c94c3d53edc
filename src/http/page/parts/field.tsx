import type { ComponentChildren } from "preact";

interface Labelled {
  id: string;
  label: string;
  hint?: ComponentChildren;
  fault?: string | undefined;
}

interface FieldProps extends Labelled {
  value: string;
  onValue: (value: string) => void;
  type?: "text" | "password";
  placeholder?: string | undefined;
  autocomplete?: "off" | "username" | "current-password";
}

/** A text field with its label, its hint and its fault, tied together for screen readers. */
export function Field(props: FieldProps) {
  const { id, value, onValue, type, placeholder, autocomplete = "off" } = props;
  const kind = type === "password" ? ({ type } as const) : ({ type: "text" } as const);
  return (
    <Around {...props}>
      <input
        id={id}
        {...kind}
        value={value}
        placeholder={placeholder}
        autocomplete={autocomplete}
        autocapitalize="off"
        spellcheck={false}
        aria-describedby={`${id}-hint ${id}-fault`}
        aria-invalid={props.fault ? "true" : "false"}
        onInput={(event) => {
          onValue(event.currentTarget.value);
        }}
      />
    </Around>
  );
}

type SelectProps = Labelled & {
  value: string;
  options: { value: string; text: string }[];
  onValue: (value: string) => void;
};

export function Select({ id, label, hint, fault, value, options, onValue }: SelectProps) {
  return (
    <Around id={id} label={label} hint={hint} fault={fault}>
      <select
        id={id}
        value={value}
        aria-describedby={`${id}-hint ${id}-fault`}
        aria-invalid={fault ? "true" : "false"}
        onChange={(event) => {
          onValue(event.currentTarget.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </Around>
  );
}

function Around({ id, label, hint, fault, children }: Labelled & { children: ComponentChildren }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <p class="fault" id={`${id}-fault`}>
        {fault}
      </p>
    </div>
  );
}
