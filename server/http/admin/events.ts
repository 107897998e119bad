/**
 * `GET /admin/events`: what happens on this box, as it happens, as SSE. A page that was away asks `/admin/state` for the
 * whole and then follows here; nothing is replayed.
 */
import type { AdminResource } from "./resource.ts";

/** A page that does not read is cut off rather than remembered for. */
const mostUnreadBytes = 1024 * 1024;

export const eventsResource: AdminResource = ({ deps, onClosing }) => [
  {
    method: "GET",
    path: "/admin/events",
    handle(request, response) {
      const { clock, settings } = deps;
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        "x-content-type-options": "nosniff",
      });
      if (request.method === "HEAD") {
        response.end();
        return;
      }
      const write = (frame: string) => {
        response.write(frame);
        if (response.writableLength > mostUnreadBytes) response.destroy();
      };
      let cancelTimer = () => {};
      const keepAlive = () => {
        write(": keep-alive\n\n");
        cancelTimer = clock.after(settings.keepAliveMs, keepAlive);
      };
      keepAlive();
      const unsubscribe = deps.subscribe((event) => write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`));
      const unregister = onClosing(() => response.end());
      response.once("close", () => {
        cancelTimer();
        unsubscribe();
        unregister();
      });
    },
  },
];
