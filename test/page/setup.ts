import { buildPage } from "../../scripts/build-page.js";

/** The page as it is now, built as it is shipped; it takes a second. */
export default async function setup(): Promise<void> {
  await buildPage();
}
