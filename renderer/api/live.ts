/**
 * The admin's event stream: whatever it says, the state is asked again, at most twice a second. Runs in the browser. The
 * stream is let go while the tab is hidden, and taken up again when it is looked at.
 */
import { useQueryClient } from "@tanstack/react-query";
import { createParser } from "eventsource-parser";
import { useEffect } from "react";
import { send } from "./ask.ts";

/** Shortest time between two looks at the state. */
const calmMs = 500;
const retryMs = 3_000;

/** Follows `/admin/events` while `wanted`: an admin is signed in and the box answers. */
export function useLiveEvents(wanted: boolean): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (!wanted) return;
    let stop = new AbortController();
    let retry: ReturnType<typeof setTimeout> | undefined;
    let due: ReturnType<typeof setTimeout> | undefined;

    const look = () => {
      due ??= setTimeout(() => {
        due = undefined;
        void queries.invalidateQueries({ queryKey: ["state"] });
      }, calmMs);
    };
    const begin = () => {
      stop = new AbortController();
      const { signal } = stop;
      void follow(look, signal).then(() => {
        if (!signal.aborted) retry = setTimeout(begin, retryMs);
      });
    };
    const end = () => {
      stop.abort();
      clearTimeout(retry);
      clearTimeout(due);
      due = undefined;
    };
    const seen = () => {
      end();
      if (document.visibilityState !== "visible") return;
      look();
      begin();
    };
    document.addEventListener("visibilitychange", seen);
    seen();
    return () => {
      document.removeEventListener("visibilitychange", seen);
      end();
    };
  }, [wanted, queries]);
}

/** Reads the stream to its end, whatever ends it. Never throws: the floor of the polling shows what is wrong. */
async function follow(onEvent: () => void, signal: AbortSignal): Promise<void> {
  try {
    const response = await send("/admin/events", { headers: { accept: "text/event-stream" } }, signal);
    if (response.body === null) return;
    const parser = createParser({ onEvent });
    const text = response.body.pipeThrough(new TextDecoderStream());
    for await (const piece of text) parser.feed(piece);
  } catch {
    // Gone, refused or let go: the caller decides whether to come back.
  }
}
