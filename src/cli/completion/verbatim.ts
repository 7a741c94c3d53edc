/** A template in which a backslash is one, for programs of other languages; `\${` is their own `${`. */
export function verbatim(parts: TemplateStringsArray, ...values: string[]): string {
  return String.raw(parts, ...values).replaceAll("\\${", "${");
}
