/** Builds src/http/page into dist/http/page. */
export function buildPage(): Promise<void>;
