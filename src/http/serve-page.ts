import { existsSync } from "node:fs";
import { join } from "node:path";
import express, { type Express, type RequestHandler } from "express";

/** Addresses of the page's views beside "/": all get its html, and the browser shows the view. */
const views = ["/new", "/sandboxes/:id", "/admin", "/admin/:page"];

const yearSeconds = 31_536_000;

/** Serves the built page; what a file below assets/ holds decides its name, so browsers may keep it. */
export function servePage(app: Express, pageDir: string): void {
  const assets = join(pageDir, "assets");
  app.get("/assets/:file", gzipped(assets));
  app.use(
    "/assets",
    express.static(assets, {
      index: false,
      redirect: false,
      immutable: true,
      maxAge: yearSeconds * 1000,
    }),
  );
  app.get(views, (_request, response) => {
    response.sendFile(join(pageDir, "index.html"));
  });
}

/** Sends the twin that the build has compressed, to whom takes it. */
function gzipped(assets: string): RequestHandler {
  return (request, response, next) => {
    const file = String(request.params["file"]);
    const twin = `${file}.gz`;
    const isAsset = /^\w[\w.-]*\.(js|css|svg)$/.test(file);
    if (!isAsset || !request.acceptsEncodings("gzip") || !existsSync(join(assets, twin))) {
      next();
      return;
    }
    response.type(file).set({
      "Content-Encoding": "gzip",
      "Cache-Control": `public, max-age=${yearSeconds}, immutable`,
      Vary: "Accept-Encoding",
    });
    response.sendFile(join(assets, twin), { cacheControl: false });
  };
}
