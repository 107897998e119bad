/** The lamp in the page, and in the browser's tab. Runs in the browser. */
import { useEffect } from "react";
import { type LampState, lampFile, lampStrokes } from "./lamp.ts";

/** Decoration: what the state means always stands beside it in words. `size` in pixels. */
export function Lamp({ state, size }: { state: LampState; size: number }) {
  return (
    <svg viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" className="shrink-0" data-lamp={state}>
      {lampStrokes(state).map((stroke) =>
        stroke.role === "frame" ? (
          <path
            key={stroke.path}
            d={stroke.path}
            fill="none"
            stroke="currentColor"
            strokeWidth={1.5}
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        ) : (
          <path key={stroke.path} d={stroke.path} className="fill-lamp" />
        ),
      )}
    </svg>
  );
}

/** Shows the same lamp in the tab, and the same sentence in its title. */
export function useTabLamp(state: LampState, title: string): void {
  useEffect(() => {
    document.querySelector('link[rel="icon"]')?.setAttribute("href", lampFile(state));
    document.title = title;
  }, [state, title]);
}
