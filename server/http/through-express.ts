/** The border to express, which serves the admin routes and the page's files behind our own table. Runs in the server. */
import type { RequestListener } from "node:http";
import express from "express";
import { asFailure, Failure } from "../domain/failure.ts";
import type { Log } from "../domain/ports.ts";
import { boxFailures } from "./box-failures.ts";
import type { Exchange } from "./route.ts";
import { sendFailure } from "./send.ts";

/** An application that matches paths exactly, as our table does, and says nothing about itself. */
export function createApplication(): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("case sensitive routing", true);
  app.set("strict routing", true);
  return app;
}

/** Call after the routes: express' own error page would show stacks. */
export function answerFailures(app: express.Express, log: Log): void {
  app.use((_request, _response, next) => next(new Failure("not_found", "There is nothing at this path.")));
  app.use((thrown: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    const failure = failureOf(thrown);
    if (failure.code === "internal") log.error({ error: failure.cause }, "a request failed inside");
    sendFailure(response, boxFailures, failure);
  });
}

/** What express and its file server throw themselves carries a `status`; 4xx are the client's own. */
function failureOf(thrown: unknown): Failure {
  const status = thrown instanceof Error && "status" in thrown ? thrown.status : undefined;
  if (typeof status !== "number" || status < 400 || status > 499) return asFailure(thrown);
  if (status === 404) return new Failure("not_found", "There is nothing at this path.");
  return new Failure("invalid_request", "The request cannot be answered as it was asked.");
}

/** Hands one exchange over and waits until it is answered. */
export function throughExpress(serve: RequestListener): (exchange: Exchange) => Promise<void> {
  return ({ request, response }) =>
    new Promise((resolve) => {
      response.once("close", resolve);
      serve(request, response);
    });
}
