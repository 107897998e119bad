/**
 * The page at `/` and its files, as the build left them. Runs in the server.
 *
 * The files are listed once, and only listed ones exist: no path of a request ever reaches the file system, there is no
 * listing, no dotfile and no source map to be found.
 */
import { existsSync, readdirSync } from "node:fs";
import type { RequestListener } from "node:http";
import { join, relative, sep } from "node:path";
import express from "express";
import { Failure } from "../domain/failure.ts";
import type { Log } from "../domain/ports.ts";
import { answerFailures, createApplication } from "./through-express.ts";

/** Nothing but our own files runs, and nobody frames us. React sets styles through the DOM, which this allows. */
const securityHeaders: Readonly<Record<string, string>> = Object.freeze({
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
});

export interface Page {
  /** URL paths that exist, `/` first. */
  readonly paths: readonly string[];
  readonly serve: RequestListener;
}

/** `folder` is `dist/renderer`; null, or a folder without `index.html`, gives a page that says what to do. */
export function createPage(folder: string | null, log: Log): Page {
  if (folder === null || !existsSync(join(folder, "index.html"))) {
    const serve = () => {
      throw new Failure("not_found", "The page is not built here. In a checkout, 'npm run build' builds it.");
    };
    return { paths: ["/"], serve };
  }
  const app = createApplication();
  app.use((_request, response, next) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    next();
  });
  app.get("/", (_request, response) => {
    response.setHeader("cache-control", "no-cache");
    response.sendFile("index.html", { root: folder, cacheControl: false });
  });
  // Names under assets/ carry a hash of their content, so a browser may keep them for good.
  const keep = { index: false, redirect: false, dotfiles: "ignore" } as const;
  app.use("/assets", express.static(join(folder, "assets"), { ...keep, immutable: true, maxAge: "1y" }));
  app.use(express.static(folder, { ...keep, cacheControl: false }));
  answerFailures(app, log);
  return { paths: ["/", ...filesOf(folder)], serve: app };
}

function filesOf(folder: string): readonly string[] {
  const paths: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith(".map")) continue;
    const path = relative(folder, join(entry.parentPath, entry.name)).split(sep);
    if (path.some((part) => part.startsWith("."))) continue;
    const url = `/${path.map(encodeURIComponent).join("/")}`;
    if (url !== "/index.html") paths.push(url);
  }
  return paths.sort();
}
