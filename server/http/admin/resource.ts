/** What one admin resource is: a few routes over what the room was given. Adding one is a file and a line in `index.ts`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Request, Response } from "express";
import type { HttpDeps } from "../deps.ts";
import type { Method } from "../route.ts";

export interface AdminRoute {
  readonly method: Method;
  /** Under `/admin`. */
  readonly path: `/admin/${string}`;
  /** May throw a Failure. The caller holds an admin key; that was checked before. */
  handle(request: Request, response: Response): void | Promise<void>;
}

export interface AdminParts {
  readonly deps: HttpDeps;
  /** The request's body as JSON; `undefined` when there is none. */
  readonly readBody: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;
  /** Calls back when the server is about to close, so that endless answers end. Returns how to unregister. */
  readonly onClosing: (callback: () => void) => () => void;
}

export type AdminResource = (parts: AdminParts) => readonly AdminRoute[];
