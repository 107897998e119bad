/** `GET /metrics`: the figures of `server/observe`, for a Prometheus server. Runs in the server. */
import type { HttpDeps } from "./deps.ts";
import type { Exchange } from "./route.ts";
import { sendText } from "./send.ts";

export function metricsRoute(metrics: NonNullable<HttpDeps["metrics"]>) {
  return async ({ response }: Exchange): Promise<void> => {
    const { contentType, text } = await metrics();
    sendText(response, 200, contentType, text);
  };
}
