import { existsSync } from "node:fs";
import { join } from "node:path";
import express, { type Express, type NextFunction, type RequestHandler } from "express";

const yearMs = 365 * 24 * 3_600_000;

/** What is the API's, and what is a file that is missing: neither is a view of the page. */
const notAView = /^\/(v\d+|page|assets)(\/|$)|\.\w+$/;

/**
 * Serves the built page: its files, and its html at every address that a person may have been given,
 * where the page itself shows the view.
 */
export function servePage(app: Express, pageDir: string): void {
  const assets = join(pageDir, "assets");
  // The name of a file there is made from what it holds: another content has another name.
  const kept = { immutable: true, maxAge: yearMs };
  app.get("/assets/:file", compressed(assets, kept));
  app.use("/assets", express.static(assets, { index: false, redirect: false, ...kept }));
  app.use("/page", express.static(pageDir, { index: false, redirect: false }));
  app.get(/.*/, (request, response, next) => {
    // Who asks without naming html is a program that mistyped: the API's own 404 serves it better.
    const wantsPage = request.accepts(["json", "html"]) === "html";
    if (!wantsPage || notAView.test(request.path)) next();
    else response.sendFile(join(pageDir, "index.html"), { cacheControl: false }, onlyErrors(next));
  });
}

/** sendFile calls back when all is sent, too: then nobody must come next. */
const onlyErrors = (next: NextFunction) => (error?: Error) => {
  if (error) next(error);
};

/** Sends the twin that the build has compressed, to whom takes it. */
function compressed(
  assets: string,
  kept: { immutable: boolean; maxAge: number },
): RequestHandler<{ file: string }> {
  return (request, response, next) => {
    const { file } = request.params;
    const twin = `${file}.gz`;
    const isAsset = /^\w[\w.-]*\.(js|css|svg)$/.test(file) && existsSync(join(assets, twin));
    if (isAsset) response.vary("Accept-Encoding");
    if (!isAsset || !request.acceptsEncodings("gzip")) {
      next();
      return;
    }
    response.type(file).set("Content-Encoding", "gzip");
    response.sendFile(join(assets, twin), kept, onlyErrors(next));
  };
}
